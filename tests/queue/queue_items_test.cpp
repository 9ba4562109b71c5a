// Items that are awkward to hand on: they take anything as their own kind, or cannot be assigned.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <any>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <typeinfo>
#include <utility>
#include <vector>

#include <weft/detail/slot.hpp>

namespace {

using namespace std::chrono_literals;
using weft::queue::Full;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;
using weft::queue::SimpleQueue;

struct LessAny {
    bool operator()(const std::any& a, const std::any& b) const {
        return std::any_cast<int>(a) < std::any_cast<int>(b);
    }
};

/// The simplest order of a user's own.
template <class T>
struct Pile {
    std::vector<T> items;

    void init(std::ptrdiff_t /*maxsize*/) {}
    std::size_t qsize() const { return items.size(); }
    void put(T&& item) { items.push_back(std::move(item)); }
    T get() {
        T last = std::move(items.back());
        items.pop_back();
        return last;
    }
};

template <class Q>
class QueueOfAny : public testing::Test {};
using QueuesOfAny =
    testing::Types<Queue<std::any>, LifoQueue<std::any>, PriorityQueue<std::any, LessAny>,
                   Queue<std::any, Pile<std::any>>>;
TYPED_TEST_SUITE(QueueOfAny, QueuesOfAny);

template <class Q>
void expect_to_get_what_was_put() {
    Q queue;
    const std::any constant(5);
    queue.put(constant);
    queue.put(std::any(5));
    queue.put_nowait(std::any(5));
    EXPECT_EQ(std::any_cast<int>(queue.get()), 5);
    EXPECT_EQ(std::any_cast<int>(queue.get_nowait()), 5);
    EXPECT_EQ(std::any_cast<int>(queue.get(true, 1s)), 5);
}

TYPED_TEST(QueueOfAny, GivesOutWhatWasPut) {
    expect_to_get_what_was_put<TypeParam>();
}

TEST(SimpleQueueOfAny, GivesOutWhatWasPut) {
    expect_to_get_what_was_put<SimpleQueue<std::any>>();
}

TYPED_TEST(QueueOfAny, ARangeForSeesWhatWasPut) {
    TypeParam queue;
    queue.put(std::any(5));
    queue.put(std::any(5));
    queue.shutdown();
    int seen = 0;
    for (std::any each : queue) {
        ASSERT_EQ(each.type(), typeid(int));
        seen += std::any_cast<int>(each);
    }
    EXPECT_EQ(seen, 10);
}

static_assert(std::input_iterator<Queue<std::unique_ptr<int>>::Iterator>);

TEST(QueueIterator, KeepsItsItemWhenItIsMoved) {
    Queue<std::unique_ptr<int>> queue;
    queue.put(std::make_unique<int>(1));
    queue.put(std::make_unique<int>(2));
    queue.shutdown();
    auto first = queue.begin();
    auto moved = std::move(first);
    EXPECT_EQ(**moved, 1);
    ++moved;
    EXPECT_EQ(**moved, 2);
    ++moved;
    EXPECT_EQ(moved, queue.end());
}

/// Counts those that live, and cannot be assigned.
struct Counted {
    explicit Counted(int& c) : count(c) { ++count; }
    Counted(Counted&& other) noexcept : count(other.count) { ++count; }
    ~Counted() { --count; }
    int& count;
};

TEST(Slot, DestroysWhatItHoldsOnce) {
    int count = 0;
    {
        weft::detail::Slot<Counted> slot;
        EXPECT_FALSE(slot.has_value());
        slot.fill([&] { return Counted(count); });
        EXPECT_EQ(count, 1);
        weft::detail::Slot<Counted> other(std::move(slot));
        EXPECT_EQ(count, 1);
        EXPECT_FALSE(slot.has_value());
        slot = std::move(other);
        EXPECT_EQ(count, 1);
        EXPECT_TRUE(slot.has_value());
        slot.reset();
        EXPECT_EQ(count, 0);
        slot.fill([&] { return Counted(count); });
    }
    EXPECT_EQ(count, 0);
}

TEST(Slot, IsEmptyWhenItsValueCouldNotBeMade) {
    weft::detail::Slot<std::any> slot;
    const auto fail = []() -> std::any { throw 1; };
    EXPECT_THROW(slot.fill(fail), int);
    EXPECT_FALSE(slot.has_value());
}

/// Can be moved, but not assigned.
struct Fixed {
    const int id;
    std::unique_ptr<int> value;
    friend bool operator<(const Fixed& a, const Fixed& b) { return a.id < b.id; }
};

template <class Q>
class QueueOfFixed : public testing::Test {};
using QueuesOfFixed =
    testing::Types<Queue<Fixed>, LifoQueue<Fixed>, PriorityQueue<Fixed>, Queue<Fixed, Pile<Fixed>>>;
TYPED_TEST_SUITE(QueueOfFixed, QueuesOfFixed);

TYPED_TEST(QueueOfFixed, APutThatFailsAtOnceLeavesTheItemWithItsOwner) {
    TypeParam queue(1);
    queue.put(Fixed{1, nullptr});
    Fixed mine{2, std::make_unique<int>(7)};
    EXPECT_THROW(queue.put_nowait(std::move(mine)), Full);
    EXPECT_THROW(queue.put(std::move(mine), true, 0s), Full);
    EXPECT_THROW(queue.put(std::move(mine), true, -1s), std::invalid_argument);
    queue.shutdown();
    EXPECT_THROW(queue.put(std::move(mine)), ShutDown);
    ASSERT_NE(mine.value, nullptr);
    EXPECT_EQ(*mine.value, 7);
    EXPECT_EQ(queue.unfinished_tasks(), 1u);
}

}  // namespace
