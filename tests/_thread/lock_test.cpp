#include <weft/_thread/lock.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

#include "_thread/common_checks.hpp"

namespace {

using namespace std::chrono_literals;
using weft::Timeout;
using weft::_thread::LockType;
using weft::_thread::RLock;

template <class L>
class AnyLock : public testing::Test {};
using LockTypes = testing::Types<LockType, RLock>;
TYPED_TEST_SUITE(AnyLock, LockTypes);

/// Runs `action` on another thread and waits for it.
template <class Action>
void elsewhere(Action action) {
    std::jthread(action).join();
}

TYPED_TEST(AnyLock, IsCreatedUnlocked) {
    TypeParam lock;
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, AcquireReturnsTrueAndLocks) {
    TypeParam lock;
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, ReleasingAnUnlockedLockIsARuntimeError) {
    TypeParam lock;
    EXPECT_THROW(lock.release(), std::runtime_error);
    lock.acquire();
    lock.release();
    EXPECT_THROW(lock.release(), std::runtime_error);
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(lock.acquire(false));
    lock.release();
}

TYPED_TEST(AnyLock, NonBlockingAcquireReportsFailure) {
    TypeParam lock;
    lock.acquire();
    elsewhere([&] { EXPECT_FALSE(lock.acquire(false)); });
    EXPECT_TRUE(lock.locked());
    lock.release();
    elsewhere([&] {
        EXPECT_TRUE(lock.acquire(false));
        lock.release();
    });
}

TYPED_TEST(AnyLock, ArgumentsAreCheckedBeforeLocking) {
    TypeParam lock;
    EXPECT_THROW(lock.acquire(false, 0), std::invalid_argument);
    EXPECT_THROW(lock.acquire(false, 1), std::invalid_argument);
    EXPECT_THROW(lock.acquire(true, -2), std::invalid_argument);
    EXPECT_THROW(lock.acquire(true, -0.5), std::invalid_argument);
    EXPECT_THROW(lock.acquire(true, 1e100), std::overflow_error);
    EXPECT_THROW(lock.acquire(std::stop_token(), -2), std::invalid_argument);
    EXPECT_FALSE(lock.locked());
    lock.acquire();
    EXPECT_THROW(lock.acquire(false, 1), std::invalid_argument);
    EXPECT_THROW(lock.acquire(true, -2), std::invalid_argument);
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, MinusOneMeansNoLimit) {
    TypeParam lock;
    EXPECT_TRUE(lock.acquire(true, -1));
    elsewhere([&] { EXPECT_FALSE(lock.acquire(false, -1)); });
    std::jthread waiter([&] {
        EXPECT_TRUE(lock.acquire(true, -1));
        lock.release();
    });
    lock.release();
}

TYPED_TEST(AnyLock, TheLongestTimeoutWorks) {
    TypeParam lock;
    EXPECT_TRUE(lock.acquire(true, weft::TIMEOUT_MAX));
    std::jthread waiter([&] {
        EXPECT_TRUE(lock.acquire(true, weft::TIMEOUT_MAX));
        lock.release();
    });
    lock.release();
}

TYPED_TEST(AnyLock, ZeroTimeoutPolls) {
    TypeParam lock;
    EXPECT_TRUE(lock.acquire(true, 0));
    elsewhere([&] { EXPECT_FALSE(lock.acquire(true, 0)); });
    lock.release();
}

TYPED_TEST(AnyLock, TimedAcquireGivesUpNotBeforeTheDeadline) {
    TypeParam lock;
    lock.acquire();
    weft::test::expect_to_give_up_after_30_seconds([&] { return lock.acquire(true, 30s); });
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, TimedAcquireSucceedsWhenReleasedInTime) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    TypeParam lock;
    lock.acquire();
    std::jthread waiter([&] {
        EXPECT_TRUE(lock.acquire(true, 30s));
        lock.release();
    });
    clock.wait_for_sleepers(1);
    lock.release();
}

TYPED_TEST(AnyLock, StopTokenCancelsAWait) {
    TypeParam lock;
    lock.acquire();
    std::stop_source source;
    std::jthread waiter([&] { EXPECT_THROW(lock.acquire(source.get_token()), weft::Cancelled); });
    source.request_stop();
    waiter.join();
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, StopTokenFormTakesAFreeLockAndHonoursTheTimeout) {
    TypeParam lock;
    std::stop_source source;
    source.request_stop();
    EXPECT_TRUE(lock.acquire(source.get_token()));
    elsewhere([&] { EXPECT_FALSE(lock.acquire(std::stop_token(), 1ms)); });
    lock.release();
}

TYPED_TEST(AnyLock, WorksWithTheStandardsGuards) {
    TypeParam one;
    TypeParam two;
    {
        std::scoped_lock held(one, two);
        EXPECT_TRUE(one.locked());
        EXPECT_TRUE(two.locked());
    }
    std::unique_lock maybe(one, std::try_to_lock);
    EXPECT_TRUE(maybe.owns_lock());
    elsewhere([&] {
        std::unique_lock never(one, 1ms);
        EXPECT_FALSE(never.owns_lock());
        EXPECT_FALSE(one.try_lock_until(std::chrono::steady_clock::now() - 1s));
    });
}

TYPED_TEST(AnyLock, MayBeDestroyedWhileLocked) {
    auto lock = std::make_unique<TypeParam>();
    lock->acquire();
    lock.reset();
}

TYPED_TEST(AnyLock, TextFormShowsTheState) {
    TypeParam lock;
    EXPECT_NE(lock.repr().find("<unlocked "), std::string::npos);
    lock.acquire();
    EXPECT_NE(lock.repr().find("<locked "), std::string::npos);
    lock.release();
}

TYPED_TEST(AnyLock, ExcludesEveryOtherThread) {
    constexpr int kThreads = 4;
    constexpr int kEach = 20'000;
    TypeParam lock;
    int inside = 0;
    int total = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    std::scoped_lock held(lock);
                    EXPECT_EQ(++inside, 1);
                    ++total;
                    --inside;
                }
            });
        }
    }
    EXPECT_EQ(total, kThreads * kEach);
}

/// Waiters with and without limits and tokens, so that every way out of the wait meets every other.
TYPED_TEST(AnyLock, LosesNobodyWhenWaitsEndInAllWays) {
    constexpr int kEach = 4'000;
    TypeParam lock;
    std::atomic<int> taken{0};
    int total = 0;
    {
        const auto enter = [&] {
            ++total;
            lock.release();
            ++taken;
        };
        std::vector<std::jthread> threads;
        for (int t = 0; t < 2; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    lock.acquire();
                    enter();
                }
            });
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    if (lock.acquire(true, 10us)) enter();
                }
            });
        }
        threads.emplace_back([&] {
            for (int i = 0; i < kEach / 20; ++i) {
                std::stop_source source;
                std::jthread canceller([&] { source.request_stop(); });
                try {
                    lock.acquire(source.get_token());
                    enter();
                } catch (const weft::Cancelled&) {
                }
            }
        });
    }
    EXPECT_EQ(total, taken);
    EXPECT_FALSE(lock.locked());
}

TYPED_TEST(AnyLock, StarvesNobody) {
    weft::test::expect_to_starve_nobody<TypeParam>();
}

TYPED_TEST(AnyLock, MayBeDestroyedByWhoeverAcquiredItLast) {
    weft::test::expect_to_be_destroyed_by_whoever_acquired_it_last<TypeParam>();
}

TEST(Lock, AnyThreadMayRelease) {
    LockType lock;
    lock.acquire();
    elsewhere([&] { lock.release(); });
    EXPECT_FALSE(lock.locked());
}

TEST(Lock, AcquiringAgainBlocks) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    LockType lock;
    lock.acquire();
    std::jthread helper([&] {
        clock.wait_for_sleepers(1);
        clock.advance(5s);
    });
    EXPECT_FALSE(lock.acquire(true, 5s));
    lock.release();
}

TEST(Lock, MayBeAConstinitStatic) {
    static constinit LockType lock;
    EXPECT_TRUE(lock.acquire(false));
    lock.release();
}

TEST(RLock, ANewThreadDoesNotOwnWhatAnEndedOneLeftLocked) {
    RLock lock;
    for (int i = 0; i < 4; ++i) {
        // The system gives the ended thread's identifier to the next one.
        elsewhere([&] { EXPECT_EQ(lock.acquire(false), i == 0); });
    }
    EXPECT_TRUE(lock.locked());
}

/// Two threads release at once what was acquired once, while others wait: whoever had nothing to
/// release is told, and the lock is locked only if somebody has it.
TEST(Lock, ConcurrentReleasesOfOneAcquireLeaveNoLockWithoutAHolder) {
    for (int round = 0; round < 200; ++round) {
        LockType lock;
        lock.acquire();
        std::atomic<int> held{1};
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 2; ++i) {
                threads.emplace_back([&] { held += lock.acquire(true, 1ms) ? 1 : 0; });
                threads.emplace_back([&] {
                    try {
                        lock.release();
                        --held;
                    } catch (const std::runtime_error&) {
                    }
                });
            }
        }
        EXPECT_EQ(held, lock.locked() ? 1 : 0);
    }
}

TEST(RLock, OwnerAcquiresAgainAndReleasesAsOften) {
    RLock lock;
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.acquire(false));
    EXPECT_TRUE(lock.acquire(true, 1));
    EXPECT_TRUE(lock.acquire(std::stop_token()));
    for (int i = 0; i < 3; ++i) lock.release();
    EXPECT_TRUE(lock.locked());
    elsewhere([&] { EXPECT_FALSE(lock.acquire(false)); });
    lock.release();
    EXPECT_FALSE(lock.locked());
    EXPECT_THROW(lock.release(), std::runtime_error);
}

TEST(RLock, ReleaseByAnotherThreadChangesNothing) {
    RLock lock;
    lock.acquire();
    elsewhere([&] { EXPECT_THROW(lock.release(), std::runtime_error); });
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_FALSE(lock.locked());
}

}  // namespace
