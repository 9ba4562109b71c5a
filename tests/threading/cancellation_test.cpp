#include <weft/threading/thread.hpp>

#include <gtest/gtest.h>

#include <pthread.h>
#include <sched.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <weft/_thread/threads.hpp>
#include <weft/threading/condition.hpp>
#include <weft/threading/lock.hpp>
#include <weft/threading/lock_order.hpp>
#include <weft/unraisable.hpp>

#include "support/standard_error.hpp"

namespace {

using namespace weft::threading;

/// pthread_cancel() by Weft's identifier.
void cancel(const Thread& thread) {
    pthread_cancel((pthread_t)thread.ident().value_or(0));
}

thread_local int rounds = 0;
pthread_key_t late_key;

/// Takes its time after Weft has seen the thread end, in the same round of keys' destructors.
void end_late(void* value) {
    constexpr int kRounds = 3;
    if (++rounds < kRounds) {
        pthread_setspecific(late_key, value);
        return;
    }
    for (int i = 0; i < 5000; ++i) sched_yield();
}

TEST(Cancellation, OfAThreadThatJoinsTakesEffectAfterTheJoin) {
    ASSERT_EQ(pthread_key_create(&late_key, &end_late), 0);
    Lock gate;
    gate.acquire();
    Thread ending([&] {
        pthread_setspecific(late_key, &late_key);
        gate.acquire();
    });
    ending.start();
    bool has_joined = false;
    bool has_gone_on = false;
    Thread joining([&] {
        ending.join();
        has_joined = true;
        pthread_testcancel();
        has_gone_on = true;
    });
    joining.start();
    cancel(joining);
    gate.release();
    joining.join();
    ending.join();
    pthread_key_delete(late_key);
    EXPECT_TRUE(has_joined);
    EXPECT_FALSE(has_gone_on);
}

TEST(Cancellation, OfAThreadThatReportsAnExceptionLeavesTheReportWhole) {
    weft::test::StandardError standard_error;
    Thread thread({.name = "cancelled"}, [] {
        pthread_cancel(pthread_self());
        throw std::runtime_error("reported");
    });
    thread.start();
    thread.join();
    const auto writes = standard_error.writes();
    ASSERT_EQ(writes.size(), 1U);
    EXPECT_NE(writes[0].find("std::runtime_error: reported"), std::string::npos) << writes[0];
}

TEST(Cancellation, WaitsForTheEndOfAHookThatIsCalledForABareThread) {
    const weft::UnraisableHook before = weft::unraisablehook;
    bool has_gone_on = false;
    weft::unraisablehook = [&](const weft::UnraisableHookArgs&) {
        pthread_testcancel();
        has_gone_on = true;
    };
    weft::_thread::start_joinable_thread([] {
        pthread_cancel(pthread_self());
        throw std::runtime_error("reported");
    }).join();
    weft::unraisablehook = before;
    EXPECT_TRUE(has_gone_on);
}

TEST(Cancellation, WaitsForTheEndOfAWarningThatIsGivenWhereAConditionTakesItsLockAgain) {
    check_lock_order();
    Lock other;
    Lock own;
    Condition changed(own);
    {
        const Guard first(own);
        const Guard second(other);
    }
    bool has_gone_on = false;
    bool has_the_lock = false;
    Thread thread([&] {
        {
            // In the order of above, but wait() takes its lock when it has `other`.
            const Guard first(own);
            const Guard second(other);
            pthread_cancel(pthread_self());
            changed.wait(0);
            has_the_lock = own.locked();
        }
        pthread_testcancel();
    });
    const auto before = weft::set_warning_handler([&](weft::WarningCategory, std::string_view) {
        pthread_testcancel();
        has_gone_on = true;
    });
    thread.start();
    thread.join();
    weft::set_warning_handler(before);
    check_lock_order(false);
    EXPECT_TRUE(has_gone_on);
    EXPECT_TRUE(has_the_lock);
}

}  // namespace
