// The wake path and what stands on it, in every interleaving within bounds.

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <thread>

#include <weft/_thread/lock.hpp>
#include <weft/detail/low_lock.hpp>
#include <weft/detail/wait_list.hpp>
#include <weft/detail/word_queue.hpp>
#include <weft/errors.hpp>
#include <weft/threading/condition.hpp>

#include "model/explore.hpp"
#include "programs.hpp"

namespace {

using namespace std::chrono_literals;
using weft::_thread::LockType;
using weft::_thread::RLock;
using weft::detail::Deadline;
using weft::detail::LowLock;
using weft::detail::WaitEnd;
using weft::detail::WaitList;
using weft::detail::WordQueue;
using namespace weft::model;
using weft::threading::Condition;

// LowLock -----------------------------------------------------------------------------------------

TEST(LowLockModel, ExcludesTwoThreads) {
    EXPECT_TRUE(is_right(low_lock_program(2, 2), {.spurious = 1, .weak_failures = 1}));
}

TEST(LowLockModel, ExcludesThreeThreads) {
    EXPECT_TRUE(is_right(low_lock_program(3, 1)));
}

TEST(LowLockModel, ExcludesOnSeveralCpus) {
    EXPECT_TRUE(is_right(low_lock_program(2, 1), {.cpus = 2}));
}

TEST(LowLockModel, MayBeDestroyedByWhoeverLocksLast) {
    EXPECT_TRUE(is_right([](Execution& run) {
        auto lock = std::make_unique<LowLock>();
        lock->lock();
        run.thread([&] { lock->unlock(); });
        run.thread([&] {
            lock->lock();
            lock.reset();
        });
        run.go();
    }));
}

// WaitList ----------------------------------------------------------------------------------------

TEST(WaitListModel, NoWakeUpIsLost) {
    EXPECT_TRUE(
        is_right(permits_program(), {.preemptions = 3, .spurious = 1, .delayed_stores = 1}));
}

TEST(WaitListModel, TwoTakersAndTwoGivers) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Permits permits;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { permits.take(); });
            run.thread([&] { permits.give(1); });
        }
        run.go();
        require(permits.available.load() == 0, "every permit was taken");
    }));
}

TEST(WaitListModel, NotifyAllWakesEverybody) {
    EXPECT_TRUE(is_right([](Execution& run) {
        weft::detail::Atomic<bool> is_open{false};
        WaitList list;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                auto look = [&] { return is_open.load(); };
                list.wait(look, {});
            });
        }
        run.thread([&] {
            is_open.store(true);
            list.notify_all();
        });
        run.go();
    }));
}

TEST(WaitListModel, ATimeoutPassesItsNotificationOn) {
    EXPECT_TRUE(is_right(timed_permits_program()));
}

TEST(WaitListModel, AStopEndsAWaitOrANotificationDoes) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Permits permits;
        std::stop_source source;
        bool was_taken = false;
        run.thread([&] {
            const std::stop_token token = source.get_token();
            const WaitEnd end = permits.take({.stop = &token});
            was_taken = end == WaitEnd::notified;
            require(was_taken || end == WaitEnd::cancelled, "it ends in one of two ways");
        });
        run.thread([&] { source.request_stop(); });
        run.thread([&] { permits.give(1); });
        run.go();
        require(permits.available.load() == (was_taken ? 0 : 1), "taken or left");
        require(permits.list.is_empty(), "nobody is listed");
    }));
}

// Lock --------------------------------------------------------------------------------------------

TEST(LockModel, ExcludesTwoThreads) {
    EXPECT_TRUE(is_right(lock_program(2, 2), {.spurious = 1, .weak_failures = 1}));
}
TEST(LockModel, ExcludesThreeThreads) {
    EXPECT_TRUE(is_right(lock_program(3, 2)));
}
TEST(LockModel, HandsOverToTheStarving) {
    EXPECT_TRUE(is_right(lock_program(2, 3), {.nanoseconds_per_look = kStarves}));
    EXPECT_TRUE(is_right(lock_program(3, 2), {.nanoseconds_per_look = kStarves}));
}

TEST(LockModel, ATimedAcquireRacesWithRelease) {
    EXPECT_TRUE(is_right(timed_lock_program()));
}
TEST(LockModel, ATimedAcquireRacesWithHandingOver) {
    EXPECT_TRUE(is_right(timed_lock_program(), {.nanoseconds_per_look = kStarves / 4}));
}

TEST(LockModel, ACancelRacesWithRelease) {
    EXPECT_TRUE(is_right([](Execution& run) {
        LockType lock;
        lock.acquire();
        std::stop_source source;
        run.thread([&] {
            try {
                lock.acquire(source.get_token());
                lock.release();
            } catch (const weft::Cancelled&) {
            }
        });
        run.thread([&] { source.request_stop(); });
        run.thread([&] { lock.release(); });
        run.go();
        require(!lock.locked(), "the lock is free in the end");
    }));
}

TEST(LockModel, MayBeDestroyedByWhoeverAcquiresLast) {
    const Program program = [](Execution& run) {
        auto lock = std::make_unique<LockType>();
        lock->acquire();
        run.thread([&] { lock->release(); });
        run.thread([&] {
            lock->acquire();
            lock.reset();
        });
        run.go();
    };
    EXPECT_TRUE(is_right(program, {.preemptions = 3}));
    EXPECT_TRUE(is_right(program, {.preemptions = 3, .nanoseconds_per_look = kStarves}));
}

/// Two releases of a lock that is held once, while two threads wait: either one of them fails, or a
/// waiter got the lock in between. The lock stays sound.
TEST(LockModel, OneReleaseTooManyIsRefusedOrUnlocksForTheNext) {
    EXPECT_TRUE(is_right([](Execution& run) {
        LockType lock;
        lock.acquire();
        weft::detail::Atomic<int> releases{0};
        for (int i = 0; i < 2; ++i) {
            run.thread([&] { lock.acquire(); });
            run.thread([&] {
                try {
                    lock.release();
                    releases.fetch_add(1);
                } catch (const std::runtime_error&) {
                    // The other waiter needs it, once there is something to release.
                    while (!lock.locked()) std::this_thread::yield();
                    lock.release();
                    releases.fetch_add(1);
                }
            });
        }
        run.go();
        require(releases.load() == 2, "both releases came to pass");
        require(lock.locked(), "the last waiter holds the lock");
        lock.release();
        require(!lock.locked(), "the lock is free in the end");
    }));
}

/// However releases race, each that succeeds undoes one acquisition.
TEST(LockModel, ReleasesAndAcquisitionsBalance) {
    const Program program = [](Execution& run) {
        LockType lock;
        lock.acquire();
        int balance = 1;
        const auto release = [&] {
            try {
                lock.release();
                --balance;
            } catch (const std::runtime_error&) {
                // Another thread was first.
            }
        };
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                for (int n = 0; n < 2; ++n) {
                    lock.acquire();
                    ++balance;
                    release();
                }
            });
            run.thread(release);
        }
        run.go();
        require(balance == (lock.locked() ? 1 : 0), "each release undid one acquisition");
    };
    EXPECT_TRUE(is_right(program));
    EXPECT_TRUE(is_right(program, {.nanoseconds_per_look = kStarves}));
}

TEST(RLockModel, ExcludesAndCountsLevels) {
    EXPECT_TRUE(is_right(
        [](Execution& run) {
            RLock lock;
            int counter = 0;
            for (int i = 0; i < 2; ++i) {
                run.thread([&] {
                    lock.acquire();
                    lock.acquire();
                    change(counter, 1);
                    lock.release();
                    change(counter, 1);
                    lock.release();
                });
            }
            run.go();
            require(counter == 4, "the lock excludes");
            require(!lock.locked(), "the lock is free in the end");
        },
        {.delayed_stores = 1}));
}

// Condition ---------------------------------------------------------------------------------------

TEST(ConditionModel, ANotificationUnderTheLockIsNotMissed) {
    EXPECT_TRUE(is_right([](Execution& run) {
        LockType lock;
        Condition changed(lock);
        bool is_ready = false;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                lock.acquire();
                while (!is_ready) changed.wait();
                lock.release();
            });
        }
        run.thread([&] {
            lock.acquire();
            is_ready = true;
            changed.notify_all();
            lock.release();
        });
        run.go();
        require(!lock.locked(), "the lock is free in the end");
    }));
}

/// One of two waits has a limit; one notification. It is counted exactly once: if both had been
/// waiting, exactly one of them reports it.
TEST(ConditionModel, ANotificationIsCountedOnceBesideATimeout) {
    EXPECT_TRUE(is_right([](Execution& run) {
        LockType lock;
        Condition changed(lock);
        int waiting = 0;
        int notified = 0;
        int sent = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                lock.acquire();
                ++waiting;
                const bool was_notified = changed.wait(1ms);
                --waiting;
                notified += was_notified ? 1 : 0;
                lock.release();
            });
        }
        run.thread([&] {
            lock.acquire();
            sent = waiting > 0 ? 1 : 0;
            changed.notify();
            lock.release();
        });
        run.go();
        // Those whose time was up may still have been counted as waiting.
        require(notified <= sent, "no more wake-ups than notifications");
        require(!lock.locked(), "the lock is free in the end");
    }));
}

TEST(ConditionModel, NotifyWakesExactlyAsManyAsAskedFor) {
    EXPECT_TRUE(is_right([](Execution& run) {
        LockType lock;
        Condition changed(lock);
        int waiting = 0;
        int notified = 0;
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                lock.acquire();
                ++waiting;
                changed.wait();
                ++notified;
                lock.release();
            });
        }
        run.thread([&] {
            // One at a time; each wakes one of those who wait at that moment and nobody else.
            for (int sent = 0; sent < 2;) {
                lock.acquire();
                if (waiting > sent) {
                    changed.notify();
                    ++sent;
                }
                require(notified <= sent, "no more wake-ups than notifications");
                lock.release();
                std::this_thread::yield();
            }
        });
        run.go();
        require(notified == 2, "both were woken");
    }));
}

TEST(ConditionModel, GivesAnRLockBackWithAllItsLevels) {
    EXPECT_TRUE(is_right([](Execution& run) {
        Condition changed;
        bool is_ready = false;
        run.thread([&] {
            changed.acquire();
            changed.acquire();
            while (!is_ready) changed.wait();
            changed.release();
            changed.release();
        });
        run.thread([&] {
            changed.acquire();
            is_ready = true;
            changed.notify();
            changed.release();
        });
        run.go();
        require(!changed.locked(), "the lock is free in the end");
    }));
}

// WordQueue ---------------------------------------------------------------------------------------

TEST(WordQueueModel, EveryWordArrivesOnce) {
    EXPECT_TRUE(is_right(
        [](Execution& run) {
            WordQueue queue;
            std::uint64_t sum = 0;
            for (int i = 0; i < 2; ++i) {
                run.thread([&] {
                    WordQueue::Taken taken;
                    require(queue.pop(taken, {}) == WaitEnd::notified, "it got a word");
                    sum += taken.word;
                });
            }
            run.thread([&] {
                queue.push(1);
                queue.push(2);
            });
            run.go();
            require(sum == 3, "each word was taken once");
        },
        {.delayed_stores = 1}));
}

TEST(WordQueueModel, ATimedPopLeavesTheWordToTheOther) {
    EXPECT_TRUE(is_right([](Execution& run) {
        WordQueue queue;
        weft::detail::Atomic<int> taken{0};
        run.thread([&] {
            WordQueue::Taken got;
            if (queue.pop(got, {.deadline = Deadline::after(1ms)}) == WaitEnd::notified) {
                queue.push(got.word);
            }
        });
        run.thread([&] {
            WordQueue::Taken got;
            require(queue.pop(got, {}) == WaitEnd::notified, "it got the word");
            taken.fetch_add(1);
        });
        run.thread([&] { queue.push(7); });
        run.go();
        require(taken.load() == 1, "the untimed one got it");
    }));
}

TEST(WordQueueModel, MayBeDestroyedOnceTheLastWordWasTaken) {
    EXPECT_TRUE(is_right([](Execution& run) {
        auto queue = std::make_unique<WordQueue>();
        run.thread([&] { queue->push(1); });
        run.thread([&] {
            WordQueue::Taken taken;
            require(queue->pop(taken, {}) == WaitEnd::notified, "it got the word");
            queue.reset();
        });
        run.go();
    }));
}

/// There is always a word: first one that was given back, then one that was put after it.
TEST(WordQueueModel, EmptyIsNotClaimedBetweenAWordGivenBackAndTheNext) {
    EXPECT_TRUE(is_right([](Execution& run) {
        WordQueue queue;
        WordQueue::Returned place;
        WordQueue::Taken taken;
        queue.push(1);
        require(queue.try_pop(taken), "there was a word");
        queue.give_back(taken, place);
        run.thread([&] {
            queue.push(2);
            require(queue.try_pop(taken) && taken.word == 1, "the older word comes first");
        });
        run.thread([&] { require(!queue.is_empty(), "there is always a word"); });
        run.go();
    }));
}

/// Two words are out at once and come back: whoever takes them then finds them in order.
TEST(WordQueueModel, WordsThatComeBackKeepTheirOrder) {
    EXPECT_TRUE(is_right([](Execution& run) {
        WordQueue queue;
        std::array<WordQueue::Returned, 3> places;
        for (std::uint64_t i = 0; i < 3; ++i) queue.push(i);
        for (int i = 0; i < 2; ++i) {
            run.thread([&] {
                WordQueue::Taken taken;
                require(queue.try_pop(taken), "there is a word");
                queue.give_back(taken, places.at(taken.word));
            });
        }
        run.go();
        for (std::uint64_t i = 0; i < 3; ++i) {
            WordQueue::Taken taken;
            require(queue.try_pop(taken) && taken.word == i, "the order is that of the puts");
        }
        require(queue.is_empty(), "nothing is doubled");
    }));
}

}  // namespace
