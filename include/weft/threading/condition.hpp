#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>

#include <weft/detail/annotations.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/threading/lock.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {

/// Lets threads wait, with a lock released, until another thread says that something has changed.
///
/// It goes with a lock: an RLock of its own, or a given Lock or RLock, which several conditions may
/// share and which must outlive them. wait(), notify() and notify_all() are called with that lock
/// held; a Lock has no owner, so "held" then means "by anybody", as in Python. Every member may be
/// called by any threads at once, but for the destructor, which nobody may be waiting for.
///
/// A notification wakes exactly those who wait at that moment, in order of arrival, and leaves
/// nothing behind for later ones. There are no spurious wake-ups; what was waited for may still
/// have been taken by a third thread before the lock is held again, so look again, or use
/// wait_for().
///
///     threading::Condition changed;
///     { threading::Guard held(changed); changed.wait_for([&] { return !jobs.empty(); }); }
///     { threading::Guard held(changed); jobs.push_back(job); changed.notify(); }
class WEFT_CAPABILITY("lock") Condition {
public:
    /// With an RLock of its own.
    Condition() noexcept = default;
    /// With a lock that others use too.
    explicit Condition(Lock& lock) noexcept : given_lock_(&lock) {}
    explicit Condition(RLock& lock) noexcept : rlock_(&lock) {}
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    /// The underlying lock's members, with its contracts.
    bool acquire() WEFT_ACQUIRE() {
        return given_lock_ != nullptr ? given_lock_->acquire() : rlock_->acquire();
    }
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return given_lock_ != nullptr ? given_lock_->acquire(blocking, timeout)
                                      : rlock_->acquire(blocking, timeout);
    }
    bool acquire(std::stop_token stop, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return given_lock_ != nullptr ? given_lock_->acquire(std::move(stop), timeout)
                                      : rlock_->acquire(std::move(stop), timeout);
    }
    void release() WEFT_RELEASE() {
        given_lock_ != nullptr ? given_lock_->release() : rlock_->release();
    }
    [[nodiscard]] bool locked() const noexcept {
        return given_lock_ != nullptr ? given_lock_->locked() : rlock_->locked();
    }
    void lock() WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) { return acquire(false); }

    /// Releases the lock (an RLock with all its levels), waits until notified or until `timeout`
    /// has passed, and locks again (to the same level) before it returns, however it returns. Zero
    /// and negative limits only let others have the lock for a moment.
    ///
    /// Returns true when notified, false when the time was up; a thread whose time is up is no
    /// longer counted by notify(). Throws `std::runtime_error` when the lock is not held, and
    /// weft::KeyboardInterrupt as Lock::acquire() does.
    bool wait(Timeout timeout = {}) WEFT_REQUIRES(this);

    /// The same; throws weft::Cancelled, with the lock held, when `stop` is triggered first.
    bool wait(std::stop_token stop, Timeout timeout = {}) WEFT_REQUIRES(this);

    /// Waits until `predicate()` is true, which is tested with the lock held, before the first wait
    /// and after each. `timeout` limits the whole. Returns what the predicate returned last, which
    /// is false when the time was up. Throws what the predicate throws and what wait() throws, with
    /// the lock held.
    template <std::invocable Predicate>
    auto wait_for(Predicate predicate, Timeout timeout = {}) WEFT_REQUIRES(this) {
        return wait_until(std::move(predicate), timeout, nullptr);
    }

    /// The same; throws weft::Cancelled, with the lock held, when `stop` is triggered first.
    template <std::invocable Predicate>
    auto wait_for(Predicate predicate, std::stop_token stop, Timeout timeout = {})
        WEFT_REQUIRES(this) {
        return wait_until(std::move(predicate), timeout, &stop);
    }

    /// Wakes up to `n` waiting threads, those that came first; none waiting is no error. They
    /// return once the caller has released the lock. Never blocks. Throws `std::runtime_error`
    /// when the lock is not held.
    void notify(std::ptrdiff_t n = 1) WEFT_REQUIRES(this);

    /// Wakes every thread that waits now; otherwise as notify().
    void notify_all() WEFT_REQUIRES(this);
    [[deprecated("use notify_all()")]] void notifyAll() WEFT_REQUIRES(this) { notify_all(); }

    /// Python's text form: the lock's, and how many threads wait.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    template <class Predicate>
    auto wait_until(Predicate predicate, Timeout timeout,
                    const std::stop_token* stop) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        auto result = std::invoke(predicate);
        if (static_cast<bool>(result)) return result;
        const auto deadline = detail::Deadline::after(timeout);
        while (!static_cast<bool>(result)) {
            const bool was_notified = wait_once({.deadline = deadline, .stop = stop});
            result = std::invoke(predicate);
            if (!was_notified) break;
        }
        return result;
    }

    friend struct detail::CoroutineAccess;

    /// Lists the waiter of a coroutine, and releases the lock. Throws what releasing it throws; the
    /// waiter is then not listed.
    WEFT_API void list_and_release(detail::Waiter& waiter);
    /// Throws `std::runtime_error` unless the lock is a Lock and held.
    WEFT_API void require_held_lock() const;
    WEFT_API bool wait_once(const detail::WaitLimits& limits);
    WEFT_API void require_held(const char* what) const;

    RLock own_;
    Lock* given_lock_ = nullptr;  ///< null when the lock is the RLock below
    RLock* rlock_ = &own_;
    detail::WaitList waiters_;
};

inline bool Condition::wait(Timeout timeout) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    return wait_once({.deadline = detail::Deadline::after(timeout)});
}

inline bool Condition::wait(std::stop_token stop, Timeout timeout) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    return wait_once({.deadline = detail::Deadline::after(timeout), .stop = &stop});
}

inline void Condition::notify(std::ptrdiff_t n) WEFT_NO_THREAD_SAFETY_ANALYSIS {
    require_held("notify");
    if (n > 0) waiters_.notify(static_cast<std::size_t>(n));
}

inline void Condition::notify_all() WEFT_NO_THREAD_SAFETY_ANALYSIS {
    require_held("notify_all");
    waiters_.notify_all();
}

}  // namespace weft::threading
