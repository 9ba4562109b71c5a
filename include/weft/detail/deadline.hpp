#pragma once

#include <cstdint>
#include <limits>

#include <weft/detail/config.hpp>
#include <weft/timeout.hpp>

namespace weft::detail {

/// Nanoseconds on Weft's clock: the steady clock, until a ManualClock is installed.
using Nanoseconds = std::int64_t;

/// The time of Weft's clock. This is the only place that any wait of Weft asks.
/// Never goes back, neither when a ManualClock is installed nor when it is removed.
[[nodiscard]] WEFT_API Nanoseconds now() noexcept;

/// The moment on Weft's clock at which a wait gives up.
class Deadline {
public:
    [[nodiscard]] static constexpr Deadline never() noexcept { return Deadline(kNever); }
    [[nodiscard]] static constexpr Deadline at(Nanoseconds when) noexcept { return Deadline(when); }

    /// `timeout` from now on; never for no limit; already past for zero and negative limits.
    [[nodiscard]] static Deadline after(Timeout timeout) noexcept {
        if (timeout.is_none()) return never();
        const Nanoseconds length = timeout.length().count();
        if (length <= 0) return Deadline((std::numeric_limits<Nanoseconds>::min)());
        const Nanoseconds start = now();
        return length >= kNever - start ? never() : Deadline(start + length);
    }

    [[nodiscard]] constexpr bool is_never() const noexcept { return when_ == kNever; }
    [[nodiscard]] bool has_passed() const noexcept {
        if (is_never()) return false;
        return when_ == (std::numeric_limits<Nanoseconds>::min)() || now() >= when_;
    }
    [[nodiscard]] constexpr Nanoseconds when() const noexcept { return when_; }

private:
    static constexpr Nanoseconds kNever = (std::numeric_limits<Nanoseconds>::max)();
    explicit constexpr Deadline(Nanoseconds when) noexcept : when_(when) {}

    Nanoseconds when_;
};

}  // namespace weft::detail
