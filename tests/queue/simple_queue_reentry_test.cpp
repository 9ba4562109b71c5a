// Items whose constructors, assignment and destructor use the queue that they travel through, and
// items whose copies and moves throw.

#include <weft/queue/simple_queue.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using weft::queue::Empty;
using weft::queue::SimpleQueue;

/// Says what happens to it.
struct Hooked {
    using Hook = std::function<void()>;

    explicit Hooked(int v) : value(v) {}
    Hooked(const Hooked& other)
        : value(other.value), on_copy(other.on_copy), on_move(other.on_move), on_end(other.on_end) {
        if (on_copy) on_copy();
    }
    Hooked(Hooked&& other)
        : value(other.value), on_copy(other.on_copy), on_move(other.on_move), on_end(other.on_end) {
        if (on_move) on_move();
    }
    Hooked& operator=(const Hooked&) = default;
    ~Hooked() {
        if (on_end) on_end();
    }

    int value;
    Hook on_copy;
    Hook on_move;
    Hook on_end;
};

TEST(SimpleQueueReentry, ACopyMayUseTheQueueItIsPutInto) {
    SimpleQueue<Hooked> queue;
    queue.emplace(1);
    Hooked item(2);
    int got = 0;
    item.on_copy = [&] {
        got = queue.get().value;
        queue.emplace(3);
        EXPECT_EQ(queue.qsize(), 1u);
    };
    queue.put(item);
    EXPECT_EQ(got, 1);
    EXPECT_EQ(queue.get().value, 3);
    EXPECT_EQ(queue.get().value, 2);
}

TEST(SimpleQueueReentry, AMoveMayUseTheQueueItIsPutInto) {
    SimpleQueue<Hooked> queue;
    Hooked item(2);
    item.on_move = [&] { queue.emplace(1); };
    queue.put(std::move(item));
    EXPECT_EQ(queue.qsize(), 2u);
    EXPECT_EQ(queue.get().value, 1);
}

TEST(SimpleQueueReentry, AMoveMayUseTheQueueItIsTakenFrom) {
    SimpleQueue<Hooked> queue;
    queue.emplace(1);
    queue.emplace(2);
    int got = 0;
    SimpleQueue<std::function<void()>> pending;
    pending.put([&] { got = queue.get().value; });
    {
        Hooked first = queue.get();
        first.on_move = [&] {
            if (!pending.empty()) pending.get()();
        };
        queue.put(std::move(first));
    }
    EXPECT_EQ(got, 2);
    pending.put([&] { queue.emplace(9); });
    EXPECT_EQ(queue.get().value, 1);
    EXPECT_EQ(queue.get().value, 9);
}

TEST(SimpleQueueReentry, ADestructorMayPutAndGet) {
    SimpleQueue<Hooked> queue;
    int ends = 0;
    {
        Hooked item(1);
        item.on_end = [&] {
            ++ends;
            queue.emplace(100 + ends);
            (void)queue.qsize();
        };
        queue.put(item);
    }
    const int before = ends;
    (void)queue.get();
    EXPECT_GT(ends, before);
    for (int i = 1; i <= ends; ++i) ASSERT_EQ(queue.get().value, 100 + i);
    EXPECT_TRUE(queue.empty());
}

/// Puts a successor into its queue when it dies, until it has no successors left.
struct Heir {
    Heir(SimpleQueue<std::unique_ptr<Heir>>& q, int n, int& d) : queue(q), left(n), deaths(d) {}
    ~Heir() {
        ++deaths;
        if (left > 0) queue.put(std::make_unique<Heir>(queue, left - 1, deaths));
    }
    SimpleQueue<std::unique_ptr<Heir>>& queue;
    int left;
    int& deaths;
};

TEST(SimpleQueueReentry, ItemsPutWhileTheQueueIsDestroyedAreDestroyedToo) {
    int deaths = 0;
    {
        SimpleQueue<std::unique_ptr<Heir>> queue;
        queue.put(std::make_unique<Heir>(queue, 600, deaths));
    }
    EXPECT_EQ(deaths, 601);
}

// Throwing ----------------------------------------------------------------------------------------

struct Trouble : std::runtime_error {
    Trouble() : std::runtime_error("trouble") {}
};

TEST(SimpleQueueStrong, ACopyThatThrowsInPutLeavesTheQueueAsItWas) {
    SimpleQueue<Hooked> queue;
    queue.emplace(1);
    Hooked item(2);
    item.on_copy = [] { throw Trouble(); };
    EXPECT_THROW(queue.put(item), Trouble);
    EXPECT_THROW(queue.put(item, true, 1), Trouble);
    EXPECT_THROW(queue.put_nowait(item), Trouble);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.get().value, 1);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueueStrong, AMoveThatThrowsInPutLeavesTheQueueAsItWas) {
    SimpleQueue<Hooked> queue;
    queue.emplace(1);
    Hooked item(2);
    item.on_move = [] { throw Trouble(); };
    EXPECT_THROW(queue.put(std::move(item)), Trouble);
    EXPECT_EQ(queue.qsize(), 1u);
    EXPECT_EQ(queue.get().value, 1);
}

TEST(SimpleQueueStrong, AConstructorThatThrowsInEmplaceLeavesTheQueueAsItWas) {
    struct Picky {
        explicit Picky(bool is_good) {
            if (!is_good) throw Trouble();
        }
    };
    SimpleQueue<Picky> queue;
    queue.emplace(true);
    EXPECT_THROW(queue.emplace(false), Trouble);
    EXPECT_EQ(queue.qsize(), 1u);
}

/// An item whose moves throw while a flag says so.
struct Fragile {
    Fragile(int v, const bool& b) : value(v), breaks(&b) {}
    Fragile(const Fragile& other) : value(other.value), breaks(other.breaks) {
        if (*breaks) throw Trouble();
    }
    int value;
    const bool* breaks;
};

TEST(SimpleQueueStrong, AnItemWhoseMoveThrowsInGetGoesBackToTheFront) {
    bool breaks = false;
    SimpleQueue<Fragile> queue;
    for (int i = 0; i < 3; ++i) queue.emplace(i, breaks);
    breaks = true;
    EXPECT_THROW((void)queue.get(), Trouble);
    EXPECT_THROW((void)queue.get_nowait(), Trouble);
    EXPECT_THROW((void)queue.get(true, 1), Trouble);
    EXPECT_EQ(queue.qsize(), 3u);
    EXPECT_FALSE(queue.empty());
    breaks = false;
    queue.emplace(3, breaks);
    for (int i = 0; i < 4; ++i) ASSERT_EQ(queue.get().value, i);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueueStrong, AnItemThatWentBackIsWhatMakesTheQueueNotEmpty) {
    bool breaks = true;
    SimpleQueue<Fragile> queue;
    queue.emplace(1, breaks);
    EXPECT_THROW((void)queue.get(), Trouble);
    EXPECT_FALSE(queue.empty());
    EXPECT_EQ(queue.qsize(), 1u);
    breaks = false;
    EXPECT_EQ(queue.get().value, 1);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueueStrong, AnItemThatWentBackIsDestroyedWithTheQueue) {
    const auto shared = std::make_shared<int>(1);
    struct Holder {
        explicit Holder(std::shared_ptr<int> p) : pointer(std::move(p)) {}
        [[noreturn]] Holder(const Holder&) { throw Trouble(); }
        std::shared_ptr<int> pointer;
    };
    {
        SimpleQueue<Holder> queue;
        queue.emplace(shared);
        EXPECT_THROW((void)queue.get(), Trouble);
        EXPECT_EQ(shared.use_count(), 2);
    }
    EXPECT_EQ(shared.use_count(), 1);
}

/// Two items are out at the same time, and the older one goes back last.
TEST(SimpleQueueStrong, WhatGoesBackLastIsFirstAgain) {
    SimpleQueue<Hooked> queue;
    bool breaks = false;
    Hooked older(1);
    older.on_move = [&] {
        if (!breaks) return;
        breaks = false;
        // While 1 is on its way out, 2 is taken, and its move throws as well.
        try {
            (void)queue.get();
            ADD_FAILURE() << "the inner get did not throw";
        } catch (const Trouble&) {
        }
        throw Trouble();
    };
    Hooked younger(2);
    bool is_second = false;
    younger.on_move = [&] {
        if (is_second) throw Trouble();
    };
    queue.put(older);
    queue.put(younger);
    queue.emplace(3);
    breaks = true;
    is_second = true;
    EXPECT_THROW((void)queue.get(), Trouble);
    is_second = false;
    EXPECT_EQ(queue.qsize(), 3u);
    EXPECT_EQ(queue.get().value, 1);
    EXPECT_EQ(queue.get().value, 2);
    EXPECT_EQ(queue.get().value, 3);
}

/// Two items are out at the same time, and the older one goes back first: the younger must not come
/// before it.
TEST(SimpleQueueStrong, WhatGoesBackFirstIsStillFirst) {
    SimpleQueue<Hooked> queue;
    std::latch older_is_out{1};
    std::latch younger_is_out{1};
    std::latch older_is_back{1};
    bool breaks = false;
    Hooked older(1);
    older.on_move = [&] {
        if (!breaks) return;
        older_is_out.count_down();
        younger_is_out.wait();
        throw Trouble();
    };
    Hooked younger(2);
    younger.on_move = [&] {
        if (!breaks) return;
        younger_is_out.count_down();
        older_is_back.wait();
        throw Trouble();
    };
    queue.put(older);
    queue.put(younger);
    queue.emplace(3);
    breaks = true;
    {
        const std::jthread first([&] {
            EXPECT_THROW((void)queue.get(), Trouble);
            older_is_back.count_down();
        });
        older_is_out.wait();
        EXPECT_THROW((void)queue.get(), Trouble);
    }
    breaks = false;
    for (int value : {1, 2, 3}) EXPECT_EQ(queue.get().value, value);
}

/// Its first copy throws, whoever makes it.
struct BreaksOnce {
    explicit BreaksOnce(std::atomic<bool>& w) : will_break(&w) {}
    BreaksOnce(const BreaksOnce& other) : will_break(other.will_break) {
        if (will_break->exchange(false)) throw Trouble();
    }
    std::atomic<bool>* will_break;
};

TEST(SimpleQueueStrong, AnItemThatGoesBackWakesAnotherWaiter) {
    for (int round = 0; round < 200; ++round) {
        SimpleQueue<BreaksOnce> queue;
        std::atomic<bool> will_break{true};
        std::atomic<int> got{0};
        std::atomic<int> broken{0};
        std::vector<std::jthread> waiters;
        for (int i = 0; i < 2; ++i) {
            waiters.emplace_back([&] {
                try {
                    (void)queue.get(true, 60);
                    ++got;
                } catch (const Trouble&) {
                    ++broken;
                }
            });
        }
        queue.emplace(will_break);
        while (broken == 0) std::this_thread::yield();
        waiters.clear();
        ASSERT_EQ(got, 1);
        ASSERT_EQ(broken, 1);
    }
}

}  // namespace
