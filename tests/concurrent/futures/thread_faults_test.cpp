// Every fault at every place: {exception, end of the worker, exception that throws while being
// copied, stop request, timeout} at {queued, running, result in flight, callback, idle, shutting
// down}, with one worker and with many. Forks are in thread_exit_test.cpp, since a child needs a
// program of its own. Afterwards the pool works, nothing is left undone, and shutdown() ends.

#include <weft/concurrent/futures.hpp>

#include <pthread.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::BrokenExecutor;
using futures::Future;
using futures::ThreadPoolExecutor;
using threading::Event;

/// An exception that refuses to be copied once it is on its way.
struct Stubborn : std::runtime_error {
    Stubborn() : std::runtime_error("stubborn") {}
    Stubborn(const Stubborn& other) : std::runtime_error(other) {
        throw std::runtime_error("cannot be copied");
    }
};

/// What a call returns; making it does something.
struct Result {
    explicit Result(const std::function<void()>& act) { act(); }
};

class PoolFaults : public testing::TestWithParam<int> {
protected:
    PoolFaults() {
        unraisablehook = [this](const UnraisableHookArgs&) { ++reports_; };
    }
    ~PoolFaults() override { unraisablehook = before_; }

    /// The pool still does what it should, and ends.
    void expect_whole() {
        std::vector<Future<int>> all;
        for (int i = 0; i < 20; ++i) all.push_back(pool_.submit([i] { return i; }));
        for (int i = 0; i < 20; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].result(), i);
        pool_.shutdown();
        EXPECT_EQ(pool_.stats().queued, 0u);
        EXPECT_EQ(pool_.stats().workers, 0u);
    }
    /// Keeps all workers busy until go_ is set.
    void occupy() {
        for (int i = 0; i < GetParam(); ++i) {
            Event begun;
            pool_.submit([&begun, this] {
                begun.set();
                go_.wait();
            });
            begun.wait();
        }
    }

    std::atomic<int> reports_ = 0;
    Event go_;
    ThreadPoolExecutor pool_{GetParam()};

private:
    UnraisableHook before_ = unraisablehook;
};

INSTANTIATE_TEST_SUITE_P(Workers, PoolFaults, testing::Values(1, 4),
                         testing::PrintToStringParamName());

// Exceptions
// ---------------------------------------------------------------------------------------

TEST_P(PoolFaults, ExceptionWhileTheCallIsMade) {
    struct Bomb {
        Bomb() = default;
        Bomb(const Bomb&) { throw std::domain_error("copy"); }
        void operator()() const {}
    };
    const Bomb bomb;
    EXPECT_THROW(pool_.submit(bomb), std::domain_error);
    expect_whole();
}

TEST_P(PoolFaults, ExceptionOfAQueuedCall) {
    occupy();
    const auto future = pool_.submit([] { throw std::domain_error("queued"); });
    go_.set();
    EXPECT_THROW(future.result(), std::domain_error);
    expect_whole();
}

TEST_P(PoolFaults, ExceptionWhileTheResultIsMade) {
    const auto future =
        pool_.submit([] { return Result([] { throw std::domain_error("result"); }); });
    EXPECT_THROW(future.result(), std::domain_error);
    expect_whole();
}

TEST_P(PoolFaults, ExceptionInACallback) {
    occupy();
    const auto future = pool_.submit([] { return 1; });
    future.add_done_callback([](Future<int>) { throw std::domain_error("callback"); });
    go_.set();
    EXPECT_EQ(future.result(), 1);
    expect_whole();
    EXPECT_EQ(reports_, 1);
}

TEST_P(PoolFaults, ExceptionWhileShuttingDown) {
    occupy();
    const auto future = pool_.submit([] { throw std::domain_error("late"); });
    pool_.shutdown({.wait = false});
    go_.set();
    EXPECT_THROW(future.result(), std::domain_error);
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, ExceptionWhenAnIdleWorkerLeaves) {
    ThreadPoolExecutor pool(
        {.max_workers = GetParam(), .on_worker_stop = [] { throw std::domain_error("stop"); }});
    pool.submit([] {}).result();
    pool.shutdown();
    EXPECT_EQ(reports_, 1);
}

TEST_P(PoolFaults, ExceptionThatThrowsWhileBeingCopied) {
    const auto running = pool_.submit([]() -> int { throw Stubborn(); });
    EXPECT_THROW(running.result(), Stubborn);
    EXPECT_THROW(running.result(), Stubborn);
    occupy();
    const auto called = pool_.submit([] { return 1; });
    called.add_done_callback([](Future<int>) { throw Stubborn(); });
    const auto queued = pool_.submit([] { return Result([] { throw Stubborn(); }); });
    pool_.shutdown({.wait = false});
    go_.set();
    EXPECT_EQ(called.result(), 1);
    EXPECT_THROW(queued.result(), Stubborn);
    pool_.shutdown();
    EXPECT_EQ(reports_, 1);
}

TEST(PoolFault, ExceptionThatThrowsWhileBeingCopiedIsNotSet) {
    const Future<int> future;
    EXPECT_THROW(future.set_exception(Stubborn()), std::runtime_error);
    EXPECT_FALSE(future.done());
}

// The worker's end
// ---------------------------------------------------------------------------------

TEST_P(PoolFaults, EndOfTheWorkerInACall) {
    const auto kept = std::make_shared<int>(1);
    occupy();
    const auto queued = pool_.submit([kept] { ::pthread_exit(nullptr); });
    go_.set();
    EXPECT_THROW(queued.result(), BrokenExecutor);
    EXPECT_EQ(kept.use_count(), 1);
    expect_whole();
}

TEST_P(PoolFaults, EndOfTheWorkerWhileTheResultIsMade) {
    const auto future = pool_.submit([] { return Result([] { ::pthread_exit(nullptr); }); });
    EXPECT_THROW(future.result(), BrokenExecutor);
    expect_whole();
}

TEST_P(PoolFaults, EndOfTheWorkerInACallThatAnotherRunsInline) {
    const auto outer = pool_.submit([&] {
        const auto inner = pool_.submit([] { ::pthread_exit(nullptr); });
        inner.result();
    });
    EXPECT_THROW(outer.result(), BrokenExecutor);
    expect_whole();
}

TEST_P(PoolFaults, EndOfTheWorkerInItsInitializer) {
    ThreadPoolExecutor pool(
        {.max_workers = GetParam(), .initializer = [] { ::pthread_exit(nullptr); }});
    EXPECT_THROW(pool.submit([] {}).result(), futures::thread::BrokenThreadPool);
    pool.shutdown();
    EXPECT_EQ(pool.stats().workers, 0u);
    EXPECT_EQ(reports_, 1);
}

TEST_P(PoolFaults, EndOfTheWorkerWhenItStarts) {
    ThreadPoolExecutor pool(
        {.max_workers = GetParam(), .on_worker_start = [] { ::pthread_exit(nullptr); }});
    EXPECT_THROW(pool.submit([] {}).result(), futures::thread::BrokenThreadPool);
    pool.shutdown();
    EXPECT_EQ(pool.stats().workers, 0u);
    EXPECT_EQ(reports_, 1);
}

TEST(PoolFaultDeathTest, EndOfTheThreadInACallback) {
    const auto end_in_a_callback = [] {
        const Future<int> future;
        future.add_done_callback([](const Future<int>&) { ::pthread_exit(nullptr); });
        future.set_result(1);
    };
    EXPECT_DEATH(end_in_a_callback(), "a callback of a future has ended its thread");
}

TEST_P(PoolFaults, EndOfTheWorkerInItsHook) {
    ThreadPoolExecutor pool(
        {.max_workers = GetParam(), .on_worker_stop = [] { ::pthread_exit(nullptr); }});
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
    pool.shutdown();
    EXPECT_EQ(pool.stats().workers, 0u);
}

TEST_P(PoolFaults, EndOfTheWorkerWhileShuttingDown) {
    occupy();
    const auto last = pool_.submit([] { ::pthread_exit(nullptr); });
    const auto after = pool_.submit([] { return 1; });
    pool_.shutdown({.wait = false});
    go_.set();
    EXPECT_THROW(last.result(), BrokenExecutor);
    EXPECT_EQ(after.result(), 1);
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, EndOfTheWorkerInAMap) {
    auto results = pool_.map(
        [](int n) {
            if (n == 2) ::pthread_exit(nullptr);
            return n;
        },
        {1, 2, 3});
    auto at = results.begin();
    EXPECT_EQ(*at, 1);
    EXPECT_THROW(++at, BrokenExecutor);
    expect_whole();
}

// Stop requests
// ------------------------------------------------------------------------------------

TEST_P(PoolFaults, StopRequestOfAQueuedCall) {
    occupy();
    const auto future = pool_.submit([](std::stop_token stop) { return stop.stop_requested(); });
    EXPECT_TRUE(future.request_stop());
    go_.set();
    EXPECT_TRUE(future.result());
    expect_whole();
}

TEST_P(PoolFaults, StopRequestOfARunningCallWhileShuttingDown) {
    Event begun;
    const auto future = pool_.submit([&](std::stop_token stop) {
        begun.set();
        go_.wait(stop);
    });
    begun.wait();
    pool_.shutdown({.wait = false});
    EXPECT_TRUE(future.request_stop());
    EXPECT_THROW(future.result(), Cancelled);
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, StopRequestOfACallThatIsOver) {
    const auto future = pool_.submit([](std::stop_token) { return 1; });
    EXPECT_EQ(future.result(), 1);
    future.request_stop();
    EXPECT_EQ(future.result(), 1);
    expect_whole();
}

TEST_P(PoolFaults, StopRequestOfTheWaitForACall) {
    occupy();
    std::stop_source stop;
    const auto future = pool_.submit([&] { return 1; });
    stop.request_stop();
    EXPECT_THROW(future.result(stop.get_token()), Cancelled);
    go_.set();
    EXPECT_EQ(future.result(), 1);
    expect_whole();
}

TEST_P(PoolFaults, StopRequestInACallback) {
    occupy();
    Event begun;
    const auto other = pool_.submit([&](std::stop_token stop) { return stop.stop_requested(); });
    const auto future = pool_.submit([] {});
    future.add_done_callback([other](Future<>) { other.request_stop(); });
    EXPECT_TRUE(future.cancel());
    go_.set();
    EXPECT_TRUE(other.result());
    expect_whole();
}

// Timeouts
// -----------------------------------------------------------------------------------------

TEST_P(PoolFaults, TimeoutOfAQueuedCall) {
    occupy();
    const auto future = pool_.submit([] { return 1; });
    EXPECT_THROW(future.result(0), TimeoutError);
    EXPECT_THROW(future.result(1ms), TimeoutError);
    go_.set();
    EXPECT_EQ(future.result(), 1);
    expect_whole();
}

TEST_P(PoolFaults, TimeoutOfARunningCall) {
    Event begun;
    const auto future = pool_.submit([&] {
        begun.set();
        go_.wait();
        return 1;
    });
    begun.wait();
    EXPECT_THROW(future.result(0), TimeoutError);
    EXPECT_THROW(future.exception(1ms), TimeoutError);
    go_.set();
    EXPECT_EQ(future.result(), 1);
    expect_whole();
}

TEST_P(PoolFaults, TimeoutInACallback) {
    occupy();
    std::atomic<bool> has_timed_out = false;
    const Future<> never;
    const auto future = pool_.submit([] {});
    Event called;
    future.add_done_callback([&](Future<>) {
        try {
            never.result(0);
        } catch (const TimeoutError&) {
            has_timed_out = true;
        }
        called.set();
    });
    go_.set();
    called.wait();
    EXPECT_TRUE(has_timed_out);
    expect_whole();
}

TEST_P(PoolFaults, TimeoutWhileShuttingDown) {
    occupy();
    const auto future = pool_.submit([] { return 1; });
    pool_.shutdown({.wait = false});
    EXPECT_THROW(future.result(1ms), TimeoutError);
    go_.set();
    EXPECT_EQ(future.result(), 1);
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

// Shutdown from everywhere
// -------------------------------------------------------------------------

TEST_P(PoolFaults, ShutdownFromACall) {
    const auto future = pool_.submit([&] { pool_.shutdown(); });
    future.result();
    EXPECT_THROW(pool_.submit([] {}), std::runtime_error);
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, ShutdownFromACallback) {
    occupy();
    const auto future = pool_.submit([] {});
    future.add_done_callback([&](Future<>) { pool_.shutdown({.cancel_futures = true}); });
    go_.set();
    future.result();
    pool_.shutdown();
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, ShutdownFromTwoThreads) {
    std::atomic<int> runs = 0;
    for (int i = 0; i < 100; ++i) pool_.submit([&] { ++runs; });
    {
        threading::Joining one{threading::Thread([&] { pool_.shutdown(); })};
        threading::Joining two{threading::Thread([&] { pool_.shutdown(); })};
    }
    EXPECT_EQ(runs, 100);
    EXPECT_EQ(pool_.stats().workers, 0u);
}

TEST_P(PoolFaults, DestructionByTheLastCall) {
    auto pool = std::make_shared<ThreadPoolExecutor>(GetParam());
    Event mine;
    const auto future = pool->submit([&mine, owner = pool]() mutable {
        mine.wait();
        owner.reset();
        return 1;
    });
    pool.reset();
    mine.set();
    EXPECT_EQ(future.result(), 1);
}

TEST_P(PoolFaults, ShutdownRightAfterACancel) {
    for (int i = 0; i < 100; ++i) {
        ThreadPoolExecutor pool(GetParam());
        const auto future = pool.submit([] {});
        future.cancel();
        pool.shutdown();
        EXPECT_TRUE(future.done());
    }
}

}  // namespace
