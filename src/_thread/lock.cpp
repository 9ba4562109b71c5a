#include <weft/_thread/lock.hpp>

#include <exception>
#include <stdexcept>

#include <weft/unraisable.hpp>

#include "detail/fmt.hpp"
#include "os/cpu.hpp"
#include "os/posix/cancellation.hpp"
#include "runtime/parking.hpp"

// The state word of LockType:
//
//   kLocked   somebody holds the lock.
//   kWaiters  somebody may be listed in waiters_. Set and cleared with the list's lock held.
//   kWoken    a thread was taken off the list to compete for the lock and has not decided yet;
//             until it has, a release wakes nobody else. Set by the release that takes it off the
//             list, with the list's lock held and before that release clears kLocked; cleared by
//             the woken thread in the step that takes the lock or goes back to the list.
//
//   kNoted    the checker of lock orders has been told who holds the lock. It makes the holder's
//             release take the slow way, which tells that it is held no more, and clears it.
//
// No wake-up is lost: a thread goes to sleep only after one read-modify-write, made with the list's
// lock held, has found kLocked set, set kWaiters and (if it was the woken one) cleared kWoken. The
// release that clears kLocked comes later in the order of the word's modifications and therefore
// sees kWaiters without kWoken, or sees kWoken of another thread, which will take the lock, or
// leave the same two bits behind for the holder that it lost against.
//
// Fairness: a woken thread competes with those that run (handing over to a sleeper would make every
// release cost a wake-up). Once it has lost and has waited for kPatience, it is marked, and the
// next release hands the lock over: kLocked stays set, is_granted tells the thread.
//
// Fork: a thread that was woken or listed may be missing in the child. The first view of the list
// there says so, and whoever has it clears kWoken. A release that finds kWoken set before that
// wakes nobody, and nobody is asleep.

namespace weft::_thread {

namespace {

using detail::WaitEnd;
using detail::Waiter;
using detail::WaitLimits;

constexpr std::int64_t kPatience = 1'000'000;  // nanoseconds
constexpr int kPauseDoublings = 5;
constexpr int kYields = 16;

/// What blocking and timeout mean to a lock; throws for combinations that mean nothing.
bool is_single_try(bool blocking, Timeout timeout) {
    const bool is_unlimited = timeout.is_none() || timeout.is_minus_one();
    if (!blocking && !is_unlimited) {
        throw std::invalid_argument("acquire: a non-blocking call takes no timeout");
    }
    if (timeout.is_negative() && !is_unlimited) {
        throw std::invalid_argument(
            fmt::format("acquire: the timeout is {} ns; it must not be negative (only -1 s means "
                        "for ever)",
                        timeout.length().count()));
    }
    return !blocking || (!is_unlimited && timeout.length().count() == 0);
}

detail::Deadline deadline_of(Timeout timeout) {
    return timeout.is_minus_one() ? detail::Deadline::never() : detail::Deadline::after(timeout);
}

[[noreturn]] void throw_not_locked() {
    throw std::runtime_error("release: the lock is not locked");
}

}  // namespace

void LockType::acquire_or_throw() {
    detail::throw_if_stopped(acquire_slow({}));
}

bool LockType::acquire_checked(bool blocking, Timeout timeout) {
    return acquire_within(is_single_try(blocking, timeout), timeout, nullptr);
}

bool LockType::acquire(std::stop_token stop, Timeout timeout) {
    return acquire_within(is_single_try(true, timeout), timeout, &stop);
}

bool LockType::acquire_within(bool tries_once, Timeout timeout, const std::stop_token* stop) {
    const bool is_noted = detail::is_lock_order_checked();
    const bool is_unlimited = timeout.is_none() || timeout.is_minus_one();
    if (is_noted && !tries_once && is_unlimited) detail::lock_is_wanted(this);
    if (!try_take()) {
        if (tries_once) return false;
        const WaitEnd end = acquire_slow({.deadline = deadline_of(timeout), .stop = stop});
        detail::throw_if_stopped(end);
        if (end != WaitEnd::notified) return false;
    }
    if (is_noted) note_taken();
    return true;
}

bool LockType::acquire_in_order() {
    detail::lock_is_wanted(this);
    if (!try_take()) acquire_or_throw();
    note_taken();
    return true;
}

void LockType::acquire_uninterruptibly() noexcept {
    const bool is_noted = detail::is_lock_order_checked();
    if (is_noted) {
        // The handler of warnings must not be unwound: the lock has to be taken.
        const os::WithoutCancellation whole;
        try {
            detail::lock_is_wanted(this);
        } catch (...) {
            detail::report_unraisable({std::current_exception(), {}, "Condition.wait"});
        }
    }
    if (!try_take()) acquire_slow({.is_interruptible = false});
    if (is_noted) note_taken();
}

void LockType::note_taken() noexcept {
    // A thread that releases the lock in the middle of this leaves a wrong note behind, which the
    // next release takes away.
    detail::lock_is_taken(this);
    state_.fetch_or(kNoted, std::memory_order_relaxed);
}

WaitEnd LockType::acquire_slow(const WaitLimits& limits) noexcept {
    runtime::park_if_abandoned();
    const WaitEnd end = compete(limits);
    if (runtime::is_abandoned()) [[unlikely]] {
        // The lock is for those who go on.
        if (end == WaitEnd::notified) give_back();
        runtime::park_if_abandoned();
    }
    return end;
}

void LockType::give_back() noexcept WEFT_NO_THREAD_SAFETY_ANALYSIS {
    try {
        release();
    } catch (const std::runtime_error&) {
        // Somebody else has released it already.
    }
}

/// Called with the list's lock held: takes the lock and returns true, or sets kWaiters; and clears
/// the bits that are this thread's to clear.
bool LockType::take_or_announce(std::uint32_t mine) noexcept {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    for (;;) {
        const bool is_free = (seen & kLocked) == 0;
        const std::uint32_t next = (seen | (is_free ? kLocked : kWaiters)) & ~mine;
        if (state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
            return is_free;
        }
    }
}

bool LockType::take_or_list(Waiter& waiter) noexcept {
    detail::WaitList::Locked view(waiters_);
    if (take_or_announce(view.is_after_fork() ? kWoken : 0)) return true;
    // A coroutine does not compete: it may run late, and until it had decided nobody else would be
    // woken. So it is handed the lock, as a thread that starves.
    waiter.is_starving = true;
    waiter.is_granted = false;
    view.append(waiter);
    return false;
}

WaitEnd LockType::compete(const WaitLimits& limits) noexcept {
    // A lock is usually held for less time than it takes to fall asleep.
    if (os::usable_cpus() > 1) {
        for (int doubling = 0; doubling < kPauseDoublings; ++doubling) {
            for (int i = 0; i < (1 << doubling); ++i) os::pause();
            if (!locked() && try_take()) return WaitEnd::notified;
        }
    }
    for (int i = 0; i < kYields; ++i) {
        os::yield();
        if (!locked() && try_take()) return WaitEnd::notified;
    }

    std::int64_t start = 0;  // of the first sleep, once this thread has been overtaken
    for (bool was_woken = false;; was_woken = true) {
        Waiter waiter;
        {
            detail::WaitList::Locked view(waiters_);
            if (take_or_announce(was_woken || view.is_after_fork() ? kWoken : 0)) {
                return WaitEnd::notified;
            }
            if (was_woken) {
                waiter.is_starving = os::monotonic_now() - start >= kPatience;
                view.prepend(waiter);
            } else {
                start = os::monotonic_now();
                view.append(waiter);
            }
        }
        const WaitEnd end = waiter.sleep(limits);
        if (end != WaitEnd::notified && waiters_.remove(waiter)) return end;
        if (waiter.is_granted) return WaitEnd::notified;
        // Awake in order to compete; kWoken is this thread's to clear.
        std::uint32_t seen = state_.load(std::memory_order_relaxed);
        for (;;) {
            const bool is_free = (seen & kLocked) == 0;
            if (!is_free && end == WaitEnd::notified) break;
            const std::uint32_t next = (is_free ? seen | kLocked : seen) & ~kWoken;
            if (state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel,
                                             std::memory_order_relaxed)) {
                if (is_free) return WaitEnd::notified;
                return end;
            }
        }
    }
}

void LockType::release_slow() {
    std::uint32_t seen = state_.load(std::memory_order_relaxed);
    if ((seen & (kLocked | kNoted)) == (kLocked | kNoted)) {
        detail::lock_is_released(this);
        seen = state_.fetch_and(~kNoted, std::memory_order_relaxed) & ~kNoted;
    }
    for (;;) {
        if ((seen & kLocked) == 0) throw_not_locked();
        if ((seen & kWaiters) == 0 || (seen & kWoken) != 0) {
            if (state_.compare_exchange_weak(seen, seen & ~kLocked, std::memory_order_release,
                                             std::memory_order_relaxed)) {
                return;
            }
            continue;
        }
        Waiter* first = nullptr;
        {
            detail::WaitList::Locked view(waiters_);
            first = view.first();
            // The lock is claimed for the first waiter only while it is locked: another thread may
            // release it at the same time, and of two releases of one acquisition one must fail.
            // To hand over is to find it locked, since from then on it is the waiter's to release.
            const std::uint32_t claim = first == nullptr || first->is_starving ? 0 : kWoken;
            seen = state_.load(std::memory_order_relaxed);
            while ((seen & kLocked) != 0 && (seen & kWoken) == 0 &&
                   !state_.compare_exchange_weak(seen, seen | claim, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed)) {
            }
            if ((seen & kLocked) == 0 || (seen & kWoken) != 0) continue;
            view.take_first();
            if (view.is_empty()) state_.fetch_and(~kWaiters, std::memory_order_relaxed);
        }
        if (first == nullptr) {
            seen = state_.load(std::memory_order_relaxed);
            continue;
        }
        if (first->is_starving) {
            first->is_granted = true;
            first->notify();
            return;
        }
        // The last access to the lock: whoever takes it next may destroy it.
        seen = state_.load(std::memory_order_relaxed);
        while ((seen & kLocked) != 0 &&
               !state_.compare_exchange_weak(seen, seen & ~kLocked, std::memory_order_release,
                                             std::memory_order_relaxed)) {
        }
        // In any case, since kWoken waits for this thread to decide.
        first->notify();
        if ((seen & kLocked) == 0) throw_not_locked();
        return;
    }
}

std::string LockType::repr() const {
    return fmt::format("<{} weft::_thread::LockType at {}>", locked() ? "locked" : "unlocked",
                       fmt::ptr(this));
}

// RLock -------------------------------------------------------------------------------------------

bool RLock::acquire_checked(bool blocking, Timeout timeout) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    if (owns()) {
        is_single_try(blocking, timeout);
        ++level_;
        return true;
    }
    if (!lock_.acquire(blocking, timeout)) return false;
    take();
    return true;
}

bool RLock::acquire(std::stop_token stop, Timeout timeout) {
    if (owns()) {
        is_single_try(true, timeout);
        ++level_;
        return true;
    }
    if (!lock_.acquire(std::move(stop), timeout)) return false;
    take();
    return true;
}

void RLock::throw_not_owner() {
    throw std::runtime_error("release: this thread does not own the lock");
}

std::string RLock::repr() const {
    return fmt::format("<{} weft::_thread::RLock owner={} at {}>", locked() ? "locked" : "unlocked",
                       owner_.load(std::memory_order_relaxed), fmt::ptr(this));
}

}  // namespace weft::_thread
