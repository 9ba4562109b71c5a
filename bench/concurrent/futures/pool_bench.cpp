// A pool of two workers beside those of oneTBB and Boost.Asio, a thread for each call (std::async),
// and CPython: calls with a future, calls that nobody waits for, there and back, fork and join
// without a cutoff, and a function of a microsecond over a range, where the bare loop split over
// two threads is the limit.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <weft/concurrent/futures.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

constexpr int kWorkers = 2;
constexpr int kBatch = 10'000;
constexpr int kFib = 27;
constexpr long kFibResult = 196'418;
constexpr int kItems = 20'000;

/// A few dependent steps: about a microsecond.
std::uint64_t crunch(std::uint64_t n) {
    for (int i = 0; i < 330; ++i) n = n * 6364136223846793005u + 1442695040888963407u;
    return n;
}

// Peers: each submits a call and gives something to get its result from
// ----------------------------

class Weft {
public:
    static constexpr const char* kName = "weft";
    template <class Call>
    auto submit(Call call) {
        return pool_.submit(std::move(call));
    }
    template <class Call>
    void post(Call call) {
        pool_.submit(std::move(call));
    }
    template <class F>
    static auto get(F& future) {
        return future.result();
    }

private:
    weft::futures::ThreadPoolExecutor pool_{kWorkers};
};

class Asio {
public:
    static constexpr const char* kName = "boost::asio::thread_pool";
    template <class Call>
    auto submit(Call call) {
        std::packaged_task<decltype(call())()> task(std::move(call));
        auto future = task.get_future();
        boost::asio::post(pool_, std::move(task));
        return future;
    }
    template <class Call>
    void post(Call call) {
        boost::asio::post(pool_, std::move(call));
    }
    template <class F>
    static auto get(F& future) {
        return future.get();
    }

private:
    boost::asio::thread_pool pool_{kWorkers};
};

class Tbb {
public:
    static constexpr const char* kName = "tbb::task_arena";
    template <class Call>
    auto submit(Call call) {
        auto promise = std::make_shared<std::promise<decltype(call())>>();
        auto future = promise->get_future();
        arena_.enqueue([promise, call] { promise->set_value(call()); });
        return future;
    }
    template <class Call>
    void post(Call call) {
        arena_.enqueue(std::move(call));
    }
    template <class F>
    static auto get(F& future) {
        return future.get();
    }

private:
    tbb::task_arena arena_{kWorkers, 0};
};

class Async {
public:
    static constexpr const char* kName = "std::async";
    template <class Call>
    auto submit(Call call) {
        return std::async(std::launch::async, std::move(call));
    }
    template <class F>
    static auto get(F& future) {
        return future.get();
    }
};

// Rows
// ---------------------------------------------------------------------------------------------

template <class Pool>
void with_future(benchmark::State& state) {
    Pool pool;
    using Future = decltype(pool.submit([] { return 1; }));
    std::vector<Future> all;
    all.reserve(kBatch);
    while (state.KeepRunningBatch(kBatch)) {
        long sum = 0;
        for (int i = 0; i < kBatch; ++i) all.push_back(pool.submit([i] { return i & 1; }));
        for (auto& each : all) sum += Pool::get(each);
        all.clear();
        if (sum != kBatch / 2) state.SkipWithError("a result is wrong");
    }
}

template <class Pool>
void forgotten(benchmark::State& state) {
    Pool pool;
    std::atomic<int> left{0};
    std::binary_semaphore done{0};
    while (state.KeepRunningBatch(kBatch)) {
        left.store(kBatch, std::memory_order_relaxed);
        for (int i = 0; i < kBatch; ++i) {
            pool.post([&] {
                if (left.fetch_sub(1, std::memory_order_acq_rel) == 1) done.release();
            });
        }
        done.acquire();
    }
}

template <class Pool>
void round_trip(benchmark::State& state) {
    Pool pool;
    for (auto _ : state) {
        auto future = pool.submit([] { return 1; });
        if (Pool::get(future) != 1) state.SkipWithError("a result is wrong");
    }
}

long weft_fib(weft::futures::ThreadPoolExecutor& pool, int n) {
    if (n < 2) return n;
    const auto left = pool.submit([&pool, n] { return weft_fib(pool, n - 1); });
    const long right = weft_fib(pool, n - 2);
    return left.result() + right;
}
void fib_weft(benchmark::State& state) {
    weft::futures::ThreadPoolExecutor pool(kWorkers);
    for (auto _ : state) {
        const long result = pool.submit([&] { return weft_fib(pool, kFib); }).result();
        if (result != kFibResult) state.SkipWithError("a result is wrong");
    }
}

long tbb_fib(int n) {
    if (n < 2) return n;
    long left = 0;
    tbb::task_group group;
    group.run([&left, n] { left = tbb_fib(n - 1); });
    const long right = tbb_fib(n - 2);
    group.wait();
    return left + right;
}
void fib_tbb(benchmark::State& state) {
    tbb::task_arena arena(kWorkers);
    for (auto _ : state) {
        const long result = arena.execute([] { return tbb_fib(kFib); });
        if (result != kFibResult) state.SkipWithError("a result is wrong");
    }
}

std::vector<std::uint64_t> inputs() {
    std::vector<std::uint64_t> all(kItems);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
}
std::uint64_t expected() {
    std::uint64_t sum = 0;
    for (const std::uint64_t each : inputs()) sum += crunch(each);
    return sum;
}

void map_weft(benchmark::State& state) {
    weft::futures::ThreadPoolExecutor pool(kWorkers);
    const auto all = inputs();
    const std::uint64_t right = expected();
    while (state.KeepRunningBatch(kItems)) {
        std::uint64_t sum = 0;
        for (const std::uint64_t each : pool.map(crunch, all)) sum += each;
        if (sum != right) state.SkipWithError("a result is wrong");
    }
}

template <class Pool>
void map_by_futures(benchmark::State& state) {
    Pool pool;
    const auto all = inputs();
    const std::uint64_t right = expected();
    using Future = decltype(pool.submit([] { return std::uint64_t{1}; }));
    std::vector<Future> futures;
    futures.reserve(kItems);
    while (state.KeepRunningBatch(kItems)) {
        std::uint64_t sum = 0;
        for (const std::uint64_t each : all) {
            futures.push_back(pool.submit([each] { return crunch(each); }));
        }
        for (auto& each : futures) sum += Pool::get(each);
        futures.clear();
        if (sum != right) state.SkipWithError("a result is wrong");
    }
}

void map_tbb(benchmark::State& state) {
    tbb::task_arena arena(kWorkers);
    const auto all = inputs();
    const std::uint64_t right = expected();
    std::vector<std::uint64_t> results(all.size());
    while (state.KeepRunningBatch(kItems)) {
        arena.execute([&] {
            tbb::parallel_for(std::size_t{0}, all.size(),
                              [&](std::size_t i) { results[i] = crunch(all[i]); });
        });
        std::uint64_t sum = 0;
        for (const std::uint64_t each : results) sum += each;
        if (sum != right) state.SkipWithError("a result is wrong");
    }
}

void map_bare(benchmark::State& state) {
    const auto all = inputs();
    const std::uint64_t right = expected();
    std::vector<std::uint64_t> results(all.size());
    const auto half = [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) results[i] = crunch(all[i]);
    };
    while (state.KeepRunningBatch(kItems)) {
        auto other = std::async(std::launch::async, half, std::size_t{0}, all.size() / 2);
        half(all.size() / 2, all.size());
        other.get();
        std::uint64_t sum = 0;
        for (const std::uint64_t each : results) sum += each;
        if (sum != right) state.SkipWithError("a result is wrong");
    }
}

void add(const char* row, const char* contender, void (*run)(benchmark::State&)) {
    benchmark::RegisterBenchmark(bench::name(row, contender).c_str(), run)->UseRealTime();
}

constexpr const char* kPython = R"(
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
def one(): return 1
)";

}  // namespace

int main(int argc, char** argv) {
    add("BM_ThreadPool_with_future", Weft::kName, with_future<Weft>);
    add("BM_ThreadPool_with_future", Asio::kName, with_future<Asio>);
    add("BM_ThreadPool_with_future", Tbb::kName, with_future<Tbb>);
    bench::add_cpython("BM_ThreadPool_with_future", std::string(kPython) + R"(
def run(n):
    for each in [pool.submit(one) for _ in range(n)]: each.result()
)",
                       10'000);
    add("BM_ThreadPool_forgotten", Weft::kName, forgotten<Weft>);
    add("BM_ThreadPool_forgotten", Asio::kName, forgotten<Asio>);
    add("BM_ThreadPool_forgotten", Tbb::kName, forgotten<Tbb>);
    add("BM_ThreadPool_round_trip", Weft::kName, round_trip<Weft>);
    add("BM_ThreadPool_round_trip", Asio::kName, round_trip<Asio>);
    add("BM_ThreadPool_round_trip", Tbb::kName, round_trip<Tbb>);
    add("BM_ThreadPool_round_trip", Async::kName, round_trip<Async>);
    bench::add_cpython("BM_ThreadPool_round_trip", std::string(kPython) + R"(
def run(n):
    for _ in range(n): pool.submit(one).result()
)",
                       5'000);
    add("BM_ThreadPool_fib27", Weft::kName, fib_weft);
    add("BM_ThreadPool_fib27", "tbb::task_group", fib_tbb);
    add("BM_ThreadPool_map_1us", Weft::kName, map_weft);
    add("BM_ThreadPool_map_1us", "bare loop, split", map_bare);
    add("BM_ThreadPool_map_1us", "tbb::parallel_for", map_tbb);
    add("BM_ThreadPool_map_1us", "boost::asio::thread_pool", map_by_futures<Asio>);
    add("BM_ThreadPool_map_1us", "weft, a future each", map_by_futures<Weft>);
    return bench::run_pairs(argc, argv);
}
