#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>

#include <weft/detail/annotations.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/config.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/timeout.hpp>

namespace weft::threading {

/// A number of permits that threads take and give back, and wait for when there is none.
///
/// State: the number of free permits. Any thread may release, also one that has not acquired. Every
/// member may be called by any threads at once, but for the destructor, which nobody may be waiting
/// for (an assertion says so in a debug build); a thread may destroy it as soon as it has acquired
/// a permit, also before the release() that made this possible has returned. What a thread wrote
/// before release() is seen by the threads that take its permits.
///
/// A release of n permits wakes no more than n threads, those that came first. As with Lock, a
/// running thread may take a permit before them, but a thread that has been waiting for a
/// millisecond and was overtaken gets its permit at the next release, so none starves.
///
///     threading::Semaphore connections(4);
///     { threading::Guard held(connections); fetch(url); }      // at most four at a time
///
/// Clang's thread-safety analysis follows the scopes (Guard, std::scoped_lock) as it follows those
/// of locks. It leaves acquire() and release() alone, which may well be called by different
/// threads. Unlike Python there is an upper limit: 2^41 - 1 permits.
class WEFT_CAPABILITY("semaphore") Semaphore {
public:
    /// Throws `std::invalid_argument` when `value` is negative and `std::overflow_error` when it is
    /// above 2^41 - 1.
    constexpr explicit Semaphore(std::ptrdiff_t value = 1)
        : Semaphore(value, static_cast<std::ptrdiff_t>(kMaxPermits)) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;
    WEFT_API ~Semaphore();

    /// Takes a permit. Blocks, without limit, while there is none. Returns true. Throws
    /// weft::KeyboardInterrupt as Lock::acquire() does.
    bool acquire() {
        if (!try_take()) acquire_or_throw();
        return true;
    }

    /// Takes a permit. `blocking` false: tries once. Otherwise waits for at most `timeout`; zero
    /// and negative limits try once. Returns whether a permit was taken.
    ///
    /// Throws `std::invalid_argument`, without having looked for a permit, for any limit at all
    /// when `blocking` is false; KeyboardInterrupt as acquire() does.
    bool acquire(std::same_as<bool> auto blocking, Timeout timeout = {}) {
        if (!blocking && !timeout.is_none()) throw_timeout_of_a_try(timeout);
        return try_take() || (blocking && acquire_within(nullptr, timeout));
    }

    /// Takes a permit; also stops waiting when `stop` is triggered, and then throws weft::Cancelled
    /// without having taken one. A free permit is taken even if the stop was requested before.
    /// Otherwise as acquire(true, timeout).
    bool acquire(std::stop_token stop, Timeout timeout = {}) {
        return try_take() || acquire_within(&stop, timeout);
    }

    /// Gives back `n` permits at once, and lets as many waiting threads proceed. Never blocks.
    /// Throws, with nothing changed, `std::invalid_argument` when `n` is below 1, and when there
    /// would be more free permits than the limit: `std::invalid_argument` for a BoundedSemaphore,
    /// otherwise `std::overflow_error`.
    void release(std::ptrdiff_t n = 1) {
        std::uint64_t seen = state_.load(std::memory_order_relaxed);
        // Release pairs with the acquire of whoever takes the permits.
        if (n < 1 || (seen & kWaiters) != 0 || !has_room(seen, n) ||
            !state_.compare_exchange_strong(seen, seen + permits(n), std::memory_order_release,
                                            std::memory_order_relaxed)) {
            release_slow(n);
        }
    }

    /// The standard's names, for `std::scoped_lock` and its like: a scope takes one permit.
    void lock() WEFT_ACQUIRE() WEFT_NO_THREAD_SAFETY_ANALYSIS { acquire(); }
    void unlock() WEFT_RELEASE() WEFT_NO_THREAD_SAFETY_ANALYSIS { release(); }
    [[nodiscard]] bool try_lock() WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return try_take();
    }
    template <class Rep, class Period>
    [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> limit)
        WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return acquire(true, Timeout(limit));
    }
    template <class Clock, class Duration>
    [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when)
        WEFT_TRY_ACQUIRE(true) WEFT_NO_THREAD_SAFETY_ANALYSIS {
        return acquire(true, Timeout(when - Clock::now()));
    }

    /// Python's text form, such as `<weft::threading::Semaphore at 0x...: value=3>`; a bounded one
    /// also shows its limit, as `value=3/4`.
    [[nodiscard]] WEFT_API std::string repr() const;

protected:
    constexpr Semaphore(std::ptrdiff_t value, std::ptrdiff_t bound)
        : state_(checked(value)), bound_(static_cast<std::uint64_t>(bound)) {}

private:
    friend struct detail::CoroutineAccess;

    // The fields of state_. See src/threading/semaphore.cpp.
    static constexpr std::uint64_t kWaiters = 1;
    static constexpr std::uint64_t kOneWoken = 2;
    static constexpr int kWokenBits = 22;
    static constexpr std::uint64_t kOnePermit = kOneWoken << kWokenBits;
    static constexpr std::uint64_t kWoken = kOnePermit - kOneWoken;
    static constexpr std::uint64_t kMaxPermits = ~std::uint64_t{0} / kOnePermit;

    static constexpr std::uint64_t permits(std::ptrdiff_t n) noexcept {
        return static_cast<std::uint64_t>(n) * kOnePermit;
    }
    static constexpr std::uint64_t checked(std::ptrdiff_t value) {
        if (value < 0 || static_cast<std::uint64_t>(value) > kMaxPermits) throw_bad_value(value);
        return permits(value);
    }
    [[nodiscard]] bool has_room(std::uint64_t state, std::ptrdiff_t n) const noexcept {
        return static_cast<std::uint64_t>(n) <= bound_ - state / kOnePermit;
    }
    [[nodiscard]] bool is_bounded() const noexcept { return bound_ != kMaxPermits; }

    bool try_take() noexcept {
        std::uint64_t seen = state_.load(std::memory_order_relaxed);
        while (seen >= kOnePermit) {
            // Acquire pairs with the release of whoever gave the permit back.
            if (state_.compare_exchange_weak(seen, seen - kOnePermit, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }
    [[noreturn]] WEFT_API static void throw_bad_value(std::ptrdiff_t value);
    [[noreturn]] WEFT_API static void throw_timeout_of_a_try(Timeout timeout);
    [[noreturn]] void throw_no_room(std::uint64_t state, std::ptrdiff_t n) const;
    WEFT_API void acquire_or_throw();
    WEFT_API bool acquire_within(const std::stop_token* stop, Timeout timeout);
    WEFT_API void release_slow(std::ptrdiff_t n);
    bool release_to_waiters(std::ptrdiff_t n) noexcept;
    /// Gives a permit back that was taken for nobody.
    WEFT_API void give_back() noexcept;
    detail::WaitEnd acquire_slow(const detail::WaitLimits& limits) noexcept;
    detail::WaitEnd compete(const detail::WaitLimits& limits) noexcept;
    /// Takes a permit and returns true, or lists the waiter, which is then granted a permit with its
    /// notification.
    WEFT_API bool take_or_list(detail::Waiter& waiter) noexcept;
    bool take_or_announce(std::uint64_t mine) noexcept;
    bool decide(detail::WaitEnd& end, std::uint32_t generation) noexcept;
    bool forget_other_process(const detail::WaitList::Locked& view) noexcept;

    detail::Atomic<std::uint64_t> state_;
    const std::uint64_t bound_;  ///< how many permits there may be
    detail::WaitList waiters_;
};

/// A Semaphore that never has more free permits than it was made with, and so tells who gives back
/// what he has not taken. Otherwise as Semaphore, also where it is used through a reference to one.
///
///     threading::BoundedSemaphore connections(4);
class WEFT_CAPABILITY("semaphore") BoundedSemaphore : public Semaphore {
public:
    /// `value` is also the limit. Throws as Semaphore's constructor does.
    constexpr explicit BoundedSemaphore(std::ptrdiff_t value = 1) : Semaphore(value, value) {}
};

}  // namespace weft::threading
