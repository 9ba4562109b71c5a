#include <weft/concurrent/futures.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weft/_thread.hpp>
#include <weft/contextvars.hpp>
#include <weft/detail/task_observer.hpp>
#include <weft/manual_clock.hpp>
#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

namespace {

using namespace std::chrono_literals;
using namespace weft;
using futures::Future;
using futures::ThreadPoolExecutor;
using testing::ElementsAre;
using threading::Event;

std::string thread_name() {
    return threading::current_thread().name();
}

TEST(ThreadPool, RunsCalls) {
    ThreadPoolExecutor pool(4);
    const auto power = pool.submit([](int a, int b) { return a * b; }, 6, 7);
    EXPECT_EQ(power.result(), 42);
}

TEST(ThreadPool, RunsManyCallsOnce) {
    std::atomic<int> runs = 0;
    std::vector<Future<int>> all;
    ThreadPoolExecutor pool(3);
    for (int i = 0; i < 2000; ++i) {
        all.push_back(pool.submit([&runs, i] {
            ++runs;
            return i;
        }));
    }
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)].result(), i);
    EXPECT_EQ(runs, 2000);
}

TEST(ThreadPool, RefusesLessThanOneWorker) {
    EXPECT_THROW(ThreadPoolExecutor(0), std::invalid_argument);
    EXPECT_THROW(ThreadPoolExecutor(-1), std::invalid_argument);
    EXPECT_THROW(ThreadPoolExecutor({.max_workers = 0}), std::invalid_argument);
    EXPECT_THROW(ThreadPoolExecutor({.max_pending = 0}), std::invalid_argument);
    EXPECT_THROW(ThreadPoolExecutor({.idle_timeout = -1}), std::invalid_argument);
    ThreadPoolExecutor pool(1);
    EXPECT_THROW(pool.resize(0), std::invalid_argument);
}

TEST(ThreadPool, StartsNoThreadBeforeTheFirstCall) {
    ThreadPoolExecutor pool(4);
    EXPECT_EQ(pool.stats().workers, 0u);
}

TEST(ThreadPool, UsesAnIdleWorkerAgain) {
    ThreadPoolExecutor pool(10);
    for (int i = 0; i < 200; ++i) pool.submit([] {}).result();
    EXPECT_EQ(pool.stats().workers, 1u);
}

TEST(ThreadPool, StartsAWorkerForEachCallWhileNoneIsIdle) {
    Event go;
    ThreadPoolExecutor pool(4);
    for (int i = 0; i < 3; ++i) pool.submit([&] { go.wait(); });
    EXPECT_EQ(pool.stats().workers, 3u);
    go.set();
}

TEST(ThreadPool, HasNeverMoreWorkersThanAllowed) {
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    ThreadPoolExecutor pool(3);
    for (int i = 0; i < 300; ++i) {
        pool.submit([&] {
            const int now = ++running;
            int seen = most;
            while (seen < now && !most.compare_exchange_weak(seen, now)) {
            }
            --running;
        });
    }
    pool.shutdown();
    EXPECT_LE(most, 3);
    EXPECT_GE(most, 1);
}

TEST(ThreadPool, HasAFewMoreWorkersThanCpusByDefault) {
    Event go;
    ThreadPoolExecutor pool;
    for (int i = 0; i < 40; ++i) pool.submit([&] { go.wait(); });
    const std::size_t workers = pool.stats().workers;
    EXPECT_GE(workers, 5u);
    EXPECT_LE(workers, 32u);
    go.set();
}

TEST(ThreadPool, NamesItsThreads) {
    threading::Barrier both(2);
    ThreadPoolExecutor pool({.max_workers = 2, .thread_name_prefix = "io"});
    EXPECT_EQ(pool.submit(thread_name).result(), "io_0");
    const auto name_beside_another = [&] {
        both.wait();
        return thread_name();
    };
    auto one = pool.submit(name_beside_another);
    auto other = pool.submit(name_beside_another);
    EXPECT_THAT((std::set{one.result(), other.result()}), ElementsAre("io_0", "io_1"));
}

TEST(ThreadPool, NamesItsThreadsAfterThePoolByDefault) {
    ThreadPoolExecutor one(1);
    ThreadPoolExecutor other(1);
    const std::string first = one.submit(thread_name).result();
    const std::string second = other.submit(thread_name).result();
    EXPECT_THAT(first, testing::MatchesRegex("ThreadPoolExecutor-[0-9]+_0"));
    EXPECT_THAT(second, testing::MatchesRegex("ThreadPoolExecutor-[0-9]+_0"));
    EXPECT_NE(first, second);
}

TEST(ThreadPool, StartsCallsInTheOrderOfSubmission) {
    std::vector<int> order;
    Event go;
    ThreadPoolExecutor pool(1);
    pool.submit([&] { go.wait(); });
    for (int i = 0; i < 1000; ++i) pool.submit([&order, i] { order.push_back(i); });
    go.set();
    pool.shutdown();
    ASSERT_EQ(order.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(ThreadPool, OfOneWorkerStartsAlsoItsOwnCallsInTheOrderOfSubmission) {
    std::vector<int> order;
    ThreadPoolExecutor pool(1);
    pool.submit([&] {
            for (int i = 0; i < 3; ++i) pool.submit([&order, i] { order.push_back(i); });
        })
        .result();
    pool.submit([&] { order.push_back(3); }).result();
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(ThreadPool, SharesTheCallsOfAWorkerWithTheOthers) {
    std::latch both(2);
    ThreadPoolExecutor pool(2);
    pool.submit([&] {
            pool.submit([&] { both.arrive_and_wait(); });
            both.arrive_and_wait();
        })
        .result();
}

TEST(ThreadPool, StoresWhatTheCallThrows) {
    ThreadPoolExecutor pool(1);
    const auto future = pool.submit([]() -> int { throw std::out_of_range("here"); });
    EXPECT_THROW(future.result(), std::out_of_range);
}

TEST(ThreadPool, StoresARequestToExitToo) {
    ThreadPoolExecutor pool(1);
    const auto future = pool.submit([] { _thread::exit(); });
    EXPECT_THROW(future.result(), SystemExit);
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
}

TEST(ThreadPool, SkipsCancelledCalls) {
    Event go;
    bool has_run = false;
    ThreadPoolExecutor pool(1);
    pool.submit([&] { go.wait(); });
    const auto future = pool.submit([&] { has_run = true; });
    EXPECT_TRUE(future.cancel());
    go.set();
    const auto [done, not_done] = futures::wait(std::vector{future});
    EXPECT_EQ(done.size(), 1u);
    pool.shutdown();
    EXPECT_FALSE(has_run);
}

TEST(ThreadPool, AsksARunningCallToStop) {
    Event begun;
    ThreadPoolExecutor pool(1);
    const auto future = pool.submit([&](std::stop_token stop) {
        begun.set();
        Event never;
        never.wait(stop);
    });
    begun.wait();
    EXPECT_TRUE(future.request_stop());
    EXPECT_THROW(future.result(), Cancelled);
}

TEST(ThreadPool, WaitsForItsCallsInTheDestructor) {
    std::atomic<int> runs = 0;
    {
        ThreadPoolExecutor pool(2);
        for (int i = 0; i < 100; ++i) pool.submit([&] { ++runs; });
    }
    EXPECT_EQ(runs, 100);
}

TEST(ThreadPool, CancelsWhatHasNotBegunWhileAnExceptionUnwinds) {
    Event go;
    Future<> waiting;
    try {
        ThreadPoolExecutor pool(1);
        Event begun;
        pool.submit([&] {
            begun.set();
            go.wait();
        });
        begun.wait();
        waiting = pool.submit([] {});
        waiting.add_done_callback([&](Future<>) { go.set(); });
        throw std::runtime_error("on the way");
    } catch (const std::runtime_error&) {
        EXPECT_TRUE(waiting.cancelled());
    }
}

TEST(ThreadPool, TakesNothingAfterShutdown) {
    ThreadPoolExecutor pool(1);
    pool.shutdown();
    EXPECT_THROW(pool.submit([] {}), std::runtime_error);
    EXPECT_THROW(pool.try_submit([] {}), std::runtime_error);
    pool.shutdown();
}

TEST(ThreadPool, FinishesWhatWasSubmittedWhenItIsShutDownWithoutWaiting) {
    Event go;
    ThreadPoolExecutor pool(1);
    pool.submit([&] { go.wait(); });
    const auto future = pool.submit([] { return 1; });
    pool.shutdown({.wait = false});
    EXPECT_FALSE(future.done());
    go.set();
    EXPECT_EQ(future.result(), 1);
}

TEST(ThreadPool, CancelsWhatHasNotBegunOnRequest) {
    Event begun;
    Event go;
    ThreadPoolExecutor pool(1);
    const auto running = pool.submit([&] {
        begun.set();
        go.wait();
    });
    const auto waiting = pool.submit([] {});
    begun.wait();
    pool.shutdown({.wait = false, .cancel_futures = true});
    EXPECT_TRUE(waiting.cancelled());
    go.set();
    EXPECT_EQ(running.exception(), nullptr);
}

TEST(ThreadPool, MayBeMovedWithItsCalls) {
    ThreadPoolExecutor pool(1);
    const auto future = pool.submit([] { return 1; });
    ThreadPoolExecutor other(std::move(pool));
    EXPECT_EQ(other.submit([] { return 2; }).result(), 2);
    EXPECT_EQ(future.result(), 1);
    EXPECT_THROW(pool.submit([] {}), std::runtime_error);
    pool = ThreadPoolExecutor(2);
    EXPECT_EQ(pool.submit([] { return 3; }).result(), 3);
}

TEST(ThreadPool, CallsTheInitializerFirstInEachWorker) {
    std::atomic<int> prepared = 0;
    const auto prepare = [&](int step) { prepared += step; };
    std::latch both(2);
    ThreadPoolExecutor pool({.max_workers = 2, .initializer = std::bind_front(prepare, 10)});
    for (int i = 0; i < 2; ++i) pool.submit([&] { both.arrive_and_wait(); });
    pool.shutdown();
    EXPECT_EQ(prepared, 20);
}

class Silence {
public:
    Silence() : before_(unraisablehook) {
        unraisablehook = [this](const UnraisableHookArgs& args) {
            const std::scoped_lock held(lock_);
            texts_.push_back(args.err_msg + ": " + args.what());
        };
    }
    ~Silence() { unraisablehook = before_; }
    std::vector<std::string> texts() {
        const std::scoped_lock held(lock_);
        return texts_;
    }

private:
    UnraisableHook before_;
    std::mutex lock_;
    std::vector<std::string> texts_;
};

TEST(ThreadPool, IsBrokenByAnInitializerThatThrows) {
    Silence silence;
    Event go;
    ThreadPoolExecutor pool({.max_workers = 1, .initializer = [&] {
                                 go.wait();
                                 throw std::runtime_error("no database");
                             }});
    const auto first = pool.submit([] {});
    const auto second = pool.submit([] {});
    go.set();
    EXPECT_THROW(first.result(), futures::thread::BrokenThreadPool);
    EXPECT_THROW(second.result(), futures::BrokenExecutor);
    EXPECT_THROW(pool.submit([] {}), futures::thread::BrokenThreadPool);
    EXPECT_THAT(silence.texts(), ElementsAre(testing::HasSubstr("no database")));
}

TEST(ThreadPool, CallsHooksInEachWorker) {
    std::vector<std::string> calls;
    {
        ThreadPoolExecutor pool({.max_workers = 1,
                                 .on_worker_start = [&] { calls.push_back("hello"); },
                                 .on_worker_stop = [&] { calls.push_back("bye"); }});
        pool.submit([&] { calls.push_back("work"); });
    }
    EXPECT_THAT(calls, ElementsAre("hello", "work", "bye"));
}

TEST(ThreadPool, ReportsWhatAHookThrowsAndGoesOn) {
    Silence silence;
    ThreadPoolExecutor pool(
        {.max_workers = 1, .on_worker_start = [] { throw std::runtime_error("oh"); }});
    EXPECT_EQ(pool.submit([] { return 1; }).result(), 1);
    EXPECT_THAT(silence.texts(), ElementsAre(testing::HasSubstr("oh")));
}

TEST(ThreadPool, ReleasesTheCallBeforeTheFutureIsDone) {
    ThreadPoolExecutor pool(1);
    auto kept = std::make_shared<int>(1);
    const auto future = pool.submit([kept] {});
    future.result();
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(ThreadPool, RunsACallInACopyOfTheContextThatItWasSubmittedIn) {
    static contextvars::ContextVar<std::string> user("user", "nobody");
    ThreadPoolExecutor pool(1);
    const auto name = [] { return user.get(); };
    const auto rename = [] { (void)user.set("worker"); };
    pool.submit(rename).result();
    EXPECT_EQ(pool.submit(name).result(), "nobody");
    const auto token = user.set("ann");
    const auto first = pool.submit(name);
    pool.submit(rename).result();
    EXPECT_EQ(pool.submit(name).result(), "ann");
    const auto outer = pool.submit([&] {
        const auto inner = pool.submit(rename);
        inner.result();
        return user.get();
    });
    EXPECT_EQ(outer.result(), "ann");
    user.reset(token);
    EXPECT_EQ(first.result(), "ann");
    EXPECT_EQ(pool.submit(name).result(), "nobody");
}

/// Counts what it is told.
class Counter final : public detail::TaskObserver {
public:
    void submitted(const detail::FutureState&, const void*) noexcept override { ++submits; }
    void begun(const detail::FutureState&, const void*) noexcept override { ++begins; }
    void ended(const detail::FutureState&, const void*, bool was_made) noexcept override {
        was_made ? ++ends : ++cancels;
    }
    void blocked(const void*) noexcept override { ++blocks; }
    void unblocked(const void*) noexcept override { ++unblocks; }

    std::atomic<int> submits = 0;
    std::atomic<int> begins = 0;
    std::atomic<int> ends = 0;
    std::atomic<int> cancels = 0;
    std::atomic<int> blocks = 0;
    std::atomic<int> unblocks = 0;
};

TEST(ThreadPool, TellsAnObserver) {
    Counter counter;
    detail::task_observer = &counter;
    {
        Future<> outside;
        Event go;
        ThreadPoolExecutor pool(1);
        pool.submit([&] {
            go.wait();
            outside.result();
        });
        pool.submit([] {}).cancel();
        go.set();
        while (counter.blocks == 0) std::this_thread::yield();
        outside.set_result();
    }
    detail::task_observer = nullptr;
    EXPECT_EQ(counter.submits, 2);
    EXPECT_EQ(counter.begins, 2);
    EXPECT_EQ(counter.ends, 1);
    EXPECT_EQ(counter.cancels, 1);
    EXPECT_EQ(counter.blocks, 1);
    EXPECT_EQ(counter.unblocks, 1);
}

TEST(ThreadPool, FeedsAsCompleted) {
    std::vector<Future<int>> all;
    ThreadPoolExecutor pool(4);
    for (int i = 0; i < 100; ++i) all.push_back(pool.submit([i] { return i; }));
    std::set<int> seen;
    for (auto& each : futures::as_completed(all)) seen.insert(each.result());
    EXPECT_EQ(seen.size(), 100u);
}

TEST(ThreadPool, CallsBackInTheWorkerAndThenTakesMore) {
    Event go;
    std::string where;
    ThreadPoolExecutor pool({.max_workers = 1, .thread_name_prefix = "caller"});
    const auto future = pool.submit([&] { go.wait(); });
    future.add_done_callback([&](Future<>) {
        where = thread_name();
        // The worker was idle for whoever waited; now it is not, and another one may not exist.
        pool.submit([] {}).result();
    });
    go.set();
    pool.submit([] {}).result();
    EXPECT_EQ(where, "caller_0");
}

/// Waits on a worker, when it is destroyed there, for what a later call does.
struct Dependent {
    explicit Dependent(Event& given) : later(&given) {}
    Dependent(Dependent&& other) noexcept : later(std::exchange(other.later, nullptr)) {}
    Dependent& operator=(Dependent&&) = delete;
    ~Dependent() {
        if (later != nullptr && threading::current_thread() != threading::main_thread()) {
            later->wait();
        }
    }
    Event* later;
};

TEST(ThreadPool, LeavesNoCallToAWorkerThatDestroysAResult) {
    ThreadPoolExecutor pool(2);
    // Who of the two is the last owner is a matter of luck: often enough it is the worker.
    for (int i = 0; i < 3000; ++i) {
        Event later;
        {
            const auto future = pool.submit([&later] { return Dependent(later); });
            while (!future.done()) {
            }
        }
        pool.submit([&later] { later.set(); }).result();
        // Nobody is in a destructor any more when both have nothing to do.
        while (pool.stats().idle != pool.stats().workers) {
        }
    }
}

}  // namespace
