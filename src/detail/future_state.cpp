#include <weft/detail/future_state.hpp>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include <weft/concurrent/futures/errors.hpp>
#include <weft/detail/task_observer.hpp>
#include <weft/unraisable.hpp>

#include "detail/describe.hpp"
#include "detail/fmt.hpp"

namespace weft::detail {

namespace futures = concurrent::futures;

namespace {

const char* name_of(FuturePhase phase) noexcept {
    switch (phase) {
        case FuturePhase::pending:
            return "pending";
        case FuturePhase::running:
        case FuturePhase::storing:
            return "running";
        case FuturePhase::cancelled:
            return "cancelled";
        case FuturePhase::notified:
            return "cancelled_and_notified";
        case FuturePhase::finished:
            return "finished";
    }
    return "unknown";
}

}  // namespace

FutureState::~FutureState() {
    while (FutureListener* const listener = first_) {
        first_ = listener->next;
        listener->is_listed = false;
        listener->fire(*listener, nullptr);
    }
}

bool FutureState::move_phase(FuturePhase from, FuturePhase to) noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    // Acquire: whoever gets the right to run or to store sees what was done before. seq_cst pairs
    // with the count of waiters_, see end().
    while (phase_of(seen) == from) {
        if (word_.compare_exchange_weak(seen, (seen & ~kPhase) | phase_bits(to),
                                        std::memory_order_seq_cst, std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void FutureState::end(FuturePhase phase, std::uint32_t flags) noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    // Only flags can change meanwhile. seq_cst: either a waiter that has just listed itself sees
    // the end, or notify_all() sees the waiter. Release: who sees the end sees the outcome.
    while (!word_.compare_exchange_weak(seen, (seen & ~kPhase) | phase_bits(phase) | flags,
                                        std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
    waiters_.notify_all();
    // add() sets the flag under the lock before it looks at the phase: it has either seen the end,
    // or the flag is here.
    if ((seen & kHeard) != 0) {
        const Held held(*this);
        if (TaskRunner* const runner = TaskRunner::current()) runner->before_listeners();
        call_listeners(phase);
    }
}

bool FutureState::cancel() noexcept {
    // Before anything can end: an executor may drop its share, and then a callback the last handle.
    const Held held(*this);
    if (!move_phase(FuturePhase::pending, FuturePhase::cancelled)) {
        const FuturePhase now = phase();
        return now == FuturePhase::cancelled || now == FuturePhase::notified;
    }
    // The call will not run: its executor looks at the phase before anything else.
    drop_call();
    waiters_.notify_all();
    if ((word_.load(std::memory_order_seq_cst) & kHeard) != 0) {
        call_listeners(FuturePhase::cancelled);
    }
    return true;
}

/// Cancelled becomes notified; false in any other phase.
bool FutureState::notify_cancel() noexcept {
    if (!move_phase(FuturePhase::cancelled, FuturePhase::notified)) return false;
    if ((word_.load(std::memory_order_seq_cst) & kHeard) != 0) {
        call_listeners(FuturePhase::notified);
    }
    return true;
}

bool FutureState::start_task() noexcept {
    if (move_phase(FuturePhase::pending, FuturePhase::running)) return true;
    static_cast<void>(notify_cancel());
    return false;
}

void FutureState::refuse(std::exception_ptr error) noexcept {
    if (error == nullptr) {
        cancel();
        // Cancelled becomes notified, so that wait() and as_completed() count it as done.
        start_task();
    } else if (start_task()) {
        drop_call();
        fail(std::move(error));
    }
}

void FutureState::run_task() {
    struct Guard {
        FutureState* state;
        ~Guard() {
            if (state != nullptr) state->abandon_task();
        }
    } guard{this};
    const bool is_performed = perform();
    guard.state = nullptr;
    if (is_performed) publish();
}

void FutureState::abandon_task() noexcept {
    drop_call();
    fail(ended_thread_error());
}

bool FutureState::set_running_or_notify_cancel() {
    if ((word_.load(std::memory_order_relaxed) & kOwned) != 0) {
        throw std::runtime_error("set_running_or_notify_cancel: the future belongs to an executor");
    }
    // Not by a look at the phase before: it may be cancelled between that and the step.
    if (move_phase(FuturePhase::pending, FuturePhase::running)) return true;
    if (notify_cancel()) return false;
    throw std::runtime_error(
        fmt::format("set_running_or_notify_cancel: the future is {}, not pending or cancelled",
                    name_of(phase())));
}

FuturePhase FutureState::begin_storing(const char* what) {
    if ((word_.load(std::memory_order_relaxed) & kOwned) != 0) {
        throw futures::InvalidStateError(
            fmt::format("{}: the future belongs to an executor, which sets its outcome", what));
    }
    for (const FuturePhase before : {FuturePhase::running, FuturePhase::pending}) {
        if (move_phase(before, FuturePhase::storing)) return before;
    }
    throw futures::InvalidStateError(fmt::format(
        "{}: the future is {} already; an outcome is set once", what, name_of(phase())));
}

void FutureState::abandon_storing(FuturePhase before) noexcept {
    move_phase(FuturePhase::storing, before);
}

void FutureState::wait_until_done(const WaitLimits& limits) {
    auto take = [this] {
        // seq_cst pairs with end(): see there.
        return is_done(phase_of(word_.load(std::memory_order_seq_cst)));
    };
    require_generation(generation_);
    // A thread that runs tasks itself makes room for others, or runs what it waits for.
    const WaitNotice notice(this, limits);
    const WaitEnd how = waiters_.wait(take, limits);
    if (how == WaitEnd::timed_out) {
        throw futures::TimeoutError(
            fmt::format("the future was not done in time; it is {}", name_of(phase())));
    }
    throw_if_stopped(how);
}

void FutureState::require_reachable() const {
    if (!is_done()) require_generation(generation_);
}

void FutureState::require_result_slow(const WaitLimits& limits) {
    if (!is_done()) wait_until_done(limits);
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    if (phase_of(word) != FuturePhase::finished) {
        throw futures::CancelledError("the future was cancelled; there is no result");
    }
    if ((word & kFailed) != 0) {
        word_.fetch_or(kRead, std::memory_order_relaxed);
        std::rethrow_exception(error_);
    }
    if ((word & kTaken) != 0) {
        throw futures::InvalidStateError("the future's result was taken; it can be moved out once");
    }
}

std::exception_ptr FutureState::exception(const WaitLimits& limits) {
    if (!is_done()) wait_until_done(limits);
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    if (phase_of(word) != FuturePhase::finished) {
        throw futures::CancelledError("the future was cancelled; it has no outcome");
    }
    if ((word & kFailed) == 0) return nullptr;
    word_.fetch_or(kRead, std::memory_order_relaxed);
    return error_;
}

void FutureState::take_result() {
    // Acquire and release: the one who takes sees the result, and nobody takes it again.
    if ((word_.fetch_or(kTaken, std::memory_order_acq_rel) & kTaken) != 0) {
        throw futures::InvalidStateError("the future's result was taken; it can be moved out once");
    }
}

bool FutureState::add(FutureListener& listener) noexcept {
    const WaitList::Locked lock(waiters_);
    // seq_cst pairs with end(): see there.
    const std::uint32_t word = word_.fetch_or(kHeard, std::memory_order_seq_cst);
    if (is_over_for(listener, phase_of(word))) return false;
    listener.is_listed = true;
    // Callbacks come last, in the order in which they were added; the others wait for several
    // futures, and are to know before callbacks take their time.
    listener.previous = listener.hears_cancel ? last_ : nullptr;
    listener.next = listener.hears_cancel ? nullptr : first_;
    (listener.previous != nullptr ? listener.previous->next : first_) = &listener;
    (listener.next != nullptr ? listener.next->previous : last_) = &listener;
    return true;
}

void FutureState::unlist(FutureListener& listener) noexcept {
    listener.is_listed = false;
    (listener.previous != nullptr ? listener.previous->next : first_) = listener.next;
    (listener.next != nullptr ? listener.next->previous : last_) = listener.previous;
}

bool FutureState::remove(FutureListener& listener) noexcept {
    const WaitList::Locked lock(waiters_);
    if (!listener.is_listed) return false;
    unlist(listener);
    return true;
}

/// One at a time: until a listener is called, those that are called before it may remove it.
FutureListener* FutureState::take_first(bool hears_cancel) noexcept {
    const WaitList::Locked lock(waiters_);
    FutureListener* each = first_;
    while (each != nullptr && each->hears_cancel != hears_cancel) each = each->next;
    if (each != nullptr) unlist(*each);
    return each;
}

void FutureState::call_listeners(FuturePhase phase) noexcept {
    if (phase != FuturePhase::cancelled) {
        while (FutureListener* const each = take_first(false)) each->fire(*each, this);
    }
    // What is still listed once its executor knows is for the thread that cancelled to call, which
    // is to have called it when it returns.
    if (phase != FuturePhase::notified) {
        while (FutureListener* const each = take_first(true)) each->fire(*each, this);
    }
}

void FutureState::before_destroying_outcome() noexcept {
    if (TaskRunner* const runner = TaskRunner::current()) runner->before_listeners();
}

void FutureState::end_of_life() noexcept {
    const std::uint32_t word = word_.load(std::memory_order_relaxed);
    if ((word & kFailed) != 0) before_destroying_outcome();
    if ((word & (kFailed | kRead)) == kFailed) {
        try {
            report_unraisable({error_, "Exception in a future was never read", repr()});
        } catch (const std::bad_alloc&) {
            report_unraisable({error_, {}, {}});
        }
    }
    destroy();
}

std::string FutureState::repr() const {
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    const FuturePhase now = phase_of(word);
    std::string text =
        fmt::format("<Future at {} state={}", static_cast<const void*>(this), name_of(now));
    if (now == FuturePhase::finished) {
        text += (word & kFailed) != 0 ? " raised " + describe(error_).type
                                      : " returned " + demangle(result_type().name());
    }
    return text + ">";
}

constinit Atomic<TaskObserver*> task_observer{nullptr};

namespace {
constinit thread_local TaskRunner* current_runner = nullptr;
}  // namespace

TaskRunner* TaskRunner::current() noexcept {
    return current_runner;
}

void TaskRunner::set_current(TaskRunner* runner) noexcept {
    current_runner = runner;
}

void require_generation(std::uint32_t generation) {
    if (generation != 0 && generation != fork_generation.load(std::memory_order_relaxed)) {
        throw std::runtime_error(
            "the future will never be done here: its call was submitted to an executor before this "
            "process was forked, and the executor's threads are in the parent");
    }
}

void report_callback_error(const FutureState& future) noexcept {
    const std::exception_ptr error = std::current_exception();
    if (error == nullptr) {
        std::fputs("weft: a callback of a future has ended its thread\n", stderr);
        std::abort();
    }
    try {
        report_unraisable({error, "exception calling callback for", future.repr()});
    } catch (const std::bad_alloc&) {
        report_unraisable({error, {}, {}});
    }
}

std::exception_ptr ended_thread_error() {
    return std::make_exception_ptr(
        futures::BrokenExecutor("the thread that made the call has ended in the middle of it"));
}

void require_exception(const std::exception_ptr& error) {
    if (error == nullptr) {
        throw std::invalid_argument(
            "set_exception: the exception is null; a future without an "
            "exception is ended by set_result");
    }
}

}  // namespace weft::detail
