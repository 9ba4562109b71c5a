// Items, comparisons and storages that throw: the queue is as it was.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/manual_clock.hpp>

namespace {

using namespace std::chrono_literals;
using weft::queue::Full;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;

struct Trouble : std::runtime_error {
    Trouble() : std::runtime_error("trouble") {}
};

/// An item whose copies throw while a flag says so.
struct Fragile {
    Fragile(int v, const bool& b) : value(v), breaks(&b) {}
    Fragile(const Fragile& other) : value(other.value), breaks(other.breaks) {
        if (*breaks) throw Trouble();
    }
    Fragile& operator=(const Fragile&) = default;
    friend bool operator<(const Fragile& a, const Fragile& b) { return a.value < b.value; }
    int value;
    const bool* breaks;
};

template <class Q>
class FragileQueue : public testing::Test {};
using FragileQueues = testing::Types<Queue<Fragile>, LifoQueue<Fragile>, PriorityQueue<Fragile>>;
TYPED_TEST_SUITE(FragileQueue, FragileQueues);

TYPED_TEST(FragileQueue, APutWhoseCopyThrowsChangesNothing) {
    bool breaks = false;
    TypeParam queue(1);
    const Fragile item(1, breaks);
    breaks = true;
    EXPECT_THROW(queue.put(item), Trouble);
    EXPECT_THROW(queue.put(Fragile(2, breaks)), Trouble);
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    breaks = false;
    queue.put_nowait(item);
    EXPECT_EQ(queue.get().value, 1);
}

TYPED_TEST(FragileQueue, AGetWhoseMoveThrowsChangesNothing) {
    bool breaks = false;
    TypeParam queue(3);
    for (int i = 0; i < 3; ++i) queue.put(Fragile(i, breaks));
    breaks = true;
    EXPECT_THROW((void)queue.get(), Trouble);
    EXPECT_THROW((void)queue.get_nowait(), Trouble);
    EXPECT_THROW((void)queue.get(true, 1s), Trouble);
    EXPECT_EQ(queue.qsize(), 3u);
    EXPECT_EQ(queue.unfinished_tasks(), 3u);
    EXPECT_TRUE(queue.full());
    breaks = false;
    EXPECT_THROW(queue.put_nowait(Fragile(3, breaks)), Full);
    std::vector<int> got;
    for (int i = 0; i < 3; ++i) got.push_back(queue.get().value);
    const bool is_lifo = std::is_same_v<TypeParam, LifoQueue<Fragile>>;
    EXPECT_EQ(got, is_lifo ? std::vector<int>({2, 1, 0}) : std::vector<int>({0, 1, 2}));
    queue.put_nowait(Fragile(3, breaks));
}

TYPED_TEST(FragileQueue, ItemsThatWentBackAreDestroyedByAnImmediateShutdown) {
    bool breaks = false;
    TypeParam queue;
    for (int i = 0; i < 3; ++i) queue.put(Fragile(i, breaks));
    breaks = true;
    EXPECT_THROW((void)queue.get(), Trouble);
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
}

/// Stops in its move, where a flag says so, until it is told to go on, and then throws.
struct Stopping {
    struct Latches {
        std::latch is_out{1};
        std::latch may_throw{1};
    };
    Stopping(int v, Latches* l) : value(v), latches(l) {}
    Stopping(const Stopping& other) : value(other.value), latches(other.latches) {
        if (latches == nullptr || !stops) return;
        latches->is_out.count_down();
        latches->may_throw.wait();
        throw Trouble();
    }
    Stopping& operator=(const Stopping&) = default;
    friend bool operator<(const Stopping& a, const Stopping& b) { return a.value < b.value; }
    int value;
    Latches* latches;
    inline static thread_local bool stops = false;
};

template <class Q>
class StoppingQueue : public testing::Test {};
using StoppingQueues =
    testing::Types<Queue<Stopping>, LifoQueue<Stopping>, PriorityQueue<Stopping>>;
TYPED_TEST_SUITE(StoppingQueue, StoppingQueues);

TYPED_TEST(StoppingQueue, AnItemOnItsWayKeepsItsPlace) {
    Stopping::Latches latches;
    TypeParam queue(1);
    queue.put(Stopping(1, &latches));
    std::jthread getter([&] {
        Stopping::stops = true;
        EXPECT_THROW((void)queue.get(), Trouble);
    });
    latches.is_out.wait();
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_THROW(queue.put_nowait(Stopping(2, nullptr)), Full);
    latches.may_throw.count_down();
    getter.join();
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.get().value, 1);
    queue.put_nowait(Stopping(2, nullptr));
}

TYPED_TEST(StoppingQueue, AnItemComesBackToWhereItWas) {
    Stopping::Latches latches;
    const bool is_lifo = std::is_same_v<TypeParam, LifoQueue<Stopping>>;
    TypeParam queue;
    queue.put(Stopping(1, is_lifo ? nullptr : &latches));
    queue.put(Stopping(2, is_lifo ? &latches : nullptr));
    std::jthread getter([&] {
        Stopping::stops = true;
        EXPECT_THROW((void)queue.get(), Trouble);
    });
    latches.is_out.wait();
    queue.put(Stopping(3, nullptr));
    latches.may_throw.count_down();
    getter.join();
    const std::array<int, 3> order =
        is_lifo ? std::array<int, 3>{3, 2, 1} : std::array<int, 3>{1, 2, 3};
    for (int value : order) EXPECT_EQ(queue.get().value, value);
}

TYPED_TEST(StoppingQueue, AnItemThatComesBackAfterAnImmediateShutdownVanishes) {
    Stopping::Latches latches;
    TypeParam queue;
    queue.put(Stopping(1, &latches));
    std::jthread getter([&] {
        Stopping::stops = true;
        EXPECT_THROW((void)queue.get(), Trouble);
    });
    latches.is_out.wait();
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    latches.may_throw.count_down();
    getter.join();
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_THROW((void)queue.get(), ShutDown);
}

TYPED_TEST(StoppingQueue, APutThatWaitsGoesOnWhenTheItemIsOut) {
    TypeParam queue(1);
    queue.put(Stopping(1, nullptr));
    std::jthread putter([&] { queue.put(Stopping(2, nullptr)); });
    EXPECT_EQ(queue.get().value, 1);
    EXPECT_EQ(queue.get().value, 2);
}

/// Its n-th call throws.
struct Picky {
    int* calls_left;
    bool operator()(int a, int b) const {
        if (*calls_left > 0 && --*calls_left == 0) throw Trouble();
        return a < b;
    }
};

TEST(PriorityQueueFaults, AComparisonThatThrowsChangesNothingWhicheverItIs) {
    int calls_left = 0;
    PriorityQueue<int, Picky> queue(0, Picky{&calls_left});
    for (int i = 0; i < 50; ++i) queue.put((i * 37) % 50);
    int puts = 0;
    int gets = 0;
    for (int nth = 1; nth < 30; ++nth) {
        calls_left = nth;
        try {
            queue.put(-1);
            calls_left = 0;
            EXPECT_EQ(queue.get(), -1);
            queue.task_done();
        } catch (const Trouble&) {
            ++puts;
        }
        ASSERT_EQ(queue.qsize(), 50u);
        ASSERT_EQ(queue.unfinished_tasks(), 50u);
        calls_left = nth;
        try {
            const int least = queue.get();
            calls_left = 0;
            queue.put(least);
            queue.task_done();
        } catch (const Trouble&) {
            ++gets;
        }
        ASSERT_EQ(queue.qsize(), 50u);
    }
    calls_left = 0;
    EXPECT_GT(puts, 0);
    EXPECT_GT(gets, 0);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(queue.get(), i);
}

// A storage of the user's -------------------------------------------------------------------------

/// Keeps each value once, and throws where it is told to.
struct Unique {
    std::ptrdiff_t* seen_maxsize = nullptr;
    const bool* breaks = nullptr;
    std::vector<std::string> items;

    void init(std::ptrdiff_t maxsize) {
        if (seen_maxsize != nullptr) *seen_maxsize = maxsize;
    }
    std::size_t qsize() const { return items.size(); }
    void put(std::string&& item) {
        if (breaks != nullptr && *breaks) throw Trouble();
        for (const std::string& each : items) {
            if (each == item) return;
        }
        items.push_back(std::move(item));
    }
    std::string get() {
        if (breaks != nullptr && *breaks) throw Trouble();
        std::string first = std::move(items.front());
        items.erase(items.begin());
        return first;
    }
};

using UniqueQueue = Queue<std::string, Unique>;

TEST(QueueStorage, IsCalledForEverything) {
    std::ptrdiff_t seen = 0;
    UniqueQueue queue(2, Unique{.seen_maxsize = &seen, .breaks = nullptr, .items = {}});
    EXPECT_EQ(seen, 2);
    queue.put("a");
    queue.put("a");
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.unfinished_tasks(), 2u);
    queue.put("b");
    EXPECT_TRUE(queue.full());
    EXPECT_THROW(queue.put_nowait("c"), Full);
    EXPECT_EQ(queue.get(), "a");
    EXPECT_EQ(queue.get_nowait(), "b");
    EXPECT_TRUE(queue.empty());
}

TEST(QueueStorage, WhatItThrowsLeavesContentsLockAndTasksAsTheyWere) {
    bool breaks = false;
    UniqueQueue queue(2, Unique{.seen_maxsize = nullptr, .breaks = &breaks, .items = {}});
    queue.put("a");
    breaks = true;
    EXPECT_THROW(queue.put("b"), Trouble);
    EXPECT_THROW(queue.put_nowait("b"), Trouble);
    EXPECT_THROW((void)queue.get(), Trouble);
    EXPECT_THROW((void)queue.get(true, 1s), Trouble);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    breaks = false;
    queue.put("b");
    EXPECT_EQ(queue.get(), "a");
    EXPECT_EQ(queue.get(), "b");
}

/// Throws in the first get only.
struct Once {
    std::atomic<bool>* will_throw;
    std::vector<int> items;

    void init(std::ptrdiff_t /*maxsize*/) {}
    std::size_t qsize() const { return items.size(); }
    void put(int&& item) { items.push_back(item); }
    int get() {
        if (will_throw->exchange(false)) throw Trouble();
        const int item = items.back();
        items.pop_back();
        return item;
    }
};

TEST(QueueStorage, AGetThatThrowsAfterAWaitLeavesTheItemToAnother) {
    for (int round = 0; round < 100; ++round) {
        std::atomic<int> got{0};
        std::atomic<int> troubled{0};
        std::atomic<bool> will_throw{true};
        Queue<int, Once> once(0, Once{.will_throw = &will_throw, .items = {}});
        std::vector<std::jthread> getters;
        for (int i = 0; i < 2; ++i) {
            getters.emplace_back([&] {
                try {
                    (void)once.get();
                    ++got;
                } catch (const Trouble&) {
                    ++troubled;
                }
            });
        }
        once.put(1);
        getters.clear();
        ASSERT_EQ(got, 1);
        ASSERT_EQ(troubled, 1);
    }
}

TEST(QueueStorage, IsEmptiedByAnImmediateShutdown) {
    UniqueQueue queue;
    for (const char* each : {"a", "b", "c"}) queue.put(each);
    EXPECT_EQ(queue.get(), "a");
    queue.shutdown(true);
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
    EXPECT_THROW((void)queue.get(), ShutDown);
    EXPECT_THROW(queue.put("d"), ShutDown);
}

TEST(QueueStorage, AGetThatThrowsWhileItIsEmptiedLeavesTheRestForAnotherShutdown) {
    bool breaks = false;
    UniqueQueue queue(0, Unique{.seen_maxsize = nullptr, .breaks = &breaks, .items = {}});
    for (const char* each : {"a", "b", "c"}) queue.put(each);
    breaks = true;
    EXPECT_THROW(queue.shutdown(true), Trouble);
    EXPECT_TRUE(queue.is_shutdown());
    EXPECT_EQ(queue.unfinished_tasks(), 3u);
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_THROW((void)queue.get_nowait(), ShutDown);
    breaks = false;
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_TRUE(queue.join(0));
}

/// Throws in its n-th get.
struct Second {
    int* gets_left;
    std::vector<int> items;

    void init(std::ptrdiff_t /*maxsize*/) {}
    std::size_t qsize() const { return items.size(); }
    void put(int&& item) { items.push_back(item); }
    int get() {
        if ((*gets_left)-- == 0) throw Trouble();
        const int item = items.back();
        items.pop_back();
        return item;
    }
};

TEST(QueueStorage, CountsEachItemThatLeavesItAtAnImmediateShutdown) {
    int gets_left = 2;
    Queue<int, Second> queue(0, Second{.gets_left = &gets_left, .items = {}});
    for (int i = 0; i < 5; ++i) queue.put(i);
    EXPECT_THROW(queue.shutdown(true), Trouble);
    EXPECT_EQ(queue.unfinished_tasks(), 3u);
    queue.shutdown(true);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
}

/// Its size cannot be told once.
struct Unsure {
    std::atomic<bool>* will_throw;

    void init(std::ptrdiff_t /*maxsize*/) {}
    std::size_t qsize() const {
        if (will_throw->exchange(false)) throw Trouble();
        return 0;
    }
    void put(int&& /*item*/) {}
    int get() { return 0; }
};

TEST(QueueStorage, ASizeThatThrowsDoesNotKeepAShutdownFromThoseThatWait) {
    std::atomic<bool> will_throw{false};
    weft::ManualClock clock;
    const auto installed = clock.install();
    Queue<int, Unsure> queue(0, Unsure{.will_throw = &will_throw});
    std::jthread getter([&] { EXPECT_THROW((void)queue.get(true, 1h), ShutDown); });
    clock.wait_for_sleepers(1);
    will_throw = true;
    EXPECT_THROW(queue.shutdown(true), Trouble);
    EXPECT_TRUE(queue.is_shutdown());
}

TEST(QueueStorage, WaitsAndWakesLikeAnyQueue) {
    UniqueQueue queue(1);
    std::jthread putter([&] {
        for (int i = 0; i < 2000; ++i) queue.put(std::to_string(i));
        queue.shutdown();
    });
    int next = 0;
    for (const std::string& each : queue) ASSERT_EQ(each, std::to_string(next++));
    EXPECT_EQ(next, 2000);
}

}  // namespace
