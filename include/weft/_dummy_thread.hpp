#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include <weft/detail/annotations.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/thread_body.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

/// Lets time pass where there is nobody else: returns when `timeout` is over, which it is at once
/// for zero and negative limits. Throws weft::Cancelled when `stop` is triggered first, and
/// `std::runtime_error`, which names `what`, where neither could ever end the wait.
WEFT_API void wait_alone(const char* what, Timeout timeout, const std::stop_token* stop = nullptr);

/// What _dummy_thread::start_new_thread() does with a function and its arguments.
WEFT_API void run_to_the_end(ThreadBody& body);

}  // namespace weft::detail

/// The interface of `weft::_thread` without threads: what is started runs at once, on the calling
/// thread, to its end. For programs that must not have threads, and for tests that want one order.
///
/// Nothing here is for several threads at once.
namespace weft::_dummy_thread {

using error = std::runtime_error;

/// Python's value for it. Every Timeout is accepted up to weft::TIMEOUT_MAX, which is larger.
inline constexpr double TIMEOUT_MAX = 2147483648.0;

/// A lock among no threads: one truth value.
///
/// It cannot wait, since nobody else could release it: a blocking acquire() of a locked lock
/// succeeds.
class WEFT_CAPABILITY("lock") LockType {
public:
    constexpr LockType() noexcept = default;
    LockType(const LockType&) = delete;
    LockType& operator=(const LockType&) = delete;

    /// Locks. Returns true, also when it was locked already.
    bool acquire() noexcept WEFT_ACQUIRE() {
        is_locked_ = true;
        return true;
    }

    /// The same when `waitflag` is true. Else locks and returns true when it is not locked, and
    /// returns false when it is, after a positive `timeout` has passed.
    bool acquire(std::same_as<bool> auto waitflag, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        if (waitflag || !is_locked_) return acquire();
        if (!timeout.is_none()) weft::detail::wait_alone("acquire", timeout);
        return false;
    }

    /// As acquire().
    bool acquire(const std::stop_token&, Timeout = {}) noexcept WEFT_TRY_ACQUIRE(true) {
        return acquire();
    }

    /// Unlocks and returns true. Throws `std::runtime_error` when it is not locked.
    bool release() WEFT_RELEASE() {
        if (!is_locked_) throw_not_locked();
        is_locked_ = false;
        return true;
    }

    [[nodiscard]] bool locked() const noexcept { return is_locked_; }

    [[deprecated("use acquire()")]] bool acquire_lock() noexcept WEFT_ACQUIRE() {
        return acquire();
    }
    [[deprecated("use acquire()")]] bool acquire_lock(std::same_as<bool> auto waitflag,
                                                      Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        return acquire(waitflag, timeout);
    }
    [[deprecated("use release()")]] bool release_lock() WEFT_RELEASE() { return release(); }
    [[deprecated("use locked()")]] [[nodiscard]] bool locked_lock() const noexcept {
        return locked();
    }

    /// The standard's names, for `std::scoped_lock` and its like.
    void lock() noexcept WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) { return acquire(false); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) {
        return acquire(false, limit.count() < 0 ? Timeout(0) : Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) {
        return try_lock_for(when - Clock::now());
    }

    /// Python's text form, such as `<locked weft::_dummy_thread::LockType at 0x...>`.
    [[nodiscard]] WEFT_API std::string repr() const;

private:
    [[noreturn]] WEFT_API static void throw_not_locked();

    bool is_locked_ = false;
};

/// A LockType that is free after as many releases as it was acquired.
class WEFT_CAPABILITY("lock") RLock {
public:
    constexpr RLock() noexcept = default;
    RLock(const RLock&) = delete;
    RLock& operator=(const RLock&) = delete;

    /// Adds a level. Returns true.
    bool acquire() noexcept WEFT_ACQUIRE() {
        ++level_;
        return lock_.acquire();
    }
    /// The same when `waitflag` is true or the lock is free; else as LockType's.
    bool acquire(std::same_as<bool> auto waitflag, Timeout timeout = {}) WEFT_TRY_ACQUIRE(true) {
        if (!lock_.acquire(waitflag, timeout)) return false;
        ++level_;
        return true;
    }
    bool acquire(const std::stop_token&, Timeout = {}) noexcept WEFT_TRY_ACQUIRE(true) {
        return acquire();
    }

    /// Takes a level away and returns true. Throws `std::runtime_error` when there is none.
    bool release() WEFT_RELEASE() {
        if (level_ <= 1) lock_.release();
        --level_;
        return true;
    }

    [[nodiscard]] bool locked() const noexcept { return lock_.locked(); }

    void lock() noexcept WEFT_ACQUIRE() { acquire(); }
    void unlock() WEFT_RELEASE() { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) { return acquire(false); }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) {
        return acquire(false, limit.count() < 0 ? Timeout(0) : Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) {
        return try_lock_for(when - Clock::now());
    }

    [[nodiscard]] WEFT_API std::string repr() const;

private:
    LockType lock_;
    std::size_t level_ = 0;
};

/// A new, unlocked lock.
[[nodiscard]] inline LockType allocate_lock() noexcept {
    return LockType();
}

/// One constant, since there is one thread.
[[nodiscard]] constexpr std::uint64_t get_ident() noexcept {
    return 1;
}

/// Always 0.
[[nodiscard]] constexpr std::size_t stack_size() noexcept {
    return 0;
}
/// Always throws `std::runtime_error`.
WEFT_API std::size_t stack_size(std::size_t size);

/// Throws weft::SystemExit.
[[noreturn]] WEFT_API void exit();

/// Throws weft::KeyboardInterrupt: at once, or, in a function that start_new_thread() runs, from
/// there when the function has returned.
WEFT_API void interrupt_main();

/// Calls the function with copies of the arguments, and returns get_ident() when it has ended. A
/// SystemExit that leaves it is dropped, any other exception is written to standard error. Throws
/// weft::KeyboardInterrupt when the function has called interrupt_main(), and what the copies
/// throw.
template <class Function, class... Args>
    requires weft::detail::thread_target<Function, Args...>
std::uint64_t start_new_thread(Function&& function, Args&&... args) {
    weft::detail::run_to_the_end(
        *weft::detail::bind_body(std::forward<Function>(function), std::forward<Args>(args)...));
    return get_ident();
}

}  // namespace weft::_dummy_thread
