#include "subprocess/keeper.hpp"

#include <cerrno>
#include <cstdint>
#include <exception>
#include <system_error>
#include <utility>

#include <weft/detail/annotations.hpp>
#include <weft/detail/hook.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/queue/simple_queue.hpp>
#include <weft/threading/lock.hpp>

#include "os/posix/thread.hpp"

namespace weft::subprocess {

namespace {

/// A start that a thread asks for. Lives on its stack until it is done.
struct Request {
    const os::SpawnPlan* plan = nullptr;
    os::Spawned spawned{};
    std::exception_ptr exception{};
    threading::Lock pending{};  ///< locked until it is done
};

/// The thread that starts children for others. States: none; running, to the end of the process.
/// A child of fork() has none again. It is no thread of Weft's registry: nobody joins it, it blocks
/// all signals, and it executes nothing of the program's.
class Keeper {
public:
    // The lock is released by another thread than the one that has acquired it.
    os::Spawned spawn(os::SpawnPlan plan) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        plan.signal_mask = os::signal_mask();
        start_thread();
        Request request{.plan = &plan};
        request.pending.acquire();
        requests_.put(&request);
        // Only the main thread's waits end by Ctrl-C, and that one does not come here.
        request.pending.acquire();
        if (request.exception) std::rethrow_exception(request.exception);
        return std::move(request.spawned);
    }

private:
    void start_thread() {
        const auto generation = weft::detail::fork_generation.load(std::memory_order_relaxed);
        const threading::Guard held(lock_);
        if (generation_ == generation) return;
        const os::NewThread thread = os::create_thread(&run, this, 0);
        if (thread.error != 0) {
            throw std::system_error(thread.error, std::generic_category(),
                                    "pthread_create (for die_with_parent)");
        }
        generation_ = generation;
    }

    static void* run(void* subject) noexcept {
        auto& keeper = *static_cast<Keeper*>(subject);
        os::block_signals();
        os::set_current_thread_name("weft-keeper");
        for (;;) keeper.answer(*keeper.requests_.get());
    }

    void answer(Request& request) noexcept WEFT_NO_THREAD_SAFETY_ANALYSIS {
        try {
            request.spawned = os::spawn(*request.plan);
        } catch (...) {
            request.exception = std::current_exception();
        }
        request.pending.release();
    }

    threading::Lock lock_;
    std::uint32_t generation_ = 0;  ///< the fork generation that has the thread
    queue::SimpleQueue<Request*> requests_;
};

Keeper& keeper() {
    // Never destroyed: its thread runs to the very end.
    static weft::detail::NeverDestroyed<Keeper> only;
    return only.value;
}

}  // namespace

os::Spawned spawn_from_keeper(const os::SpawnPlan& plan) {
    if (os::is_first_thread()) return os::spawn(plan);
    return keeper().spawn(plan);
}

}  // namespace weft::subprocess
