#include <weft/detail/deadline.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::Timeout;
using weft::detail::Deadline;
using weft::detail::Nanoseconds;
using weft::detail::now;

class DeadlineOnAStandingClock : public testing::Test {
protected:
    ManualClock clock;
    ManualClock::Installation installed = clock.install();
};

TEST_F(DeadlineOnAStandingClock, ComesWhenItsTimeHasPassedAndNotEarlier) {
    const Deadline deadline = Deadline::after(10ms);
    EXPECT_EQ(deadline.when(), now() + 10'000'000);
    EXPECT_FALSE(deadline.has_passed());
    clock.advance(10ms - 1ns);
    EXPECT_FALSE(deadline.has_passed());
    clock.advance(1ns);
    EXPECT_TRUE(deadline.has_passed());
    clock.advance(1h);
    EXPECT_TRUE(deadline.has_passed());
}

TEST_F(DeadlineOnAStandingClock, NeverComesWithoutALimit) {
    const Deadline deadline = Deadline::after(Timeout());
    clock.advance(1h);
    EXPECT_TRUE(deadline.is_never());
    EXPECT_EQ(deadline.when(), std::numeric_limits<Nanoseconds>::max());
    EXPECT_FALSE(deadline.has_passed());
}

TEST_F(DeadlineOnAStandingClock, HasPassedForZeroAndNegativeLimits) {
    EXPECT_TRUE(Deadline::after(0).has_passed());
    EXPECT_TRUE(Deadline::after(-1).has_passed());
    EXPECT_TRUE(Deadline::after(-weft::TIMEOUT_MAX).has_passed());
    EXPECT_FALSE(Deadline::after(0).is_never());
}

TEST_F(DeadlineOnAStandingClock, IsNeverWhereItsTimeCannotBeCounted) {
    clock.advance(1s);
    EXPECT_TRUE(Deadline::after(weft::TIMEOUT_MAX).is_never());
}

TEST(Deadline, AtAMomentHasPassedFromThatMomentOn) {
    EXPECT_TRUE(Deadline::at(now()).has_passed());
    EXPECT_FALSE(Deadline::at(now() + Nanoseconds{3'600'000'000'000}).has_passed());
    EXPECT_FALSE(Deadline::never().has_passed());
    EXPECT_TRUE(Deadline::never().is_never());
}

TEST(Deadline, OfTheLongestLimitIsInTheFuture) {
    EXPECT_FALSE(Deadline::after(weft::TIMEOUT_MAX).has_passed());
}

}  // namespace
