// Calls of a pool that wait for calls.

#include <weft/concurrent/futures.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <weft/threading.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::DeadlockError;
using futures::Future;
using futures::ThreadPoolExecutor;
using threading::Event;

class PoolWaits : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Workers, PoolWaits, testing::Values(1, 2, 4),
                         testing::PrintToStringParamName());

// The second of the two examples of a deadlock in Python's documentation.
TEST(PoolWait, OfOneWorkerForItselfEnds) {
    ThreadPoolExecutor pool(1);
    const auto outer = pool.submit([&] {
        const auto inner = pool.submit([](int a, int b) { return a * b; }, 5, 2);
        return inner.result();
    });
    EXPECT_EQ(outer.result(), 10);
}

// The first: two calls that wait for each other's future.
TEST_P(PoolWaits, ForEachOtherAreFoundOut) {
    Event known;
    Future<int> a;
    Future<int> b;
    std::string text;
    ThreadPoolExecutor pool(GetParam());
    a = pool.submit({.name = "a"}, [&] {
        known.wait();
        return b.result() + 5;
    });
    b = pool.submit({.name = "b"}, [&] {
        known.wait();
        return a.result() + 6;
    });
    known.set();
    try {
        a.result();
    } catch (const DeadlockError& error) {
        text = error.what();
    }
    EXPECT_THAT(text, testing::HasSubstr("the task 'a'"));
    EXPECT_THAT(text, testing::HasSubstr("the task 'b'"));
    EXPECT_THROW(b.result(), DeadlockError);
}

TEST_P(PoolWaits, InALongerCircleAreFoundOut) {
    constexpr std::size_t kLength = 12;
    Event known;
    std::vector<Future<int>> all(kLength);
    std::vector<Future<int>> submitted;
    ThreadPoolExecutor pool(GetParam());
    for (std::size_t i = 0; i < kLength; ++i) {
        submitted.push_back(pool.submit([&, i] {
            known.wait();
            return all[(i + 1) % kLength].result();
        }));
    }
    all = submitted;
    known.set();
    for (const auto& each : all) EXPECT_THROW(each.result(), DeadlockError);
}

TEST_P(PoolWaits, ForOneselfAreFoundOut) {
    Event known;
    Future<int> mine;
    ThreadPoolExecutor pool(GetParam());
    mine = pool.submit([&] {
        known.wait();
        return mine.result();
    });
    known.set();
    EXPECT_THROW(mine.result(), DeadlockError);
}

TEST_P(PoolWaits, OverTwoPoolsAreFoundOut) {
    Event known;
    Future<int> a;
    Future<int> b;
    ThreadPoolExecutor one(GetParam());
    ThreadPoolExecutor other(GetParam());
    a = one.submit([&] {
        known.wait();
        return b.result();
    });
    b = other.submit([&] {
        known.wait();
        return a.result();
    });
    known.set();
    EXPECT_THROW(a.result(), DeadlockError);
    EXPECT_THROW(b.result(), DeadlockError);
}

TEST_P(PoolWaits, ForAllOfSeveralAreFoundOut) {
    Event known;
    Future<int> a;
    Future<int> b;
    ThreadPoolExecutor pool(GetParam());
    a = pool.submit([&] {
        known.wait();
        futures::wait(std::vector{pool.submit([] { return 1; }), b});
        return b.result();
    });
    b = pool.submit([&] {
        known.wait();
        return a.result();
    });
    known.set();
    EXPECT_THROW(a.result(), DeadlockError);
    EXPECT_THROW(b.result(), DeadlockError);
}

TEST_P(PoolWaits, WithATimeoutAreNotAccused) {
    Event known;
    Future<int> a;
    Future<int> b;
    ThreadPoolExecutor pool(GetParam());
    a = pool.submit([&] {
        known.wait();
        try {
            return b.result(1ms);
        } catch (const TimeoutError&) {
            return 7;
        }
    });
    b = pool.submit([&] {
        known.wait();
        return a.result();
    });
    known.set();
    EXPECT_EQ(a.result(), 7);
    EXPECT_EQ(b.result(), 7);
}

TEST_P(PoolWaits, WithAStopTokenAreNotAccused) {
    Event known;
    Event waits;
    std::stop_source stop;
    Future<int> a;
    Future<int> b;
    ThreadPoolExecutor pool(GetParam());
    a = pool.submit([&] {
        known.wait();
        waits.set();
        try {
            return b.result(stop.get_token());
        } catch (const Cancelled&) {
            return 7;
        }
    });
    b = pool.submit([&] {
        known.wait();
        return a.result();
    });
    known.set();
    waits.wait();
    stop.request_stop();
    EXPECT_EQ(a.result(), 7);
    EXPECT_EQ(b.result(), 7);
}

TEST_P(PoolWaits, ForTheFirstOfSeveralAreNotAccused) {
    Event known;
    Future<int> outside;
    Future<int> a;
    Future<int> b;
    ThreadPoolExecutor pool(GetParam());
    a = pool.submit([&] {
        known.wait();
        const auto [done, rest] =
            futures::wait(std::vector{b, outside}, {}, futures::FIRST_COMPLETED);
        return done.front().result();
    });
    b = pool.submit([&] {
        known.wait();
        return a.result();
    });
    known.set();
    outside.set_result(3);
    EXPECT_EQ(a.result(), 3);
    EXPECT_EQ(b.result(), 3);
}

TEST_P(PoolWaits, ForAPlainFutureLetOthersRun) {
    Future<int> outside;
    std::vector<Future<int>> waiting;
    ThreadPoolExecutor pool(GetParam());
    for (int i = 0; i < 8; ++i) waiting.push_back(pool.submit([&] { return outside.result(); }));
    pool.submit([&] { outside.set_result(4); }).result();
    for (const auto& each : waiting) EXPECT_EQ(each.result(), 4);
}

TEST_P(PoolWaits, WithATimeoutLetOthersRun) {
    ThreadPoolExecutor pool(GetParam());
    const auto outer = pool.submit([&] { return pool.submit([] { return 2; }).result(60s); });
    EXPECT_EQ(outer.result(), 2);
}

TEST_P(PoolWaits, ForAllLetOthersRun) {
    ThreadPoolExecutor pool(GetParam());
    const auto outer = pool.submit([&] {
        std::vector<Future<int>> inner;
        for (int i = 0; i < 20; ++i) inner.push_back(pool.submit([i] { return i; }));
        return futures::wait(inner).done.size();
    });
    EXPECT_EQ(outer.result(), 20u);
}

TEST_P(PoolWaits, ForEachAsItEndsLetOthersRun) {
    ThreadPoolExecutor pool(GetParam());
    const auto outer = pool.submit([&] {
        std::vector<Future<int>> inner;
        for (int i = 0; i < 20; ++i) inner.push_back(pool.submit([i] { return i; }));
        int sum = 0;
        for (auto& each : futures::as_completed(inner)) sum += each.result();
        return sum;
    });
    EXPECT_EQ(outer.result(), 190);
}

TEST_P(PoolWaits, InCallsOfCallsGoDeep) {
    ThreadPoolExecutor pool(GetParam());
    std::function<long(int)> fib = [&](int n) -> long {
        if (n < 2) return n;
        const auto left = pool.submit(fib, n - 1);
        const long right = fib(n - 2);
        return left.result() + right;
    };
    EXPECT_EQ(pool.submit(fib, 16).result(), 987);
}

TEST_P(PoolWaits, InAChainOfCallsGoVeryDeep) {
    ThreadPoolExecutor pool(GetParam());
    std::function<int(int)> down = [&](int n) -> int {
        return n == 0 ? 0 : pool.submit(down, n - 1).result() + 1;
    };
    EXPECT_EQ(pool.submit(down, 2000).result(), 2000);
}

TEST(PoolWait, RunInlineOnlyWhatTheyWaitFor) {
    std::vector<int> order;
    ThreadPoolExecutor pool(1);
    pool.submit([&] {
            pool.submit([&] { order.push_back(1); });
            const auto wanted = pool.submit([&] { order.push_back(2); });
            wanted.result();
            order.push_back(3);
        })
        .result();
    pool.shutdown();
    EXPECT_THAT(order, testing::ElementsAre(2, 3, 1));
}

TEST(PoolWait, TakeTheirWorkersBackAfterwards) {
    Future<> outside;
    std::vector<Future<>> waiting;
    ThreadPoolExecutor pool(2);
    for (int i = 0; i < 10; ++i) waiting.push_back(pool.submit([&] { outside.result(); }));
    pool.submit([] {}).result();
    EXPECT_GT(pool.stats().workers, 2u);
    EXPECT_GT(pool.stats().blocked, 0u);
    outside.set_result();
    futures::wait(waiting);
    while (pool.stats().workers > 2) std::this_thread::yield();
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

}  // namespace
