#include <weft/threading/event.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

#include "_thread/common_checks.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::threading::Event;

TEST(Event, IsCreatedUnset) {
    Event event;
    EXPECT_FALSE(event.is_set());
}

TEST(Event, MayBeAConstinitStatic) {
    static constinit Event event;
    event.set();
    EXPECT_TRUE(event.wait());
}

TEST(Event, StaysSetUntilCleared) {
    Event event;
    event.set();
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(event.wait());
    EXPECT_TRUE(event.is_set());
    event.clear();
    EXPECT_FALSE(event.is_set());
    event.clear();
    EXPECT_FALSE(event.is_set());
    event.set();
    EXPECT_TRUE(event.is_set());
}

TEST(Event, TheOldNameOfIsSetLooksToo) {
    Event event;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    EXPECT_FALSE(event.isSet());
    event.set();
    EXPECT_TRUE(event.isSet());
#pragma GCC diagnostic pop
}

TEST(Event, WaitReturnsAtOnceWhenItIsSet) {
    std::stop_source source;
    source.request_stop();
    Event event;
    event.set();
    EXPECT_TRUE(event.wait());
    EXPECT_TRUE(event.wait(0));
    EXPECT_TRUE(event.wait(1h));
    EXPECT_TRUE(event.wait(source.get_token()));
}

TEST(Event, ZeroAndNegativeLimitsReportTheFlag) {
    Event event;
    EXPECT_FALSE(event.wait(0));
    EXPECT_FALSE(event.wait(-1));
    EXPECT_FALSE(event.wait(-1h));
    event.set();
    EXPECT_TRUE(event.wait(0));
    EXPECT_TRUE(event.wait(-1));
}

TEST(Event, SetLetsEverybodyGo) {
    ManualClock clock;
    const auto installed = clock.install();
    Event event;
    std::atomic<int> gone_on{0};
    {
        std::vector<std::jthread> waiters;
        for (int i = 0; i < 5; ++i) {
            waiters.emplace_back([&, i] {
                const bool is_set = i % 2 == 0 ? event.wait(1h) : event.wait(std::stop_token(), 1h);
                gone_on += is_set ? 1 : 0;
            });
        }
        clock.wait_for_sleepers(5);
        EXPECT_EQ(gone_on, 0);
        event.set();
    }
    EXPECT_EQ(gone_on, 5);
}

TEST(Event, WaitersAreLetGoAlsoWhenItIsClearedAtOnce) {
    ManualClock clock;
    const auto installed = clock.install();
    for (int round = 0; round < 100; ++round) {
        Event event;
        std::atomic<int> gone_on{0};
        {
            std::vector<std::jthread> waiters;
            for (int i = 0; i < 3; ++i) {
                waiters.emplace_back([&] { gone_on += event.wait(1h) ? 1 : 0; });
            }
            clock.wait_for_sleepers(3);
            event.set();
            event.clear();
        }
        EXPECT_EQ(gone_on, 3);
        EXPECT_FALSE(event.wait(0));
    }
}

TEST(Event, TimedWaitEndsNotBeforeTheDeadline) {
    Event event;
    weft::test::expect_to_give_up_after_30_seconds([&] { return event.wait(30s); });
    // The one whose time was up has left nothing behind.
    event.set();
    EXPECT_TRUE(event.is_set());
}

TEST(Event, StopTokenCancelsAWait) {
    Event event;
    std::stop_source source;
    std::jthread waiter([&] { EXPECT_THROW(event.wait(source.get_token()), weft::Cancelled); });
    source.request_stop();
    waiter.join();
    std::jthread second([&] { EXPECT_THROW(event.wait(source.get_token(), 1h), weft::Cancelled); });
    second.join();
    EXPECT_FALSE(event.is_set());
}

TEST(Event, TextFormSaysSetOrUnset) {
    Event event;
    EXPECT_THAT(event.repr(), testing::StartsWith("<weft::threading::Event at 0x"));
    EXPECT_THAT(event.repr(), testing::EndsWith(": unset>"));
    event.set();
    EXPECT_THAT(event.repr(), testing::EndsWith(": set>"));
}

TEST(Event, MayBeDestroyedByTheThreadThatItHasWoken) {
    for (int i = 0; i < 2'000; ++i) {
        auto event = std::make_unique<Event>();
        std::atomic<bool> is_waiting{false};
        std::jthread waiter([&] {
            is_waiting = true;
            event->wait();
            event.reset();
        });
        if (i % 2 == 0) {
            while (!is_waiting) std::this_thread::yield();
        }
        event->set();
        waiter.join();
        EXPECT_EQ(event, nullptr);
    }
}

/// The same where the waiter's limit passes at about the time of set().
TEST(Event, MayBeDestroyedByAWaiterThatFindsItSetAfterItsTime) {
    for (int i = 0; i < 1'000; ++i) {
        auto event = std::make_unique<Event>();
        std::jthread waiter([&] {
            while (!event->wait(std::chrono::microseconds(1 + i % 60))) {
            }
            event.reset();
        });
        for (int n = 0; n < i % 4; ++n) std::this_thread::yield();
        event->set();
        waiter.join();
        EXPECT_EQ(event, nullptr);
    }
}

}  // namespace
