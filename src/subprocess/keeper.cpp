#include "subprocess/keeper.hpp"

#include <cerrno>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
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

/// The thread that starts children for others, and what it is asked for. States: made; running, to
/// the end of the process. It is no thread of Weft's registry: nobody joins it, it blocks all
/// signals, and it executes nothing of the program's.
class Keeper {
public:
    // The lock is released by another thread than the one that has acquired it.
    os::Spawned spawn(os::SpawnPlan plan) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        plan.signal_mask = os::signal_mask();
        Request request{.plan = &plan};
        request.pending.acquire();
        requests_.put(&request);
        // Only the main thread's waits end by Ctrl-C, and that one does not come here.
        request.pending.acquire();
        if (request.exception) std::rethrow_exception(request.exception);
        return std::move(request.spawned);
    }

    /// Once, before the first spawn(). Returns errno or 0.
    int start_thread() noexcept { return os::create_thread(&run, this, 0).error; }

private:
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

    queue::SimpleQueue<Request*> requests_;
};

/// Which keeper this process has. A child of fork() has none: the thread is its parent's, and what
/// that had been asked for must not be done once more here, so it gets a whole new one. The old one
/// stays where it is, whatever it was in the middle of.
class KeeperPlace {
public:
    constexpr KeeperPlace() noexcept = default;

    Keeper& get() {
        if (Keeper* const found = find()) return *found;
        auto made = std::make_unique<Keeper>();
        const std::lock_guard held(lock_);
        if (Keeper* const found = find_locked()) return *found;
        const int error = made->start_thread();
        if (error != 0) {
            throw std::system_error(error, std::generic_category(),
                                    "pthread_create (for die_with_parent)");
        }
        abandoned_ = keeper_;
        keeper_ = made.release();  // never destroyed: its thread runs to the very end
        generation_ = weft::detail::fork_generation.load(std::memory_order_relaxed);
        return *keeper_;
    }

private:
    Keeper* find() {
        const std::lock_guard held(lock_);
        return find_locked();
    }
    Keeper* find_locked() const {
        const auto now = weft::detail::fork_generation.load(std::memory_order_relaxed);
        return generation_ == now ? keeper_ : nullptr;
    }

    weft::detail::LowLock lock_;  ///< guards what follows
    Keeper* keeper_ = nullptr;
    std::uint32_t generation_ = 0;  ///< the fork generation that has the thread
    Keeper* abandoned_ = nullptr;   ///< kept so that it is not taken for a leak
};

constinit weft::detail::NeverDestroyed<KeeperPlace> place;

}  // namespace

os::Spawned spawn_from_keeper(const os::SpawnPlan& plan) {
    if (os::is_first_thread()) return os::spawn(plan);
    return place.value.get().spawn(plan);
}

}  // namespace weft::subprocess
