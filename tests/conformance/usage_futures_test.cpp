// How users of concurrent.futures write, line by line.

#include <weft/weft.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <coroutine>
#include <exception>
#include <memory>
#include <stop_token>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace weft;

long pow_mod(long base, long exponent, long modulus) {
    long result = 1;
    for (long i = 0; i < exponent; ++i) result = result * base % modulus;
    return result;
}
int square(int n) {
    return n * n;
}
int add(int a, int b) {
    return a + b;
}
int search(std::stop_token stop, int n) {
    threading::Event never;
    never.wait(stop, 10s);
    return n;
}
int fib(int n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

std::atomic<int> used = 0;
template <class T>
void use(const T&) {
    ++used;
}

/// A coroutine that runs at once.
struct Coroutine {
    struct promise_type {
        Coroutine get_return_object() { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
};

TEST(UsageOfFutures, SubmitsAndGets) {
    concurrent::futures::ThreadPoolExecutor pool(4);
    auto f = pool.submit(pow_mod, 323, 1235, 17);
    EXPECT_EQ(f.result(), pow_mod(323, 1235, 17));
    f.result(1s);
    EXPECT_EQ(f.exception(), nullptr);
    EXPECT_TRUE(f.done());
    EXPECT_FALSE(f.running());
    EXPECT_FALSE(f.cancel());
    EXPECT_FALSE(f.cancelled());
    futures::Future<int> g = pool.submit(fib, 10);
    EXPECT_EQ(g.result(), 55);
    auto u = pool.submit([] { return std::make_unique<int>(8); });
    auto taken = std::move(u).result();
    EXPECT_EQ(*taken, 8);
    const auto make = [] { return 9; };
    auto moved = pool.submit(make).take();
    EXPECT_EQ(moved, 9);
    used = 0;
    g.add_done_callback([](futures::Future<int> done) { use(done); });
    EXPECT_EQ(used, 1);
}

TEST(UsageOfFutures, Maps) {
    const std::vector<int> numbers{1, 2, 3};
    const std::vector<int> xs{1, 2};
    const std::vector<int> ys{10, 20};
    futures::ThreadPoolExecutor pool(4);
    used = 0;
    for (int n : pool.map(square, numbers)) use(n);
    EXPECT_EQ(used, 3);
    auto sums = pool.map({.timeout = 5s, .chunksize = 100, .buffersize = 8}, add, xs, ys);
    EXPECT_EQ(*sums.begin(), 11);
    pool.map(square, {1, 2, 3});
    pool.shutdown({.wait = true, .cancel_futures = true});
}

TEST(UsageOfFutures, Waits) {
    std::vector<futures::Future<int>> fs;
    futures::ThreadPoolExecutor pool(4);
    for (int i = 0; i < 3; ++i) fs.push_back(pool.submit(square, i));
    auto [done, not_done] = futures::wait(fs, 1s, futures::FIRST_COMPLETED);
    EXPECT_EQ(done.size() + not_done.size(), 3u);
    EXPECT_FALSE(done.empty());
    used = 0;
    for (auto& each : futures::as_completed(fs)) use(each.result());
    EXPECT_EQ(used, 3);
}

TEST(UsageOfFutures, Stops) {
    futures::ThreadPoolExecutor pool(1);
    EXPECT_TRUE(
        pool.submit([](std::stop_token stop, int n) { return search(stop, n); }, 7).request_stop());
}

TEST(UsageOfFutures, Options) {
    std::atomic<int> opened = 0;
    std::atomic<int> greeted = 0;
    const auto open_db = [&] { ++opened; };
    const auto hello = [&] { ++greeted; };
    const auto bye = [&] { --greeted; };
    const auto task = [] { return 1; };
    {
        futures::ThreadPoolExecutor io({.max_workers = 8,
                                        .thread_name_prefix = "io",
                                        .initializer = open_db,
                                        .max_pending = 1000,
                                        .on_worker_start = hello,
                                        .on_worker_stop = bye});
        io.submit({.priority = 5, .name = "index"}, square, 3).result();
        io.submit(task);
        EXPECT_EQ(io.try_submit(task)->result(), 1);
        io.resize(16);
        EXPECT_LE(io.stats().queued, 1u);
        EXPECT_GE(opened, 1);
    }
    EXPECT_EQ(greeted, 0);
}

TEST(UsageOfFutures, Groups) {
    std::atomic<int> runs = 0;
    futures::ThreadPoolExecutor pool(2);
    const auto f1 = [&] { ++runs; };
    const auto f2 = [&] { ++runs; };
    {
        futures::TaskGroup group(pool);
        group.submit(f1);
        group.submit(f2);
        group.wait();
    }
    EXPECT_EQ(runs, 2);
    const auto fa = pool.submit(square, 2);
    const auto fb = pool.submit(square, 3);
    const std::vector<futures::Future<int>> fs{fa, fb};
    auto both = futures::when_all(fa, fb).result();
    EXPECT_EQ(both, std::tuple(4, 9));
    std::size_t first = futures::when_any(fs).result();
    EXPECT_LT(first, 2u);
}

Coroutine await_it(futures::ThreadPoolExecutor& pool, futures::Executor& ui, int& got,
                   threading::Event& is_over) {
    const auto answer = [] { return 42; };
    got = co_await pool.submit(answer);
    const auto f = pool.submit(answer);
    got += co_await f.via(ui);
    is_over.set();
}

TEST(UsageOfFutures, Awaits) {
    int got = 0;
    threading::Event is_over;
    futures::ThreadPoolExecutor ui(1);
    futures::ThreadPoolExecutor pool(1);
    await_it(pool, ui, got, is_over);
    is_over.wait();
    EXPECT_EQ(got, 84);
}

TEST(UsageOfFutures, RunsByHand) {
    int runs = 0;
    const auto task = [&] { ++runs; };
    futures::ManualExecutor by_hand;
    by_hand.submit(task);
    by_hand.submit(task);
    by_hand.run_one();
    EXPECT_EQ(by_hand.pending(), 1u);
    by_hand.run_all();
    EXPECT_EQ(runs, 2);
}

int crunch(futures::Executor& any) {
    return any.submit(square, 4).result();
}

TEST(UsageOfFutures, TakesAnyExecutor) {
    futures::ThreadPoolExecutor pool(1);
    EXPECT_EQ(crunch(pool), 16);
}

// The second worked example of Python's page; the first is in fetch_example_test.cpp.

bool is_prime(long n) {
    if (n < 2) return false;
    if (n == 2) return true;
    if (n % 2 == 0) return false;
    for (long i = 3; i <= n / i; i += 2) {
        if (n % i == 0) return false;
    }
    return true;
}

TEST(UsageOfFutures, TheExampleOfPrimes) {
    const std::vector<long> numbers{112272535095293, 112582705942171, 112272535095293,
                                    115280095190773, 115797848077099, 1099726899285419};
    futures::ThreadPoolExecutor executor;
    std::vector<bool> found;
    for (const bool prime : executor.map(is_prime, numbers)) found.push_back(prime);
    EXPECT_THAT(found, testing::ElementsAre(true, true, true, true, true, false));
}

}  // namespace
