// What Queue, LifoQueue and PriorityQueue have in common, for plain items, for items with memory of
// their own and for items that can only be moved.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::ManualClock;
using weft::queue::Full;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;

constexpr int kMany = 2'000;

template <class Q>
class AnyQueue : public testing::Test {};

struct ItemText {
    template <class Value>
    static Value make(int number);
};
template <>
int ItemText::make<int>(int number) {
    return number;
}
template <>
std::string ItemText::make<std::string>(int number) {
    return std::to_string(1'000'000 + number) + " is an item that has text of its own";
}
template <>
std::unique_ptr<int> ItemText::make<std::unique_ptr<int>>(int number) {
    return std::make_unique<int>(number);
}

/// Ordered by what it points to.
struct LessPointee {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const {
        return *a < *b;
    }
};

using Kinds =
    testing::Types<Queue<int>, Queue<std::string>, Queue<std::unique_ptr<int>>, LifoQueue<int>,
                   LifoQueue<std::string>, LifoQueue<std::unique_ptr<int>>, PriorityQueue<int>,
                   PriorityQueue<std::string>, PriorityQueue<std::unique_ptr<int>, LessPointee>>;
TYPED_TEST_SUITE(AnyQueue, Kinds);

template <class Q>
typename Q::value_type item(const Q& /*queue*/, int number) {
    return ItemText::make<typename Q::value_type>(number);
}

TYPED_TEST(AnyQueue, GivesBackEverythingThatWasPut) {
    TypeParam queue;
    std::vector<typename TypeParam::value_type> got;
    for (int i = 0; i < 600; ++i) queue.put(item(queue, i));
    EXPECT_EQ(queue.qsize(), 600u);
    while (!queue.empty()) got.push_back(queue.get());
    EXPECT_EQ(got.size(), 600u);
    EXPECT_EQ(queue.unfinished_tasks(), 600u);
}

TYPED_TEST(AnyQueue, APutThatFailsLeavesTheItemWithItsOwner) {
    TypeParam queue(1);
    queue.put(item(queue, 1));
    auto mine = item(queue, 2);
    EXPECT_THROW(queue.put_nowait(std::move(mine)), Full);
    EXPECT_THROW(queue.put(std::move(mine), true, 1ns), Full);
    queue.shutdown();
    EXPECT_THROW(queue.put(std::move(mine)), ShutDown);
    if constexpr (std::is_same_v<decltype(mine), std::unique_ptr<int>>) {
        ASSERT_NE(mine, nullptr);
        EXPECT_EQ(*mine, 2);
    } else {
        EXPECT_EQ(mine, item(queue, 2));
    }
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

TYPED_TEST(AnyQueue, AWaitingPutGoesOnWhenAnItemIsTaken) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue(1);
    queue.put(item(queue, 1));
    std::jthread putter([&] { queue.put(item(queue, 2), true, 1h); });
    clock.wait_for_sleepers(1);
    (void)queue.get();
    putter.join();
    EXPECT_EQ(queue.qsize(), 1u);
}

TYPED_TEST(AnyQueue, AWaitingGetGoesOnWhenAnItemIsPut) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue(1);
    std::jthread getter([&] { (void)queue.get(true, 1h); });
    clock.wait_for_sleepers(1);
    queue.put(item(queue, 1));
    getter.join();
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(AnyQueue, EveryItemTakenLetsOneOfSeveralPutsGoOn) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue(2);
    for (int i = 0; i < 2; ++i) queue.put(item(queue, i));
    std::vector<std::jthread> putters;
    for (int i = 0; i < 3; ++i) {
        putters.emplace_back([&, i] { queue.put(item(queue, 10 + i), true, 1h); });
    }
    clock.wait_for_sleepers(3);
    for (int i = 0; i < 3; ++i) (void)queue.get();
    putters.clear();
    EXPECT_EQ(queue.qsize(), 2u);
}

TYPED_TEST(AnyQueue, AStopEndsAWaitingPutAndLeavesTheQueueAsItWas) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue(1);
    queue.put(item(queue, 1));
    std::jthread putter([&](std::stop_token stop) {
        EXPECT_THROW(queue.put(item(queue, 2), stop, 1h), weft::Cancelled);
    });
    clock.wait_for_sleepers(1);
    putter.request_stop();
    putter.join();
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

TYPED_TEST(AnyQueue, AStopEndsAWaitingGet) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue;
    std::jthread getter(
        [&](std::stop_token stop) { EXPECT_THROW((void)queue.get(stop, 1h), weft::Cancelled); });
    clock.wait_for_sleepers(1);
    getter.request_stop();
}

TYPED_TEST(AnyQueue, WhatCanBeDoneAtOnceIsDoneDespiteAStop) {
    TypeParam queue(1);
    std::stop_source stop;
    stop.request_stop();
    queue.put(item(queue, 1), stop.get_token());
    EXPECT_THROW(queue.put(item(queue, 2), stop.get_token()), weft::Cancelled);
    EXPECT_THROW(queue.put(item(queue, 2), stop.get_token(), 0), weft::Cancelled);
    (void)queue.get(stop.get_token());
    EXPECT_THROW((void)queue.get(stop.get_token()), weft::Cancelled);
    EXPECT_THROW((void)queue.get(stop.get_token(), 0), weft::Cancelled);
}

TYPED_TEST(AnyQueue, AHugeBoundIsOneLikeAnyOther) {
    TypeParam queue(std::ptrdiff_t{1} << 62);
    queue.put(item(queue, 1));
    EXPECT_FALSE(queue.full());
    queue.set_maxsize((std::numeric_limits<std::ptrdiff_t>::max)());
    queue.put(item(queue, 2));
    EXPECT_EQ(queue.qsize(), 2u);
    EXPECT_FALSE(queue.full());
}

TYPED_TEST(AnyQueue, ALargerBoundLetsAsManyPutsGoOnAsThereIsRoom) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue(1);
    queue.put(item(queue, 0));
    std::vector<std::jthread> putters;
    for (int i = 1; i < 4; ++i) {
        putters.emplace_back([&, i] { queue.put(item(queue, i), true, 1h); });
    }
    clock.wait_for_sleepers(3);
    queue.set_maxsize(3);
    while (queue.qsize() < 3) std::this_thread::yield();
    clock.wait_for_sleepers(1);
    queue.set_maxsize(0);
    putters.clear();
    EXPECT_EQ(queue.qsize(), 4u);
}

TYPED_TEST(AnyQueue, ShutdownEndsEveryWaitButThatOfJoin) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam full(1);
    TypeParam empty(1);
    full.put(item(full, 1));
    std::vector<std::jthread> waiting;
    for (int i = 0; i < 2; ++i) {
        waiting.emplace_back([&] { EXPECT_THROW(full.put(item(full, 2), true, 1h), ShutDown); });
        waiting.emplace_back([&] { EXPECT_THROW((void)empty.get(true, 1h), ShutDown); });
    }
    std::jthread joiner([&] { EXPECT_TRUE(full.join(1h)); });
    clock.wait_for_sleepers(5);
    full.shutdown();
    empty.shutdown();
    waiting.clear();
    clock.wait_for_sleepers(1);
    (void)full.get();
    full.task_done();
    joiner.join();
}

TYPED_TEST(AnyQueue, ImmediateShutdownWakesJoinersWhenNothingIsOutstanding) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue;
    for (int i = 0; i < 300; ++i) queue.put(item(queue, i));
    std::vector<std::jthread> joiners;
    for (int i = 0; i < 2; ++i) {
        joiners.emplace_back([&] { EXPECT_TRUE(queue.join(1h)); });
    }
    clock.wait_for_sleepers(2);
    queue.shutdown(true);
    joiners.clear();
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    queue.join();
}

TYPED_TEST(AnyQueue, AnItemThatWasGotHoldsJoinAfterAnImmediateShutdown) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam queue;
    queue.put(item(queue, 1));
    queue.put(item(queue, 2));
    (void)queue.get();
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    std::jthread joiner([&] { EXPECT_TRUE(queue.join(1h)); });
    clock.wait_for_sleepers(1);
    queue.task_done();
}

TYPED_TEST(AnyQueue, UnfinishedTasksDoNotFallBelowZeroAtAnImmediateShutdown) {
    TypeParam queue;
    queue.put(item(queue, 1));
    queue.put(item(queue, 2));
    queue.task_done();  // before its get, which is a mistake, but a countable one
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
}

TYPED_TEST(AnyQueue, ShutdownMayBeRepeatedInEitherWay) {
    TypeParam queue;
    queue.put(item(queue, 1));
    queue.shutdown();
    queue.shutdown();
    EXPECT_EQ(queue.qsize(), 1u);
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    queue.shutdown(true);
    queue.shutdown();
    EXPECT_TRUE(queue.is_shutdown());
    EXPECT_THROW((void)queue.get(), ShutDown);
    EXPECT_THROW(queue.put(item(queue, 1)), ShutDown);
}

TYPED_TEST(AnyQueue, AShutDownQueueIsToldBeforeANegativeLimit) {
    TypeParam queue(1);
    queue.shutdown();
    EXPECT_THROW(queue.put(item(queue, 1), true, -1s), ShutDown);
    EXPECT_THROW((void)queue.get(true, -1s), ShutDown);
}

TYPED_TEST(AnyQueue, JoinWaitsUntilTheLastTaskIsDone) {
    TypeParam queue;
    queue.join();
    std::jthread worker([&] {
        for (int i = 0; i < kMany; ++i) {
            (void)queue.get();
            queue.task_done();
        }
    });
    for (int i = 0; i < kMany; ++i) {
        queue.put(item(queue, i));
        if (i % 10 == 0) queue.join();
    }
    queue.join();
    queue.join();
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(AnyQueue, JoinWithALimitSaysWhetherAllIsDone) {
    TypeParam queue;
    EXPECT_TRUE(queue.join(0));
    queue.put(item(queue, 1));
    EXPECT_FALSE(queue.join(0));
    EXPECT_FALSE(queue.join(-1s));
    EXPECT_FALSE(queue.join(1ms));
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW((void)queue.join(stop.get_token()), weft::Cancelled);
    queue.task_done();
    EXPECT_TRUE(queue.join(stop.get_token()));
}

TYPED_TEST(AnyQueue, ARangeForGetsAllItemsUntilTheEnd) {
    TypeParam queue(8);
    int count = 0;
    std::jthread worker([&] {
        for (typename TypeParam::value_type each : queue) {
            (void)each;
            ++count;
            queue.task_done();
        }
    });
    for (int i = 0; i < 500; ++i) queue.put(item(queue, i));
    queue.join();
    queue.shutdown();
    worker.join();
    EXPECT_EQ(count, 500);
}

TYPED_TEST(AnyQueue, MayBeDestroyedByWhoeverReturnsFromJoin) {
    for (int round = 0; round < 200; ++round) {
        std::jthread worker;
        {
            TypeParam queue;
            queue.put(item(queue, 1));
            (void)queue.get();
            worker = std::jthread([&queue] { queue.task_done(); });
            queue.join();
        }
    }
}

TYPED_TEST(AnyQueue, MayBeDestroyedByWhoeverGotTheLastItem) {
    for (int round = 0; round < 200; ++round) {
        std::jthread putter;
        {
            TypeParam reply(1);
            putter = std::jthread([&reply] { reply.put(item(reply, 1)); });
            (void)reply.get();
        }
    }
}

}  // namespace
