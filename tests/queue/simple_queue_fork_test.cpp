// A fork at any moment copies a queue that is whole.

#include <weft/queue/simple_queue.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

using weft::queue::Empty;
using weft::queue::SimpleQueue;

/// The exit code of a child that runs `work`.
int run_in_child(const std::function<int()>& work) {
    const pid_t pid = fork();
    if (pid == 0) _exit(work());
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}

constexpr int kGood = 42;

TEST(SimpleQueueFork, TheChildHasTheItems) {
    SimpleQueue<int> queue;
    for (int i = 0; i < 600; ++i) queue.put(i);
    EXPECT_EQ(run_in_child([&] {
                  for (int i = 0; i < 600; ++i) {
                      if (queue.get() != i) return 1;
                  }
                  return queue.empty() ? kGood : 2;
              }),
              kGood);
    EXPECT_EQ(queue.qsize(), 600u);
}

TEST(SimpleQueueFork, TheChildHasNoneOfTheParentsWaiters) {
    SimpleQueue<int> queue;
    std::atomic<bool> waits{false};
    std::jthread waiter([&] {
        waits = true;
        (void)queue.get();
    });
    while (!waits) std::this_thread::yield();
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(run_in_child([&] {
                      queue.put(1);
                      queue.put(2);
                      if (queue.get() != 1 || queue.get() != 2) return 1;
                      std::thread putter([&] { queue.put(3); });
                      const int got = queue.get();
                      putter.join();
                      return got == 3 ? kGood : 2;
                  }),
                  kGood);
    }
    queue.put(0);
}

/// The low half counts, the high half says who put the item.
std::uint64_t item_of(std::uint64_t producer, std::uint64_t n) {
    return producer << 32 | n;
}

/// What a child makes of a queue that others were using: the items of each producer follow each
/// other without a gap, and the queue works.
template <class T, class ValueOf>
int check_in_child(SimpleQueue<T>& queue, ValueOf value_of, T (*make)(std::uint64_t)) {
    std::array<std::uint64_t, 2> last{};
    const std::size_t size = queue.qsize();
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint64_t value = value_of(queue.get_nowait());
        std::uint64_t& previous = last.at(value >> 32);
        const std::uint64_t number = value & 0xffffffff;
        if (previous != 0 && number != previous + 1) return 1;
        previous = number;
    }
    if (!queue.empty() || queue.qsize() != 0) return 2;
    // Through several chunks, so that whatever was left half done is met.
    for (std::uint64_t n = 0; n < 1000; ++n) queue.put(make(n));
    for (std::uint64_t n = 0; n < 1000; ++n) {
        if (value_of(queue.get_nowait()) != n) return 3;
    }
    try {
        (void)queue.get_nowait();
        return 4;
    } catch (const Empty&) {
        return kGood;
    }
}

template <class T, class ValueOf>
void fork_in_the_middle(ValueOf value_of, T (*make)(std::uint64_t)) {
    SimpleQueue<T> queue;
    std::atomic<bool> ends{false};
    std::vector<std::jthread> threads;
    for (std::uint64_t producer = 0; producer < 2; ++producer) {
        threads.emplace_back([&, producer] {
            for (std::uint64_t n = 1; !ends; ++n) {
                queue.put(make(item_of(producer, n)));
                if (queue.qsize() > 2000) std::this_thread::yield();
            }
        });
    }
    threads.emplace_back([&] {
        while (!ends) {
            while (!ends && queue.qsize() < 500) std::this_thread::yield();
            for (int i = 0; i < 400 && !ends; ++i) (void)queue.get();
        }
    });
    for (int round = 0; round < 80; ++round) {
        ASSERT_EQ(run_in_child([&] { return check_in_child(queue, value_of, make); }), kGood)
            << "in round " << round;
    }
    ends = true;
}

TEST(SimpleQueueFork, InTheMiddleOfPutAndGetOfPlainItemsLeavesAWholeQueue) {
    fork_in_the_middle<std::uint64_t>([](std::uint64_t item) { return item; },
                                      [](std::uint64_t value) { return value; });
}

TEST(SimpleQueueFork, InTheMiddleOfPutAndGetOfOtherItemsLeavesAWholeQueue) {
    using Item = std::unique_ptr<std::uint64_t>;
    fork_in_the_middle<Item>(
        [](const Item& item) { return *item; },
        [](std::uint64_t value) { return std::make_unique<std::uint64_t>(value); });
}

}  // namespace
