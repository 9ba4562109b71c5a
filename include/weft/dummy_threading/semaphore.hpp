#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <limits>
#include <stop_token>
#include <string>

#include <weft/detail/annotations.hpp>
#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::dummy_threading {

/// As threading::Semaphore, among no threads: a permit that is not there does not come.
class WEFT_CAPABILITY("semaphore") Semaphore {
public:
    /// Throws `std::invalid_argument` for a negative value.
    explicit Semaphore(std::ptrdiff_t value = 1)
        : Semaphore(value, (std::numeric_limits<std::ptrdiff_t>::max)()) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    /// Takes a permit and returns true. Throws `std::runtime_error` when there is none.
    bool acquire() { return acquire_within({}, nullptr); }

    /// Takes a permit and returns true; returns false when there is none: at once when `blocking`
    /// is false, else after `timeout`. Throws `std::invalid_argument` for a limit with `blocking`
    /// false, and `std::runtime_error` when it would wait for ever.
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) {
        if (!blocking) return try_acquire(timeout);
        return acquire_within(timeout, nullptr);
    }
    /// The same; throws weft::Cancelled when `stop` is triggered first.
    bool acquire(const std::stop_token& stop, Timeout timeout = {}) {
        return acquire_within(timeout, &stop);
    }

    /// Gives `n` permits back. Throws `std::invalid_argument` for n below 1.
    WEFT_API void release(std::ptrdiff_t n = 1);

    void lock() WEFT_ACQUIRE() WEFT_NO_THREAD_SAFETY_ANALYSIS { acquire(); }
    void unlock() WEFT_RELEASE() WEFT_NO_THREAD_SAFETY_ANALYSIS { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return try_acquire({});
    }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return acquire(true, Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return try_lock_for(when - Clock::now());
    }

    /// Python's text form, with `value=`, and for a bounded one its limit.
    [[nodiscard]] WEFT_API std::string repr() const;

protected:
    WEFT_API Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound);

private:
    WEFT_API bool try_acquire(Timeout timeout);
    WEFT_API bool acquire_within(Timeout timeout, const std::stop_token* stop);

    std::ptrdiff_t value_;
    const std::ptrdiff_t bound_;
};

/// A Semaphore whose release() throws `std::invalid_argument`, and changes nothing, when there were
/// more permits afterwards than in the beginning.
class WEFT_CAPABILITY("semaphore") BoundedSemaphore : public Semaphore {
public:
    explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

}  // namespace weft::dummy_threading
