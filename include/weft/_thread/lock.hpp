#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <stop_token>
#include <string>

#include <weft/detail/annotations.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/lock_order.hpp>
#include <weft/detail/thread_number.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {
class Condition;
}

/// The low-level locks, which `weft::threading` offers under its own names.
namespace weft::_thread {

/// A lock without an owner: one thread at a time holds it, and any thread may release it.
/// `threading::Lock` is another name of it.
///
/// States: unlocked (as built) and locked. Every member may be called by any threads at once, but
/// for the destructor. It may be destroyed while locked, and as soon as the last waiter has
/// acquired it, also before the release() that made this possible has returned. What a thread
/// wrote before release() is seen by the thread that acquires next.
///
/// Who of several waiting threads is next is not specified, but a thread that has been waiting for
/// a millisecond and was overtaken gets the lock at the next release, so none starves.
///
///     threading::Lock lock;
///     { std::scoped_lock held(lock); ++counter; }
///     if (lock.acquire(true, 0.5)) { ...; lock.release(); }
///
/// After fork, a lock that another thread of the parent held stays locked in the child.
/// Unlike Python, a lock that is a static object may be used by every kind of thread until the end
/// of the process: its destructor does nothing (but tell the checker of lock orders, if that is
/// on).
class WEFT_CAPABILITY("lock") LockType {
public:
    constexpr LockType() noexcept = default;
    LockType(const LockType&) = delete;
    LockType& operator=(const LockType&) = delete;
    ~LockType() {
        if (detail::is_lock_order_checked()) [[unlikely]]
            detail::lock_is_gone(this);
    }

    /// Locks. Blocks, without limit, while it is locked. Returns true. Throws
    /// weft::KeyboardInterrupt on the main thread when Ctrl-C is pressed while it waits and a
    /// KeyboardInterruptGuard lives; the lock is then not taken.
    bool acquire() WEFT_ACQUIRE() {
        if (detail::is_lock_order_checked()) [[unlikely]]
            return acquire_in_order();
        if (!try_take()) acquire_or_throw();
        return true;
    }

    /// Locks. `blocking` false: tries once. Otherwise waits for at most `timeout`; no limit and -1
    /// second mean for ever, zero tries once. Returns whether the lock was taken; after false
    /// nothing has changed.
    ///
    /// Throws, before it touches the lock, `std::invalid_argument` for any other negative limit,
    /// and for any limit but none and -1 when `blocking` is false; KeyboardInterrupt as acquire()
    /// does.
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        if (blocking && timeout.is_none()) return acquire();
        return acquire_checked(blocking, timeout);
    }

    /// Locks; also stops waiting when `stop` is triggered, and then throws weft::Cancelled without
    /// having taken the lock. A free lock is taken even if the stop was requested before. Otherwise
    /// as acquire(true, timeout).
    WEFT_API bool acquire(std::stop_token stop, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true);

    /// Unlocks, and lets one waiting thread proceed. Never blocks. Throws `std::runtime_error` when
    /// the lock is not locked.
    void release() WEFT_RELEASE() {
        // Release pairs with the acquire of whoever locks next.
        std::uint32_t expected = kLocked;
        if (!state_.compare_exchange_strong(expected, 0, std::memory_order_release,
                                            std::memory_order_relaxed)) {
            release_slow();
        }
    }

    /// True while it is locked, by whomever; a snapshot.
    [[nodiscard]] bool locked() const noexcept {
        return (state_.load(std::memory_order_acquire) & kLocked) != 0;
    }

    [[deprecated("use acquire()")]] bool acquire_lock() WEFT_ACQUIRE() { return acquire(); }
    [[deprecated("use acquire()")]] bool acquire_lock(std::same_as<bool> auto blocking,
                                                      Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return acquire(blocking, timeout);
    }
    [[deprecated("use release()")]] void release_lock() WEFT_RELEASE() { release(); }
    [[deprecated("use locked()")]] [[nodiscard]] bool locked_lock() const noexcept {
        return locked();
    }

    /// The standard's names, for `std::scoped_lock` and its like.
    void lock() WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) {
        const bool is_mine = try_take();
        if (is_mine && detail::is_lock_order_checked()) [[unlikely]]
            note_taken();
        return is_mine;
    }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) {
        return acquire(true, limit.count() < 0 ? Timeout(0) : Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) {
        return try_lock_for(when - Clock::now());
    }

    /// Python's text form, such as `<locked weft::_thread::LockType at 0x...>`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    friend class RLock;
    friend struct detail::CoroutineAccess;
    friend class threading::Condition;

    // The bits of state_. See src/_thread/lock.cpp.
    static constexpr std::uint32_t kLocked = 1;
    static constexpr std::uint32_t kWaiters = 2;
    static constexpr std::uint32_t kWoken = 4;
    static constexpr std::uint32_t kNoted = 8;

    bool try_take() noexcept {
        // Acquire pairs with the release of whoever held it. Leaves the other bits alone, so a free
        // lock is taken here also while others wait.
        return (state_.fetch_or(kLocked, std::memory_order_acquire) & kLocked) == 0;
    }
    WEFT_API void acquire_or_throw();
    WEFT_API bool acquire_in_order();
    bool acquire_within(bool tries_once, Timeout timeout, const std::stop_token* stop);
    WEFT_API void note_taken() noexcept;
    WEFT_API bool acquire_checked(bool blocking, Timeout timeout);
    WEFT_API void release_slow();
    WEFT_API detail::WaitEnd acquire_slow(const detail::WaitLimits& limits) noexcept;
    /// Takes the lock and returns true, or lists the waiter, which is then granted the lock with
    /// its notification.
    WEFT_API bool take_or_list(detail::Waiter& waiter) noexcept;
    bool take_or_announce(std::uint32_t mine) noexcept;
    detail::WaitEnd compete(const detail::WaitLimits& limits) noexcept;
    WEFT_API void give_back() noexcept;
    /// For whoever must have the lock back before it may throw.
    WEFT_API void acquire_uninterruptibly() noexcept;

    detail::Atomic<std::uint32_t> state_{0};
    detail::WaitList waiters_;
};

/// A lock with an owner, which may lock it again; it is free after as many releases.
/// `threading::RLock` is another name of it.
///
/// Every member may be called by any threads at once, but for the destructor. Waiting, memory and
/// destruction are as for LockType.
///
///     threading::RLock lock;
///     lock.acquire();  lock.acquire();  lock.release();  lock.release();
///
/// After fork, the thread that forked still owns what it owned.
class WEFT_CAPABILITY("lock") RLock {
public:
    RLock() noexcept = default;
    RLock(const RLock&) = delete;
    RLock& operator=(const RLock&) = delete;

    /// Locks, or adds one level when the calling thread is the owner. Blocks and throws as
    /// LockType::acquire() does. Returns true.
    bool acquire() WEFT_ACQUIRE() {
        if (owns()) {
            ++level_;
        } else {
            lock_.acquire();
            take();
        }
        return true;
    }

    /// As LockType::acquire(blocking, timeout); the owner gets true at once, after the same checks
    /// of the arguments.
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return acquire_checked(blocking, timeout);
    }

    /// As LockType::acquire(stop, timeout); the owner gets true at once.
    WEFT_API bool acquire(std::stop_token stop, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true);

    /// Takes one level away and unlocks with the last. Throws `std::runtime_error`, and changes
    /// nothing, when the calling thread is not the owner.
    void release() WEFT_RELEASE() {
        if (!owns()) throw_not_owner();
        if (--level_ == 0) {
            owner_.store(0, std::memory_order_relaxed);
            lock_.release();
        }
    }

    /// True while any thread owns it; a snapshot.
    [[nodiscard]] bool locked() const noexcept { return lock_.locked(); }

    /// The standard's names, for `std::scoped_lock` and its like.
    void lock() WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) { return acquire(false); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) {
        return acquire(true, limit.count() < 0 ? Timeout(0) : Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) {
        return try_lock_for(when - Clock::now());
    }

    /// Python's text form: the state and the owner's number.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    friend class threading::Condition;
    friend struct detail::CoroutineAccess;

    [[nodiscard]] bool owns() const noexcept {
        // Relaxed: only the owner itself ever reads its own number here.
        return owner_.load(std::memory_order_relaxed) == detail::this_thread_number();
    }
    void take() noexcept {
        owner_.store(detail::this_thread_number(), std::memory_order_relaxed);
        level_ = 1;
    }
    WEFT_API bool acquire_checked(bool blocking, Timeout timeout);
    [[noreturn]] WEFT_API static void throw_not_owner();

    detail::Atomic<std::uint64_t> owner_{0};  ///< the owner's number; 0 when free
    std::uint64_t level_ = 0;                 ///< read and written by the owner only
    LockType lock_;
};

/// A new, unlocked lock: `auto lock = _thread::allocate_lock();`
[[nodiscard]] inline LockType allocate_lock() noexcept {
    return LockType();
}
[[deprecated("use allocate_lock()")]] [[nodiscard]] inline LockType allocate() noexcept {
    return LockType();
}

}  // namespace weft::_thread
