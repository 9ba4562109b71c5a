#include <weft/threading/timer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include <weft/manual_clock.hpp>
#include <weft/threading/excepthook.hpp>
#include <weft/threading/functions.hpp>

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::threading::Joining;
using weft::threading::Thread;
using weft::threading::Timer;

TEST(Timer, CallsTheFunctionOnceWhenTheIntervalHasPassedAndNotBefore) {
    ManualClock clock;
    const auto installed = clock.install();
    std::atomic<int> calls{0};
    Timer timer(30s, [&] { ++calls; });
    timer.start();
    clock.wait_for_sleepers(1);
    clock.advance(29s);
    clock.wait_for_sleepers(1);
    EXPECT_EQ(calls, 0);
    EXPECT_TRUE(timer.is_alive());
    clock.advance(1s);
    timer.join();
    EXPECT_EQ(calls, 1);
    EXPECT_FALSE(timer.is_alive());
    clock.advance(1h);
    EXPECT_EQ(calls, 1);
}

TEST(Timer, PassesItsArgumentsOn) {
    std::string said;
    int number = 0;
    Timer timer(
        0, [&](const std::string& text, int& n) { said = text, n = 7; }, "text", std::ref(number));
    timer.start();
    timer.join();
    EXPECT_EQ(said, "text");
    EXPECT_EQ(number, 7);
}

TEST(Timer, HasArgumentsOfItsOwn) {
    std::vector<int> list{1};
    std::vector<std::size_t> sizes;
    const auto grow = [&](std::vector<int>& own) {
        own.push_back(2);
        sizes.push_back(own.size());
    };
    const auto call = [&](std::vector<int> own) { grow(own); };
    for (int i = 0; i < 2; ++i) {
        Timer timer(0, call, list);
        timer.start();
        timer.join();
    }
    EXPECT_THAT(sizes, testing::ElementsAre(2, 2));
    EXPECT_EQ(list.size(), 1U);
}

TEST(Timer, TakesAnIntervalOfEveryKind) {
    std::atomic<int> calls{0};
    const auto count = [&] { ++calls; };
    for (Timer timer : {Timer(0, count), Timer(-5, count), Timer(0.001, count), Timer(1ms, count),
                        Timer(-1h, count)}) {
        timer.start();
        timer.join();
    }
    EXPECT_EQ(calls, 5);
    EXPECT_THROW(Timer(1e12, count), std::overflow_error);
}

TEST(Timer, WithoutAnIntervalWaitsUntilItIsCancelled) {
    ManualClock clock;
    const auto installed = clock.install();
    std::atomic<int> calls{0};
    Timer timer(weft::Timeout{}, [&] { ++calls; });
    timer.start();
    clock.advance(100h);
    EXPECT_TRUE(timer.is_alive());
    EXPECT_TRUE(timer.cancel());
    timer.join();
    EXPECT_EQ(calls, 0);
}

TEST(Timer, CancelledBeforeItsTimeItNeverCallsTheFunction) {
    ManualClock clock;
    const auto installed = clock.install();
    std::atomic<int> calls{0};
    Timer timer(30s, [&] { ++calls; });
    timer.start();
    clock.wait_for_sleepers(1);
    clock.advance(29s);
    EXPECT_TRUE(timer.cancel());
    timer.join();
    clock.advance(1h);
    EXPECT_EQ(calls, 0);
}

TEST(Timer, CancelledBeforeItStartsItEndsAtOnce) {
    std::atomic<int> calls{0};
    Timer timer(0, [&] { ++calls; });
    EXPECT_TRUE(timer.cancel());
    timer.start();
    timer.join();
    EXPECT_EQ(calls, 0);
}

TEST(Timer, CancellingAgainOrLaterDoesNoHarm) {
    std::atomic<int> calls{0};
    Timer late(0, [&] { ++calls; });
    late.start();
    late.join();
    EXPECT_FALSE(late.cancel());
    EXPECT_FALSE(late.cancel());
    EXPECT_EQ(calls, 1);
    Timer early(1h, [&] { ++calls; });
    early.start();
    EXPECT_TRUE(early.cancel());
    EXPECT_TRUE(early.cancel());
    early.join();
    EXPECT_EQ(calls, 1);
}

TEST(Timer, MayCancelItselfInVain) {
    std::unique_ptr<Timer> timer;
    std::atomic<bool> was_cancelled{true};
    timer = std::make_unique<Timer>(0, [&] { was_cancelled = timer->cancel(); });
    timer->start();
    timer->join();
    EXPECT_FALSE(was_cancelled);
}

TEST(Timer, EitherIsCancelledOrCallsTheFunction) {
    for (int i = 0; i < 300; ++i) {
        std::atomic<int> calls{0};
        Timer timer(std::chrono::microseconds(i % 60), [&] { ++calls; });
        timer.start();
        std::atomic<int> cancelled{0};
        {
            std::jthread one([&] { cancelled += timer.cancel() ? 1 : 0; });
            std::jthread other([&] { cancelled += timer.cancel() ? 1 : 0; });
        }
        timer.join();
        EXPECT_TRUE(cancelled == 0 || cancelled == 2 || calls == 0);
        EXPECT_EQ(calls, timer.cancel() ? 0 : 1);
    }
}

TEST(Timer, IsAThreadAndAHandle) {
    ManualClock clock;
    const auto installed = clock.install();
    Timer timer({.name = "bell", .daemon = true}, 30s, [] {});
    EXPECT_EQ(timer.name(), "bell");
    EXPECT_TRUE(timer.daemon());
    const Timer copy = timer;
    const Thread thread = timer;
    EXPECT_EQ(copy, timer);
    EXPECT_EQ(thread, timer);
    EXPECT_EQ(std::unordered_set<Timer>({timer, copy}).size(), 1U);
    EXPECT_THAT(timer.repr(), testing::StartsWith("<weft::threading::Timer(bell, initial"));
    timer.start();
    EXPECT_THROW(timer.start(), std::runtime_error);
    EXPECT_THAT(weft::threading::enumerate(), testing::Contains(thread));
    EXPECT_TRUE(copy.cancel());
    thread.join();
    EXPECT_THAT(timer.repr(), testing::HasSubstr("stopped"));
}

TEST(Timer, WhoseHandlesAreGoneStillRings) {
    std::atomic<bool> has_rung{false};
    Timer(0, [&] { has_rung = true; }).start();
    while (!has_rung) std::this_thread::yield();
}

TEST(Timer, GivesItsFunctionBackWhenItHasEnded) {
    auto owned = std::make_shared<int>(1);
    Timer rung(0, [owned] {});
    rung.start();
    rung.join();
    EXPECT_EQ(owned.use_count(), 1);
    Timer cancelled(1h, [owned] {});
    cancelled.start();
    cancelled.cancel();
    cancelled.join();
    EXPECT_EQ(owned.use_count(), 1);
    {
        Timer never_started(1h, [owned] {});
        EXPECT_EQ(owned.use_count(), 2);
    }
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(Timer, ExceptionOfTheFunctionGoesToTheHook) {
    std::string what;
    const auto old = weft::threading::excepthook;
    weft::threading::excepthook = [&](const weft::threading::ExceptHookArgs& args) {
        what = args.thread->name() + ": " + args.what();
    };
    Timer timer({.name = "bell"}, 0, [] { throw std::runtime_error("cracked"); });
    timer.start();
    timer.join();
    weft::threading::excepthook = old;
    EXPECT_EQ(what, "bell: std::runtime_error: cracked");
}

TEST(Timer, AStopRequestCancelsIt) {
    std::atomic<int> calls{0};
    Timer timer(1h, [&] { ++calls; });
    timer.start();
    EXPECT_TRUE(timer.request_stop());
    timer.join();
    EXPECT_TRUE(timer.cancel());
    EXPECT_EQ(calls, 0);
}

TEST(Timer, GivesTheStopTokenToAFunctionThatTakesOne) {
    std::atomic<bool> is_running{false};
    Timer timer(
        0,
        [&](std::stop_token stop, int n) {
            is_running = n == 5;
            while (!stop.stop_requested()) std::this_thread::yield();
        },
        5);
    timer.start();
    while (!is_running) std::this_thread::yield();
    timer.request_stop();
    timer.join();
    EXPECT_FALSE(timer.cancel());
}

TEST(Timer, InAScopeThatAnExceptionLeavesIsCancelled) {
    std::atomic<int> calls{0};
    try {
        Joining scope(Timer(1h, [&] { ++calls; }));
        throw std::runtime_error("leaves");
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(calls, 0);
}

TEST(Timer, RunsHereOnce) {
    int calls = 0;
    Timer timer(0, [&] { ++calls; });
    timer.run();
    EXPECT_EQ(calls, 1);
    EXPECT_THROW(timer.run(), std::runtime_error);
    EXPECT_EQ(calls, 1);
}

}  // namespace
