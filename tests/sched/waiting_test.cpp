// A scheduler on Weft's clock: how run() waits, and what wakes it.

#include <weft/sched.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::sched::Event;
using weft::sched::scheduler;

class SchedulerWaiting : public testing::Test {
protected:
    ~SchedulerWaiting() override { runner_.reset(); }

    auto note(int number) {
        return [this, number] {
            const std::scoped_lock held(mutex_);
            done_.push_back(number);
        };
    }
    std::vector<int> done() {
        const std::scoped_lock held(mutex_);
        return done_;
    }
    void run_in_a_thread() {
        runner_.emplace([this] { s.run(); });
    }
    void finish() { runner_.reset(); }

    ManualClock clock;
    ManualClock::Installation installed = clock.install();
    scheduler s;

private:
    std::mutex mutex_;
    std::vector<int> done_;
    std::optional<std::jthread> runner_;
};

using Numbers = std::vector<int>;

TEST_F(SchedulerWaiting, RunsEachEventWhenTheClockComesToIt) {
    s.enter(30s, 1, note(1));
    s.enter(0.1 + 0.2, 1, note(0));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    clock.advance(300ms);
    clock.wait_for_sleepers(1);
    EXPECT_EQ(done(), Numbers{0});
    clock.advance(29699ms);
    EXPECT_EQ(clock.sleepers(), 1u);
    clock.advance(1ms);
    finish();
    EXPECT_EQ(done(), (Numbers{0, 1}));
}

TEST_F(SchedulerWaiting, AnEventIsDueExactlyWhenTheClockHasMovedByItsDelay) {
    for (const double delay : {0.1, 1.0 / 3.0, 12345.678901234, 1e-6, 7e6}) {
        s.enter(delay, 1, note(1));
        EXPECT_GT(s.run(false), 0.0);
        clock.advance(std::chrono::nanoseconds(std::llround(delay * 1e9)));
        EXPECT_EQ(s.run(false), std::nullopt);
    }
}

TEST_F(SchedulerWaiting, AnEarlierEventOfAnotherThreadWakesIt) {
    s.enter(1h, 1, note(2));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    s.enter(1s, 1, note(1));
    clock.advance(1s);
    while (done().empty()) std::this_thread::yield();
    EXPECT_EQ(done(), Numbers{1});
    clock.wait_for_sleepers(1);
    clock.advance(1h);
    finish();
    EXPECT_EQ(done(), (Numbers{1, 2}));
}

TEST_F(SchedulerWaiting, AnEventThatIsDueAtOnceWakesItWithoutTheClock) {
    s.enter(1h, 1, note(2));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    s.enter(0, 1, note(1));
    while (done().empty()) std::this_thread::yield();
    EXPECT_EQ(done(), Numbers{1});
    clock.wait_for_sleepers(1);
    clock.advance(1h);
}

TEST_F(SchedulerWaiting, CancellingTheOnlyEventEndsTheRun) {
    const Event event = s.enter(1h, 1, note(1));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    s.cancel(event);
    finish();
    EXPECT_TRUE(done().empty());
}

TEST_F(SchedulerWaiting, ACancelledEventDoesNotRunAndTheNextDoes) {
    const Event event = s.enter(1s, 1, note(1));
    s.enter(2s, 1, note(2));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    s.cancel(event);
    clock.advance(2s);
    finish();
    EXPECT_EQ(done(), Numbers{2});
}

TEST_F(SchedulerWaiting, AnEventThatIsNeverDueWaitsForACancel) {
    const Event never = s.enter(std::numeric_limits<double>::infinity(), 1, note(1));
    s.enter(1s, 1, note(0));
    run_in_a_thread();
    clock.wait_for_sleepers(1);
    clock.advance(1s);
    while (done().empty()) std::this_thread::yield();
    s.cancel(never);
    finish();
    EXPECT_EQ(done(), Numbers{0});
}

TEST_F(SchedulerWaiting, AStopTokenEndsTheWait) {
    std::stop_source stop;
    s.enter(1h, 1, note(1));
    std::atomic<bool> was_cancelled{false};
    {
        const std::jthread runner([&] {
            EXPECT_THROW(s.run(stop.get_token()), weft::Cancelled);
            was_cancelled = true;
        });
        clock.wait_for_sleepers(1);
        stop.request_stop();
    }
    EXPECT_TRUE(was_cancelled);
    EXPECT_FALSE(s.empty());
}

TEST_F(SchedulerWaiting, AStopRequestBetweenEventsLeavesTheNext) {
    std::stop_source stop;
    s.enter(0, 1, [&] { stop.request_stop(); });
    s.enter(0, 2, note(2));
    EXPECT_THROW(s.run(stop.get_token()), weft::Cancelled);
    EXPECT_TRUE(done().empty());
    EXPECT_EQ(s.queue().size(), 1u);
}

TEST_F(SchedulerWaiting, AStopRequestIsNothingWhenNoEventIsLeft) {
    std::stop_source stop;
    s.enter(0, 1, [&] { stop.request_stop(); });
    s.run(stop.get_token());
    EXPECT_TRUE(s.empty());
}

TEST_F(SchedulerWaiting, AStopTokenIsSeenBesideAClockOfTheUsers) {
    std::stop_source stop;
    double time = 0.0;
    scheduler sim([&] { return time; },
                  [&](double left) {
                      time += left;
                      stop.request_stop();
                  });
    sim.enter(1, 1, note(1));
    EXPECT_THROW(sim.run(stop.get_token()), weft::Cancelled);
    EXPECT_TRUE(done().empty());
}

TEST_F(SchedulerWaiting, AForeignClockWithoutDelayFunctionWaitsOnWeftsClock) {
    std::atomic<double> time{0.0};
    scheduler foreign([&] { return time.load(); });
    std::atomic<bool> ran{false};
    foreign.enter(5, 1, [&] { ran = true; });
    const std::jthread runner([&] { foreign.run(); });
    clock.wait_for_sleepers(1);
    time = 5.0;
    clock.advance(5s);
    while (!ran) std::this_thread::yield();
}

TEST_F(SchedulerWaiting, DelayfuncWaitsOnTheClock) {
    std::atomic<bool> has_returned{false};
    {
        const std::jthread waiter([&] {
            s.delayfunc(2.0);
            has_returned = true;
        });
        clock.wait_for_sleepers(1);
        EXPECT_FALSE(has_returned);
        clock.advance(2s);
    }
    s.delayfunc(0.0);
    s.delayfunc(-1.0);
    EXPECT_TRUE(has_returned);
}

TEST_F(SchedulerWaiting, TimefuncIsWeftsClockInSeconds) {
    const double before = s.timefunc();
    clock.advance(1500ms);
    EXPECT_NEAR(s.timefunc() - before, 1.5, 1e-6);
}

TEST_F(SchedulerWaiting, SeveralThreadsRunOneSchedulerAndEachEventRunsOnce) {
    for (int i = 0; i < 10; ++i) s.enter(i * 1s, 1, note(i));
    {
        const std::jthread one([&] { s.run(); });
        const std::jthread other([&] { s.run(); });
        while (!s.empty()) {
            clock.advance(1s);
            std::this_thread::yield();
        }
    }
    std::vector<int> all = done();
    EXPECT_EQ(all.size(), 10u);
    std::sort(all.begin(), all.end());
    for (int i = 0; i < 10; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
}

TEST_F(SchedulerWaiting, CancellingTheOnlyEventEndsEveryRun) {
    // Both wait for the one event; cancelling it ends both.
    const Event event = s.enter(1h, 1, note(1));
    const std::jthread one([&] { s.run(); });
    const std::jthread other([&] { s.run(); });
    clock.wait_for_sleepers(2);
    s.cancel(event);
}

}  // namespace
