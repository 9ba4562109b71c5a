#include <weft/timeout.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using weft::Timeout;
using weft::TIMEOUT_MAX;

using FloatSeconds = std::chrono::duration<double>;

// What a limit can be made from, and what it cannot: `get(true)` must not mean one second.
static_assert(std::constructible_from<Timeout, int>);
static_assert(std::constructible_from<Timeout, std::uint64_t>);
static_assert(std::constructible_from<Timeout, float>);
static_assert(std::constructible_from<Timeout, long double>);
static_assert(std::convertible_to<double, Timeout>);
static_assert(std::convertible_to<std::chrono::milliseconds, Timeout>);
static_assert(std::convertible_to<FloatSeconds, Timeout>);
static_assert(!std::constructible_from<Timeout, bool>);
static_assert(!std::constructible_from<Timeout, const bool&>);
static_assert(!std::constructible_from<Timeout, char>);
static_assert(!std::constructible_from<Timeout, wchar_t>);
static_assert(!std::constructible_from<Timeout, char8_t>);
static_assert(!std::constructible_from<Timeout, char16_t>);
static_assert(!std::constructible_from<Timeout, char32_t>);
static_assert(!std::constructible_from<Timeout, const char*>);
static_assert(!std::constructible_from<Timeout, void*>);
static_assert(!std::constructible_from<Timeout, std::nullptr_t>);
static_assert(!std::constructible_from<Timeout, std::chrono::steady_clock::time_point>);

static_assert(Timeout().is_none());
static_assert(Timeout(0.5) == Timeout(500ms));
static_assert(Timeout(1s).length() == 1'000'000'000ns);
static_assert(Timeout(-1).is_minus_one() && Timeout(-1).is_negative());

TEST(Timeout, WithoutALimitIsNeitherNegativeNorEqualToALimit) {
    EXPECT_TRUE(Timeout().is_none());
    EXPECT_FALSE(Timeout().is_negative());
    EXPECT_FALSE(Timeout().is_minus_one());
    EXPECT_NE(Timeout(), Timeout(0));
    EXPECT_EQ(Timeout(), Timeout());
}

TEST(Timeout, TakesNumbersAsSeconds) {
    EXPECT_EQ(Timeout(2).length(), 2s);
    EXPECT_EQ(Timeout(2U).length(), 2s);
    EXPECT_EQ(Timeout(std::int8_t{7}).length(), 7s);
    EXPECT_EQ(Timeout(0.25F).length(), 250ms);
    EXPECT_EQ(Timeout(1.5L).length(), 1500ms);
}

TEST(Timeout, OfATenthIsExactlyAHundredMilliseconds) {
    EXPECT_EQ(Timeout(0.1), Timeout(100ms));
    EXPECT_EQ(Timeout(0.3), Timeout(300ms));
    EXPECT_EQ(Timeout(FloatSeconds(0.7)), Timeout(700ms));
}

TEST(Timeout, IsRoundedUpToWholeNanoseconds) {
    using Picoseconds = std::chrono::duration<std::int64_t, std::pico>;
    EXPECT_EQ(Timeout(Picoseconds(1)).length(), 1ns);
    EXPECT_EQ(Timeout(Picoseconds(1001)).length(), 2ns);
    EXPECT_EQ(Timeout(Picoseconds(2000)).length(), 2ns);
    EXPECT_EQ(Timeout(1e-12).length(), 1ns);
    EXPECT_EQ(Timeout(1.5e-9).length(), 2ns);
    EXPECT_EQ(Timeout(std::numeric_limits<double>::denorm_min()).length(), 1ns);
}

TEST(Timeout, RoundsNegativeLimitsUpToo) {
    EXPECT_EQ(Timeout(-1.5e-9).length(), -1ns);
    EXPECT_EQ(Timeout(-2e-9).length(), -2ns);
    EXPECT_EQ(Timeout(std::chrono::duration<std::int64_t, std::pico>(-1500)).length(), -1ns);
}

TEST(Timeout, KeepsTheSign) {
    EXPECT_TRUE(Timeout(-0.5).is_negative());
    EXPECT_FALSE(Timeout(-0.5).is_minus_one());
    EXPECT_TRUE(Timeout(-1ms).is_negative());
    EXPECT_TRUE(Timeout(-1000ms).is_minus_one());
    EXPECT_FALSE(Timeout(0).is_negative());
    EXPECT_FALSE(Timeout(-0.0).is_negative());
    EXPECT_FALSE(Timeout(1).is_negative());
    EXPECT_FALSE(Timeout(1).is_minus_one());
}

TEST(Timeout, RefusesWhatIsNotANumber) {
    EXPECT_THROW(Timeout{std::numeric_limits<double>::quiet_NaN()}, std::invalid_argument);
    EXPECT_THROW(Timeout{std::numeric_limits<float>::quiet_NaN()}, std::invalid_argument);
    EXPECT_THROW(Timeout{std::numeric_limits<long double>::quiet_NaN()}, std::invalid_argument);
    EXPECT_THROW(Timeout(FloatSeconds(-std::numeric_limits<double>::quiet_NaN())),
                 std::invalid_argument);
}

TEST(Timeout, RefusesInfinityAndMoreThanTheMaximum) {
    EXPECT_THROW(Timeout{std::numeric_limits<double>::infinity()}, std::overflow_error);
    EXPECT_THROW(Timeout{std::numeric_limits<double>::max()}, std::overflow_error);
    EXPECT_THROW(Timeout(TIMEOUT_MAX + 1), std::overflow_error);
    EXPECT_THROW(Timeout(std::chrono::nanoseconds(9'223'372'036'000'000'001)), std::overflow_error);
    EXPECT_THROW(Timeout{std::chrono::hours::max()}, std::overflow_error);
    EXPECT_THROW(Timeout{std::numeric_limits<std::int64_t>::max()}, std::overflow_error);
    EXPECT_THROW(Timeout{std::numeric_limits<std::uint64_t>::max()}, std::overflow_error);
}

TEST(Timeout, TakesTheMaximum) {
    EXPECT_EQ(Timeout(TIMEOUT_MAX).length(), 9'223'372'036s);
    EXPECT_EQ(Timeout(9'223'372'036s).length(), 9'223'372'036s);
    EXPECT_EQ(Timeout(std::chrono::nanoseconds(9'223'372'036'000'000'000)).length(),
              9'223'372'036s);
}

TEST(Timeout, TakesAnyNegativeLimit) {
    const Timeout least(-TIMEOUT_MAX);
    EXPECT_EQ(Timeout(-std::numeric_limits<double>::infinity()), least);
    EXPECT_EQ(Timeout(std::numeric_limits<std::int64_t>::min()), least);
    EXPECT_EQ(Timeout(std::chrono::hours::min()), least);
    EXPECT_EQ(Timeout(std::chrono::nanoseconds::min()), least);
    EXPECT_FALSE(least.is_none());
    EXPECT_TRUE(least.is_negative());
}

}  // namespace
