#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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

TEST(Queue, JoinReturnsWhenAllIsDoneAndNotBefore) {
    Queue<int> queue;
    queue.put(1);
    std::atomic<bool> is_done{false};
    std::jthread joiner([&] {
        queue.join();
        EXPECT_TRUE(is_done);
    });
    EXPECT_EQ(queue.get(), 1);
    is_done = true;
    queue.task_done();
    joiner.join();
    queue.join();
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
