#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <weft/detail/atomic.hpp>
#include <weft/detail/low_lock.hpp>

#include "runtime/exit.hpp"
#include "runtime/thread_state.hpp"

namespace weft::runtime {

using ThreadPointer = std::shared_ptr<detail::ThreadState>;

/// The threads that Weft started or met, and the program's phase, under one lock.
///
/// A thread that Weft starts is listed from start() until the operating system's thread has been
/// joined: by a caller of join(), by the next thread that ends, or by the exit protocol. So the
/// list always knows every such thread that may still execute anything.
///
/// Never destroyed. After fork the old list is put aside as it is, since it may be in the middle of
/// a change, and only what cannot be torn is read from it.
class Registry {
public:
    constexpr Registry() noexcept = default;

    /// The calling thread. Met for the first time, it becomes the main thread's or a dummy's state.
    /// Throws `std::bad_alloc` and `std::system_error` (no slot for the thread's end).
    [[nodiscard]] ThreadPointer current();
    [[nodiscard]] ThreadPointer main();
    /// A share of a listed thread, without asking who it is.
    [[nodiscard]] ThreadPointer self(detail::ThreadState& thread) noexcept;
    /// Whether a thread that the calling one makes is a daemon unless told otherwise.
    [[nodiscard]] bool makes_daemons() const noexcept;

    /// The main thread first, then all that are starting or running, in order of arrival.
    [[nodiscard]] std::vector<ThreadPointer> all();
    [[nodiscard]] std::size_t count() noexcept;

    /// Lists a thread that is about to be started. Throws `std::runtime_error` when the program has
    /// ended, `std::system_error` when there is no slot for the thread's end.
    void enlist(const ThreadPointer& thread);
    void delist(detail::ThreadState& thread) noexcept;

    /// The first step of a new thread: records who it is, and wakes whoever called start(). False
    /// when the thread must return at once.
    [[nodiscard]] bool enter(detail::ThreadState& thread) noexcept;

    /// Waits until the operating system's thread of a stopped one is gone, and forgets it.
    void reap(detail::ThreadState& thread) noexcept;

    // For the exit protocol.

    /// A non-daemon thread that must end before the program does; null when there is none.
    [[nodiscard]] ThreadPointer next_to_join() noexcept;
    void reap_last_ended() noexcept;
    /// Tells those who join the calling thread, or the main one, that it will not come back.
    void announce_exit() noexcept;
    /// Tells those who join a thread that the C library holds back in exit(), because the calling
    /// one is inside of it, that it will not come back.
    void note_threads_held_in_exit() noexcept;
    /// Makes the phase `finalized`, unless threads or hooks have come up meanwhile.
    [[nodiscard]] bool try_finalize() noexcept;
    /// True when every thread of the process is the calling one or was started by Weft.
    [[nodiscard]] bool has_only_own_threads();
    void begin_ending() noexcept { phase_.store(Phase::ending, std::memory_order_seq_cst); }
    void restart() noexcept { phase_.store(Phase::running, std::memory_order_seq_cst); }
    [[nodiscard]] Phase phase() const noexcept { return phase_.load(std::memory_order_relaxed); }

    /// The hooks that have not run yet, the last registered first; null when there is none. Marks
    /// it as run.
    enum class HookKind : std::uint8_t { drain, join };
    void add_hook(HookKind kind, ExitHook& hook);
    [[nodiscard]] ExitHook* take_hook(HookKind kind) noexcept;

    /// In a child of fork(), which has one thread.
    void keep_only_this_thread();
    /// The calling thread is the main one.
    void meet_main_thread() noexcept;
    /// The calling thread is at its end.
    void leave() noexcept;

private:
    void prepare_thread();
    void prepare_first_start();
    [[nodiscard]] ThreadPointer find_or_make_main();
    [[nodiscard]] ThreadPointer meet_dummy();
    void meet_raw(detail::ThreadState& thread);
    [[nodiscard]] std::string next_dummy_name();
    /// Shares of the listed threads for which the predicate is true; it is called under the lock.
    template <class Predicate>
    [[nodiscard]] std::vector<ThreadPointer> find(Predicate is_wanted);
    [[nodiscard]] bool is_listed_alive(const detail::ThreadState& thread) const noexcept;
    [[nodiscard]] bool must_be_joined(const detail::ThreadState& thread) const noexcept;
    [[nodiscard]] ExitHook* find_hook(HookKind kind) const noexcept;
    void link_last(const ThreadPointer& thread) noexcept;
    void link_first(const ThreadPointer& thread) noexcept;
    /// Gives the registry's share to the caller, who drops it after unlocking.
    [[nodiscard]] ThreadPointer unlink(detail::ThreadState& thread) noexcept;

    detail::Atomic<Phase> phase_{Phase::running};
    detail::Atomic<bool> has_started_threads_{false};
    detail::Atomic<std::uint64_t> dummies_{0};
    detail::Atomic<std::uint64_t> main_ident_{0};  ///< zero while it is not known

    detail::LowLock mutex_;  ///< guards what follows
    detail::ThreadState* first_ = nullptr;
    detail::ThreadState* last_ = nullptr;
    std::size_t size_ = 0;
    detail::ThreadState* main_ = nullptr;
    detail::ThreadState* last_ended_ = nullptr;  ///< ended, and not claimed by anybody yet
    ExitHook* drain_hooks_ = nullptr;
    ExitHook* join_hooks_ = nullptr;
    /// What the processes before this one had listed, kept so that it is not taken for a leak.
    detail::ThreadState* abandoned_ = nullptr;
};

extern Registry registry;

}  // namespace weft::runtime
