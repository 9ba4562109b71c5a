// Every allocation that a put makes fails once.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <string>
#include <type_traits>

#include "queue/failing_new.hpp"

namespace {

using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::test::allocations_left;

template <class Q>
class QueueWithoutMemory : public testing::Test {};
using KindsWithoutMemory =
    testing::Types<Queue<int>, Queue<std::string>, LifoQueue<int>, LifoQueue<std::string>,
                   PriorityQueue<int>, PriorityQueue<std::string>>;
TYPED_TEST_SUITE(QueueWithoutMemory, KindsWithoutMemory);

TYPED_TEST(QueueWithoutMemory, EveryFailureOfManyPutsLeavesTheQueueAsItWas) {
    using Item = typename TypeParam::value_type;
    TypeParam queue;
    int failed = 0;
    const auto item = [] {
        if constexpr (std::is_same_v<Item, int>) {
            return 7;
        } else {
            return std::string(100, 'x');
        }
    }();
    for (std::size_t n = 0; n < 1000; ++n) {
        for (int failures = 0;; ++failures) {
            allocations_left = failures;
            try {
                queue.put(item);
                allocations_left = -1;
                failed += failures;
                break;
            } catch (const std::bad_alloc&) {
                allocations_left = -1;
                ASSERT_EQ(queue.qsize(), n);
                ASSERT_EQ(queue.unfinished_tasks(), n);
            }
        }
    }
    EXPECT_GE(failed, 4);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(queue.get(), item);
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(QueueWithoutMemory, BuildingAndAHugeBoundNeedNone) {
    allocations_left = 0;
    TypeParam queue(std::ptrdiff_t{1} << 62);
    queue.set_maxsize(std::ptrdiff_t{1} << 61);
    EXPECT_EQ(allocations_left, 0);
    allocations_left = -1;
}

TYPED_TEST(QueueWithoutMemory, GetAndShutdownNeedNone) {
    using Item = typename TypeParam::value_type;
    TypeParam queue;
    for (int i = 0; i < 1000; ++i) queue.put(Item());
    allocations_left = 0;
    for (int i = 0; i < 500; ++i) (void)queue.get();
    queue.shutdown(true);
    EXPECT_EQ(allocations_left, 0);
    allocations_left = -1;
}

}  // namespace
