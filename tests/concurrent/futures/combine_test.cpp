#include <weft/concurrent/futures.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::Future;
using futures::ManualExecutor;
using futures::TaskGroup;
using futures::ThreadPoolExecutor;
using testing::ElementsAre;
using threading::Event;

TEST(WhenAll, FailsWhenAResultIsTakenBeforeTheLastIsThere) {
    Future<int> a;
    Future<int> b;
    const auto all = futures::when_all(a, b);
    a.set_result(1);
    EXPECT_EQ(a.take(), 1);
    b.set_result(2);
    EXPECT_THROW((void)all.result(), futures::InvalidStateError);
}

TEST(WhenAll, GivesATupleOfResults) {
    Future<int> a;
    Future<std::string> b;
    Future<> c;
    const auto all = futures::when_all(a, b, c);
    c.set_result();
    b.set_result("two");
    EXPECT_FALSE(all.done());
    a.set_result(1);
    EXPECT_EQ(std::get<0>(all.result()), 1);
    EXPECT_EQ(std::get<1>(all.result()), "two");
}

TEST(WhenAll, GivesAVectorForARange) {
    const std::vector<Future<int>> fs(3);
    const auto all = futures::when_all(fs);
    for (int i = 2; i >= 0; --i) fs[static_cast<std::size_t>(i)].set_result(i);
    EXPECT_THAT(all.result(), ElementsAre(0, 1, 2));
}

TEST(WhenAll, OfNothingIsDone) {
    EXPECT_THAT(futures::when_all(std::vector<Future<int>>()).result(), ElementsAre());
    futures::when_all(std::vector<Future<>>()).result();
}

TEST(WhenAll, FailsWithTheFirstFailure) {
    const std::vector<Future<int>> fs(3);
    const auto all = futures::when_all(fs);
    fs[1].set_exception(std::out_of_range("b"));
    EXPECT_THROW(all.result(), std::out_of_range);
    fs[0].set_exception(std::domain_error("a"));
    fs[2].set_result(1);
    EXPECT_THROW(all.result(), std::out_of_range);
}

TEST(WhenAll, FailsWhenOneIsCancelled) {
    const std::vector<Future<int>> fs(2);
    const auto all = futures::when_all(fs);
    fs[0].cancel();
    EXPECT_THROW(all.result(), futures::CancelledError);
}

TEST(WhenAll, MayBeCancelledItself) {
    const std::vector<Future<int>> fs(1);
    const auto all = futures::when_all(fs);
    EXPECT_TRUE(all.cancel());
    fs[0].set_result(1);
    EXPECT_TRUE(all.cancelled());
}

TEST(WhenAny, GivesThePlaceOfTheFirst) {
    const std::vector<Future<int>> fs(3);
    const auto any = futures::when_any(fs);
    fs[2].set_exception(std::domain_error("c"));
    EXPECT_EQ(any.result(), 2u);
    fs[0].set_result(1);
    EXPECT_EQ(any.result(), 2u);
    EXPECT_NE(fs[2].exception(), nullptr);
}

TEST(WhenAny, CancelsTheRestOnRequest) {
    const std::vector<Future<int>> fs(3);
    const auto any = futures::when_any(fs, {.cancel_rest = true});
    fs[1].set_result(1);
    EXPECT_EQ(any.result(), 1u);
    EXPECT_TRUE(fs[0].cancelled());
    EXPECT_TRUE(fs[2].cancelled());
}

TEST(WhenAny, StopsThoseThatRunOnRequest) {
    std::vector<Future<int>> fs;
    ThreadPoolExecutor pool(2);
    for (int i = 0; i < 2; ++i) {
        fs.push_back(pool.submit([i](std::stop_token stop) {
            Event never;
            if (i == 0) never.wait(stop);
            return i;
        }));
    }
    EXPECT_EQ(futures::when_any(fs, {.cancel_rest = true}).result(), 1u);
    futures::wait(fs);
    EXPECT_TRUE(fs[0].cancelled() || fs[0].exception() != nullptr);
}

TEST(WhenAny, RefusesNothing) {
    EXPECT_THROW(futures::when_any(std::vector<Future<int>>()), std::invalid_argument);
}

TEST(TaskGroup, WaitsForAllItsCalls) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool(2);
    TaskGroup group(pool);
    for (int i = 0; i < 100; ++i) group.submit([&] { ++runs; });
    group.wait();
    EXPECT_EQ(runs, 100);
    EXPECT_EQ(group.size(), 0u);
}

TEST(TaskGroup, GivesTheFutures) {
    ThreadPoolExecutor pool(2);
    TaskGroup group(pool);
    const Future<int> future = group.submit([](int n) { return n + 1; }, 1);
    group.wait();
    EXPECT_EQ(future.result(), 2);
}

TEST(TaskGroup, WaitsInTheDestructor) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool(2);
    {
        TaskGroup group(pool);
        for (int i = 0; i < 100; ++i) group.submit({.name = "each"}, [&] { ++runs; });
    }
    EXPECT_EQ(runs, 100);
}

TEST(TaskGroup, StopsTheOthersAtTheFirstFailureAndThrowsIt) {
    ManualExecutor by_hand;
    TaskGroup group(by_hand);
    std::stop_token token;
    group.submit([] { throw std::out_of_range("first"); });
    const auto second = group.submit([] {});
    by_hand.run_one();
    EXPECT_TRUE(second.cancelled());
    EXPECT_THROW(group.submit([] {}), futures::CancelledError);
    EXPECT_THROW(group.wait(), std::out_of_range);
    group.wait();
}

TEST(TaskGroup, AsksRunningCallsToStop) {
    Event begun;
    ThreadPoolExecutor pool(2);
    TaskGroup group(pool);
    const auto running = group.submit([&](std::stop_token stop) {
        begun.set();
        Event never;
        never.wait(stop);
    });
    begun.wait();
    group.submit([] { throw std::out_of_range("first"); });
    EXPECT_THROW(group.wait(), std::out_of_range);
    EXPECT_THROW(running.result(), Cancelled);
}

TEST(TaskGroup, LetsItsCallsAddMore) {
    std::atomic<int> runs = 0;
    ThreadPoolExecutor pool(1);
    TaskGroup group(pool);
    std::function<void(int)> split = [&](int depth) {
        ++runs;
        if (depth == 0) return;
        group.submit(split, depth - 1);
        group.submit(split, depth - 1);
    };
    group.submit(split, 6);
    group.wait();
    EXPECT_EQ(runs, 127);
}

TEST(TaskGroup, MayBeNestedInAPoolOfOneWorker) {
    ThreadPoolExecutor pool(1);
    const auto outer = pool.submit([&] {
        std::atomic<int> runs = 0;
        TaskGroup group(pool);
        for (int i = 0; i < 10; ++i) group.submit([&] { ++runs; });
        group.wait();
        return runs.load();
    });
    EXPECT_EQ(outer.result(), 10);
}

TEST(TaskGroup, TimesOutAndStaysAsItIs) {
    ManualExecutor by_hand;
    TaskGroup group(by_hand);
    group.submit([] {});
    EXPECT_THROW(group.wait(0), TimeoutError);
    by_hand.run_all();
    group.wait();
}

TEST(TaskGroup, StopsWhileAnExceptionUnwinds) {
    ManualExecutor by_hand;
    Future<> future;
    try {
        TaskGroup group(by_hand);
        future = group.submit([] {});
        throw std::runtime_error("on the way");
    } catch (const std::runtime_error&) {
        EXPECT_TRUE(future.cancelled());
    }
}

TEST(TaskGroup, ReportsAFailureThatNobodyWaitedFor) {
    const UnraisableHook before = unraisablehook;
    int reports = 0;
    unraisablehook = [&](const UnraisableHookArgs&) { ++reports; };
    {
        ManualExecutor by_hand;
        TaskGroup group(by_hand);
        group.submit([] { throw std::out_of_range("first"); });
        by_hand.run_all();
    }
    unraisablehook = before;
    EXPECT_EQ(reports, 1);
}

}  // namespace
