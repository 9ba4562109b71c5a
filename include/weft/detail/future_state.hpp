#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>

#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>

// The state that all handles of one Future share, without its result's type.
// docs/decisions/0015-futures.md has the states and the memory orders.

namespace weft::detail {

class FutureState;

/// True when only a notification can end the wait (but for Ctrl-C).
[[nodiscard]] inline bool has_no_limit(const WaitLimits& limits) noexcept {
    return limits.deadline.is_never() && (limits.stop == nullptr || !limits.stop->stop_possible());
}

/// Something that is to happen when a future is done. Off the list it belongs to whoever made it.
struct FutureListener {
    /// Called once, when the listener has been taken off the list; it may destroy the listener.
    /// `future` is null when the future dies without an end.
    void (*fire)(FutureListener& self, FutureState* future) noexcept = nullptr;
    /// Whether a cancellation is enough. Else it fires when the executor has seen that, as `wait`
    /// and `as_completed` need.
    bool hears_cancel = true;
    bool is_listed = false;  ///< guarded by the future's lock, as are the links
    FutureListener* previous = nullptr;
    FutureListener* next = nullptr;
};

enum class FuturePhase : std::uint32_t {
    pending,
    running,
    storing,    ///< a thread is writing the outcome; for the outside it is running
    cancelled,  ///< its executor does not know yet
    notified,   ///< cancelled, and its executor knows
    finished,
};

/// A Future's phase, its waiters and listeners, its exception, and the count of its owners.
class WEFT_API FutureState {
public:
    FutureState(const FutureState&) = delete;
    FutureState& operator=(const FutureState&) = delete;

    // Owners: handles, and shares that are none: one of an executor's task at most, and one of each
    // thread that is calling listeners. The last one destroys the state.

    void add_handle() noexcept { owners_.fetch_add(1, std::memory_order_relaxed); }
    void drop_handle() noexcept { drop(1); }
    void drop_task() noexcept { drop(kTaskOwner); }
    /// True when no handle but the caller's can reach the result.
    [[nodiscard]] bool is_last_handle() const noexcept {
        // Acquire: what the dropped handles' users did with the result is over.
        return (owners_.load(std::memory_order_acquire) & (kTaskOwner - 1)) == 1;
    }

    // Phases.

    [[nodiscard]] FuturePhase phase() const noexcept {
        return phase_of(word_.load(std::memory_order_acquire));
    }
    [[nodiscard]] bool is_done() const noexcept { return is_done(phase()); }
    [[nodiscard]] bool has_failed() const noexcept {
        return (word_.load(std::memory_order_acquire) & kFailed) != 0;
    }

    /// Pending becomes cancelled; then the listeners that hear it have been called on return.
    /// False when it is running or finished.
    bool cancel() noexcept;

    /// Pending becomes running; returns true. Cancelled becomes notified; returns false, as for
    /// any other phase.
    bool start_task() noexcept;
    /// The same for a future without an executor; throws std::runtime_error for any other phase.
    bool set_running_or_notify_cancel();

    /// Claims the right to store the outcome, of a future without an executor. Returns the phase
    /// to go back to if storing fails. Throws InvalidStateError.
    FuturePhase begin_storing(const char* what);
    void abandon_storing(FuturePhase before) noexcept;
    /// Ends a running or storing phase: the result is stored.
    void finish() noexcept { end(FuturePhase::finished, 0); }
    /// The same with an exception; `error` must not be null.
    void fail(std::exception_ptr error) noexcept {
        keep_error(std::move(error));
        publish();
    }

    // Outcome.

    /// Waits until it is done; then returns if there is a result, and throws what there is instead:
    /// the exception, CancelledError, InvalidStateError if the result was taken. Throws
    /// TimeoutError, Cancelled and KeyboardInterrupt when the wait ends otherwise.
    void require_result(const WaitLimits& limits) {
        const std::uint32_t word = word_.load(std::memory_order_acquire);
        if ((word & (kPhase | kFailed | kTaken)) != phase_bits(FuturePhase::finished)) [[unlikely]]
            require_result_slow(limits);
    }
    /// Waits until it is done; returns the exception, null for none. Throws as require_result().
    [[nodiscard]] std::exception_ptr exception(const WaitLimits& limits);
    /// Waits until it is done, and throws only what ends the wait otherwise.
    void wait_until_done(const WaitLimits& limits);
    /// Marks the result as taken; throws InvalidStateError when it is already.
    void take_result();
    void put_result_back() noexcept { word_.fetch_and(~kTaken, std::memory_order_release); }

    // Listeners.

    /// Lists it; false when it is too late, and the caller must act himself.
    [[nodiscard]] bool add(FutureListener& listener) noexcept;
    /// Takes it off the list; false when it was not there any more: it is being called, or was.
    bool remove(FutureListener& listener) noexcept;

    // Tasks.

    /// Makes the call that the result comes from, keeps what it returns or throws, and destroys it;
    /// false when it was cancelled or begun before. publish() must follow. When the thread is
    /// unwound in the middle of the call (pthread_exit()), so is this: abandon_task() must follow.
    [[nodiscard]] virtual bool perform() { return false; }
    /// Ends the future with what perform() has kept.
    void publish() noexcept { end(FuturePhase::finished, error_ != nullptr ? kFailed : 0); }
    /// Both, and abandon_task() where needed.
    void run_task();
    /// Ends a future whose call has begun and will never come to its end.
    void abandon_task() noexcept;
    /// Ends a future whose call will not be made: with an exception, or without one as cancelled.
    /// Nothing happens to one that was begun.
    void refuse(std::exception_ptr error) noexcept;
    /// False once only the executor has a share: nobody is going to ask for the outcome.
    [[nodiscard]] bool has_handles() const noexcept {
        return (owners_.load(std::memory_order_relaxed) & (kTaskOwner - 1)) != 0;
    }

    /// Who may run the call on behalf of a thread that waits for it, null for nobody; and the
    /// process (fork generation) whose threads can run it at all, zero for any. Written before the
    /// task can be seen by two threads.
    const void* home = nullptr;
    void set_generation(std::uint32_t generation) noexcept { generation_ = generation; }
    [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }
    /// Throws std::runtime_error if it is not done, and those who are to end it are in the process
    /// that this one was forked from.
    void require_reachable() const;
    /// Asks a running call to stop; false when it takes no stop token, or was asked before.
    virtual bool request_stop() noexcept { return false; }
    [[nodiscard]] virtual int priority() const noexcept { return 0; }
    [[nodiscard]] virtual std::string_view name() const noexcept { return {}; }

    [[nodiscard]] virtual const std::type_info& result_type() const noexcept = 0;

    /// Python's text form.
    [[nodiscard]] std::string repr() const;

protected:
    enum class Owner : std::uint8_t { user, executor };

    explicit FutureState(Owner owner) noexcept
        : owners_(owner == Owner::user ? 1 : 1 + kTaskOwner),
          word_(owner == Owner::user ? 0 : kOwned) {}
    virtual ~FutureState();

    void keep_error(std::exception_ptr error) noexcept { error_ = std::move(error); }

    /// Destroys what the call captured; called once at most, when it will not run (any more).
    virtual void drop_call() noexcept {}
    /// Before the last owner runs code of the user's: a worker of a pool that has said that it is
    /// idle takes that back, or a call could be left to it that this code waits for.
    static void before_destroying_outcome() noexcept;
    /// Deletes the object, with the `delete` of its own type.
    virtual void destroy() noexcept = 0;

    /// True when a result was stored. For destructors, which see a state that nobody changes.
    [[nodiscard]] bool has_result() const noexcept {
        return (word_.load(std::memory_order_relaxed) & (kPhase | kFailed)) ==
               phase_bits(FuturePhase::finished);
    }

private:
    /// A share that is no handle. Few at a time; the handles are counted below.
    static constexpr std::uint32_t kTaskOwner = std::uint32_t{1} << 28;

    /// Keeps the state while callbacks are called, or a call is destroyed: either may drop the
    /// handle that the thread came by. No handle, since result() of an rvalue moves from the last.
    class Held {
    public:
        explicit Held(FutureState& state) noexcept : state_(state) {
            state_.owners_.fetch_add(kTaskOwner, std::memory_order_relaxed);
        }
        ~Held() { state_.drop_task(); }
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;

    private:
        FutureState& state_;
    };

    // The word: the phase, and what else must be seen together with it.
    static constexpr std::uint32_t kPhase = 7;
    static constexpr std::uint32_t kHeard = 8;    ///< somebody has listed a listener
    static constexpr std::uint32_t kFailed = 16;  ///< finished with an exception
    static constexpr std::uint32_t kRead = 32;    ///< somebody was given the exception
    static constexpr std::uint32_t kTaken = 64;   ///< the result was moved out
    static constexpr std::uint32_t kOwned = 128;  ///< an executor runs it, and nobody else ends it

    static constexpr std::uint32_t phase_bits(FuturePhase phase) noexcept {
        return static_cast<std::uint32_t>(phase);
    }
    static constexpr FuturePhase phase_of(std::uint32_t word) noexcept {
        return static_cast<FuturePhase>(word & kPhase);
    }
    static constexpr bool is_done(FuturePhase phase) noexcept {
        return phase >= FuturePhase::cancelled;
    }
    static constexpr bool is_over_for(const FutureListener& listener, FuturePhase phase) noexcept {
        return phase >= (listener.hears_cancel ? FuturePhase::cancelled : FuturePhase::notified);
    }

    void drop(std::uint32_t owner) noexcept {
        // Release: this owner has done with the state. Acquire, for the last: so have all others.
        if (owners_.fetch_sub(owner, std::memory_order_acq_rel) == owner) end_of_life();
    }
    bool move_phase(FuturePhase from, FuturePhase to) noexcept;
    void end(FuturePhase phase, std::uint32_t flags) noexcept;
    void call_listeners(FuturePhase phase) noexcept;
    [[nodiscard]] bool notify_cancel() noexcept;
    [[nodiscard]] FutureListener* take_first(bool hears_cancel) noexcept;
    void unlist(FutureListener& listener) noexcept;
    void require_result_slow(const WaitLimits& limits);
    void end_of_life() noexcept;

    Atomic<std::uint32_t> owners_;
    Atomic<std::uint32_t> word_;
    WaitList waiters_;  ///< who waits for the end; its lock guards the listeners
    FutureListener* first_ = nullptr;
    FutureListener* last_ = nullptr;
    std::exception_ptr error_;  ///< written before the word says kFailed
    std::uint32_t generation_ = 0;
};

/// A thread that runs the tasks of a pool: what it does around its waits, so that the task that it
/// waits for can run. One a thread at most.
class TaskRunner {
public:
    /// Called before the thread blocks on a future that is not done, and may run its task; null: on
    /// something else that other tasks may have to bring about. Throws DeadlockError if the wait
    /// would never end.
    virtual void before_wait(FutureState* future, const WaitLimits& limits) = 0;
    /// Called after that wait, if before_wait() has returned.
    virtual void after_wait() noexcept = 0;
    /// Called before the listeners of a future that this thread has ended, and before an outcome
    /// is destroyed here: before code of the user's.
    virtual void before_listeners() noexcept = 0;
    /// Whether what has not begun is not to begin any more.
    [[nodiscard]] virtual bool is_cancelling() const noexcept = 0;
    /// The thread will never come back from the calls that it is in.
    virtual void abandon_tasks() noexcept = 0;

    /// The calling thread's; null for none.
    [[nodiscard]] WEFT_API static TaskRunner* current() noexcept;
    static void set_current(TaskRunner* runner) noexcept;

protected:
    TaskRunner() = default;
    ~TaskRunner() = default;
};

/// Tells the calling thread's TaskRunner, if there is one, of a wait. See
/// TaskRunner::before_wait().
class WaitNotice {
public:
    WaitNotice(FutureState* future, const WaitLimits& limits) : runner_(TaskRunner::current()) {
        if (runner_ != nullptr) runner_->before_wait(future, limits);
    }
    ~WaitNotice() {
        if (runner_ != nullptr) runner_->after_wait();
    }
    WaitNotice(const WaitNotice&) = delete;
    WaitNotice& operator=(const WaitNotice&) = delete;

private:
    TaskRunner* runner_;
};

/// Throws std::runtime_error if this process was forked after that generation; zero stands for any.
/// For what nobody but the threads of that process can bring about.
WEFT_API void require_generation(std::uint32_t generation);

/// Hands the exception that is being handled, a callback's, to weft::unraisablehook. Ends the
/// process if there is none, since the thread is being unwound: that cannot pass whoever ended the
/// future, and has ended it.
WEFT_API void report_callback_error(const FutureState& future) noexcept;

/// What a call ends with whose thread has ended in the middle of it.
[[nodiscard]] WEFT_API std::exception_ptr ended_thread_error();

/// Throws std::invalid_argument for a null.
WEFT_API void require_exception(const std::exception_ptr& error);

}  // namespace weft::detail
