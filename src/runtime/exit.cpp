#include "runtime/exit.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

#include <weft/detail/atomic.hpp>
#include <weft/detail/low_lock.hpp>

#include "os/posix/thread.hpp"
#include "runtime/fork.hpp"
#include "runtime/main_thread.hpp"
#include "runtime/parking.hpp"
#include "runtime/registry.hpp"
#include "runtime/this_thread.hpp"

// Beside the handler that writes it, so that a static program that reads it, as every LowLock does,
// links the handler too.
constinit weft::detail::Atomic<std::uint32_t> weft::detail::fork_generation{2};

namespace weft::runtime {

namespace {

/// The thread that ends the program; zero while none does.
constinit detail::Atomic<os::ThreadHandle> runner{0};

/// Its destructor is the exit protocol of the main thread: the C++ library runs it when that thread
/// returns from main or calls exit(), before it destroys static objects.
class ExitGuard {
public:
    ExitGuard() noexcept = default;
    ~ExitGuard() {
        if (is_main_thread()) run_exit_protocol();
    }
    ExitGuard(const ExitGuard&) = delete;
    ExitGuard& operator=(const ExitGuard&) = delete;
};

void run_hooks(Registry::HookKind kind) noexcept {
    while (const ExitHook* const hook = registry.take_hook(kind)) hook->run();
}

void join_threads() noexcept {
    while (const ThreadPointer thread = registry.next_to_join()) {
        (void)thread->join({.is_interruptible = false});
    }
}

/// False also when it is not known, so that the threads of others are not cut off.
bool is_alone_with_own_threads() noexcept {
    try {
        return registry.has_only_own_threads();
    } catch (const std::bad_alloc&) {
        return false;
    }
}

/// Another thread ends the program already. A second run through the rest of exit() would destroy
/// static objects under the first one's feet.
[[noreturn]] void leave_it_to_the_runner() noexcept {
    // The runner may be waiting for this thread.
    registry.announce_exit();
    os::sleep_for_ever();
}

}  // namespace

Phase phase() noexcept {
    return registry.phase();
}

void at_exit_drain(ExitHook& hook) {
    registry.add_hook(Registry::HookKind::drain, hook);
}

void at_exit_join(ExitHook& hook) {
    registry.add_hook(Registry::HookKind::join, hook);
}

void run_exit_protocol() noexcept {
    const os::ThreadHandle mine = os::current_thread();
    os::ThreadHandle seen = 0;
    if (!runner.compare_exchange_strong(seen, mine, std::memory_order_seq_cst)) {
        if (seen == mine) return;
        leave_it_to_the_runner();
    }
    // A daemon that calls exit() is the one that destroys static objects, so it must not be parked.
    this_thread.is_weft_daemon = false;
    if (phase() == Phase::finalized) return;
    registry.begin_ending();
    do {
        run_hooks(Registry::HookKind::drain);
        registry.announce_exit();
        join_threads();
        run_hooks(Registry::HookKind::join);
    } while (!registry.try_finalize());
    registry.reap_last_ended();
}

bool is_ending_the_program() noexcept {
    return runner.load(std::memory_order_seq_cst) == os::current_thread();
}

void arm_main_thread() noexcept {
    if (this_thread.is_armed) return;
    this_thread.is_armed = true;
    // Constructed, and its destructor registered, when control first passes here.
    static thread_local ExitGuard guard;
    (void)guard;
}

void register_exit_handler() noexcept {
    // A failure for lack of memory leaves the other registration, and the main thread's guard.
    (void)std::atexit([] { run_exit_protocol(); });
}

void end_main_thread() noexcept {
    // At once, since threads that work for a queue end only when the protocol has told them to.
    if (is_alone_with_own_threads()) std::exit(EXIT_SUCCESS);
    join_threads();
    registry.reap_last_ended();
    if (is_alone_with_own_threads()) std::exit(EXIT_SUCCESS);
    registry.announce_exit();
    // Whoever ends the program must not wait for this thread, which has done its part.
    os::ThreadHandle mine = os::current_thread();
    runner.compare_exchange_strong(mine, 0, std::memory_order_seq_cst);
}

void restart_after_fork() noexcept {
    if (runner.load(std::memory_order_seq_cst) == os::current_thread()) return;
    runner.store(0, std::memory_order_seq_cst);
    registry.restart();
}

bool is_abandoned() noexcept {
    // Relaxed: a thread that does not see it yet goes on for a moment longer, as it might have
    // anyway.
    if (registry.phase() != Phase::finalized) [[likely]]
        return false;
    return this_thread.is_weft_daemon;
}

void park_if_abandoned() noexcept {
    if (is_abandoned()) [[unlikely]]
        os::sleep_for_ever();
}

namespace {

/// Handlers of a forked child run in the order of their registration, and those of users may use
/// Weft: its own has to come before them.
struct ForkHandler {
    ForkHandler() { handle_forks(); }
};

WEFT_INIT_FIRST const ForkHandler fork_handler;

/// Runs when the library is loaded, usually on the main thread.
bool begin_at_load() {
    register_exit_handler();
    if (is_main_thread()) registry.meet_main_thread();
    return true;
}

[[maybe_unused]] const bool has_begun = begin_at_load();

}  // namespace

}  // namespace weft::runtime
