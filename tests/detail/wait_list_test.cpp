#include <weft/detail/wait_list.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <vector>

#include <weft/errors.hpp>

namespace {

using namespace std::chrono_literals;
using weft::Timeout;
using weft::detail::Deadline;
using weft::detail::WaitEnd;
using weft::detail::Waiter;
using weft::detail::WaitLimits;
using weft::detail::WaitList;

/// A number of permits that threads wait for: the smallest thing with a wait list.
class Permits {
public:
    void give(int n = 1) {
        available_.fetch_add(n, std::memory_order_seq_cst);
        list_.notify(static_cast<std::size_t>(n));
    }
    bool try_take() {
        int seen = available_.load(std::memory_order_seq_cst);
        while (seen > 0) {
            if (available_.compare_exchange_weak(seen, seen - 1)) return true;
        }
        return false;
    }
    WaitEnd take(const WaitLimits& limits = {}) {
        auto attempt = [this] { return try_take(); };
        return list_.wait(attempt, limits);
    }
    WaitList& list() { return list_; }

private:
    std::atomic<int> available_{0};
    WaitList list_;
};

void wait_until_listed(WaitList& list) {
    while (list.is_empty()) std::this_thread::yield();
}

TEST(WaitList, ReturnsAtOnceWhatIsThere) {
    Permits permits;
    permits.give();
    EXPECT_EQ(permits.take(), WaitEnd::notified);
    EXPECT_TRUE(permits.list().is_empty());
}

TEST(WaitList, PollsWhenTheDeadlineHasPassed) {
    Permits permits;
    EXPECT_EQ(permits.take({.deadline = Deadline::after(Timeout(0))}), WaitEnd::timed_out);
    EXPECT_EQ(permits.take({.deadline = Deadline::after(Timeout(-5))}), WaitEnd::timed_out);
    permits.give();
    EXPECT_EQ(permits.take({.deadline = Deadline::after(Timeout(0))}), WaitEnd::notified);
}

TEST(WaitList, NeverEndsATimedWaitEarly) {
    Permits permits;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(permits.take({.deadline = Deadline::after(20ms)}), WaitEnd::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
    EXPECT_TRUE(permits.list().is_empty());
}

TEST(WaitList, WakesASleeper) {
    Permits permits;
    std::jthread sleeper([&] { EXPECT_EQ(permits.take(), WaitEnd::notified); });
    wait_until_listed(permits.list());
    permits.give();
}

TEST(WaitList, CountsWhomItNotifies) {
    Permits permits;
    EXPECT_EQ(permits.list().notify(3), 0U);
    std::vector<std::jthread> sleepers;
    for (int i = 0; i < 3; ++i) sleepers.emplace_back([&] { permits.take(); });
    // Waits that were notified without anything to take go back to their places.
    std::size_t woken = 0;
    while (woken < 3) woken += permits.list().notify(1);
    permits.give(3);
}

TEST(WaitList, StopTokenEndsAWait) {
    Permits permits;
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::jthread sleeper([&] { EXPECT_EQ(permits.take({.stop = &token}), WaitEnd::cancelled); });
    wait_until_listed(permits.list());
    source.request_stop();
    sleeper.join();
    EXPECT_TRUE(permits.list().is_empty());
}

TEST(WaitList, StopTokenEndsATimedWait) {
    Permits permits;
    std::stop_source source;
    const std::stop_token token = source.get_token();
    std::jthread sleeper([&] {
        EXPECT_EQ(permits.take({.deadline = Deadline::after(1h), .stop = &token}),
                  WaitEnd::cancelled);
    });
    wait_until_listed(permits.list());
    source.request_stop();
}

TEST(WaitList, TakesWhatIsThereEvenIfStopWasRequested) {
    Permits permits;
    permits.give();
    std::stop_source source;
    source.request_stop();
    const std::stop_token token = source.get_token();
    EXPECT_EQ(permits.take({.stop = &token}), WaitEnd::notified);
    EXPECT_EQ(permits.take({.stop = &token}), WaitEnd::cancelled);
}

TEST(WaitList, PassesANotificationOnWhenTakeThrows) {
    WaitList list;
    std::atomic<bool> is_open{false};
    std::atomic<bool> shall_throw{false};
    std::jthread thrower([&] {
        auto attempt = [&]() -> bool {
            if (shall_throw) throw std::runtime_error("take");
            return false;
        };
        EXPECT_THROW(list.wait(attempt, {}), std::runtime_error);
    });
    wait_until_listed(list);
    std::atomic<bool> is_second_done{false};
    std::atomic<int> looks{0};
    std::jthread second([&] {
        auto attempt = [&] {
            ++looks;
            return is_open.load(std::memory_order_seq_cst);
        };
        EXPECT_EQ(list.wait(attempt, {}), WaitEnd::notified);
        is_second_done = true;
    });
    while (looks < 2) std::this_thread::yield();  // the second look comes after the entry
    // One notification for two waiters: the first one fails, the second one must get it.
    shall_throw = true;
    is_open.store(true, std::memory_order_seq_cst);
    list.notify_one();
    second.join();
    EXPECT_TRUE(is_second_done);
}

TEST(WaitList, RemoveTellsWhetherTheNotificationWasUsedUp) {
    WaitList list;
    Waiter first;
    Waiter second;
    list.enter(first);
    list.enter(second);
    EXPECT_EQ(list.notify(1), 1U);
    EXPECT_TRUE(first.is_notified());
    EXPECT_FALSE(second.is_notified());
    EXPECT_FALSE(list.remove(first));
    EXPECT_TRUE(list.remove(second));
    EXPECT_EQ(list.notify(1), 0U);
}

TEST(WaitList, NotifiesInOrderOfArrival) {
    WaitList list;
    std::vector<Waiter> waiters(5);
    for (Waiter& each : waiters) list.enter(each);
    EXPECT_TRUE(list.remove(waiters[1]));
    EXPECT_EQ(list.notify(2), 2U);
    EXPECT_TRUE(waiters[0].is_notified());
    EXPECT_TRUE(waiters[2].is_notified());
    EXPECT_FALSE(waiters[3].is_notified());
    list.notify_all();
    EXPECT_TRUE(waiters[3].is_notified());
    EXPECT_TRUE(waiters[4].is_notified());
    EXPECT_TRUE(list.is_empty());
}

TEST(WaitList, StoppedEndsBecomeExceptions) {
    EXPECT_THROW(weft::detail::throw_if_stopped(WaitEnd::cancelled), weft::Cancelled);
    EXPECT_NO_THROW(weft::detail::throw_if_stopped(WaitEnd::timed_out));
    EXPECT_NO_THROW(weft::detail::throw_if_stopped(WaitEnd::notified));
}

/// Givers, takers, takers with tiny limits and takers that are cancelled, all at once: every permit
/// is taken exactly once, and nobody is left asleep.
TEST(WaitListStress, EveryPermitIsTakenOnce) {
    constexpr int kGivers = 2;
    constexpr int kEach = 20'000;
    constexpr int kTakers = 5;
    Permits permits;
    std::atomic<int> taken{0};
    std::atomic<bool> is_over{false};
    std::vector<std::jthread> takers;
    const auto count = [&](WaitEnd end) { taken += end == WaitEnd::notified ? 1 : 0; };
    for (int i = 0; i < 2; ++i) {
        takers.emplace_back([&] {
            while (!is_over) count(permits.take());
        });
        takers.emplace_back([&] {
            while (!is_over) count(permits.take({.deadline = Deadline::after(20us)}));
        });
    }
    takers.emplace_back([&] {
        while (!is_over) {
            std::stop_source source;
            const std::stop_token token = source.get_token();
            std::jthread canceller([&] { source.request_stop(); });
            count(permits.take({.stop = &token}));
        }
    });
    {
        std::vector<std::jthread> givers;
        for (int i = 0; i < kGivers; ++i) {
            givers.emplace_back([&] {
                for (int n = 0; n < kEach; ++n) {
                    permits.give();
                    if (n % 4 == 0) std::this_thread::yield();
                }
            });
        }
    }
    while (taken < kGivers * kEach) std::this_thread::yield();
    is_over = true;
    permits.give(kTakers);
    takers.clear();
    int left = 0;
    while (permits.try_take()) ++left;
    EXPECT_EQ(taken + left, kGivers * kEach + kTakers);
}

}  // namespace
