#include <weft/manual_clock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/detail/deadline.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/errors.hpp>
#include <weft/queue.hpp>
#include <weft/threading.hpp>

#include "detail/clock.hpp"

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::Timeout;
using weft::detail::Deadline;
using weft::detail::now;
using weft::detail::WaitEnd;
using weft::detail::WaitList;

static_assert(std::is_nothrow_move_constructible_v<ManualClock::Installation>);
static_assert(!std::is_copy_constructible_v<ManualClock::Installation>);
static_assert(!std::is_default_constructible_v<ManualClock::Installation>);

/// A thread that waits for something that never comes, and tells how its wait has ended.
class Sleeper {
public:
    explicit Sleeper(Timeout limit, std::stop_token stop = {})
        : thread_([this, limit, stop] {
              auto never = [] { return false; };
              end_ = list_.wait(never, {.deadline = Deadline::after(limit), .stop = &stop});
              ended_at_ = now();
          }) {}
    WaitEnd end() {
        if (thread_.joinable()) thread_.join();
        return end_;
    }
    weft::detail::Nanoseconds ended_at() {
        end();
        return ended_at_;
    }

private:
    WaitList list_;
    WaitEnd end_ = WaitEnd::notified;
    weft::detail::Nanoseconds ended_at_ = 0;
    std::jthread thread_;
};

void wait_for_sleepers_without_a_clock(std::size_t count) {
    while (weft::detail::count_timed_sleepers() < count) std::this_thread::yield();
}

class InstalledClock : public testing::Test {
protected:
    ManualClock clock;
    std::optional<ManualClock::Installation> installed = clock.install();
};

TEST_F(InstalledClock, EndsAWaitWhenItsTimeHasPassed) {
    Sleeper sleeper(30s);
    clock.wait_for_sleepers(1);
    clock.advance(30s);
    EXPECT_EQ(sleeper.end(), WaitEnd::timed_out);
    EXPECT_EQ(sleeper.ended_at(), now());
}

TEST_F(InstalledClock, TellsItsTime) {
    const auto start = clock.now();
    clock.advance(1.5);
    clock.advance(500ms);
    clock.advance(0);
    EXPECT_EQ(clock.now() - start, 2s);
    EXPECT_EQ(clock.now().count(), now());
}

TEST_F(InstalledClock, WakesExactlyThoseThatAreDue) {
    Sleeper late(20s + 1ns);
    Sleeper first(10s);
    Sleeper second(20s);
    clock.wait_for_sleepers(3);
    clock.advance(10s);
    EXPECT_EQ(first.end(), WaitEnd::timed_out);
    EXPECT_EQ(clock.sleepers(), 2U);
    clock.advance(10s);
    EXPECT_EQ(second.end(), WaitEnd::timed_out);
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1ns);
    EXPECT_EQ(late.end(), WaitEnd::timed_out);
    EXPECT_EQ(first.ended_at() + 10'000'000'001, late.ended_at());
}

TEST_F(InstalledClock, CountsNoSleeperThatIsDue) {
    std::vector<std::unique_ptr<Sleeper>> due;
    for (int i = 0; i < 8; ++i) due.push_back(std::make_unique<Sleeper>(1s));
    Sleeper waiting(2s);
    clock.wait_for_sleepers(9);
    clock.advance(1s);
    // Whether or not the woken threads have run by now.
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1s);
    EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(InstalledClock, CountsNoSleeperWithoutADeadline) {
    std::stop_source stop;
    Sleeper endless(Timeout(), stop.get_token());
    Sleeper limited(1s);
    clock.wait_for_sleepers(1);
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1h);
    EXPECT_EQ(limited.end(), WaitEnd::timed_out);
    EXPECT_EQ(clock.sleepers(), 0U);
    stop.request_stop();
    EXPECT_EQ(endless.end(), WaitEnd::cancelled);
}

TEST_F(InstalledClock, WaitsForNoSleepersAtAll) {
    clock.wait_for_sleepers(0);
    EXPECT_EQ(clock.sleepers(), 0U);
}

TEST_F(InstalledClock, LetsAStopTokenEndAWait) {
    std::stop_source stop;
    Sleeper sleeper(1h, stop.get_token());
    clock.wait_for_sleepers(1);
    stop.request_stop();
    EXPECT_EQ(sleeper.end(), WaitEnd::cancelled);
}

TEST_F(InstalledClock, LeavesAWaitWithoutTimeToPoll) {
    EXPECT_EQ(Sleeper(0).end(), WaitEnd::timed_out);
    EXPECT_EQ(Sleeper(-1).end(), WaitEnd::timed_out);
}

TEST_F(InstalledClock, RefusesToPassTheEndOfTime) {
    const auto before = clock.now();
    Sleeper sleeper(1h);
    clock.wait_for_sleepers(1);
    EXPECT_THROW(clock.advance(weft::TIMEOUT_MAX), std::overflow_error);
    EXPECT_EQ(clock.now(), before);
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1h);
    EXPECT_EQ(sleeper.end(), WaitEnd::timed_out);
}

TEST_F(InstalledClock, RefusesToGoBackOrNowhere) {
    const auto before = clock.now();
    EXPECT_THROW(clock.advance(-1ns), std::invalid_argument);
    EXPECT_THROW(clock.advance(-2.5), std::invalid_argument);
    EXPECT_THROW(clock.advance({}), std::invalid_argument);
    EXPECT_EQ(clock.now(), before);
}

TEST_F(InstalledClock, ExcludesASecondOne) {
    ManualClock second;
    EXPECT_THROW((void)second.install(), std::runtime_error);
    EXPECT_THROW((void)clock.install(), std::runtime_error);
    installed.reset();
    EXPECT_NO_THROW(const auto other = second.install());
    EXPECT_NO_THROW(installed = clock.install());
}

TEST_F(InstalledClock, StaysUntilTheLastOwnerOfItsInstallationGoes) {
    {
        ManualClock::Installation moved = std::move(*installed);
        installed.reset();
        EXPECT_THROW((void)clock.install(), std::runtime_error);
        ManualClock::Installation& same = moved;
        moved = std::move(same);
        EXPECT_NO_THROW(clock.advance(1s));
    }
    EXPECT_THROW(clock.advance(1s), std::runtime_error);
}

TEST_F(InstalledClock, IsRemovedWhenAnotherInstallationIsAssigned) {
    ManualClock::Installation first = std::move(*installed);
    ManualClock::Installation empty = std::move(first);
    first = std::move(empty);
    EXPECT_NO_THROW(clock.advance(1s));
    *installed = std::move(first);
    EXPECT_NO_THROW(clock.advance(1s));
    *installed = std::move(first);
    EXPECT_THROW(clock.advance(1s), std::runtime_error);
}

TEST(ManualClock, CannotBeUsedBeforeItIsInstalled) {
    ManualClock clock;
    EXPECT_THROW(clock.advance(1s), std::runtime_error);
    EXPECT_THROW(clock.wait_for_sleepers(0), std::runtime_error);
    EXPECT_THROW(clock.advance(-1s), std::invalid_argument);
}

TEST(ManualClock, TakesOverWhoSleepsAlready) {
    Sleeper sleeper(1h);
    wait_for_sleepers_without_a_clock(1);
    ManualClock clock;
    const auto installed = clock.install();
    clock.wait_for_sleepers(1);
    clock.advance(1h);
    EXPECT_EQ(sleeper.end(), WaitEnd::timed_out);
}

TEST(ManualClock, LeavesWhoStillSleepsTheRestOfHisTime) {
    ManualClock clock;
    std::optional<ManualClock::Installation> installed = clock.install();
    const auto start = now();
    Sleeper sleeper(1h);
    clock.wait_for_sleepers(1);
    clock.advance(1h - 20ms);
    const auto steady = std::chrono::steady_clock::now();
    installed.reset();
    EXPECT_EQ(sleeper.end(), WaitEnd::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - steady, 20ms);
    EXPECT_GE(std::chrono::nanoseconds(sleeper.ended_at() - start), 1h);
    EXPECT_LT(std::chrono::nanoseconds(sleeper.ended_at() - start), 1h + 10min);
}

TEST(ManualClock, MovesSleepersThroughSeveralInstallations) {
    Sleeper sleeper(1h);
    wait_for_sleepers_without_a_clock(1);
    ManualClock clock;
    for (int i = 0; i < 5; ++i) {
        const auto installed = clock.install();
        EXPECT_EQ(clock.sleepers(), 1U);
        clock.advance(10min);
    }
    const auto installed = clock.install();
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(10min);
    EXPECT_EQ(sleeper.end(), WaitEnd::timed_out);
}

TEST(ManualClock, LeavesWaitsUntilTheEndOfTimeAlone) {
    ManualClock clock;
    // Time has stood, so Weft's clock is behind the system's, which cannot count this deadline.
    {
        const auto installed = clock.install();
    }
    std::stop_source stop;
    const auto token = stop.get_token();
    WaitList list;
    WaitEnd end = WaitEnd::notified;
    std::jthread waiting([&] {
        auto never = [] { return false; };
        const auto last = std::numeric_limits<weft::detail::Nanoseconds>::max() - 1;
        end = list.wait(never, {.deadline = Deadline::at(last), .stop = &token});
    });
    wait_for_sleepers_without_a_clock(1);
    stop.request_stop();
    waiting.join();
    EXPECT_EQ(end, WaitEnd::cancelled);
}

// What the primitives do with it.

template <class Wait>
void expect_end_after_half_a_minute(ManualClock& clock, Wait wait) {
    bool result = true;
    std::jthread waiting([&] { result = wait(); });
    clock.wait_for_sleepers(1);
    clock.advance(30s - 1ns);
    EXPECT_EQ(clock.sleepers(), 1U);
    clock.advance(1ns);
    waiting.join();
    EXPECT_FALSE(result);
}

TEST_F(InstalledClock, EndsTheWaitForALock) {
    weft::threading::Lock lock;
    lock.acquire();
    expect_end_after_half_a_minute(clock, [&] { return lock.acquire(true, 30s); });
    lock.release();
}

TEST_F(InstalledClock, EndsTheWaitForARecursiveLock) {
    weft::threading::RLock lock;
    lock.acquire();
    expect_end_after_half_a_minute(clock, [&] { return lock.acquire(true, 30.0); });
    lock.release();
}

TEST_F(InstalledClock, EndsTheWaitForACondition) {
    weft::threading::Condition condition;
    expect_end_after_half_a_minute(clock, [&] {
        const weft::threading::Guard held(condition);
        return condition.wait_for([] { return false; }, 30s);
    });
}

TEST_F(InstalledClock, EndsTheWaitForAnItem) {
    weft::queue::SimpleQueue<int> queue;
    expect_end_after_half_a_minute(clock, [&] {
        try {
            static_cast<void>(queue.get(true, 30s));
            return true;
        } catch (const weft::queue::Empty&) {
            return false;
        }
    });
}

TEST_F(InstalledClock, EndsTheWaitForAThread) {
    weft::threading::Lock lock;
    lock.acquire();
    weft::threading::Thread thread([&] { lock.acquire(); });
    thread.start();
    expect_end_after_half_a_minute(clock, [&] {
        thread.join(30s);
        return !thread.is_alive();
    });
    lock.release();
    thread.join();
}

// Threads that come, go and are moved on at the same time: each ends, and none too early.
TEST(ManualClockStress, EndsEveryWaitAtItsTimeWhileItComesAndGoes) {
    constexpr int kThreads = 4;
    constexpr int kWaits = 300;
    std::atomic<int> running{kThreads};
    std::atomic<int> early{0};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&, i] {
                for (int wait = 0; wait < kWaits; ++wait) {
                    WaitList list;
                    auto never = [] { return false; };
                    const auto length = std::chrono::microseconds(50 * (i + 1));
                    const auto start = now();
                    list.wait(never, {.deadline = Deadline::after(length)});
                    if (std::chrono::nanoseconds(now() - start) < length) early.fetch_add(1);
                }
                running.fetch_sub(1);
            });
        }
        ManualClock clock;
        while (running > 0) {
            const auto installed = clock.install();
            for (int step = 0; step < 10 && running > 0; ++step) clock.advance(40us);
        }
    }
    EXPECT_EQ(early, 0);
}

}  // namespace
