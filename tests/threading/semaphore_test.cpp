#include <weft/threading/semaphore.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/lock.hpp>

#include "_thread/common_checks.hpp"

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using weft::ManualClock;
using weft::threading::BoundedSemaphore;
using weft::threading::Guard;
using weft::threading::Semaphore;

constexpr std::ptrdiff_t kMost = (std::ptrdiff_t{1} << 41) - 1;

/// How many permits can be taken without waiting; gives them back.
std::ptrdiff_t free_permits(Semaphore& semaphore) {
    std::ptrdiff_t count = 0;
    while (semaphore.acquire(false)) ++count;
    if (count > 0) semaphore.release(count);
    return count;
}

/// The message of the exception of type E that `act` throws.
template <class E, class Act>
std::string message_of(Act act) {
    try {
        act();
    } catch (const E& error) {
        return error.what();
    }
    return "nothing was thrown";
}

template <class S>
class AnySemaphore : public testing::Test {};
using SemaphoreTypes = testing::Types<Semaphore, BoundedSemaphore>;
TYPED_TEST_SUITE(AnySemaphore, SemaphoreTypes);

TYPED_TEST(AnySemaphore, HasOnePermitByDefault) {
    TypeParam semaphore;
    EXPECT_TRUE(semaphore.acquire(false));
    EXPECT_FALSE(semaphore.acquire(false));
    semaphore.release();
    EXPECT_EQ(free_permits(semaphore), 1);
}

TYPED_TEST(AnySemaphore, HasAsManyPermitsAsItWasMadeWith) {
    TypeParam none(0);
    TypeParam seven(7);
    EXPECT_EQ(free_permits(none), 0);
    EXPECT_EQ(free_permits(seven), 7);
}

TYPED_TEST(AnySemaphore, RefusesANegativeValueAndOneThatIsTooLarge) {
    EXPECT_THAT(message_of<std::invalid_argument>([] { TypeParam semaphore(-3); }),
                HasSubstr("-3"));
    EXPECT_THAT(message_of<std::overflow_error>([] { TypeParam semaphore(kMost + 1); }),
                HasSubstr(std::to_string(kMost + 1)));
    constexpr auto kLeast = (std::numeric_limits<std::ptrdiff_t>::min)();
    constexpr auto kGreatest = (std::numeric_limits<std::ptrdiff_t>::max)();
    EXPECT_THROW(TypeParam{kLeast}, std::invalid_argument);
    EXPECT_THROW(TypeParam{kGreatest}, std::overflow_error);
    TypeParam largest(kMost);
    EXPECT_THAT(largest.repr(), HasSubstr("value=" + std::to_string(kMost)));
}

TYPED_TEST(AnySemaphore, MayBeAConstinitStatic) {
    static constinit TypeParam semaphore(2);
    EXPECT_EQ(free_permits(semaphore), 2);
}

TYPED_TEST(AnySemaphore, AcquireTakesAPermitAndReturnsTrue) {
    TypeParam semaphore(2);
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_EQ(free_permits(semaphore), 1);
    EXPECT_TRUE(semaphore.acquire(true));
    EXPECT_EQ(free_permits(semaphore), 0);
    semaphore.release(2);
}

TYPED_TEST(AnySemaphore, ATryTakesNoTimeoutAtAll) {
    TypeParam semaphore;
    EXPECT_THROW(semaphore.acquire(false, 0), std::invalid_argument);
    EXPECT_THROW(semaphore.acquire(false, -1), std::invalid_argument);
    EXPECT_THAT(message_of<std::invalid_argument>([&] { semaphore.acquire(false, 1.5); }),
                HasSubstr("1500000000 ns"));
    EXPECT_EQ(free_permits(semaphore), 1);
}

TYPED_TEST(AnySemaphore, ZeroAndNegativeLimitsPoll) {
    TypeParam semaphore;
    EXPECT_TRUE(semaphore.acquire(true, 0));
    EXPECT_FALSE(semaphore.acquire(true, 0));
    EXPECT_FALSE(semaphore.acquire(true, -1));
    EXPECT_FALSE(semaphore.acquire(true, -1h));
    semaphore.release();
    EXPECT_TRUE(semaphore.acquire(true, -1));
    semaphore.release();
}

TYPED_TEST(AnySemaphore, TimedAcquireGivesUpNotBeforeTheDeadline) {
    TypeParam semaphore(0);
    weft::test::expect_to_give_up_after_30_seconds([&] { return semaphore.acquire(true, 30s); });
}

TYPED_TEST(AnySemaphore, TimedAcquireSucceedsWhenReleasedInTime) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam semaphore(1);
    semaphore.acquire();
    std::jthread waiter([&] { EXPECT_TRUE(semaphore.acquire(true, 30s)); });
    clock.wait_for_sleepers(1);
    semaphore.release();
    waiter.join();
    EXPECT_EQ(free_permits(semaphore), 0);
}

TYPED_TEST(AnySemaphore, StopTokenCancelsAWait) {
    TypeParam semaphore(0);
    std::stop_source source;
    std::jthread waiter(
        [&] { EXPECT_THROW(semaphore.acquire(source.get_token()), weft::Cancelled); });
    source.request_stop();
    waiter.join();
    EXPECT_EQ(free_permits(semaphore), 0);
}

TYPED_TEST(AnySemaphore, StopTokenFormTakesAFreePermitAndHonoursTheTimeout) {
    TypeParam semaphore;
    std::stop_source source;
    source.request_stop();
    EXPECT_TRUE(semaphore.acquire(source.get_token()));
    EXPECT_FALSE(semaphore.acquire(std::stop_token(), 1ms));
    EXPECT_FALSE(semaphore.acquire(source.get_token(), 0));
    semaphore.release();
}

TYPED_TEST(AnySemaphore, ScopesTakeOnePermitEach) {
    TypeParam semaphore(3);
    {
        Guard outer(semaphore);
        EXPECT_EQ(free_permits(semaphore), 2);
        {
            std::scoped_lock inner(semaphore);
            EXPECT_EQ(free_permits(semaphore), 1);
        }
        EXPECT_EQ(free_permits(semaphore), 2);
    }
    EXPECT_EQ(free_permits(semaphore), 3);
}

TYPED_TEST(AnySemaphore, WorksWithTheStandardsGuards) {
    TypeParam semaphore;
    std::unique_lock first(semaphore, std::try_to_lock);
    EXPECT_TRUE(first.owns_lock());
    std::unique_lock second(semaphore, 1ms);
    EXPECT_FALSE(second.owns_lock());
    EXPECT_FALSE(semaphore.try_lock());
    EXPECT_FALSE(semaphore.try_lock_until(std::chrono::steady_clock::now() - 1s));
    first.unlock();
    EXPECT_TRUE(semaphore.try_lock_for(-1s));
    semaphore.unlock();
}

TYPED_TEST(AnySemaphore, ReleaseOfLessThanOneIsRefused) {
    TypeParam semaphore(2);
    semaphore.acquire();
    EXPECT_THAT(message_of<std::invalid_argument>([&] { semaphore.release(0); }),
                HasSubstr("n is 0"));
    EXPECT_THAT(message_of<std::invalid_argument>([&] { semaphore.release(-7); }),
                HasSubstr("n is -7"));
    EXPECT_EQ(free_permits(semaphore), 1);
}

TYPED_TEST(AnySemaphore, AReleaseOfNLetsNThreadsGoAndNoMore) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam semaphore(5);
    for (int i = 0; i < 5; ++i) semaphore.acquire();
    std::atomic<int> gone_on{0};
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 5; ++i) {
        waiters.emplace_back([&] { gone_on += semaphore.acquire(true, 1h) ? 1 : 0; });
    }
    clock.wait_for_sleepers(5);
    semaphore.release(2);
    while (gone_on < 2) std::this_thread::yield();
    clock.wait_for_sleepers(3);
    EXPECT_EQ(gone_on, 2);
    semaphore.release(3);
    for (auto& each : waiters) each.join();
    EXPECT_EQ(gone_on, 5);
    EXPECT_EQ(free_permits(semaphore), 0);
}

TYPED_TEST(AnySemaphore, WhatIsReleasedBeyondTheWaitersStays) {
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam semaphore(4);
    for (int i = 0; i < 4; ++i) semaphore.acquire();
    std::jthread waiter([&] { EXPECT_TRUE(semaphore.acquire(true, 1h)); });
    clock.wait_for_sleepers(1);
    semaphore.release(4);
    waiter.join();
    EXPECT_EQ(free_permits(semaphore), 3);
}

/// Waiters arrive one by one, and permits come one by one: who came first goes first.
TYPED_TEST(AnySemaphore, ServesWaitersInOrderOfArrival) {
    constexpr int kWaiters = 6;
    ManualClock clock;
    const auto installed = clock.install();
    TypeParam semaphore(1);
    semaphore.acquire();
    std::atomic<int> gone_on{0};
    std::vector<int> order(kWaiters);
    std::vector<std::jthread> waiters;
    for (int i = 0; i < kWaiters; ++i) {
        waiters.emplace_back([&, i] {
            semaphore.acquire(true, 1h);
            order[static_cast<std::size_t>(gone_on)] = i;
            ++gone_on;
        });
        clock.wait_for_sleepers(static_cast<std::size_t>(i) + 1);
    }
    for (int i = 0; i < kWaiters; ++i) {
        semaphore.release();
        while (gone_on <= i) std::this_thread::yield();
    }
    EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TYPED_TEST(AnySemaphore, AnyThreadMayRelease) {
    TypeParam semaphore(1);
    semaphore.acquire();
    std::jthread([&] { semaphore.release(); }).join();
    EXPECT_EQ(free_permits(semaphore), 1);
}

TYPED_TEST(AnySemaphore, MayBeDestroyedByWhoeverAcquiredItLast) {
    weft::test::expect_to_be_destroyed_by_whoever_acquired_it_last<TypeParam>();
}

TYPED_TEST(AnySemaphore, StarvesNobody) {
    weft::test::expect_to_starve_nobody<TypeParam>();
}

TEST(Semaphore, GrowsBeyondItsInitialValue) {
    Semaphore semaphore(1);
    semaphore.release();
    semaphore.release(3);
    EXPECT_EQ(free_permits(semaphore), 5);
}

TEST(Semaphore, OverflowsNowhere) {
    Semaphore semaphore(kMost - 1);
    EXPECT_THROW(semaphore.release(2), std::overflow_error);
    EXPECT_THROW(semaphore.release((std::numeric_limits<std::ptrdiff_t>::max)()),
                 std::overflow_error);
    EXPECT_NO_THROW(semaphore.release());
    EXPECT_THAT(message_of<std::overflow_error>([&] { semaphore.release(); }),
                HasSubstr("1 more than the " + std::to_string(kMost)));
    EXPECT_THAT(semaphore.repr(), HasSubstr("value=" + std::to_string(kMost)));
    EXPECT_TRUE(semaphore.acquire());
}

TEST(Semaphore, TextFormShowsTheValue) {
    Semaphore semaphore(3);
    semaphore.acquire();
    EXPECT_THAT(semaphore.repr(), testing::StartsWith("<weft::threading::Semaphore at 0x"));
    EXPECT_THAT(semaphore.repr(), testing::EndsWith(": value=2>"));
}

TEST(BoundedSemaphore, RefusesWhatWouldExceedItsInitialValue) {
    BoundedSemaphore semaphore(3);
    EXPECT_THROW(semaphore.release(), std::invalid_argument);
    semaphore.acquire();
    semaphore.acquire();
    // The whole n counts, and nothing of it is taken when it is too much.
    EXPECT_THAT(message_of<std::invalid_argument>([&] { semaphore.release(3); }),
                testing::AllOf(HasSubstr("3 more"), HasSubstr("initial value 3")));
    EXPECT_EQ(free_permits(semaphore), 1);
    semaphore.release(2);
    EXPECT_THROW(semaphore.release(), std::invalid_argument);
    EXPECT_EQ(free_permits(semaphore), 3);
}

TEST(BoundedSemaphore, IsBoundedAlsoThroughAReferenceToASemaphore) {
    BoundedSemaphore bounded(1);
    Semaphore& semaphore = bounded;
    EXPECT_THROW(semaphore.release(), std::invalid_argument);
    EXPECT_EQ(free_permits(semaphore), 1);
}

TEST(BoundedSemaphore, ServesAsALock) {
    constexpr int kEach = 10'000;
    BoundedSemaphore semaphore;
    int total = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < kEach; ++i) {
                    Guard held(semaphore);
                    ++total;
                }
            });
        }
    }
    EXPECT_EQ(total, 4 * kEach);
}

TEST(BoundedSemaphore, TextFormShowsTheLimit) {
    BoundedSemaphore semaphore(4);
    semaphore.acquire();
    EXPECT_THAT(semaphore.repr(), testing::StartsWith("<weft::threading::BoundedSemaphore at 0x"));
    EXPECT_THAT(semaphore.repr(), testing::EndsWith(": value=3/4>"));
}

}  // namespace
