#include <weft/dummy_threading.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading/excepthook.hpp>

namespace {

using namespace std::chrono_literals;
namespace threading = weft::dummy_threading;

/// A clock that another thread moves on by a minute whenever somebody waits.
class HurryingClock {
public:
    HurryingClock() : installed_(clock_.install()), start_(clock_.now()) {}
    /// Runs `wait` and returns for how long it has waited.
    template <class Wait>
    auto time(Wait wait) {
        const auto start = clock_.now();
        const std::jthread other([this] {
            clock_.wait_for_sleepers(1);
            clock_.advance(60s);
        });
        wait();
        return clock_.now() - start;
    }

private:
    weft::ManualClock clock_;
    decltype(std::declval<weft::ManualClock&>().install()) installed_;
    decltype(std::declval<weft::ManualClock&>().now()) start_;
};

// Thread
// -------------------------------------------------------------------------------------------

TEST(DummyThreadingThread, RunsItsTargetToTheEndInsideStart) {
    int sum = 0;
    threading::Thread now([](int a, int& b) { b += a; }, 3, std::ref(sum));
    EXPECT_EQ(sum, 0);
    EXPECT_FALSE(now.is_alive());
    EXPECT_FALSE(now.ident().has_value());
    EXPECT_FALSE(now.native_id().has_value());
    EXPECT_THROW(now.join(), std::runtime_error);
    now.start();
    EXPECT_EQ(sum, 3);
    EXPECT_FALSE(now.is_alive());
    EXPECT_EQ(now.ident(), threading::get_ident());
    EXPECT_TRUE(now.native_id().has_value());
    now.join();
    now.join(0.5);
    now.join(std::stop_token());
    EXPECT_THROW(now.start(), std::runtime_error);
}

TEST(DummyThreadingThread, IsTheCurrentOneWhileItsTargetRuns) {
    std::vector<std::string> seen;
    std::optional<threading::Thread> inner;
    threading::Thread outer({.name = "outer"}, [&] {
        seen.push_back(threading::current_thread().name());
        EXPECT_TRUE(threading::current_thread().is_alive());
        EXPECT_THROW(threading::current_thread().join(), std::runtime_error);
        EXPECT_EQ(threading::active_count(), 2U);
        inner.emplace(threading::ThreadOptions{.name = "inner"}, [&] {
            seen.push_back(threading::current_thread().name());
            EXPECT_EQ(threading::active_count(), 3U);
            const auto all = threading::enumerate();
            EXPECT_EQ(all.size(), 3U);
            EXPECT_EQ(all.front(), threading::main_thread());
            EXPECT_EQ(all.back(), threading::current_thread());
        });
        inner->start();
        seen.push_back(threading::current_thread().name());
    });
    outer.start();
    EXPECT_EQ(seen, (std::vector<std::string>{"outer", "inner", "outer"}));
    EXPECT_EQ(threading::current_thread(), threading::main_thread());
    EXPECT_EQ(threading::current_thread().name(), "MainThread");
    EXPECT_TRUE(threading::main_thread().is_alive());
    EXPECT_EQ(threading::enumerate().size(), 1U);
    EXPECT_EQ(threading::active_count(), 1U);
}

TEST(DummyThreadingThread, CannotBeWaitedForByWhatItHasStarted) {
    HurryingClock clock;
    threading::Thread outer([] {});
    outer = threading::Thread([&] {
        threading::Thread inner([&] {
            EXPECT_THROW(outer.join(), std::runtime_error);
            EXPECT_EQ(clock.time([&] { outer.join(60s); }), 60s);
        });
        inner.start();
    });
    outer.start();
}

TEST(DummyThreadingThread, HasTheMembersOfAThread) {
    threading::Thread thread({.name = "first", .daemon = true});
    EXPECT_EQ(thread.name(), "first");
    EXPECT_TRUE(thread.daemon());
    EXPECT_EQ(thread.repr(), "<Thread(first, initial daemon)>");
    thread.set_name("second");
    thread.set_daemon(false);
    EXPECT_FALSE(thread.daemon());
    thread.start();
    EXPECT_EQ(thread.repr(), "<Thread(second, stopped 1)>");
    EXPECT_THROW(thread.set_daemon(true), std::runtime_error);
    EXPECT_EQ(threading::main_thread().repr(), "<_MainThread(MainThread, started 1)>");
    EXPECT_TRUE(threading::Thread().name().starts_with("Thread-"));
    EXPECT_NE(threading::Thread().name(), threading::Thread().name());
}

TEST(DummyThreadingThread, HandsOnItsDaemonFlagAndStopToken) {
    bool inherited = false;
    threading::Thread thread({.daemon = true}, [&](const std::stop_token& stop) {
        inherited = threading::Thread().daemon();
        EXPECT_TRUE(stop.stop_requested());
    });
    EXPECT_TRUE(thread.request_stop());
    EXPECT_TRUE(thread.get_stop_token().stop_requested());
    EXPECT_FALSE(thread.get_stop_source().request_stop());
    thread.start();
    EXPECT_TRUE(inherited);
}

TEST(DummyThreadingThread, RunsOnceByHand) {
    int runs = 0;
    threading::Thread thread([&] { ++runs; });
    thread.run();
    EXPECT_EQ(runs, 1);
    EXPECT_THROW(thread.run(), std::runtime_error);
}

TEST(DummyThreadingThread, RunsAnObject) {
    struct Counter : threading::Runnable {
        explicit Counter(int start) : n(start) {}
        void run() override { ++n; }
        int n;
    };
    auto counter = threading::Thread::of<Counter>(5);
    counter.start();
    EXPECT_EQ(counter->n, 6);
    counter.run();
    EXPECT_EQ((*counter).n, 7);
}

TEST(DummyThreadingThread, HandsAnExceptionToTheHookAndGoesOn) {
    const auto before = weft::threading::excepthook;
    std::string seen;
    weft::threading::excepthook = [&](const weft::threading::ExceptHookArgs& args) {
        seen = args.what();
    };
    threading::Thread thread([] { throw std::range_error("too far"); });
    thread.start();
    weft::threading::excepthook = before;
    EXPECT_EQ(seen, "std::range_error: too far");
    EXPECT_FALSE(thread.is_alive());
    EXPECT_EQ(threading::active_count(), 1U);
}

TEST(DummyThreadingThread, DeliversAnInterruptFromStart) {
    threading::Thread thread([] { weft::_dummy_thread::interrupt_main(); });
    EXPECT_THROW(thread.start(), weft::KeyboardInterrupt);
    EXPECT_FALSE(thread.is_alive());
}

TEST(DummyThreadingThread, HasEndedWhenAScopeTiesIt) {
    int runs = 0;
    const threading::Joining joining{threading::Thread([&] { ++runs; })};
    EXPECT_EQ(runs, 1);
    EXPECT_FALSE(joining->is_alive());
    EXPECT_FALSE(joining.thread().is_alive());
}

// Functions
// ----------------------------------------------------------------------------------------

TEST(DummyThreadingModule, HasPythonsConstantsAndNoStacks) {
    EXPECT_EQ(threading::TIMEOUT_MAX, 2147483648.0);
    EXPECT_TRUE((std::is_same_v<threading::ThreadError, std::runtime_error>));
    EXPECT_EQ(threading::get_ident(), 1U);
    EXPECT_EQ(threading::stack_size(), 0U);
    EXPECT_THROW(threading::stack_size(1 << 20), threading::ThreadError);
    EXPECT_THROW(threading::Thread({.stack_size = 1 << 20}), std::runtime_error);
}

TEST(DummyThreadingModule, IsAWorldForEachThreadOfTheSystem) {
    threading::Thread([] {
        std::jthread([] {
            EXPECT_EQ(threading::active_count(), 1U);
            EXPECT_EQ(threading::current_thread(), threading::main_thread());
        }).join();
        EXPECT_EQ(threading::active_count(), 2U);
    }).start();
}

TEST(DummyThreadingLocal, IsOneValue) {
    const threading::local<int> number;
    ++*number;
    threading::Thread([&] { ++*number; }).start();
    EXPECT_EQ(*number, 2);
}

// Condition
// ----------------------------------------------------------------------------------------

TEST(DummyThreadingCondition, WaitsInVain) {
    HurryingClock clock;
    threading::Condition condition;
    EXPECT_THROW(condition.wait(0), std::runtime_error);
    const std::scoped_lock held(condition);
    bool result = true;
    EXPECT_EQ(clock.time([&] { result = condition.wait(60s); }), 60s);
    EXPECT_FALSE(result);
    EXPECT_FALSE(condition.wait(0));
    EXPECT_FALSE(condition.wait(-1));
    EXPECT_THROW(condition.wait(), std::runtime_error);
    EXPECT_TRUE(condition.locked());
}

TEST(DummyThreadingCondition, ReturnsWhatThePredicateSays) {
    HurryingClock clock;
    threading::Condition condition;
    const threading::Guard held(condition);
    EXPECT_EQ(condition.wait_for([] { return 7; }), 7);
    int asked = 0;
    int result = -1;
    EXPECT_EQ(clock.time([&] { result = condition.wait_for([&] { return asked++ * 0; }, 60s); }),
              60s);
    EXPECT_EQ(result, 0);
    EXPECT_EQ(asked, 2);
    EXPECT_THROW(condition.wait_for([] { return false; }), std::runtime_error);
}

TEST(DummyThreadingCondition, EndsByAStopRequest) {
    threading::Condition condition;
    const threading::Guard held(condition);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(condition.wait(stop.get_token()), weft::Cancelled);
    EXPECT_THROW(condition.wait_for([] { return false; }, stop.get_token()), weft::Cancelled);
    EXPECT_TRUE(condition.wait_for([] { return true; }, stop.get_token()));
}

TEST(DummyThreadingCondition, NotifiesNobodyWithItsLockHeld) {
    threading::Lock lock;
    threading::Condition condition(lock);
    EXPECT_THROW(condition.notify(), std::runtime_error);
    EXPECT_THROW(condition.notify_all(), std::runtime_error);
    lock.acquire();
    EXPECT_NO_THROW(condition.notify(3));
    EXPECT_NO_THROW(condition.notify_all());
    condition.release();
    EXPECT_FALSE(lock.locked());
    threading::RLock rlock;
    threading::Condition on_rlock(rlock);
    EXPECT_TRUE(on_rlock.acquire());
    EXPECT_FALSE(on_rlock.acquire(false));
    EXPECT_TRUE(rlock.locked());
    EXPECT_NE(on_rlock.repr().find("RLock count=1"), std::string::npos) << on_rlock.repr();
}

// Semaphore
// ----------------------------------------------------------------------------------------

TEST(DummyThreadingSemaphore, CountsPermits) {
    threading::Semaphore semaphore(2);
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_TRUE(semaphore.acquire(true, 1s));
    EXPECT_FALSE(semaphore.acquire(false));
    EXPECT_FALSE(semaphore.try_lock());
    EXPECT_FALSE(semaphore.acquire(true, 0));
    EXPECT_THROW(semaphore.acquire(), std::runtime_error);
    EXPECT_THROW(semaphore.acquire(false, 1s), std::invalid_argument);
    semaphore.release(2);
    {
        const std::scoped_lock held(semaphore);
    }
    EXPECT_TRUE(semaphore.acquire(std::stop_token()));
    EXPECT_NE(semaphore.repr().find("value=1>"), std::string::npos) << semaphore.repr();
    EXPECT_THROW(semaphore.release(0), std::invalid_argument);
    EXPECT_THROW(threading::Semaphore(-1), std::invalid_argument);
    EXPECT_FALSE(threading::Semaphore(0).acquire(false));
}

TEST(DummyThreadingSemaphore, WaitsInVainForAPermit) {
    HurryingClock clock;
    threading::Semaphore semaphore(0);
    bool result = true;
    EXPECT_EQ(clock.time([&] { result = semaphore.acquire(true, 60s); }), 60s);
    EXPECT_FALSE(result);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(semaphore.acquire(stop.get_token()), weft::Cancelled);
}

TEST(DummyThreadingBoundedSemaphore, RefusesMorePermitsThanItBeganWith) {
    threading::BoundedSemaphore semaphore(2);
    EXPECT_THROW(semaphore.release(), std::invalid_argument);
    semaphore.acquire();
    EXPECT_THROW(semaphore.release(2), std::invalid_argument);
    EXPECT_NE(semaphore.repr().find("value=1/2>"), std::string::npos) << semaphore.repr();
    semaphore.release();
    EXPECT_THROW(semaphore.release(), std::invalid_argument);
}

// Event
// --------------------------------------------------------------------------------------------

TEST(DummyThreadingEvent, IsSetOrNot) {
    HurryingClock clock;
    threading::Event event;
    EXPECT_FALSE(event.is_set());
    bool result = true;
    EXPECT_EQ(clock.time([&] { result = event.wait(60s); }), 60s);
    EXPECT_FALSE(result);
    EXPECT_FALSE(event.wait(0));
    EXPECT_THROW(event.wait(), std::runtime_error);
    EXPECT_NE(event.repr().find(": unset>"), std::string::npos);
    event.set();
    EXPECT_TRUE(event.is_set());
    EXPECT_TRUE(event.wait());
    EXPECT_TRUE(event.wait(std::stop_token()));
    EXPECT_NE(event.repr().find(": set>"), std::string::npos);
    event.clear();
    EXPECT_FALSE(event.is_set());
}

// Timer
// --------------------------------------------------------------------------------------------

TEST(DummyThreadingTimer, WaitsAndRunsItsFunctionInsideStart) {
    HurryingClock clock;
    int sum = 0;
    threading::Timer timer(60s, [&](int n) { sum += n; }, 4);
    EXPECT_EQ(clock.time([&] { timer.start(); }), 60s);
    EXPECT_EQ(sum, 4);
    EXPECT_FALSE(timer.is_alive());
    EXPECT_FALSE(timer.cancel());
    EXPECT_THROW(timer.run(), std::runtime_error);
}

TEST(DummyThreadingTimer, DoesNothingOnceCancelled) {
    int runs = 0;
    threading::Timer timer(3600s, [&] { ++runs; });
    EXPECT_TRUE(timer.cancel());
    EXPECT_TRUE(timer.cancel());
    timer.start();
    EXPECT_EQ(runs, 0);
}

TEST(DummyThreadingTimer, IsCancelledByAStopRequest) {
    int runs = 0;
    threading::Timer timer(3600s, [&] { ++runs; });
    EXPECT_TRUE(timer.request_stop());
    timer.start();
    EXPECT_EQ(runs, 0);
    EXPECT_TRUE(timer.cancel());
}

TEST(DummyThreadingTimer, CannotBeCancelledByItsOwnFunction) {
    std::optional<threading::Timer> timer;
    bool is_cancelled = true;
    timer.emplace(0, [&] { is_cancelled = timer->cancel(); });
    timer->start();
    EXPECT_FALSE(is_cancelled);
}

TEST(DummyThreadingTimer, RefusesToWaitForEver) {
    int runs = 0;
    threading::Timer timer({}, [&] { ++runs; });
    EXPECT_THROW(timer.run(), std::runtime_error);
    EXPECT_EQ(runs, 0);
}

// Barrier
// ------------------------------------------------------------------------------------------

TEST(DummyThreadingBarrier, OfOnePartyIsMet) {
    int actions = 0;
    threading::Barrier barrier(1, [&] { ++actions; });
    EXPECT_EQ(barrier.wait(), 0);
    EXPECT_EQ(barrier.wait(std::stop_token(), 1s), 0);
    EXPECT_EQ(actions, 2);
    EXPECT_EQ(barrier.parties(), 1);
    EXPECT_EQ(barrier.n_waiting(), 0);
    EXPECT_FALSE(barrier.broken());
    EXPECT_NE(barrier.repr().find("waiters=0/1>"), std::string::npos) << barrier.repr();
}

TEST(DummyThreadingBarrier, OfMorePartiesIsNeverMet) {
    HurryingClock clock;
    threading::Barrier barrier(2, {}, 60s);
    EXPECT_EQ(clock.time([&] { EXPECT_THROW(barrier.wait(), threading::BrokenBarrierError); }),
              60s);
    EXPECT_TRUE(barrier.broken());
    EXPECT_THROW(barrier.wait(), threading::BrokenBarrierError);
    EXPECT_NE(barrier.repr().find("broken>"), std::string::npos) << barrier.repr();
    barrier.reset();
    EXPECT_FALSE(barrier.broken());
    EXPECT_THROW(barrier.wait(0), std::runtime_error);
    EXPECT_EQ(barrier.n_waiting(), 0);
    threading::Barrier unlimited(2);
    EXPECT_THROW(unlimited.wait(), threading::BrokenBarrierError);
}

TEST(DummyThreadingBarrier, IsBrokenByItsActionByAStopAndByAbort) {
    threading::Barrier failing(1, [] { throw std::range_error("no"); });
    EXPECT_THROW(failing.wait(), std::range_error);
    EXPECT_TRUE(failing.broken());
    threading::Barrier stopped(2);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(stopped.wait(stop.get_token()), weft::Cancelled);
    EXPECT_TRUE(stopped.broken());
    threading::Barrier aborted(1);
    aborted.abort();
    EXPECT_THROW(aborted.wait(), threading::BrokenBarrierError);
    EXPECT_THROW(threading::Barrier(0), std::invalid_argument);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
TEST(DummyThreadingOldNames, MeanTheNewOnes) {
    threading::Event event;
    event.set();
    EXPECT_TRUE(event.isSet());
    threading::Condition condition;
    EXPECT_THROW(condition.notifyAll(), std::runtime_error);
}
#pragma GCC diagnostic pop

}  // namespace
