// The model itself: it finds what is wrong, and nothing in what is right.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <semaphore>
#include <stop_token>
#include <string>

#include <weft/detail/atomic.hpp>

#include "model/explore.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"

namespace {

using testing::HasSubstr;
using weft::detail::Atomic;
using weft::detail::FutexWord;
using weft::model::Execution;
using weft::model::explore;
using weft::model::holds;
using weft::model::Report;
using weft::model::require;
using weft::model::sample;
using weft::os::futex_wait;
using weft::os::futex_wake;
using weft::os::kNoDeadline;

void count_without_a_lock(Execution& run) {
    int counter = 0;
    for (int i = 0; i < 2; ++i) {
        run.thread([&] { weft::model::change(counter, 1); });
    }
    run.go();
    require(counter == 2, "no update is lost");
}

TEST(Model, FindsALostUpdate) {
    const Report report = explore(count_without_a_lock);
    EXPECT_TRUE(report.has_failed);
    EXPECT_EQ(report.failure, "not true: no update is lost");
}

TEST(Model, FindsALostUpdateAtRandom) {
    EXPECT_TRUE(sample(count_without_a_lock, {}, 1'000, 1).has_failed);
}

TEST(Model, WithoutPreemptionsThreadsRunOneAfterTheOther) {
    EXPECT_TRUE(holds(explore(count_without_a_lock, {.preemptions = 0})));
}

TEST(Model, ReplaysAFailure) {
    const Report found = explore(count_without_a_lock);
    ASSERT_TRUE(found.has_failed);
    ASSERT_EQ(setenv("WEFT_MODEL_REPLAY", found.replay.c_str(), 1), 0);
    testing::internal::CaptureStderr();
    const Report again = explore(count_without_a_lock);
    const std::string trace = testing::internal::GetCapturedStderr();
    ASSERT_EQ(unsetenv("WEFT_MODEL_REPLAY"), 0);
    EXPECT_EQ(again.failure, found.failure);
    EXPECT_EQ(again.replay, found.replay);
    EXPECT_EQ(again.executions, 0U);
    EXPECT_THAT(trace, HasSubstr("thread 1: pause_here"));
}

TEST(Model, AtomicUpdatesAreNotLost) {
    const Report report = explore([](Execution& run) {
        Atomic<int> counter{0};
        for (int i = 0; i < 2; ++i) run.thread([&] { counter.fetch_add(1); });
        run.go();
        require(counter.load() == 2, "no update is lost");
    });
    EXPECT_TRUE(holds(report));
    EXPECT_TRUE(report.is_complete);
}

/// Two threads with three steps each can be interleaved in 6! / (3! 3!) ways.
TEST(Model, TriesEveryInterleavingOnce) {
    const Report report = explore(
        [](Execution& run) {
            for (int i = 0; i < 2; ++i) {
                // The start of a thread is the first of its steps.
                run.thread([] {
                    weft::model::pause_here();
                    weft::model::pause_here();
                });
            }
            run.go();
        },
        {.preemptions = 100});
    EXPECT_TRUE(report.is_complete);
    EXPECT_EQ(report.executions, 20U);
}

TEST(Model, FindsALostWakeUp) {
    const Report report = explore([](Execution& run) {
        FutexWord word{0};
        Atomic<bool> is_set{false};
        run.thread([&] {
            if (!is_set.load()) futex_wait(word, 0, kNoDeadline);
        });
        run.thread([&] {
            is_set.store(true);
            futex_wake(word, 1);
        });
        run.go();
    });
    EXPECT_THAT(report.failure, HasSubstr("nobody can run: thread 0 is at sleep"));
}

TEST(Model, AWordThatHasChangedIsNotSleptOn) {
    EXPECT_TRUE(holds(explore([](Execution& run) {
        FutexWord word{0};
        run.thread([&] {
            while (word.load() == 0) futex_wait(word, 0, kNoDeadline);
        });
        run.thread([&] {
            word.store(1);
            futex_wake(word, 1);
        });
        run.go();
    })));
}

TEST(Model, AWaitWithADeadlineEnds) {
    EXPECT_TRUE(holds(explore([](Execution& run) {
        FutexWord word{0};
        run.thread([&] {
            const std::int64_t deadline = weft::os::monotonic_now() + 1'000'000;
            while (weft::os::monotonic_now() < deadline) futex_wait(word, 0, deadline);
        });
        run.go();
    })));
}

TEST(Model, ATimeoutMayComeBeforeTheWakeUp) {
    const Report report = explore([](Execution& run) {
        FutexWord word{0};
        run.thread([&] {
            futex_wait(word, 0, weft::os::monotonic_now() + 1'000'000);
            require(word.load() == 1, "it was woken");
        });
        run.thread([&] {
            word.store(1);
            futex_wake(word, 1);
        });
        run.go();
    });
    EXPECT_EQ(report.failure, "not true: it was woken");
}

void trust_one_wake_up(Execution& run) {
    FutexWord word{0};
    run.thread([&] {
        futex_wait(word, 0, kNoDeadline);
        require(word.load() == 1, "it was woken");
    });
    run.thread([&] {
        word.store(1);
        futex_wake(word, 1);
    });
    run.go();
}

TEST(Model, AWaitMayReturnForNoReason) {
    EXPECT_TRUE(holds(explore(trust_one_wake_up)));
    EXPECT_EQ(explore(trust_one_wake_up, {.spurious = 1}).failure, "not true: it was woken");
}

TEST(Model, AWeakExchangeMayFailForNoReason) {
    const auto program = [](Execution& run) {
        Atomic<int> value{0};
        run.thread([&] {
            int expected = 0;
            require(value.compare_exchange_weak(expected, 1), "it was exchanged");
        });
        run.go();
    };
    EXPECT_TRUE(holds(explore(program)));
    EXPECT_TRUE(explore(program, {.weak_failures = 1}).has_failed);
}

/// Each thread stores to its own variable and then looks at the other's: with sequential
/// consistency at least one of them sees the other.
Report both_store_then_load(std::memory_order order) {
    return explore(
        [order](Execution& run) {
            Atomic<int> first{0};
            Atomic<int> second{0};
            int seen_first = 0;
            int seen_second = 0;
            run.thread([&] {
                first.store(1, order);
                seen_second = second.load();
            });
            run.thread([&] {
                second.store(1, order);
                seen_first = first.load();
            });
            run.go();
            require(seen_first + seen_second > 0, "one of them was seen");
        },
        {.preemptions = 3, .delayed_stores = 2});
}

TEST(Model, DelaysStoresThatAreNotSequentiallyConsistent) {
    EXPECT_TRUE(both_store_then_load(std::memory_order_release).has_failed);
    EXPECT_TRUE(holds(both_store_then_load(std::memory_order_seq_cst)));
}

TEST(Model, DelayedStoresArriveInOrderAndAreSeenByTheirThread) {
    EXPECT_TRUE(holds(explore(
        [](Execution& run) {
            Atomic<int> data{0};
            Atomic<int> flag{0};
            run.thread([&] {
                data.store(1, std::memory_order_relaxed);
                flag.store(1, std::memory_order_release);
                require(data.load() == 1, "a thread sees its own store");
            });
            run.thread([&] {
                if (flag.load() == 1) require(data.load() == 1, "the data came first");
            });
            run.go();
        },
        {.preemptions = 3, .delayed_stores = 3})));
}

TEST(Model, AThreadThatSpinsLetsOthersGoOn) {
    EXPECT_TRUE(holds(explore(
        [](Execution& run) {
            Atomic<bool> is_set{false};
            run.thread([&] {
                while (!is_set.load()) weft::os::yield();
            });
            run.thread([&] { is_set.store(true); });
            run.go();
        },
        {.preemptions = 1})));
}

TEST(Model, FindsAThreadThatSpinsForEver) {
    EXPECT_THAT(explore([](Execution& run) {
                    Atomic<bool> is_set{false};
                    run.thread([&] {
                        while (!is_set.load()) weft::os::yield();
                    });
                    run.go();
                }).failure,
                HasSubstr("nobody can run: thread 0 is at yield"));
}

TEST(Model, ReportsACrashWithItsReplay) {
    const Report report = explore([](Execution& run) {
        int counter = 0;
        for (int i = 0; i < 2; ++i) run.thread([&] { weft::model::change(counter, 1); });
        run.go();
        if (counter != 2) raise(SIGKILL);
    });
    EXPECT_EQ(report.failure, "the program crashed");
    EXPECT_FALSE(report.replay.empty());
}

TEST(Model, ReportsAnExceptionThatLeavesAThread) {
    EXPECT_THAT(explore([](Execution& run) {
                    run.thread([] { throw std::runtime_error("on purpose"); });
                    run.go();
                }).failure,
                HasSubstr("on purpose"));
}

/// The callback's destructor waits inside the standard library for the callback under way.
TEST(Model, FollowsTheWaitsOfStopCallbacks) {
    const Report report = explore([](Execution& run) {
        std::stop_source source;
        int calls = 0;
        run.thread([&] {
            const std::stop_callback callback(source.get_token(), [&] {
                weft::model::pause_here();
                weft::model::change(calls, 1);
            });
            weft::model::pause_here();
        });
        run.thread([&] { source.request_stop(); });
        run.go();
        require(calls <= 1, "the callback is called once at most");
    });
    EXPECT_TRUE(holds(report));
    EXPECT_TRUE(report.is_complete);
}

}  // namespace
