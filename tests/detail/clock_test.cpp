// Weft's clock while manual clocks come and go under it.

#include "detail/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <weft/detail/deadline.hpp>
#include <weft/manual_clock.hpp>

#include "support/budget.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::detail::Nanoseconds;
using weft::detail::now;

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
