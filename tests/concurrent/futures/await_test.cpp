#include <weft/concurrent/futures.hpp>

#include <gtest/gtest.h>

#include <coroutine>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include <weft/threading.hpp>
#include <weft/unraisable.hpp>

namespace {

namespace futures = weft::concurrent::futures;
using futures::Future;
using futures::ManualExecutor;

/// A coroutine that begins at once; its frame lives as long as the object.
struct Routine {
    struct promise_type {
        Routine get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { error = std::current_exception(); }
        std::exception_ptr error;
    };
    Routine(std::coroutine_handle<promise_type> given) : handle(given) {}
    Routine(const Routine&) = delete;
    ~Routine() { handle.destroy(); }

    [[nodiscard]] bool done() const { return handle.done(); }

    std::coroutine_handle<promise_type> handle;
};

Routine read(Future<int> future, int& value) {
    value = co_await future;
}

TEST(Await, OfADoneFutureGoesOnAtOnce) {
    const Future<int> future;
    future.set_result(3);
    int value = 0;
    const Routine routine = read(future, value);
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(value, 3);
}

TEST(Await, GoesOnInTheThreadThatEndsTheFuture) {
    const Future<int> future;
    std::thread::id ran_in;
    const Routine routine = [](Future<int> awaited, std::thread::id& id) -> Routine {
        co_await awaited;
        id = std::this_thread::get_id();
    }(future, ran_in);
    std::thread::id ender;
    {
        weft::threading::Joining thread{weft::threading::Thread([&] {
            ender = std::this_thread::get_id();
            future.set_result(1);
        })};
    }
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(ran_in, ender);
}

TEST(Await, MovesOutOfAnRvalue) {
    ManualExecutor executor;
    int value = 0;
    const Routine routine = [](ManualExecutor& work, int& out) -> Routine {
        const std::unique_ptr<int> box =
            co_await work.submit([] { return std::make_unique<int>(7); });
        out = *box;
    }(executor, value);
    EXPECT_FALSE(routine.done());
    executor.run_all();
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(value, 7);
}

TEST(Await, ThrowsWhatTheFutureHolds) {
    const Future<int> future;
    int value = 0;
    const Routine routine = read(future, value);
    future.set_exception(std::out_of_range("x"));
    ASSERT_TRUE(routine.done());
    EXPECT_THROW(std::rethrow_exception(routine.handle.promise().error), std::out_of_range);
}

TEST(Await, ThrowsWhenTheFutureIsCancelled) {
    const Future<int> future;
    int value = 0;
    const Routine routine = read(future, value);
    future.cancel();
    ASSERT_TRUE(routine.done());
    EXPECT_THROW(std::rethrow_exception(routine.handle.promise().error), futures::CancelledError);
}

Routine read_via(Future<int> future, ManualExecutor& executor, int& value) {
    value = co_await future.via(executor);
}

TEST(Await, GoesOnAsATaskOfTheGivenExecutor) {
    ManualExecutor executor;
    const Future<int> future;
    int value = 0;
    const Routine routine = read_via(future, executor, value);
    future.set_result(4);
    EXPECT_FALSE(routine.done());
    EXPECT_TRUE(executor.run_one());
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(value, 4);
}

TEST(Await, OfADoneFutureStillGoesOnAsATaskOfTheGivenExecutor) {
    ManualExecutor executor;
    const Future<int> future;
    future.set_result(4);
    int value = 0;
    const Routine routine = read_via(future, executor, value);
    EXPECT_FALSE(routine.done());
    EXPECT_TRUE(executor.run_one());
    EXPECT_EQ(value, 4);
}

TEST(Await, GoesOnHereWhenTheGivenExecutorRefuses) {
    ManualExecutor executor;
    executor.shutdown();
    const Future<int> future;
    int value = 0;
    const Routine routine = read_via(future, executor, value);
    future.set_result(4);
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(value, 4);
}

TEST(Await, GoesOnWhenTheGivenExecutorCancelsWhatWaits) {
    ManualExecutor executor;
    const Future<int> future;
    int value = 0;
    const Routine routine = read_via(future, executor, value);
    future.set_result(4);
    executor.shutdown({.cancel_futures = true});
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(value, 4);
}

TEST(Await, MayBeDestroyedWhileItWaits) {
    const Future<int> future;
    int value = 0;
    {
        const Routine routine = read(future, value);
    }
    future.set_result(1);
    EXPECT_EQ(value, 0);
}

TEST(Await, MayBeDestroyedByACallbackOfTheSameFuture) {
    const Future<int> future;
    int value = 0;
    std::unique_ptr<Routine> routine;
    future.add_done_callback([&](const Future<int>&) { routine.reset(); });
    routine.reset(new Routine(read(future, value)));
    future.set_result(1);
    EXPECT_EQ(routine, nullptr);
    EXPECT_EQ(value, 0);
}

TEST(Await, MayBeDestroyedWhileItWaitsForTheExecutor) {
    ManualExecutor executor;
    const Future<int> future;
    int value = 0;
    {
        const Routine routine = read_via(future, executor, value);
        future.set_result(4);
    }
    EXPECT_TRUE(executor.run_one());
    EXPECT_EQ(value, 0);
}

TEST(Await, MayBeDestroyedBeforeTheExecutorCancelsIt) {
    ManualExecutor executor;
    const Future<int> future;
    int value = 0;
    {
        const Routine routine = read_via(future, executor, value);
        future.set_result(4);
    }
    executor.shutdown({.cancel_futures = true});
    EXPECT_EQ(value, 0);
}

TEST(Await, GoesOnAsATaskOfAPool) {
    futures::ThreadPoolExecutor pool(1);
    const Future<int> done;
    const Future<int> future;
    int value = 0;
    const Routine routine = [](Future<int> awaited, futures::ThreadPoolExecutor& executor, int& out,
                               Future<int> ended) -> Routine {
        out = co_await awaited.via(executor);
        ended.set_result(out);
    }(future, pool, value, done);
    future.set_result(4);
    EXPECT_EQ(done.result(), 4);
    pool.shutdown();
    EXPECT_TRUE(routine.done());
}

TEST(Await, GoesOnOutsideOfTheUnwindingOfARefusal) {
    futures::ThreadPoolExecutor pool(1);
    pool.shutdown();
    const Future<int> future;
    int exceptions = -1;
    const Routine routine = [](Future<int> awaited, futures::ThreadPoolExecutor& closed,
                               int& out) -> Routine {
        co_await awaited.via(closed);
        out = std::uncaught_exceptions();
    }(future, pool, exceptions);
    future.set_result(4);
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(exceptions, 0);
}

TEST(Await, DoesNotNestWhenAnExecutorRefusesAgainAndAgain) {
    futures::ThreadPoolExecutor pool(1);
    pool.shutdown();
    const Future<int> future;
    future.set_result(1);
    int sum = 0;
    const Routine routine = [](Future<int> awaited, futures::ThreadPoolExecutor& closed,
                               int& out) -> Routine {
        // Nested, these would take more than a stack has.
        for (int i = 0; i < 100'000; ++i) out += co_await awaited.via(closed);
    }(future, pool, sum);
    EXPECT_TRUE(routine.done());
    EXPECT_EQ(sum, 100'000);
}

// Clang destroys an awaiter twice when unhandled_exception() throws.
#ifndef __clang__

/// A coroutine that lets its exceptions out to whoever goes on with it.
struct Leaky {
    struct promise_type {
        Leaky get_return_object() {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() { throw; }
    };
    Leaky(std::coroutine_handle<promise_type> given) : handle(given) {}
    Leaky(const Leaky&) = delete;
    ~Leaky() { handle.destroy(); }

    std::coroutine_handle<promise_type> handle;
};

TEST(Await, ReportsWhatACoroutineLetsOutInAPool) {
    int reports = 0;
    const auto before = weft::unraisablehook;
    weft::unraisablehook = [&](const weft::UnraisableHookArgs&) { ++reports; };
    {
        const Future<int> future;
        int turns = 0;
        futures::ThreadPoolExecutor pool(1);
        const Leaky routine = [](Future<int> awaited, futures::ThreadPoolExecutor& executor,
                                 int& out) -> Leaky {
            ++out;
            co_await awaited.via(executor);
            ++out;
            throw std::out_of_range("out");
        }(future, pool, turns);
        future.set_result(4);
        pool.shutdown();
        EXPECT_EQ(turns, 2);
    }
    weft::unraisablehook = before;
    EXPECT_EQ(reports, 1);
}

#endif

}  // namespace
