// Weft's clock while manual clocks come and go under it.

#include "detail/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include <weft/detail/deadline.hpp>
#include <weft/manual_clock.hpp>
#include <weft/timeout.hpp>

#include "detail/timed_sleep.hpp"
#include "os/futex.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::detail::Deadline;
using weft::detail::Nanoseconds;
using weft::detail::now;
using weft::detail::TimedSleep;

TEST(Clock, FollowsTheSteadyClockWhileItRuns) {
    const auto steady_before = std::chrono::steady_clock::now();
    const Nanoseconds before = now();
    const Nanoseconds after = now();
    const auto steady_after = std::chrono::steady_clock::now();
    EXPECT_GE(after, before);
    EXPECT_LE(std::chrono::nanoseconds(after - before), steady_after - steady_before);
}

TEST(Clock, StandsWhileAManualClockIsInstalledAndGoesOnFromThere) {
    ManualClock clock;
    const Nanoseconds before = now();
    Nanoseconds at_the_end = 0;
    {
        const auto installed = clock.install();
        const Nanoseconds start = now();
        EXPECT_GE(start, before);
        EXPECT_EQ(now(), start);
        clock.advance(1h);
        at_the_end = now();
        EXPECT_EQ(std::chrono::nanoseconds(at_the_end - start), 1h);
    }
    EXPECT_GE(now(), at_the_end);
    EXPECT_LT(std::chrono::nanoseconds(now() - at_the_end), 30min);
}

/// A sleep without a thread, which counts how often it is told to look at the clock.
struct CountedSleep {
    std::atomic<int> pokes{0};
    TimedSleep sleep;
    explicit CountedSleep(weft::Timeout limit)
        : sleep([](void* self) { static_cast<CountedSleep*>(self)->pokes.fetch_add(1); }, this,
                Deadline::after(limit)) {}
};

TEST(TimedSleep, CountsUntilItIsDueAndIsThenPokedOnce) {
    ManualClock clock;
    const auto installed = clock.install();
    const CountedSleep early(1s);
    const CountedSleep late(2s);
    EXPECT_EQ(clock.sleepers(), 2U);
    clock.advance(1s - 1ns);
    EXPECT_EQ(clock.sleepers(), 2U);
    EXPECT_EQ(early.pokes, 0);
    clock.advance(1ns);
    // It is still there, but nothing that this clock does will matter to it.
    EXPECT_EQ(clock.sleepers(), 1U);
    EXPECT_EQ(early.pokes, 1);
    EXPECT_EQ(late.pokes, 0);
    clock.advance(1s);
    EXPECT_EQ(clock.sleepers(), 0U);
    EXPECT_EQ(early.pokes, 1);
    EXPECT_EQ(late.pokes, 1);
}

TEST(TimedSleep, IsPokedWhenTheClockIsRemovedSoThatItGoesOnInRealTime) {
    ManualClock clock;
    std::optional<ManualClock::Installation> installed = clock.install();
    const CountedSleep sleep(1h);
    EXPECT_EQ(sleep.sleep.system_deadline(), weft::os::kNoDeadline);
    installed.reset();
    EXPECT_EQ(sleep.pokes, 1);
    EXPECT_NE(sleep.sleep.system_deadline(), weft::os::kNoDeadline);
}

TEST(TimedSleep, IsNotListedWithoutADeadline) {
    ManualClock clock;
    const auto installed = clock.install();
    const CountedSleep sleep{weft::Timeout()};
    EXPECT_EQ(clock.sleepers(), 0U);
    clock.advance(1h);
    EXPECT_EQ(sleep.pokes, 0);
}

TEST(Clock, NeverGoesBackForAnyThread) {
    std::atomic<bool> is_over{false};
    std::atomic<Nanoseconds> worst{0};
    const auto watch = [&] {
        Nanoseconds last = now();
        while (!is_over.load(std::memory_order_relaxed)) {
            const Nanoseconds next = now();
            Nanoseconds seen = worst.load(std::memory_order_relaxed);
            while (last - next > seen && !worst.compare_exchange_weak(seen, last - next)) {
            }
            last = next;
        }
    };
    {
        std::vector<std::jthread> watchers;
        for (int i = 0; i < 3; ++i) watchers.emplace_back(watch);
        ManualClock clock;
        for (int round = 0; round < 60'000; ++round) {
            const auto installed = clock.install();
            clock.advance(std::chrono::nanoseconds(round % 3));
        }
        is_over = true;
    }
    EXPECT_EQ(worst, 0);
}

}  // namespace
