#include <weft/_dummy_thread.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <type_traits>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>

#include "support/standard_error.hpp"

namespace {

using namespace std::chrono_literals;
namespace _dummy_thread = weft::_dummy_thread;

TEST(DummyLock, IsLockedByEveryBlockingAcquire) {
    _dummy_thread::LockType lock;
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.locked());
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.acquire(true));
    EXPECT_TRUE(lock.acquire(true, 5));
    EXPECT_TRUE(lock.acquire(std::stop_token()));
    EXPECT_TRUE(lock.locked());
    EXPECT_TRUE(lock.release());
    EXPECT_FALSE(lock.locked());
}

TEST(DummyLock, ReportsThatItIsLockedToAnAttempt) {
    _dummy_thread::LockType lock;
    EXPECT_TRUE(lock.acquire(false));
    EXPECT_FALSE(lock.acquire(false));
    EXPECT_FALSE(lock.acquire(false, -1));
    EXPECT_FALSE(lock.acquire(false, 0));
    EXPECT_FALSE(lock.try_lock());
    EXPECT_TRUE(lock.locked());
    lock.release();
    EXPECT_TRUE(lock.try_lock());
}

TEST(DummyLock, SleepsInAnAttemptWithALimit) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    _dummy_thread::LockType lock;
    lock.acquire();
    const std::jthread other([&clock] {
        clock.wait_for_sleepers(1);
        clock.advance(3s);
    });
    const auto start = clock.now();
    EXPECT_FALSE(lock.acquire(false, 3s));
    EXPECT_EQ(clock.now() - start, 3s);
    lock.release();
    EXPECT_TRUE(lock.acquire(false, 3s));
}

TEST(DummyLock, RefusesToBeReleasedWhenItIsNotLocked) {
    _dummy_thread::LockType lock;
    EXPECT_THROW(lock.release(), _dummy_thread::error);
    lock.acquire();
    lock.release();
    EXPECT_THROW(lock.release(), std::runtime_error);
}

TEST(DummyLock, WorksWithScopes) {
    auto lock = _dummy_thread::allocate_lock();
    EXPECT_TRUE((std::is_same_v<decltype(lock), _dummy_thread::LockType>));
    {
        const std::scoped_lock held(lock);
        EXPECT_TRUE(lock.locked());
        EXPECT_TRUE(lock.repr().starts_with("<locked weft::_dummy_thread::LockType at 0x"));
    }
    EXPECT_FALSE(lock.locked());
    EXPECT_TRUE(lock.repr().starts_with("<unlocked "));
}

TEST(DummyRLock, IsFreeAfterAsManyReleases) {
    _dummy_thread::RLock lock;
    EXPECT_TRUE(lock.acquire());
    EXPECT_TRUE(lock.acquire(true));
    EXPECT_TRUE(lock.acquire(std::stop_token()));
    EXPECT_FALSE(lock.acquire(false));
    EXPECT_TRUE(lock.release());
    EXPECT_TRUE(lock.release());
    EXPECT_TRUE(lock.locked());
    EXPECT_TRUE(lock.release());
    EXPECT_FALSE(lock.locked());
    EXPECT_THROW(lock.release(), std::runtime_error);
    EXPECT_TRUE(lock.try_lock());
    EXPECT_NE(lock.repr().find("count=1"), std::string::npos) << lock.repr();
    const std::scoped_lock held(lock);
    EXPECT_NE(lock.repr().find("count=2"), std::string::npos) << lock.repr();
}

TEST(DummyStartNewThread, RunsTheFunctionToItsEnd) {
    int sum = 0;
    EXPECT_EQ(_dummy_thread::start_new_thread([](int a, int& b) { b += a; }, 4, std::ref(sum)), 1U);
    EXPECT_EQ(sum, 4);
    EXPECT_EQ(_dummy_thread::get_ident(), 1U);
}

TEST(DummyStartNewThread, DropsAnExitRequest) {
    weft::test::StandardError written;
    _dummy_thread::start_new_thread([] { _dummy_thread::exit(); });
    EXPECT_TRUE(written.writes().empty());
    EXPECT_THROW(_dummy_thread::exit(), weft::SystemExit);
}

TEST(DummyStartNewThread, WritesAnyOtherExceptionToStandardError) {
    weft::test::StandardError written;
    _dummy_thread::start_new_thread([] { throw std::range_error("too far"); });
    const auto lines = written.writes();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.front(), "std::range_error: too far\n");
}

TEST(DummyInterruptMain, ThrowsAtOnceOutside) {
    EXPECT_THROW(_dummy_thread::interrupt_main(), weft::KeyboardInterrupt);
    EXPECT_NO_THROW(_dummy_thread::start_new_thread([] {}));
}

TEST(DummyInterruptMain, IsDeliveredWhenTheStartedFunctionReturns) {
    bool has_gone_on = false;
    EXPECT_THROW(_dummy_thread::start_new_thread([&] {
                     _dummy_thread::interrupt_main();
                     has_gone_on = true;
                 }),
                 weft::KeyboardInterrupt);
    EXPECT_TRUE(has_gone_on);
    EXPECT_NO_THROW(_dummy_thread::start_new_thread([] {}));
    EXPECT_THROW(_dummy_thread::interrupt_main(), weft::KeyboardInterrupt);
}

TEST(DummyStackSize, IsZeroAndCannotBeSet) {
    EXPECT_EQ(_dummy_thread::stack_size(), 0U);
    EXPECT_THROW(_dummy_thread::stack_size(0), _dummy_thread::error);
    EXPECT_THROW(_dummy_thread::stack_size(1 << 20), std::runtime_error);
}

TEST(DummyThreadModule, HasPythonsConstants) {
    EXPECT_EQ(_dummy_thread::TIMEOUT_MAX, 2147483648.0);
    EXPECT_TRUE((std::is_same_v<_dummy_thread::error, std::runtime_error>));
}

}  // namespace
