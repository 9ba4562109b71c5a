// Priorities, bounds, and workers that come and go.

#include <weft/concurrent/futures.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::Future;
using futures::ThreadPoolExecutor;
using testing::ElementsAre;
using threading::Event;

/// Waits until the pool's workers are where the test needs them.
template <class Condition>
void await(Condition condition) {
    while (!condition()) std::this_thread::yield();
}

TEST(ThreadPool, StartsHigherPrioritiesFirst) {
    std::vector<std::string> order;
    Event go;
    ThreadPoolExecutor pool(1);
    pool.submit([&] { go.wait(); });
    const auto add = [&](int priority, const char* name) {
        pool.submit({.priority = priority}, [&order, name] { order.emplace_back(name); });
    };
    pool.submit([&] { order.emplace_back("first plain"); });
    add(-1, "low");
    add(5, "high");
    add(7, "highest");
    add(5, "second high");
    pool.submit([&] { order.emplace_back("second plain"); });
    go.set();
    pool.shutdown();
    EXPECT_THAT(
        order, ElementsAre("highest", "high", "second high", "first plain", "second plain", "low"));
}

TEST(ThreadPool, LetsLowPrioritiesAge) {
    ManualClock clock;
    const auto installed = clock.install();
    std::vector<std::string> order;
    Event go;
    ThreadPoolExecutor pool({.max_workers = 1, .ageing = 10s});
    pool.submit([&] { go.wait(); });
    pool.submit({.priority = -1}, [&] { order.emplace_back("old and low"); });
    clock.advance(21s);
    pool.submit({.priority = 1}, [&] { order.emplace_back("young and high"); });
    clock.advance(1s);
    pool.submit({.priority = 2}, [&] { order.emplace_back("younger and higher"); });
    go.set();
    pool.shutdown();
    EXPECT_THAT(order, ElementsAre("younger and higher", "old and low", "young and high"));
}

TEST(ThreadPool, BoundsHowManyCallsWait) {
    Event begun;
    Event go;
    std::atomic<bool> is_submitted = false;
    ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 2});
    pool.submit([&] {
        begun.set();
        go.wait();
    });
    begun.wait();
    pool.submit([] {});
    EXPECT_TRUE(pool.try_submit([] {}).has_value());
    auto kept = std::make_unique<int>(1);
    EXPECT_FALSE(pool.try_submit([](std::unique_ptr<int>) {}, std::move(kept)).has_value());
    EXPECT_NE(kept, nullptr);
    threading::Joining submitter{threading::Thread([&] {
        pool.submit([] {}).result();
        is_submitted = true;
    })};
    EXPECT_FALSE(is_submitted);
    go.set();
    submitter->join();
    EXPECT_TRUE(is_submitted);
}

TEST(ThreadPool, LetsACallSubmitToItsOwnFullPool) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1});
    pool.submit([&] {
            for (int i = 0; i < 10; ++i) pool.submit([&] { ++runs; });
        })
        .result();
    pool.shutdown();
    EXPECT_EQ(runs, 10);
}

TEST(ThreadPool, RefusesWhoWaitsForRoomWhenItIsShutDown) {
    Event begun;
    Event go;
    Event comes;
    ThreadPoolExecutor pool({.max_workers = 1, .max_pending = 1});
    pool.submit([&] {
        begun.set();
        go.wait();
    });
    begun.wait();
    pool.submit([] {});
    threading::Joining submitter{threading::Thread([&] {
        comes.set();
        EXPECT_THROW(pool.submit([] {}), std::runtime_error);
    })};
    comes.wait();
    // Most likely it waits by then; if not, it is refused at once, which is right as well.
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    pool.shutdown({.wait = false});
    submitter->join();
    go.set();
}

TEST(ThreadPool, GrowsOnRequest) {
    Event go;
    std::latch both(2);
    ThreadPoolExecutor pool(1);
    for (int i = 0; i < 2; ++i) pool.submit([&] { both.arrive_and_wait(); });
    EXPECT_EQ(pool.stats().workers, 1u);
    pool.resize(2);
    pool.shutdown();
}

TEST(ThreadPool, ShrinksOnRequest) {
    std::latch all(4);
    std::vector<Future<>> calls;
    ThreadPoolExecutor pool(4);
    for (int i = 0; i < 4; ++i) calls.push_back(pool.submit([&] { all.arrive_and_wait(); }));
    futures::wait(calls);
    pool.resize(1);
    await([&] { return pool.stats().workers == 1; });
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

TEST(ThreadPool, LetsIdleWorkersGo) {
    ManualClock clock;
    const auto installed = clock.install();
    ThreadPoolExecutor pool({.max_workers = 2, .idle_timeout = 5s});
    pool.submit([] {}).result();
    clock.wait_for_sleepers(1);
    EXPECT_EQ(pool.stats().idle, 1u);
    clock.advance(5s);
    await([&] { return pool.stats().workers == 0; });
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

TEST(ThreadPool, CountsWhatItDoes) {
    Event begun;
    Event go;
    ThreadPoolExecutor pool(1);
    pool.submit([] {}).result();
    pool.submit([&] {
        begun.set();
        go.wait();
    });
    begun.wait();
    pool.submit([] {});
    pool.submit({.priority = 1}, [] {});
    const auto stats = pool.stats();
    EXPECT_EQ(stats.workers, 1u);
    EXPECT_EQ(stats.idle, 0u);
    EXPECT_EQ(stats.queued, 2u);
    EXPECT_EQ(stats.completed, 1u);
    go.set();
    pool.shutdown();
    EXPECT_EQ(pool.stats().completed, 4u);
    EXPECT_EQ(pool.stats().workers, 0u);
}

}  // namespace
