// Coroutines that wait for items and for room in queues.

#include <weft/coroutines/queues.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/queue.hpp>

#include "coroutines/support.hpp"

namespace {

using namespace weft::coroutines;
using weft::Cancelled;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;
using weft::queue::SimpleQueue;
using weft::test::Detached;
using weft::test::Owned;
using weft::test::Shelf;

template <class Q>
class CoroutineQueue : public testing::Test {};
using AllQueues = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>, SimpleQueue<int>,
                                 Queue<std::string>, SimpleQueue<std::string>>;
TYPED_TEST_SUITE(CoroutineQueue, AllQueues);

template <class T>
T item_of(int number) {
    if constexpr (std::same_as<T, int>) {
        return number;
    } else {
        return std::string("an item that is longer than a small string ") + std::to_string(number);
    }
}

TYPED_TEST(CoroutineQueue, GetTakesWhatIsThereAndWaitsForWhatIsNot) {
    using T = typename TypeParam::value_type;
    TypeParam queue;
    std::vector<T> got;
    const auto work = [&]() -> Detached {
        for (int i = 0; i < 3; ++i) got.push_back(co_await get(queue));
    };
    queue.put(item_of<T>(1));
    work();
    EXPECT_EQ(got, (std::vector{item_of<T>(1)}));
    queue.put(item_of<T>(2));
    queue.put(item_of<T>(3));
    EXPECT_EQ(got, (std::vector{item_of<T>(1), item_of<T>(2), item_of<T>(3)}));
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(CoroutineQueue, GetIsEndedByAStopToken) {
    using T = typename TypeParam::value_type;
    TypeParam queue;
    std::stop_source stop;
    bool was_cancelled = false;
    const auto work = [&]() -> Detached {
        try {
            co_await get(queue, stop.get_token());
        } catch (const Cancelled&) {
            was_cancelled = true;
        }
    };
    work();
    stop.request_stop();
    EXPECT_TRUE(was_cancelled);
    queue.put(item_of<T>(1));
    EXPECT_EQ(queue.get(false), item_of<T>(1));
}

TYPED_TEST(CoroutineQueue, GetGoesOnWhereTheSchedulerSays) {
    using T = typename TypeParam::value_type;
    TypeParam queue;
    Shelf shelf;
    std::vector<T> got;
    const auto work = [&]() -> Detached { got.push_back(co_await get(queue, shelf)); };
    work();
    queue.put(item_of<T>(1));
    EXPECT_TRUE(got.empty());
    EXPECT_EQ(shelf.resume_all(), 1);
    EXPECT_EQ(got, (std::vector{item_of<T>(1)}));
}

TYPED_TEST(CoroutineQueue, ADestroyedGetterLeavesTheItemToTheNext) {
    using T = typename TypeParam::value_type;
    TypeParam queue;
    std::vector<T> got;
    const auto never = [&]() -> Owned {
        co_await get(queue);
        ADD_FAILURE() << "was resumed";
    };
    const auto work = [&]() -> Detached { got.push_back(co_await get(queue)); };
    {
        const Owned first = never();
        work();
    }
    queue.put(item_of<T>(1));
    EXPECT_EQ(got, (std::vector{item_of<T>(1)}));
}

TYPED_TEST(CoroutineQueue, CoroutinesAndThreadsGetEachItemOnce) {
    using T = typename TypeParam::value_type;
    constexpr int kItems = 4000;
    TypeParam queue;
    std::vector<T> by_coroutines;
    std::vector<T> by_thread;
    const auto work = [&]() -> Detached {
        for (int i = 0; i < kItems / 2; ++i) by_coroutines.push_back(co_await get(queue));
    };
    {
        std::jthread producer([&] {
            work();  // goes on in here
            for (int i = 0; i < kItems; ++i) queue.put(item_of<T>(i));
        });
        std::jthread consumer([&] {
            for (int i = 0; i < kItems / 2; ++i) by_thread.push_back(queue.get());
        });
    }
    std::vector<T> all(by_coroutines);
    all.insert(all.end(), by_thread.begin(), by_thread.end());
    std::vector<T> wanted;
    for (int i = 0; i < kItems; ++i) wanted.push_back(item_of<T>(i));
    std::sort(all.begin(), all.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(all, wanted);
}

template <class Q>
class CoroutineBoundedQueue : public testing::Test {};
using BoundedQueues =
    testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>, Queue<std::string>>;
TYPED_TEST_SUITE(CoroutineBoundedQueue, BoundedQueues);

TYPED_TEST(CoroutineBoundedQueue, PutWaitsForRoom) {
    using T = typename TypeParam::value_type;
    TypeParam queue(1);
    int put_so_far = 0;
    const auto work = [&]() -> Detached {
        for (int i = 0; i < 3; ++i) {
            co_await put(queue, item_of<T>(i));
            ++put_so_far;
        }
    };
    work();
    EXPECT_EQ(put_so_far, 1);
    EXPECT_EQ(queue.get(), item_of<T>(0));
    EXPECT_EQ(put_so_far, 2);
    EXPECT_EQ(queue.get(), item_of<T>(1));
    EXPECT_EQ(queue.get(), item_of<T>(2));
    EXPECT_EQ(put_so_far, 3);
}

TYPED_TEST(CoroutineBoundedQueue, ACancelledPutLeavesTheItemWithItsOwner) {
    using T = typename TypeParam::value_type;
    TypeParam queue(1);
    queue.put(item_of<T>(0));
    std::stop_source stop;
    T item = item_of<T>(1);
    bool was_cancelled = false;
    const auto work = [&]() -> Detached {
        try {
            co_await put(queue, std::move(item), stop.get_token());
        } catch (const Cancelled&) {
            was_cancelled = true;
        }
    };
    work();
    stop.request_stop();
    EXPECT_TRUE(was_cancelled);
    EXPECT_EQ(item, item_of<T>(1));
    EXPECT_EQ(queue.get(), item_of<T>(0));
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(CoroutineBoundedQueue, ShutdownEndsGetsAndPuts) {
    using T = typename TypeParam::value_type;
    TypeParam empty(1);
    TypeParam full(1);
    full.put(item_of<T>(0));
    int ended = 0;
    const auto getter = [&]() -> Detached {
        try {
            co_await get(empty);
        } catch (const ShutDown&) {
            ++ended;
        }
    };
    const auto putter = [&]() -> Detached {
        const T item = item_of<T>(1);
        try {
            co_await put(full, item);
        } catch (const ShutDown&) {
            ++ended;
        }
    };
    getter();
    putter();
    empty.shutdown();
    EXPECT_EQ(ended, 1);
    full.shutdown();
    EXPECT_EQ(ended, 2);
    getter();
    putter();
    EXPECT_EQ(ended, 4);
    EXPECT_EQ(full.get(), item_of<T>(0));
}

TYPED_TEST(CoroutineBoundedQueue, CarriesEverythingBetweenCoroutinesOfOneThread) {
    using T = typename TypeParam::value_type;
    constexpr int kItems = 1000;
    TypeParam queue(2);
    std::vector<T> got;
    const auto producer = [&](int from) -> Detached {
        for (int i = 0; i < kItems; ++i) co_await put(queue, item_of<T>(from + i));
    };
    const auto consumer = [&]() -> Detached {
        for (int i = 0; i < kItems; ++i) got.push_back(co_await get(queue));
    };
    consumer();
    producer(0);
    producer(kItems);
    consumer();
    std::vector<T> wanted;
    for (int i = 0; i < 2 * kItems; ++i) wanted.push_back(item_of<T>(i));
    std::sort(got.begin(), got.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(got, wanted);
}

/// Its move throws when it is told to.
struct Brittle {
    explicit Brittle(int its_number) : number(its_number) {}
    Brittle(const Brittle&) = default;
    Brittle(Brittle&& other) noexcept(false) : number(other.number) {
        if (must_throw) throw std::runtime_error("brittle");
    }
    Brittle& operator=(const Brittle&) = default;
    int number;
    static inline bool must_throw = false;
};

TEST(CoroutineQueueOfBrittleItems, AnItemWhoseMoveThrowsStaysInTheQueue) {
    Queue<Brittle> queue;
    int thrown = 0;
    const auto work = [&]() -> Detached {
        try {
            co_await get(queue);
        } catch (const std::runtime_error&) {
            ++thrown;
        }
    };
    work();
    const Brittle item(5);
    Brittle::must_throw = true;
    queue.put(item);
    EXPECT_EQ(thrown, 1);
    Brittle::must_throw = false;
    EXPECT_EQ(queue.get(false).number, 5);
}

TEST(CoroutineQueueItems, AnItemOfADestroyedGetterIsDestroyed) {
    const auto value = std::make_shared<int>(1);
    Queue<std::shared_ptr<int>> queue;
    SimpleQueue<std::shared_ptr<int>> simple;
    Shelf shelf;
    {
        const auto never = [&]() -> Owned {
            co_await get(queue, shelf);
            ADD_FAILURE() << "was resumed";
        };
        const auto nor_this = [&]() -> Owned {
            co_await get(simple, shelf);
            ADD_FAILURE() << "was resumed";
        };
        const Owned first = never();
        const Owned second = nor_this();
        queue.put(value);
        simple.put(value);
        shelf.forget_all();
        EXPECT_EQ(value.use_count(), 3);
    }
    EXPECT_EQ(value.use_count(), 1);
}

TEST(CoroutineQueueItems, AQueueOfHandlesIsAScheduler) {
    SimpleQueue<std::coroutine_handle<>> loop;
    Queue<int> queue;
    int got = 0;
    const auto work = [&]() -> Detached { got = co_await get(queue, loop); };
    work();
    queue.put(5);
    EXPECT_EQ(got, 0);
    loop.get().resume();
    EXPECT_EQ(got, 5);
}

TEST(CoroutineQueueItems, AnExecutorIsAScheduler) {
    struct Executor {
        std::vector<std::jthread> threads;
        auto submit(std::coroutine_handle<> work) {
            threads.emplace_back(work);
            return 0;
        }
    };
    Executor executor;
    Queue<int> queue;
    std::thread::id where;
    const auto work = [&]() -> Detached {
        co_await get(queue, executor);
        where = std::this_thread::get_id();
    };
    work();
    queue.put(5);
    const std::thread::id there = executor.threads.front().get_id();
    executor.threads.clear();
    EXPECT_EQ(where, there);
}

}  // namespace
