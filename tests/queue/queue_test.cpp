#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <set>
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
using weft::queue::Empty;
using weft::queue::Full;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;

constexpr int kMany = 2'000;

template <class Call>
std::string message_of(Call call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing was thrown";
}

// One by one, for Queue ---------------------------------------------------------------------------

TEST(Queue, IsEmptyWhenBuilt) {
    Queue<int> queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_FALSE(queue.full());
    EXPECT_FALSE(queue.is_shutdown());
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(queue.maxsize(), 0);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_THROW((void)queue.get_nowait(), Empty);
}

TEST(Queue, HandsItemsOutInTheOrderOfPut) {
    Queue<int> queue;
    for (int i = 0; i < 1000; ++i) queue.put(i);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.get(), i);
    EXPECT_TRUE(queue.empty());
}

TEST(Queue, CountsItsItems) {
    Queue<int> queue(2);
    queue.put(1);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_FALSE(queue.empty());
    EXPECT_FALSE(queue.full());
    queue.put(2);
    EXPECT_EQ(queue.qsize(), 2u);
    EXPECT_TRUE(queue.full());
    (void)queue.get();
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_FALSE(queue.full());
}

TEST(Queue, PutWithoutBlockIsFullAtOnceAndIgnoresTheLimit) {
    Queue<int> queue(1);
    queue.put(1, false);
    EXPECT_THROW(queue.put(2, false), Full);
    EXPECT_THROW(queue.put(2, false, 1h), Full);
    EXPECT_THROW(queue.put(2, false, -1s), Full);
    EXPECT_THROW(queue.put_nowait(2), Full);
    EXPECT_EQ(queue.get(), 1);
    queue.put_nowait(3);
    EXPECT_EQ(queue.get(), 3);
}

TEST(Queue, GetWithoutBlockIsEmptyAtOnceAndIgnoresTheLimit) {
    Queue<int> queue;
    EXPECT_THROW((void)queue.get(false), Empty);
    EXPECT_THROW((void)queue.get(false, 1h), Empty);
    EXPECT_THROW((void)queue.get(false, -1s), Empty);
    EXPECT_THROW((void)queue.get_nowait(), Empty);
    queue.put(5);
    EXPECT_EQ(queue.get(false, -1s), 5);
    queue.put(6);
    EXPECT_EQ(queue.get_nowait(), 6);
}

TEST(Queue, AZeroOrNegativeBoundIsNone) {
    for (std::ptrdiff_t bound : {std::ptrdiff_t{0}, std::ptrdiff_t{-1}, std::ptrdiff_t{-70}}) {
        Queue<int> queue(bound);
        for (int i = 0; i < 1000; ++i) queue.put_nowait(i);
        EXPECT_FALSE(queue.full());
        EXPECT_EQ(queue.maxsize(), bound);
    }
}

TEST(Queue, ANegativeLimitOfPutIsRefusedWithABoundOnly) {
    Queue<int> bounded(2);
    EXPECT_THROW(bounded.put(1, true, -1ns), std::invalid_argument);
    EXPECT_THROW(bounded.put(1, std::stop_token(), -0.5), std::invalid_argument);
    EXPECT_EQ(bounded.qsize(), 0u);
    EXPECT_NE(message_of([&] { bounded.put(1, true, -7ns); }).find("-7 ns"), std::string::npos);
    Queue<int> unbounded;
    unbounded.put(1, true, -1ns);
    EXPECT_EQ(unbounded.get(), 1);
}

TEST(Queue, ANegativeLimitOfGetIsRefusedAlsoWhenAnItemIsThere) {
    Queue<int> queue;
    queue.put(1);
    EXPECT_THROW((void)queue.get(true, -1ns), std::invalid_argument);
    EXPECT_THROW((void)queue.get(std::stop_token(), -1ns), std::invalid_argument);
    EXPECT_NE(message_of([&] { (void)queue.get(true, -7ns); }).find("-7 ns"), std::string::npos);
    EXPECT_EQ(queue.get(), 1);
}

TEST(Queue, ItsExceptionsAreWeftExceptionsThatSayWhatWasTried) {
    Queue<int> queue(3);
    EXPECT_NE(message_of([&] { (void)queue.get(true, 2ms); }).find("0.002 s"), std::string::npos);
    EXPECT_NE(message_of([&] { (void)queue.get_nowait(); }).find("empty"), std::string::npos);
    for (int i = 0; i < 3; ++i) queue.put(i);
    EXPECT_NE(message_of([&] { queue.put(3, true, 2ms); }).find("bound is 3"), std::string::npos);
    EXPECT_NE(message_of([&] { queue.put_nowait(3); }).find("bound is 3"), std::string::npos);
    queue.shutdown();
    EXPECT_NE(message_of([&] { queue.put(3); }).find("put: the queue is shut down"),
              std::string::npos);
    static_assert(std::is_base_of_v<weft::Exception, Empty>);
    static_assert(std::is_base_of_v<weft::Exception, Full>);
    static_assert(std::is_base_of_v<weft::Exception, ShutDown>);
}

TEST(Queue, PutWaitsForRoomUntilItsLimit) {
    ManualClock clock;
    const auto installed = clock.install();
    Queue<int> queue(1);
    queue.put(1);
    std::jthread late([&] { EXPECT_THROW(queue.put(2, true, 30s), Full); });
    clock.wait_for_sleepers(1);
    clock.advance(29s);
    clock.wait_for_sleepers(1);
    clock.advance(1s);
    late.join();
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

TEST(Queue, GetWaitsForAnItemUntilItsLimit) {
    ManualClock clock;
    const auto installed = clock.install();
    Queue<int> queue;
    std::jthread late([&] { EXPECT_THROW((void)queue.get(true, 30s), Empty); });
    clock.wait_for_sleepers(1);
    clock.advance(30s);
    late.join();
}

TEST(Queue, TaskDoneCountsDownAndRefusesOneTooMany) {
    Queue<int> queue;
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    queue.put(1);
    queue.put(2);
    EXPECT_EQ(queue.unfinished_tasks(), 2u);
    (void)queue.get();
    EXPECT_EQ(queue.unfinished_tasks(), 2u);
    queue.task_done();
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    queue.task_done();
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_THROW(queue.task_done(), std::invalid_argument);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
}

TEST(Queue, SetMaxsizeIsHonouredByLaterPuts) {
    Queue<int> queue(2);
    queue.put(1);
    queue.set_maxsize(1);
    EXPECT_EQ(queue.maxsize(), 1);
    EXPECT_TRUE(queue.full());
    EXPECT_THROW(queue.put_nowait(2), Full);
    queue.set_maxsize(3);
    queue.put_nowait(2);
    queue.put_nowait(3);
    EXPECT_THROW(queue.put_nowait(4), Full);
    queue.set_maxsize(0);
    for (int i = 4; i < 1000; ++i) queue.put_nowait(i);
    queue.set_maxsize(1);
    EXPECT_THROW(queue.put_nowait(0), Full);
    for (int i = 1; i < 1000; ++i) ASSERT_EQ(queue.get(), i);
    queue.put_nowait(0);
}

TEST(Queue, ShutdownLetsTheRestBeTaken) {
    Queue<int> queue;
    queue.put(1);
    queue.put(2);
    queue.shutdown();
    EXPECT_TRUE(queue.is_shutdown());
    EXPECT_THROW(queue.put(3), ShutDown);
    EXPECT_THROW(queue.put_nowait(3), ShutDown);
    EXPECT_THROW(queue.put(3, true, 1s), ShutDown);
    EXPECT_EQ(queue.get(), 1);
    EXPECT_EQ(queue.get_nowait(), 2);
    EXPECT_THROW((void)queue.get(), ShutDown);
    EXPECT_THROW((void)queue.get_nowait(), ShutDown);
    EXPECT_THROW((void)queue.get(true, 1s), ShutDown);
    EXPECT_EQ(queue.unfinished_tasks(), 2u);
}

TEST(Queue, ImmediateShutdownTakesAllItemsOut) {
    const auto item = std::make_shared<int>(1);
    Queue<std::shared_ptr<int>> queue;
    for (int i = 0; i < 700; ++i) queue.put(item);
    for (int i = 0; i < 100; ++i) (void)queue.get();
    queue.shutdown(true);
    EXPECT_EQ(item.use_count(), 1);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.unfinished_tasks(), 100u);
    EXPECT_THROW((void)queue.get(), ShutDown);
}

// All kinds ---------------------------------------------------------------------------------------

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

// The three orders --------------------------------------------------------------------------------

TEST(LifoQueue, HandsOutWhatWasPutLast) {
    LifoQueue<int> queue;
    for (int i = 0; i < 1000; ++i) queue.put(i);
    for (int i = 999; i >= 500; --i) ASSERT_EQ(queue.get(), i);
    queue.put(7);
    EXPECT_EQ(queue.get(), 7);
    for (int i = 499; i >= 0; --i) ASSERT_EQ(queue.get(), i);
    EXPECT_TRUE(queue.empty());
}

TEST(PriorityQueue, HandsOutTheLeastFirst) {
    for (int size : {1, 2, 3, 4, 5, 6, 7, 8, 100, 1000}) {
        PriorityQueue<int> queue;
        for (int i = 0; i < size; ++i) queue.put((i * 7919) % size);
        int last = -1;
        for (int i = 0; i < size; ++i) {
            const int next = queue.get();
            ASSERT_LE(last, next);
            last = next;
        }
        EXPECT_TRUE(queue.empty());
    }
}

TEST(PriorityQueue, KeepsItsOrderWhilePutsAndGetsAlternate) {
    PriorityQueue<int> queue;
    std::multiset<int> model;
    std::uint32_t state = 12345;
    for (int i = 0; i < 20'000; ++i) {
        state = state * 1664525 + 1013904223;
        if (model.empty() || (state >> 28) < 9) {
            const int value = static_cast<int>(state >> 8 & 0xff);
            queue.put(value);
            model.insert(value);
        } else {
            ASSERT_EQ(queue.get(), *model.begin());
            model.erase(model.begin());
        }
    }
    EXPECT_EQ(queue.qsize(), model.size());
}

TEST(PriorityQueue, OrdersByAnyComparison) {
    PriorityQueue<std::string, std::greater<std::string>> queue;
    for (const char* word : {"b", "d", "a", "c"}) queue.put(word);
    std::string all;
    while (!queue.empty()) all += queue.get();
    EXPECT_EQ(all, "dcba");
}

TEST(PriorityQueue, AComparisonMayHaveState) {
    const std::vector<int> rank{2, 0, 1};
    const auto by_rank = [&rank](int a, int b) {
        return rank.at(static_cast<std::size_t>(a)) < rank.at(static_cast<std::size_t>(b));
    };
    PriorityQueue<int, decltype(by_rank)> queue(0, by_rank);
    for (int i = 0; i < 3; ++i) queue.put(i);
    EXPECT_EQ(queue.get(), 1);
    EXPECT_EQ(queue.get(), 2);
    EXPECT_EQ(queue.get(), 0);
}

}  // namespace
