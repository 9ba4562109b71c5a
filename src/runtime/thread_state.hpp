#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include <weft/detail/atomic.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/detail/wait_list.hpp>

#include "os/posix/thread.hpp"

namespace weft::contextvars {
class Context;
}
namespace weft::runtime {
class Registry;
}

namespace weft::detail {

enum class ThreadKind : std::uint8_t {
    started,  ///< started by Weft
    main,     ///< the thread whose end is the end of the program
    dummy,    ///< started by others, met when it used Weft
    raw,      ///< started by _thread; listed as a dummy once it has asked who it is
};

enum class ThreadStatus : std::uint8_t {
    initial,   ///< not started
    starting,  ///< start() has been called; the thread has not yet recorded who it is
    running,
    stopped,  ///< past its last instruction of users' code
};

/// All that Weft knows about one thread. Shared by its handles, and by the registry from start()
/// until the operating system's thread has been joined.
///
/// Users' objects die elsewhere: the body at the end of run(), an object with a run() of its own
/// with the last handle. So the destructor of a ThreadState runs nobody's code, and the last part
/// of a thread may overlap the destruction of static objects.
///
/// After fork, every thread but the one that forked is stopped: its state carries an older fork
/// generation than the process does.
class ThreadState {
public:
    ThreadState(ThreadKind kind, std::string name, bool is_daemon,
                std::unique_ptr<ThreadBody> body);
    ~ThreadState();
    ThreadState(const ThreadState&) = delete;
    ThreadState& operator=(const ThreadState&) = delete;

    [[nodiscard]] std::string name() const;
    void set_name(std::string name);
    /// Tells the system the name; on the thread itself.
    void show_name() const noexcept;

    [[nodiscard]] ThreadKind kind() const noexcept { return kind_.load(std::memory_order_relaxed); }
    /// Whether Weft has started it, and so has to join the operating system's thread.
    [[nodiscard]] bool is_own() const noexcept {
        return kind() == ThreadKind::started || kind() == ThreadKind::raw;
    }
    /// Whether its handles are those of a thread that nobody can join by them.
    [[nodiscard]] bool is_dummy() const noexcept {
        return kind() == ThreadKind::dummy || kind() == ThreadKind::raw;
    }
    [[nodiscard]] ThreadStatus status() const noexcept;
    [[nodiscard]] bool is_alive() const noexcept;
    [[nodiscard]] bool is_daemon() const noexcept {
        return is_daemon_.load(std::memory_order_relaxed);
    }
    /// False, without effect, once start() has been called.
    [[nodiscard]] bool set_daemon(bool is_daemon) noexcept;

    /// Zero until known.
    [[nodiscard]] std::uint64_t ident() const noexcept {
        return ident_.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint64_t native_id() const noexcept {
        return native_id_.load(std::memory_order_acquire);
    }
    /// True on the thread itself, to its very end.
    [[nodiscard]] bool is_current() const noexcept;
    /// A daemon that the end of the program has left behind: whoever joined it would wait for ever.
    [[nodiscard]] bool will_never_end() const noexcept;

    /// Waits until the thread has ended, with all its thread_local objects, or has called exit().
    WaitEnd join(const WaitLimits& limits);

    /// The body of a thread made from a target; empty once it was taken, or if there was none.
    [[nodiscard]] std::unique_ptr<ThreadBody> take_body() noexcept;
    [[nodiscard]] bool takes_stop_token() const noexcept { return takes_stop_token_; }
    [[nodiscard]] bool has_target() const noexcept { return has_target_; }
    [[nodiscard]] std::stop_source& stop() noexcept { return stop_; }

    /// From `initial` to `starting`; false when it was not initial. Back again when the system
    /// refuses the thread.
    [[nodiscard]] bool begin_start() noexcept;
    void cancel_start() noexcept;
    /// The starter's side of the handshake: blocks until the new thread has recorded itself, and
    /// returns 0, or the error number with which it could not.
    [[nodiscard]] int wait_until_started() noexcept;

    /// The size of its stack; 0 stands for what `_thread::stack_size()` says when it starts.
    std::size_t stack_size = 0;
    /// What the new thread does. Not noexcept: pthread_exit() and pthread_cancel() unwind it.
    void (*main)(const std::shared_ptr<ThreadState>& thread) = nullptr;
    /// What `main` is to run first; null for nothing. Taken by the new thread, as is the context
    /// that it is to run in; null when none was given.
    std::unique_ptr<ThreadBody> prologue;
    std::shared_ptr<contextvars::Context> context;
    bool has_context = false;  ///< whether one was given; never changes
    /// An object with a run() of its own: owned while the thread runs, known as long as it lives.
    std::shared_ptr<ThreadBody> object_to_run;
    std::weak_ptr<ThreadBody> object;

private:
    friend class weft::runtime::Registry;

    enum class Reaping : std::uint8_t { unclaimed, claimed, done };

    [[nodiscard]] bool is_of_this_process() const noexcept {
        return generation_.load(std::memory_order_relaxed) ==
               fork_generation.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool is_over_for_joiners() const noexcept;
    /// Waits until it is over, also when the C library holds it, or whom it waits for, back in
    /// exit().
    WaitEnd join_within_exit(const WaitLimits& limits) noexcept;

    // The thread's own steps, taken by the registry.
    void record_identity() noexcept;
    void become_running() noexcept;
    void refuse_start(int error) noexcept;
    void become_stopped() noexcept;
    void become_exiting() noexcept;

    Atomic<ThreadKind> kind_;
    Atomic<ThreadStatus> status_{ThreadStatus::initial};
    Atomic<bool> is_daemon_;
    Atomic<bool> is_met_{false};      ///< raw only: has asked who it is
    Atomic<bool> is_exiting_{false};  ///< runs the program's exit, so that nobody waits for it
    Atomic<Reaping> reaping_{Reaping::unclaimed};
    Atomic<int> start_error_{0};
    Atomic<std::uint32_t> generation_;  ///< the fork generation in which the thread runs
    Atomic<std::uint64_t> ident_{0};
    Atomic<std::uint64_t> native_id_{0};
    WaitList changes_;  ///< waits for `running`, `stopped` and for the thread to be joined

    bool takes_stop_token_;
    bool has_target_;
    std::stop_source stop_;

    mutable LowLock mutex_;  ///< guards the two below
    /// Replaced by one store, so that a fork in the middle leaves the old or the new name.
    const std::string* name_;
    std::unique_ptr<ThreadBody> body_;

    // Guarded by the registry's lock.
    std::shared_ptr<ThreadState> self_;  ///< the registry's share
    ThreadState* previous_ = nullptr;
    ThreadState* next_ = nullptr;
};

}  // namespace weft::detail
