// Coroutines that wait for locks, semaphores, events and conditions.

#include <weft/coroutines/locks.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/contextvars.hpp>
#include <weft/errors.hpp>
#include <weft/threading/thread.hpp>

#include "coroutines/support.hpp"

namespace {

using namespace weft::coroutines;
using weft::Cancelled;
using weft::test::Detached;
using weft::test::Owned;
using weft::test::Shelf;
using weft::threading::Condition;
using weft::threading::Event;
using weft::threading::Lock;
using weft::threading::RLock;
using weft::threading::Semaphore;

TEST(CoroutineLock, IsTakenAtOnceWhenItIsFree) {
    Lock lock;
    bool is_inside = false;
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        is_inside = true;
    };
    work();
    EXPECT_TRUE(is_inside);
    EXPECT_TRUE(lock.locked());
    lock.release();
}

TEST(CoroutineLock, IsHandedOverByRelease) {
    Lock lock;
    lock.acquire();
    std::vector<int> order;
    const auto work = [&](int number) -> Detached {
        co_await acquire(lock);
        order.push_back(number);
        EXPECT_TRUE(lock.locked());
        lock.release();
    };
    work(1);
    work(2);
    work(3);
    EXPECT_TRUE(order.empty());
    lock.release();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineLock, OfAGuardIsReleasedAtTheScopesEnd) {
    Lock lock;
    Semaphore semaphore(1);
    const auto work = [&]() -> Detached {
        {
            const auto held = co_await guard(lock);
            const auto permit = co_await guard(semaphore);
            EXPECT_TRUE(held.owns_lock());
            EXPECT_TRUE(lock.locked());
            EXPECT_FALSE(semaphore.acquire(false));
        }
        EXPECT_FALSE(lock.locked());
    };
    work();
    EXPECT_TRUE(semaphore.acquire(false));
}

TEST(CoroutineLock, IsSharedWithThreads) {
    constexpr int kTurns = 2000;
    Lock lock;
    long turns = 0;
    int over = 0;
    const auto work = [&]() -> Detached {
        for (int i = 0; i < kTurns; ++i) {
            co_await acquire(lock);
            ++turns;
            lock.release();
        }
        co_await acquire(lock);
        ++over;
        lock.release();
    };
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&] {
                work();
                for (int i = 0; i < kTurns; ++i) {
                    lock.acquire();
                    ++turns;
                    lock.release();
                }
            });
        }
    }
    EXPECT_EQ(turns, 6 * kTurns);
    EXPECT_EQ(over, 3);
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineLock, AChainOfHandoversNeedsNoStack) {
    constexpr int kCoroutines = 100'000;
    Lock lock;
    lock.acquire();
    int over = 0;
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        ++over;
        lock.release();
    };
    for (int i = 0; i < kCoroutines; ++i) work();
    lock.release();
    EXPECT_EQ(over, kCoroutines);
}

TEST(CoroutineLock, TheWaitIsEndedByAStopToken) {
    Lock lock;
    lock.acquire();
    std::stop_source stop;
    bool was_cancelled = false;
    const auto work = [&]() -> Detached {
        try {
            co_await acquire(lock, stop.get_token());
        } catch (const Cancelled&) {
            was_cancelled = true;
        }
    };
    work();
    EXPECT_FALSE(was_cancelled);
    stop.request_stop();
    EXPECT_TRUE(was_cancelled);
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineLock, ARequestBeforeTheWaitEndsItButTakesAFreeLock) {
    std::stop_source stop;
    stop.request_stop();
    Lock lock;
    int cancelled = 0;
    int taken = 0;
    const auto work = [&]() -> Detached {
        try {
            co_await acquire(lock, stop.get_token());
            ++taken;
        } catch (const Cancelled&) {
            ++cancelled;
        }
    };
    work();
    work();
    EXPECT_EQ(taken, 1);
    EXPECT_EQ(cancelled, 1);
    lock.release();
    EXPECT_TRUE(lock.acquire(false));
}

TEST(CoroutineLock, IsResumedWhereTheSchedulerSays) {
    Lock lock;
    lock.acquire();
    Shelf shelf;
    bool is_inside = false;
    const auto work = [&]() -> Detached {
        co_await acquire(lock, shelf);
        is_inside = true;
        lock.release();
    };
    work();
    lock.release();
    EXPECT_FALSE(is_inside);
    EXPECT_TRUE(lock.locked());
    EXPECT_EQ(shelf.resume_all(), 1);
    EXPECT_TRUE(is_inside);
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineLock, ACoroutineThatIsDestroyedLeavesTheLine) {
    Lock lock;
    lock.acquire();
    bool is_inside = false;
    const auto never = [&]() -> Owned {
        co_await acquire(lock);
        ADD_FAILURE() << "was resumed";
    };
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        is_inside = true;
    };
    Owned first = never();
    work();
    first.destroy();
    lock.release();
    EXPECT_TRUE(is_inside);
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineLock, ACoroutineThatIsDestroyedBeforeItGoesOnHandsTheLockOn) {
    Lock lock;
    lock.acquire();
    Shelf shelf;
    bool is_inside = false;
    const auto never = [&]() -> Owned {
        co_await acquire(lock, shelf);
        ADD_FAILURE() << "was resumed";
    };
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        is_inside = true;
    };
    Owned first = never();
    work();
    lock.release();
    EXPECT_FALSE(shelf.is_empty());
    shelf.forget_all();
    first.destroy();
    EXPECT_TRUE(is_inside);
    lock.release();
}

TEST(CoroutineSemaphore, PermitsAreGranted) {
    Semaphore semaphore(1);
    int inside = 0;
    const auto work = [&]() -> Detached {
        co_await acquire(semaphore);
        ++inside;
    };
    for (int i = 0; i < 4; ++i) work();
    EXPECT_EQ(inside, 1);
    semaphore.release(2);
    EXPECT_EQ(inside, 3);
    semaphore.release();
    EXPECT_EQ(inside, 4);
    EXPECT_FALSE(semaphore.acquire(false));
    semaphore.release();
    EXPECT_TRUE(semaphore.acquire(false));
}

TEST(CoroutineSemaphore, APermitOfADestroyedOrCancelledCoroutineIsNotLost) {
    Semaphore semaphore(0);
    Shelf shelf;
    std::stop_source stop;
    bool was_cancelled = false;
    const auto never = [&]() -> Owned {
        co_await acquire(semaphore, shelf);
        ADD_FAILURE() << "was resumed";
    };
    const auto stopped = [&]() -> Detached {
        try {
            co_await acquire(semaphore, stop.get_token());
        } catch (const Cancelled&) {
            was_cancelled = true;
        }
    };
    {
        const Owned granted = never();
        semaphore.release();
        shelf.forget_all();
    }
    EXPECT_TRUE(semaphore.acquire(false));
    stopped();
    stop.request_stop();
    EXPECT_TRUE(was_cancelled);
    semaphore.release();
    EXPECT_TRUE(semaphore.acquire(false));
}

TEST(CoroutineEvent, LetsAllGoWhenItIsSet) {
    Event event;
    int gone = 0;
    const auto work = [&]() -> Detached {
        co_await wait(event);
        ++gone;
    };
    work();
    work();
    EXPECT_EQ(gone, 0);
    event.set();
    EXPECT_EQ(gone, 2);
    work();
    EXPECT_EQ(gone, 3);
    event.clear();
    work();
    EXPECT_EQ(gone, 3);
    event.set();
    EXPECT_EQ(gone, 4);
}

TEST(CoroutineEvent, TheWaitIsEndedByAStopToken) {
    Event event;
    std::stop_source stop;
    std::string how;
    const auto work = [&]() -> Detached {
        try {
            co_await wait(event, stop.get_token());
            how = "set";
        } catch (const Cancelled&) {
            how = "cancelled";
        }
    };
    work();
    stop.request_stop();
    EXPECT_EQ(how, "cancelled");
    event.set();
    work();
    EXPECT_EQ(how, "set");
}

TEST(CoroutineEvent, ADestroyedCoroutineIsForgotten) {
    Event event;
    {
        const auto never = [&]() -> Owned {
            co_await wait(event);
            ADD_FAILURE() << "was resumed";
        };
        const Owned waiting = never();
    }
    event.set();
}

TEST(CoroutineCondition, WaitsWithTheLockReleasedAndHasItBackAfterwards) {
    Lock lock;
    Condition condition(lock);
    bool is_ready = false;
    bool is_over = false;
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        while (!is_ready) co_await wait(condition);
        EXPECT_TRUE(lock.locked());
        is_over = true;
        lock.release();
    };
    work();
    EXPECT_FALSE(lock.locked());
    {
        const std::scoped_lock held(lock);
        condition.notify();  // what is waited for is not there
    }
    EXPECT_FALSE(is_over);
    EXPECT_FALSE(lock.locked());
    {
        const std::scoped_lock held(lock);
        is_ready = true;
        condition.notify();
        EXPECT_FALSE(is_over);
    }
    EXPECT_TRUE(is_over);
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineCondition, NotifiesThoseThatCameFirst) {
    Lock lock;
    Condition condition(lock);
    std::vector<int> order;
    const auto work = [&](int number) -> Detached {
        co_await acquire(lock);
        co_await wait(condition);
        order.push_back(number);
        lock.release();
    };
    for (int i = 0; i < 4; ++i) work(i);
    {
        const std::scoped_lock held(lock);
        condition.notify(2);
    }
    EXPECT_EQ(order, (std::vector{0, 1}));
    {
        const std::scoped_lock held(lock);
        condition.notify_all();
    }
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
}

TEST(CoroutineCondition, ACancelledWaitHasTheLockBackToo) {
    Lock lock;
    Condition condition(lock);
    std::stop_source stop;
    bool was_cancelled = false;
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        try {
            co_await wait(condition, stop.get_token());
        } catch (const Cancelled&) {
            was_cancelled = true;
            EXPECT_TRUE(lock.locked());
            lock.release();
        }
    };
    work();
    lock.acquire();
    stop.request_stop();
    EXPECT_FALSE(was_cancelled);
    lock.release();
    EXPECT_TRUE(was_cancelled);
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineCondition, NeedsALockThatIsHeld) {
    RLock rlock;
    Condition of_rlock(rlock);
    Condition of_own;
    Lock lock;
    Condition condition(lock);
    int thrown = 0;
    const auto work = [&](Condition& which) -> Detached {
        try {
            co_await wait(which);
        } catch (const std::runtime_error&) {
            ++thrown;
        }
    };
    rlock.acquire();
    work(of_rlock);
    rlock.release();
    work(of_own);
    work(condition);
    EXPECT_EQ(thrown, 3);
}

TEST(CoroutineCondition, ADestroyedCoroutinePassesItsNotificationOn) {
    Lock lock;
    Condition condition(lock);
    Shelf shelf;
    bool is_over = false;
    const auto never = [&]() -> Owned {
        co_await acquire(lock);
        co_await wait(condition, shelf);
        ADD_FAILURE() << "was resumed";
    };
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        co_await wait(condition);
        is_over = true;
        lock.release();
    };
    {
        const Owned first = never();
        work();
        {
            const std::scoped_lock held(lock);
            condition.notify();
        }
        EXPECT_TRUE(lock.locked());  // for the one on the shelf
        shelf.forget_all();
    }
    EXPECT_TRUE(is_over);
    EXPECT_FALSE(lock.locked());
}

TEST(CoroutineCondition, PassesAroundBetweenThreadsAndCoroutines) {
    constexpr int kRounds = 2000;
    Lock lock;
    Condition condition(lock);
    int turn = 0;  // even: the thread's, odd: the coroutine's
    const auto work = [&]() -> Detached {
        co_await acquire(lock);
        for (int i = 0; i < kRounds; ++i) {
            while (turn % 2 == 0) co_await wait(condition);
            ++turn;
            condition.notify_all();
        }
        lock.release();
    };
    work();
    std::jthread([&] {
        const std::scoped_lock held(lock);
        for (int i = 0; i < kRounds; ++i) {
            condition.wait_for([&] { return turn % 2 == 0; });
            ++turn;
            condition.notify_all();
        }
    }).join();
    const std::scoped_lock held(lock);
    EXPECT_EQ(turn, 2 * kRounds);
}

/// A coroutine that has been notified destroys another one, notified by the same call.
TEST(CoroutineWaits, OneMayDestroyTheNextInItsThreadsLine) {
    Event event;
    Semaphore semaphore(0);
    Lock lock;
    Condition condition(lock);
    std::optional<Owned> victim;
    int destroyed = 0;
    const auto destroyer = [&](auto waiting) -> Detached {
        co_await waiting;
        victim.reset();
        ++destroyed;
    };
    const auto never = [&](auto waiting) -> Owned {
        co_await waiting;
        ADD_FAILURE() << "was resumed";
    };
    destroyer(wait(event));
    victim.emplace(never(wait(event)));
    event.set();
    EXPECT_EQ(destroyed, 1);

    destroyer(acquire(semaphore));
    victim.emplace(never(acquire(semaphore)));
    semaphore.release(2);
    EXPECT_EQ(destroyed, 2);
    EXPECT_TRUE(semaphore.acquire(false)) << "the permit of the destroyed one is back";

    lock.acquire();
    destroyer(wait(condition));
    lock.acquire();
    victim.emplace(never(wait(condition)));
    lock.acquire();
    condition.notify_all();
    lock.release();
    EXPECT_EQ(destroyed, 3);
    lock.release();
    EXPECT_TRUE(lock.acquire(false));
}

TEST(CoroutineWaits, KeepTheirContextWithKeep) {
    weft::contextvars::ContextVar<int> number("number", 0);
    Event event;
    int seen = 0;
    const auto work = [&]() -> Detached {
        number.set(7);
        co_await weft::contextvars::keep(wait(event));
        seen = number.get();
    };
    weft::contextvars::Context().run([&] { work(); });
    std::jthread([&] { event.set(); }).join();
    EXPECT_EQ(seen, 7);
}

}  // namespace
