#pragma once

#include <cstdint>

namespace weft::runtime {

// The end of the program. docs/decisions/0002-exit-and-fork.md has the states and the order.

enum class Phase : std::uint8_t {
    running,
    ending,     ///< queued work is finished and non-daemon threads are joined; threads may start
    finalized,  ///< nothing of Weft starts any more; static objects may be going
};

[[nodiscard]] Phase phase() noexcept;

/// Something to do at the end of the program: a static object of the module that needs it, never
/// destroyed. Its members belong to the exit protocol once it has been handed over.
struct ExitHook {
    void (*run)() noexcept;
    ExitHook* next = nullptr;
    std::uint32_t ran_in = 0;  ///< the fork generation in which it ran last
    bool is_listed = false;
};

/// Has the hook run, once, when the program ends: those of `at_exit_drain` first, to finish queued
/// work, then the non-daemon threads are joined, then those of `at_exit_join`; each kind in the
/// reverse order of registration. A hook that is registered, again or for the first time, while the
/// program ends, still runs before the end. Hooks run on the thread that ends the program, with no
/// lock held, and may start and join threads. A child of fork() has them too.
///
/// Throws `std::runtime_error` once the phase is finalized.
void at_exit_drain(ExitHook& hook);
void at_exit_join(ExitHook& hook);

/// Ends the program's use of Weft; static objects may be destroyed afterwards. The second call on
/// the same thread does nothing. Does not return when another thread is ending the program.
void run_exit_protocol() noexcept;

/// True on the thread that runs the exit protocol, from its beginning to the end of the process.
[[nodiscard]] bool is_ending_the_program() noexcept;

/// Has run_exit_protocol() called when the calling thread, the main one, returns from main, ends or
/// calls exit(): before any static object is destroyed.
void arm_main_thread() noexcept;

/// Has run_exit_protocol() called by exit(), whoever calls it, before the destructors of the static
/// objects that exist by now.
void register_exit_handler() noexcept;

/// The last step of a main thread that ended without exit(), by pthread_exit(): ends the program
/// once only threads of Weft that nobody waits for are left.
void end_main_thread() noexcept;

/// In a child of fork(): the child is a running program, unless it was forked by the thread that
/// was ending the parent, which goes on doing so.
void restart_after_fork() noexcept;

}  // namespace weft::runtime
