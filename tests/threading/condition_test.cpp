#include <weft/threading/condition.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::threading::Condition;
using weft::threading::Guard;
using weft::threading::Lock;
using weft::threading::RLock;

/// Threads that wait on one condition, in a known order, and say that they were woken.
class Waiters {
public:
    explicit Waiters(Condition& condition) : condition_(condition) {}

    void add(std::optional<std::chrono::seconds> limit = {}) {
        const int number = static_cast<int>(threads_.size());
        std::atomic<bool> is_inside{false};
        threads_.emplace_back([this, number, limit, &is_inside] {
            Guard held(condition_);
            is_inside = true;
            const bool was_notified = limit ? condition_.wait(*limit) : condition_.wait();
            if (was_notified) woken_.push_back(number);
            ++ended_;
        });
        // Once the lock can be had after the thread was inside, the thread waits.
        while (!is_inside) std::this_thread::yield();
        Guard held(condition_);
    }
    std::vector<int> join() {
        threads_.clear();
        return woken_;
    }
    std::vector<int> woken() {
        Guard held(condition_);
        return woken_;
    }
    void wait_for_woken(std::size_t count) {
        while (woken().size() < count) std::this_thread::yield();
    }
    void wait_for_ended(int count) {
        while (ended_ < count) std::this_thread::yield();
    }

private:
    Condition& condition_;
    std::atomic<int> ended_{0};
    std::vector<int> woken_;
    std::vector<std::jthread> threads_;
};

TEST(Condition, HasAnRLockOfItsOwn) {
    Condition condition;
    condition.acquire();
    condition.acquire();
    EXPECT_TRUE(condition.locked());
    condition.release();
    EXPECT_TRUE(condition.locked());
    condition.release();
    EXPECT_FALSE(condition.locked());
}

TEST(Condition, ForwardsToAGivenLock) {
    Lock lock;
    Condition condition(lock);
    EXPECT_TRUE(condition.acquire(true, 1));
    EXPECT_TRUE(lock.locked());
    EXPECT_TRUE(condition.locked());
    EXPECT_FALSE(condition.acquire(false));
    EXPECT_FALSE(condition.try_lock());
    condition.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(condition.acquire(std::stop_token()));
    lock.release();
}

TEST(Condition, WaitingAndNotifyingNeedTheLock) {
    Condition own;
    Lock lock;
    Condition on(lock);
    EXPECT_THROW(own.wait(), std::runtime_error);
    EXPECT_THROW(own.notify(), std::runtime_error);
    EXPECT_THROW(own.notify_all(), std::runtime_error);
    EXPECT_THROW(on.wait(1s), std::runtime_error);
    EXPECT_THROW(on.notify(), std::runtime_error);
    EXPECT_THROW(on.notify_all(), std::runtime_error);
}

TEST(Condition, AnotherThreadsRLockIsNotHeldByMe) {
    Condition condition;
    condition.acquire();
    std::jthread([&] { EXPECT_THROW(condition.notify(), std::runtime_error); }).join();
    condition.release();
}

TEST(Condition, ALockHeldByAnybodyCounts) {
    Lock lock;
    Condition condition(lock);
    lock.acquire();
    std::jthread([&] { EXPECT_NO_THROW(condition.notify()); }).join();
    lock.release();
}

TEST(Condition, NotifyWakesExactlyNInOrderOfArrival) {
    Condition condition;
    Waiters waiters(condition);
    for (int i = 0; i < 5; ++i) waiters.add();
    {
        Guard held(condition);
        condition.notify(2);
    }
    waiters.wait_for_woken(2);
    {
        Guard held(condition);
        condition.notify();
    }
    waiters.wait_for_woken(3);
    EXPECT_EQ(std::set<int>({0, 1, 2}), [&] {
        const auto woken = waiters.woken();
        return std::set<int>(woken.begin(), woken.end());
    }());
    {
        Guard held(condition);
        condition.notify_all();
    }
    EXPECT_EQ(waiters.join().size(), 5U);
}

TEST(Condition, TheOldNameOfNotifyAllWakesEverybody) {
    Condition condition;
    Waiters waiters(condition);
    for (int i = 0; i < 3; ++i) waiters.add();
    {
        Guard held(condition);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
        condition.notifyAll();
#pragma GCC diagnostic pop
    }
    EXPECT_EQ(waiters.join().size(), 3U);
}

TEST(Condition, NotifyWithoutWaitersLeavesNoCredit) {
    ManualClock clock;
    const auto installed = clock.install();
    Condition condition;
    {
        Guard held(condition);
        condition.notify(10);
        condition.notify_all();
    }
    std::jthread waiter([&] {
        Guard held(condition);
        EXPECT_FALSE(condition.wait(10s));
    });
    clock.wait_for_sleepers(1);
    clock.advance(10s);
}

TEST(Condition, NotifyingNoneIsNoError) {
    Condition condition;
    Waiters waiters(condition);
    waiters.add();
    {
        Guard held(condition);
        condition.notify(0);
        condition.notify(-3);
    }
    EXPECT_TRUE(waiters.woken().empty());
    {
        Guard held(condition);
        condition.notify();
    }
    EXPECT_EQ(waiters.join().size(), 1U);
}

TEST(Condition, AWaiterWhoseTimeIsUpTakesNoNotification) {
    ManualClock clock;
    const auto installed = clock.install();
    Condition condition;
    Waiters waiters(condition);
    waiters.add(10s);
    waiters.add(20s);
    clock.wait_for_sleepers(2);
    clock.advance(10s);
    waiters.wait_for_ended(1);
    {
        Guard held(condition);
        condition.notify();
    }
    EXPECT_EQ(waiters.join(), std::vector<int>{1});
}

TEST(Condition, AWokenThreadReturnsOnlyWhenTheLockIsReleased) {
    Condition condition;
    Waiters waiters(condition);
    waiters.add();
    std::vector<int> woken_before;
    {
        Guard held(condition);
        condition.notify();
        for (int i = 0; i < 100; ++i) std::this_thread::yield();
        woken_before = waiters.woken();
    }
    EXPECT_TRUE(woken_before.empty());
    EXPECT_EQ(waiters.join().size(), 1U);
}

TEST(Condition, WaitReleasesAllLevelsAndRestoresThem) {
    RLock lock;
    Condition condition(lock);
    lock.acquire();
    lock.acquire();
    lock.acquire();
    std::jthread notifier([&] {
        Guard held(condition);
        condition.notify();
    });
    EXPECT_TRUE(condition.wait());
    notifier.join();
    lock.release();
    lock.release();
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_THROW(lock.release(), std::runtime_error);
}

TEST(Condition, ZeroAndNegativeLimitsPoll) {
    Condition condition;
    Guard held(condition);
    EXPECT_FALSE(condition.wait(0));
    EXPECT_FALSE(condition.wait(-1));
    EXPECT_FALSE(condition.wait(-1h));
    EXPECT_TRUE(condition.locked());
}

TEST(Condition, TimedWaitEndsNotBeforeTheDeadlineAndHoldsTheLock) {
    ManualClock clock;
    const auto installed = clock.install();
    Condition condition;
    std::atomic<bool> is_over{false};
    std::jthread waiter([&] {
        Guard held(condition);
        EXPECT_FALSE(condition.wait(60s));
        EXPECT_NO_THROW(condition.notify());
        is_over = true;
    });
    clock.wait_for_sleepers(1);
    clock.advance(59s);
    clock.wait_for_sleepers(1);
    EXPECT_FALSE(is_over);
    clock.advance(1s);
}

TEST(Condition, SeveralConditionsShareOneLock) {
    Lock lock;
    Condition not_empty(lock);
    Condition not_full(lock);
    std::deque<int> items;
    long sum = 0;
    std::jthread consumer([&] {
        for (int i = 0; i < 1'000; ++i) {
            Guard held(lock);
            not_empty.wait_for([&] { return !items.empty(); });
            sum += items.front();
            items.pop_front();
            not_full.notify();
        }
    });
    for (int i = 0; i < 1'000; ++i) {
        Guard held(lock);
        not_full.wait_for([&] { return items.size() < 3; });
        items.push_back(i);
        not_empty.notify();
    }
    consumer.join();
    EXPECT_EQ(sum, 499'500);
}

TEST(Condition, WaitForTestsFirstAndReturnsTheLastValue) {
    Condition condition;
    Guard held(condition);
    int calls = 0;
    EXPECT_EQ(condition.wait_for([&] { return ++calls, 42; }), 42);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(condition.wait_for([] { return 0; }, 0), 0);
}

TEST(Condition, WaitForLimitsTheWholeTime) {
    ManualClock clock;
    const auto installed = clock.install();
    Condition condition;
    std::atomic<int> tests{0};
    std::jthread waiter([&] {
        Guard held(condition);
        EXPECT_FALSE(condition.wait_for([&] { return ++tests, false; }, 10s));
    });
    clock.wait_for_sleepers(1);
    clock.advance(6s);
    {
        Guard held(condition);
        condition.notify();
    }
    while (tests < 2) std::this_thread::yield();
    clock.wait_for_sleepers(1);
    clock.advance(4s);
    waiter.join();
    EXPECT_EQ(tests, 3);
}

TEST(Condition, WaitForPassesOnWhatThePredicateThrows) {
    Condition condition;
    Guard held(condition);
    EXPECT_THROW(condition.wait_for([]() -> bool { throw std::out_of_range("no"); }),
                 std::out_of_range);
    EXPECT_TRUE(condition.locked());
}

TEST(Condition, StopTokenCancelsAWaitWithTheLockHeld) {
    Condition condition;
    std::stop_source source;
    std::atomic<bool> is_inside{false};
    std::jthread waiter([&] {
        Guard held(condition);
        is_inside = true;
        EXPECT_THROW(condition.wait(source.get_token()), weft::Cancelled);
        EXPECT_NO_THROW(condition.notify());
        EXPECT_THROW(condition.wait_for([] { return false; }, source.get_token()), weft::Cancelled);
    });
    while (!is_inside) std::this_thread::yield();
    source.request_stop();
    waiter.join();
    EXPECT_FALSE(condition.locked());
}

TEST(Condition, TextFormShowsTheLock) {
    Condition condition;
    EXPECT_NE(condition.repr().find("Condition(<unlocked"), std::string::npos);
}

TEST(ConditionStress, EveryNotificationIsCountedOnce) {
    constexpr int kItems = 20'000;
    Lock lock;
    Condition changed(lock);
    int available = 0;
    int taken = 0;
    bool is_over = false;
    {
        std::vector<std::jthread> takers;
        for (int t = 0; t < 4; ++t) {
            takers.emplace_back([&, t] {
                Guard held(lock);
                for (;;) {
                    while (available == 0 && !is_over) {
                        t % 2 == 0 ? changed.wait() : changed.wait(15us);
                    }
                    if (available == 0) return;
                    --available;
                    ++taken;
                }
            });
        }
        for (int i = 0; i < kItems; ++i) {
            Guard held(lock);
            ++available;
            changed.notify();
        }
        Guard held(lock);
        is_over = true;
        changed.notify_all();
    }
    EXPECT_EQ(taken, kItems);
}

}  // namespace
