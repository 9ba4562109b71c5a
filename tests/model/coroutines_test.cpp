// Coroutines that wait, in every interleaving within bounds.

#include <gtest/gtest.h>

#include "coroutine_programs.hpp"
#include "model/explore.hpp"
#include "programs.hpp"

namespace {

using namespace weft::model;

TEST(CoroutineModel, ALockExcludesCoroutinesAndThreads) {
    EXPECT_TRUE(is_right(coroutine_lock_program(2, 0)));
    EXPECT_TRUE(is_right(coroutine_lock_program(1, 1), {.spurious = 1, .weak_failures = 1}));
    EXPECT_TRUE(is_right(coroutine_lock_program(2, 1)));
    EXPECT_TRUE(is_right(coroutine_lock_program(1, 2), {.nanoseconds_per_look = kStarves}));
}

TEST(CoroutineModel, ACancelRacesWithTheHandingOverOfALock) {
    EXPECT_TRUE(is_right(cancelled_coroutine_lock_program()));
}

TEST(CoroutineModel, ACancelRacesWithTheGrantOfAPermit) {
    EXPECT_TRUE(is_right(cancelled_coroutine_semaphore_program(), {.preemptions = 3}));
}

TEST(CoroutineModel, ACancelRacesWithAnEvent) {
    EXPECT_TRUE(is_right(coroutine_event_program(), {.preemptions = 3}));
}

TEST(CoroutineModel, ACancelTakesNobodysNotification) {
    EXPECT_TRUE(is_right(coroutine_condition_program()));
}

TEST(CoroutineModel, ACancelTakesNobodysItem) {
    EXPECT_TRUE(is_right(coroutine_get_program()));
}

TEST(CoroutineModel, AFullQueueLetsEverythingThrough) {
    EXPECT_TRUE(is_right(coroutine_put_program()));
}

}  // namespace
