// A fork at any moment copies a queue that is whole.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/manual_clock.hpp>

#include "support/budget.hpp"
#include "support/child.hpp"

namespace {

using weft::queue::Empty;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;

constexpr int kGood = 42;

/// The exit code of a child that runs `work`; -1 when it hangs or is killed.
int run_in_child(const std::function<int()>& work) {
    const pid_t child = fork();
    if (child == 0) _exit(work());
    const auto status =
        weft::test::wait_for_process(child, std::chrono::seconds(20) * weft::test::slowness());
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

struct LessPointee {
    bool operator()(const std::unique_ptr<int>& a, const std::unique_ptr<int>& b) const {
        return *a < *b;
    }
};

template <class Q>
class QueueFork : public testing::Test {};
using Item = std::unique_ptr<int>;
using Kinds = testing::Types<Queue<int>, LifoQueue<int>, PriorityQueue<int>, Queue<Item>,
                             LifoQueue<Item>, PriorityQueue<Item, LessPointee>>;
TYPED_TEST_SUITE(QueueFork, Kinds);

template <class Q>
typename Q::value_type make(const Q& /*queue*/, int value) {
    if constexpr (std::is_same_v<typename Q::value_type, int>) {
        return value;
    } else {
        return std::make_unique<int>(value);
    }
}

int value_of(int item) {
    return item;
}
int value_of(const Item& item) {
    return *item;
}

/// What a child makes of a queue that others were using: each number is there at most once, the
/// count is right, and the queue works.
template <class Q>
int check_in_child(Q& queue, int numbers) {
    std::vector<int> seen(static_cast<std::size_t>(numbers));
    const std::size_t size = queue.qsize();
    if (queue.unfinished_tasks() < size) return 1;
    for (std::size_t i = 0; i < size; ++i) {
        if (++seen.at(static_cast<std::size_t>(value_of(queue.get_nowait()))) > 1) return 2;
    }
    if (!queue.empty()) return 3;
    queue.set_maxsize(0);
    for (int n = 0; n < 1000; ++n) queue.put(make(queue, n));
    std::vector<int> got;
    for (int n = 0; n < 1000; ++n) got.push_back(value_of(queue.get()));
    if (std::is_same_v<Q, LifoQueue<typename Q::value_type>>) std::ranges::reverse(got);
    for (int n = 0; n < 1000; ++n) {
        if (got.at(static_cast<std::size_t>(n)) != n) return 4;
    }
    try {
        (void)queue.get_nowait();
        return 5;
    } catch (const Empty&) {
    }
    queue.shutdown(true);
    try {
        (void)queue.get();
        return 6;
    } catch (const ShutDown&) {
        return kGood;
    }
}

TYPED_TEST(QueueFork, InTheMiddleOfPutAndGetLeavesAWholeQueue) {
    constexpr int kNumbers = 1 << 16;
    TypeParam queue(200);
    std::atomic<bool> ends{false};
    std::atomic<int> next{0};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            while (!ends) {
                try {
                    // Numbers come around only when their predecessors are long gone.
                    queue.put(make(queue, next++ % kNumbers), true, 0.001);
                } catch (const weft::queue::Full&) {
                }
            }
        });
        threads.emplace_back([&] {
            while (!ends) {
                try {
                    (void)queue.get(true, 0.001);
                    queue.task_done();
                } catch (const Empty&) {
                }
            }
        });
    }
    for (int round = 0; round < 40; ++round) {
        ASSERT_EQ(run_in_child([&] { return check_in_child(queue, kNumbers); }), kGood)
            << "in round " << round;
    }
    ends = true;
}

TYPED_TEST(QueueFork, TheChildHasNoneOfTheParentsWaiters) {
    TypeParam full(1);
    TypeParam empty;
    full.put(make(full, 1));
    std::jthread putter([&] { full.put(make(full, 2)); });
    std::jthread getter([&] { (void)empty.get(); });
    std::jthread joiner([&] { empty.join(); });
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(run_in_child([&] {
                      if (value_of(full.get()) != 1 || !full.empty()) return 1;
                      full.put(make(full, 3));
                      empty.put(make(empty, 4));
                      if (value_of(empty.get()) != 4) return 2;
                      std::thread helper([&] { empty.put(make(empty, 5)); });
                      const int got = value_of(empty.get());
                      helper.join();
                      empty.task_done();
                      empty.task_done();
                      empty.join();
                      return got == 5 ? kGood : 3;
                  }),
                  kGood);
    }
    (void)full.get();
    empty.put(make(empty, 1));
    empty.task_done();
}

// A thread that forks while it moves an item out
// ------------------------------------------------

/// Runs what a test wants in its copies, and has no moves.
struct Busy {
    explicit Busy(int v) : value(v) {}
    Busy(const Busy& other) : value(other.value) {
        if (on_copy) std::exchange(on_copy, nullptr)();
    }
    Busy& operator=(const Busy&) = default;
    friend bool operator<(const Busy& a, const Busy& b) { return a.value < b.value; }
    int value;
    inline static thread_local std::function<void()> on_copy;
};

struct Trouble {};

template <class Q>
class QueueForkInMove : public testing::Test {};
using BusyQueues = testing::Types<Queue<Busy>, LifoQueue<Busy>, PriorityQueue<Busy>>;
TYPED_TEST_SUITE(QueueForkInMove, BusyQueues);

/// The exit code of a child that `get` forks inside the move; `in_move` goes on there in the child,
/// and `check` when the get has ended.
template <class Q>
int fork_in_get(Q& queue, const std::function<void()>& in_move, const std::function<int()>& check) {
    pid_t child = -1;
    Busy::on_copy = [&] {
        child = fork();
        if (child == 0) in_move();
    };
    try {
        (void)queue.get();
    } catch (const Trouble&) {
        if (child != 0) return -1;
    }
    if (child == 0) _exit(check());
    const auto status =
        weft::test::wait_for_process(child, std::chrono::seconds(20) * weft::test::slowness());
    return status && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
}

TYPED_TEST(QueueForkInMove, AnItemThatCannotBeMovedInTheChildIsLostThere) {
    // As many as an array holds at first: what took the place in the child must not be pushed out.
    TypeParam queue;
    for (int i = 0; i < 16; ++i) queue.put(Busy(i));
    const auto in_move = [&] {
        queue.put(Busy(100));
        throw Trouble();
    };
    const auto check = [&] {
        if (queue.qsize() != 16 || queue.unfinished_tasks() != 16) return 1;
        int sum = 0;
        while (!queue.empty()) sum += queue.get().value;
        // All but the one that was out: the first or the last.
        return sum == 220 - 0 || sum == 220 - 15 ? kGood : 2;
    };
    EXPECT_EQ(fork_in_get(queue, in_move, check), kGood);
    EXPECT_EQ(queue.qsize(), 15u);
    EXPECT_EQ(queue.unfinished_tasks(), 16u);
}

TYPED_TEST(QueueForkInMove, AnItemThatWasMovedInTheChildFreesNobodyElsesPlace) {
    TypeParam queue(2);
    for (int i = 0; i < 2; ++i) queue.put(Busy(i));
    std::thread other;
    std::atomic<bool> ends{false};
    const auto in_move = [&] {
        std::atomic<bool> is_out{false};
        other = std::thread([&queue, &ends, &is_out] {
            Busy::on_copy = [&] {
                is_out = true;
                while (!ends) std::this_thread::yield();
            };
            (void)queue.get();
        });
        while (!is_out) std::this_thread::yield();
    };
    const auto check = [&] {
        int puts = 0;
        try {
            for (; puts < 5; ++puts) queue.put_nowait(Busy(puts));
        } catch (const weft::queue::Full&) {
        }
        ends = true;
        other.join();
        return puts == 1 ? kGood : 10 + puts;
    };
    EXPECT_EQ(fork_in_get(queue, in_move, check), kGood);
    EXPECT_EQ(queue.qsize(), 1u);
}

/// Stops inside its put.
struct Slow {
    std::latch* is_inside;
    std::latch* may_go_on;
    int items = 0;

    void init(std::ptrdiff_t /*maxsize*/) {}
    std::size_t qsize() const { return static_cast<std::size_t>(items); }
    void put(int&& /*item*/) {
        is_inside->count_down();
        may_go_on->wait();
        ++items;
    }
    int get() { return items--; }
};

TEST(QueueStorageFork, AChildThatCannotTrustTheStorageIsToldSo) {
    std::latch is_inside{1};
    std::latch may_go_on{1};
    Queue<int, Slow> queue(0, Slow{.is_inside = &is_inside, .may_go_on = &may_go_on});
    std::jthread putter([&] { queue.put(1); });
    is_inside.wait();
    EXPECT_EQ(run_in_child([&] {
                  try {
                      (void)queue.get();
                      return 1;
                  } catch (const std::runtime_error&) {
                      return kGood;
                  }
              }),
              kGood);
    may_go_on.count_down();
    putter.join();
    EXPECT_EQ(queue.get(), 1);
}

// What only a build with assertions notices
// ---------------------------------------------------------

/// Destroys a queue on which a thread waits to get.
template <class Q>
void destroy_under_a_waiter() {
    weft::ManualClock clock;
    const auto installed = clock.install();
    auto queue = std::make_unique<Q>();
    std::thread([&queue] { (void)queue->get(true, std::chrono::hours(1)); }).detach();
    clock.wait_for_sleepers(1);
    queue.reset();
}

TEST(QueueMisuse, DestroyingAQueueThatAThreadWaitsOnIsCaughtWhereAssertionsAreOn) {
#ifdef NDEBUG
    GTEST_SKIP() << "this build has no assertions";
#else
    EXPECT_DEATH(destroy_under_a_waiter<Queue<int>>(), "must not be destroyed");
    EXPECT_DEATH(destroy_under_a_waiter<LifoQueue<int>>(), "must not be destroyed");
    EXPECT_DEATH(destroy_under_a_waiter<PriorityQueue<int>>(), "must not be destroyed");
#endif
}

}  // namespace
