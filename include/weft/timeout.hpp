#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <weft/detail/config.hpp>

namespace weft {

namespace detail {

/// A plain number of seconds: integers and floating point, but neither `bool` nor characters.
template <class T>
concept seconds_number =
    std::floating_point<T> ||
    (std::integral<T> && !std::same_as<std::remove_cv_t<T>, bool> &&
     !std::same_as<std::remove_cv_t<T>, char> && !std::same_as<std::remove_cv_t<T>, wchar_t> &&
     !std::same_as<std::remove_cv_t<T>, char8_t> && !std::same_as<std::remove_cv_t<T>, char16_t> &&
     !std::same_as<std::remove_cv_t<T>, char32_t>);

}  // namespace detail

/// The longest limit that a wait accepts, in seconds: Python's `threading.TIMEOUT_MAX`.
inline constexpr double TIMEOUT_MAX = 9223372036.0;

/// How long a call may wait: no limit, or a signed number of nanoseconds.
///
/// Made from any `std::chrono::duration` or from a plain number, which means seconds:
///
///     lock.acquire(true, 0.5);      // half a second
///     lock.acquire(true, 200ms);
///     thread.join();                // Timeout{}: no limit
///
/// A Timeout is a length, not a moment: the call that receives it computes its deadline once, at
/// entry, on the steady clock. Fractions of a nanosecond are rounded up, so that a wait is never
/// shorter than asked for. The sign is kept, because each function gives a negative value its own
/// meaning (an error, "poll", or "no limit"), which its own page states.
///
/// Unlike Python, a limit that is too large is refused where the Timeout is made, also for a call
/// that would have ignored it.
class Timeout {
public:
    /// No limit: Python's `None`.
    constexpr Timeout() noexcept = default;

    /// From a duration of any unit. Throws `std::overflow_error` above TIMEOUT_MAX and
    /// `std::invalid_argument` for a duration that is not a number.
    template <class Rep, class Period>
    constexpr Timeout(std::chrono::duration<Rep, Period> limit)
        : nanoseconds_(to_nanoseconds(limit)) {}

    /// From a number of seconds. Throws as the constructor from a duration does. A `bool` is not a
    /// number of seconds: `q.get(0.5)` and `q.get(true, true)` do not compile.
    template <detail::seconds_number Number>
    constexpr Timeout(Number seconds)
        : Timeout(std::chrono::duration<Number, std::ratio<1>>(seconds)) {}

    /// True when there is no limit.
    [[nodiscard]] constexpr bool is_none() const noexcept { return nanoseconds_ == kNone; }

    /// True for a limit below zero; false for zero, positive limits and no limit.
    [[nodiscard]] constexpr bool is_negative() const noexcept {
        return nanoseconds_ < 0 && !is_none();
    }

    /// True for the limit of exactly minus one second, with which Python's locks say "no limit".
    [[nodiscard]] constexpr bool is_minus_one() const noexcept {
        return nanoseconds_ == -kNanosecondsPerSecond;
    }

    /// The limit's length. Meaningless when `is_none()`.
    [[nodiscard]] constexpr std::chrono::nanoseconds length() const noexcept {
        return std::chrono::nanoseconds(nanoseconds_);
    }

    friend constexpr bool operator==(Timeout, Timeout) noexcept = default;

private:
    static constexpr std::int64_t kNone = (std::numeric_limits<std::int64_t>::min)();
    static constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    static constexpr std::int64_t kMaxSeconds = 9'223'372'036;
    static constexpr std::int64_t kMax = kMaxSeconds * kNanosecondsPerSecond;

    [[noreturn]] WEFT_API static void throw_not_a_number();
    [[noreturn]] WEFT_API static void throw_too_large();

    template <class Rep, class Period>
    static constexpr std::int64_t to_nanoseconds(std::chrono::duration<Rep, Period> limit) {
        // In floating point first: it cannot overflow, and decides whether the exact way may be
        // taken.
        const long double seconds =
            std::chrono::duration<long double, std::ratio<1>>(limit).count();
        if (seconds != seconds) throw_not_a_number();
        if (seconds > static_cast<long double>(kMaxSeconds)) throw_too_large();
        if (seconds < -static_cast<long double>(kMaxSeconds)) return -kMax;
        if constexpr (std::chrono::treat_as_floating_point_v<Rep>) {
            // In the precision that the caller used: 0.1 is to mean 100 ms, and not one nanosecond
            // more.
            using Float = std::common_type_t<Rep, double>;
            const Float exact = std::chrono::duration<Float, std::nano>(limit).count();
            const auto down = static_cast<std::int64_t>(exact);
            return static_cast<Float>(down) < exact ? down + 1 : down;
        } else {
            return std::chrono::ceil<std::chrono::duration<std::int64_t, std::nano>>(limit).count();
        }
    }

    std::int64_t nanoseconds_ = kNone;
};

}  // namespace weft
