// Every allocation that a put makes fails once.

#include <weft/queue/simple_queue.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <utility>

#include "queue/failing_new.hpp"

namespace {

using weft::queue::SimpleQueue;
using weft::test::allocations_left;

/// Calls `put` with the first allocation failing, then the second, until it succeeds, and returns
/// how many had to fail. `check` looks at the queue after each failure.
template <class Put, class Check>
int fail_every_allocation(Put put, Check check) {
    for (int failures = 0;; ++failures) {
        allocations_left = failures;
        try {
            put();
            allocations_left = -1;
            return failures;
        } catch (const std::bad_alloc&) {
            allocations_left = -1;
            check();
        }
    }
}

TEST(SimpleQueueWithoutMemory, PutOfAPlainItemLeavesTheQueueAsItWas) {
    SimpleQueue<int> queue;
    int failed = 0;
    for (int i = 0; i < 1000; ++i) {
        failed += fail_every_allocation([&] { queue.put(i); },
                                        [&] { ASSERT_EQ(queue.qsize(), std::size_t(i)); });
    }
    EXPECT_EQ(failed, 4);  // a thousand items lie in four chunks
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.get(), i);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueueWithoutMemory, PutOfAMovedItemLeavesTheItemWithItsOwner) {
    SimpleQueue<std::unique_ptr<int>> queue;
    auto item = std::make_unique<int>(5);
    const int failed = fail_every_allocation([&] { queue.put(std::move(item)); },
                                             [&] {
                                                 ASSERT_NE(item, nullptr);
                                                 ASSERT_EQ(*item, 5);
                                                 ASSERT_TRUE(queue.empty());
                                             });
    EXPECT_GE(failed, 1);  // the first chunk, and the node where it has not the rest of a page
    EXPECT_EQ(*queue.get(), 5);
}

TEST(SimpleQueueWithoutMemory, PutOfACopiedItemLeavesTheQueueAsItWas) {
    SimpleQueue<std::string> queue;
    const std::string item(100, 'x');
    const int failed =
        fail_every_allocation([&] { queue.put(item); }, [&] { ASSERT_EQ(queue.qsize(), 0u); });
    EXPECT_GE(failed, 2);  // the copy's text, the first chunk, and perhaps the node
    EXPECT_EQ(queue.get(), item);
}

TEST(SimpleQueueWithoutMemory, EveryFailureOfManyPutsLeavesItemAndQueueAsTheyWere) {
    SimpleQueue<std::unique_ptr<int>> queue;
    int failed = 0;
    for (int i = 0; i < 1000; ++i) {
        auto item = std::make_unique<int>(i);
        failed += fail_every_allocation([&] { queue.put(std::move(item)); },
                                        [&] {
                                            ASSERT_NE(item, nullptr);
                                            ASSERT_EQ(queue.qsize(), std::size_t(i));
                                        });
    }
    EXPECT_GE(failed, 8);  // four chunks, and more than four pages of nodes
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(*queue.get(), i);
}

TEST(SimpleQueueWithoutMemory, AQueueOfFewItemsTakesNoMoreMemoryHoweverManyPassThrough) {
    SimpleQueue<int> queue;
    queue.put(0);
    for (int i = 0; i < 600; ++i) {
        queue.put(i);
        (void)queue.get();
    }
    allocations_left = 0;
    for (int i = 0; i < 5000; ++i) {
        queue.put(i);
        (void)queue.get();
    }
    EXPECT_EQ(allocations_left, 0);
    allocations_left = -1;
}

TEST(SimpleQueueWithoutMemory, GetNeedsNone) {
    SimpleQueue<std::unique_ptr<int>> queue;
    for (int i = 0; i < 1000; ++i) queue.put(std::make_unique<int>(i));
    allocations_left = 0;
    int sum = 0;
    for (int i = 0; i < 1000; ++i) sum += *queue.get();
    EXPECT_EQ(allocations_left, 0);
    allocations_left = -1;
    EXPECT_EQ(sum, 499'500);
}

}  // namespace
