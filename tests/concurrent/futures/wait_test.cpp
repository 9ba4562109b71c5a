#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>

namespace {

using namespace std::chrono_literals;
namespace futures = weft::concurrent::futures;
using futures::Future;
using Futures = std::vector<Future<int>>;

/// Different futures, unlike copies of one.
Futures separate(std::size_t count) {
    Futures all;
    for (std::size_t i = 0; i < count; ++i) all.emplace_back();
    return all;
}

TEST(Wait, OfNothingReturnsAtOnce) {
    for (const auto when :
         {futures::ALL_COMPLETED, futures::FIRST_COMPLETED, futures::FIRST_EXCEPTION}) {
        const auto [done, not_done] = futures::wait(Futures(), {}, when);
        EXPECT_TRUE(done.empty());
        EXPECT_TRUE(not_done.empty());
    }
}

TEST(Wait, ReturnsAllWhenAllAreDone) {
    const Futures all = separate(3);
    for (int i = 0; i < 3; ++i) all[static_cast<std::size_t>(i)].set_result(i);
    const auto [done, not_done] = futures::wait(all);
    EXPECT_EQ(done, all);
    EXPECT_TRUE(not_done.empty());
}

TEST(Wait, SplitsInTheOrderGivenWhenTheTimeIsUp) {
    const Futures all = separate(4);
    all[3].set_result(1);
    all[1].set_result(1);
    const auto [done, not_done] = futures::wait(all, 0);
    EXPECT_EQ(done, (Futures{all[1], all[3]}));
    EXPECT_EQ(not_done, (Futures{all[0], all[2]}));
}

TEST(Wait, CountsAFutureOnce) {
    const Future<int> one;
    one.set_result(1);
    const Future<int> other;
    const auto [done, not_done] = futures::wait(std::vector{one, other, one, other}, 0);
    EXPECT_EQ(done, Futures{one});
    EXPECT_EQ(not_done, Futures{other});
}

TEST(Wait, WakesWhenTheLastOneIsDone) {
    const Futures all = separate(3);
    weft::threading::Joining ender{weft::threading::Thread([&] {
        for (const auto& each : all) each.set_result(1);
    })};
    EXPECT_EQ(futures::wait(all).done.size(), 3u);
}

TEST(Wait, ForTheFirstReturnsAtOnceIfThereIsOne) {
    const Futures all = separate(2);
    all[1].set_result(1);
    const auto [done, not_done] = futures::wait(all, {}, futures::FIRST_COMPLETED);
    EXPECT_EQ(done, Futures{all[1]});
    EXPECT_EQ(not_done, Futures{all[0]});
}

TEST(Wait, ForTheFirstWakesWithIt) {
    const Futures all = separate(2);
    weft::threading::Joining ender{weft::threading::Thread([&] { all[1].set_result(1); })};
    EXPECT_EQ(futures::wait(all, {}, futures::FIRST_COMPLETED).done, Futures{all[1]});
}

TEST(Wait, ForTheFirstFailurePassesResultsOver) {
    const Futures all = separate(3);
    all[0].set_result(1);
    weft::threading::Joining ender{
        weft::threading::Thread([&] { all[1].set_exception(std::runtime_error("failed")); })};
    const auto [done, not_done] = futures::wait(all, {}, futures::FIRST_EXCEPTION);
    EXPECT_EQ(done, (Futures{all[0], all[1]}));
    EXPECT_EQ(not_done, Futures{all[2]});
    EXPECT_NE(all[1].exception(), nullptr);
}

TEST(Wait, ForTheFirstFailureReturnsAtOnceIfThereIsOne) {
    const Futures all = separate(2);
    all[1].set_exception(std::runtime_error("failed"));
    EXPECT_EQ(futures::wait(all, {}, futures::FIRST_EXCEPTION).not_done, Futures{all[0]});
    EXPECT_NE(all[1].exception(), nullptr);
}

TEST(Wait, ForTheFirstFailureEndsWhenAllSucceed) {
    const Futures all = separate(2);
    weft::threading::Joining ender{weft::threading::Thread([&] {
        all[0].set_result(1);
        all[1].cancel();
        all[1].set_running_or_notify_cancel();
    })};
    EXPECT_EQ(futures::wait(all, {}, futures::FIRST_EXCEPTION).done.size(), 2u);
}

TEST(Wait, CountsACancelledFutureOnlyOnceItsExecutorKnows) {
    const Futures all = separate(1);
    all[0].cancel();
    EXPECT_EQ(futures::wait(all, 0).not_done, all);
    all[0].set_running_or_notify_cancel();
    EXPECT_EQ(futures::wait(all, 0).done, all);
}

TEST(Wait, LeavesNothingBehindInTheFutures) {
    const Futures all = separate(3);
    EXPECT_TRUE(futures::wait(all, 0).done.empty());
    EXPECT_TRUE(futures::wait(all, 1ms).done.empty());
    for (const auto& each : all) each.set_result(1);
    EXPECT_EQ(futures::wait(all).done, all);
}

TEST(Wait, StopsWhenAsked) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(futures::wait(separate(1), stop.get_token()), weft::Cancelled);
}

TEST(Wait, FollowsTheManualClock) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    const Futures all = separate(1);
    weft::threading::Joining waiter{
        weft::threading::Thread([&] { EXPECT_EQ(futures::wait(all, 30s).not_done, all); })};
    clock.wait_for_sleepers(1);
    clock.advance(30s);
}

TEST(AsCompleted, OfNothingIsEmpty) {
    for (auto& each : futures::as_completed(Futures())) FAIL() << each.repr();
}

TEST(AsCompleted, GivesFirstWhatIsDoneInTheOrderGiven) {
    const Futures all = separate(3);
    all[2].set_result(2);
    all[0].set_result(0);
    auto range = futures::as_completed(all);
    auto next = range.begin();
    EXPECT_EQ(*next, all[0]);
    EXPECT_EQ(*++next, all[2]);
    all[1].set_result(1);
    EXPECT_EQ(*++next, all[1]);
    EXPECT_EQ(++next, range.end());
}

TEST(AsCompleted, GivesTheOthersAsTheyEnd) {
    const Futures all = separate(4);
    auto range = futures::as_completed(all);
    for (const std::size_t i : {2u, 0u, 3u, 1u}) all[i].set_result(static_cast<int>(i));
    std::string order;
    for (auto& each : range) order += std::to_string(each.result());
    EXPECT_EQ(order, "2031");
}

TEST(AsCompleted, GivesAFutureOnce) {
    const Future<int> one;
    one.set_result(1);
    int count = 0;
    for (auto& each : futures::as_completed(std::vector{one, one, one})) count += each.result();
    EXPECT_EQ(count, 1);
}

TEST(AsCompleted, LetsAFutureGoWithTheNextStep) {
    Futures all = separate(2);
    all[0].set_result(0);
    auto range = futures::as_completed(std::exchange(all, Futures()));
    auto next = range.begin();
    const std::string value = std::to_string(std::move(*next).result());
    EXPECT_EQ(value, "0");
}

TEST(AsCompleted, SaysHowManyAreLeftWhenTheTimeIsUp) {
    const Futures all = separate(3);
    all[1].set_result(1);
    auto range = futures::as_completed(all, 0);
    auto next = range.begin();
    EXPECT_EQ(*next, all[1]);
    try {
        ++next;
        FAIL();
    } catch (const weft::TimeoutError& error) {
        EXPECT_STREQ(error.what(), "2 (of 3) futures unfinished");
    }
    all[0].set_result(1);
    EXPECT_EQ(*++next, all[0]);
}

TEST(AsCompleted, WaitsForWorkInOtherThreads) {
    const Futures all = separate(50);
    weft::threading::Joining ender{weft::threading::Thread([&] {
        for (const auto& each : all) each.set_result(1);
    })};
    int sum = 0;
    for (auto& each : futures::as_completed(all)) sum += each.result();
    EXPECT_EQ(sum, 50);
}

TEST(AsCompleted, MayBeLeftEarly) {
    const Futures all = separate(3);
    all[0].set_result(1);
    for (auto& each : futures::as_completed(all)) {
        EXPECT_EQ(each, all[0]);
        break;
    }
    all[1].set_result(1);
}

TEST(AsCompleted, StopsWhenAsked) {
    std::stop_source stop;
    auto range = futures::as_completed(separate(1), stop.get_token());
    stop.request_stop();
    EXPECT_THROW(range.begin(), weft::Cancelled);
}

}  // namespace
