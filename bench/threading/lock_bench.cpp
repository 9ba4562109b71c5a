// Lock and RLock beside the mutexes of the standard library, oneTBB, Boost and CPython: alone, and
// with two and four threads that want the same lock. The last table says how four threads that do
// nothing else share it: the part of all acquisitions that the luckiest and the unluckiest thread
// had. Checked: no increment is lost.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <oneapi/tbb/mutex.h>
#include <boost/thread/mutex.hpp>
#include <weft/threading/lock.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

/// The two operations of Weft's lock that nobody else wants, and nothing else: what is left of it
/// without the look whether the order of locks is checked.
class BareOperations {
public:
    void lock() {
        while ((state_.fetch_or(1, std::memory_order_acquire) & 1) != 0) std::this_thread::yield();
    }
    void unlock() {
        std::uint32_t expected = 1;
        state_.compare_exchange_strong(expected, 0, std::memory_order_release,
                                       std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint32_t> state_{0};
};

template <class Mutex>
void alone(benchmark::State& state) {
    Mutex mutex;
    long counter = 0;
    for (auto _ : state) {
        mutex.lock();
        benchmark::DoNotOptimize(++counter);
        mutex.unlock();
    }
    if (counter != static_cast<long>(state.iterations())) state.SkipWithError("lost an increment");
}

template <class Mutex>
struct Shared {
    Mutex mutex;
    long counter = 0;
};

template <class Mutex>
void contended(benchmark::State& state) {
    static Shared<Mutex> shared;
    for (auto _ : state) {
        shared.mutex.lock();
        benchmark::DoNotOptimize(++shared.counter);
        shared.mutex.unlock();
    }
}

template <class Mutex>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Lock_alone", contender).c_str(), alone<Mutex>);
    for (const int threads : {2, 4}) {
        benchmark::RegisterBenchmark(bench::name("BM_Lock_contended", contender).c_str(),
                                     contended<Mutex>)
            ->Threads(threads)
            ->UseRealTime();
    }
}

template <class Mutex>
void add_recursive(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_RLock_alone", contender).c_str(), alone<Mutex>);
}

/// How many times each of four threads got the lock within 20 ms.
template <class Mutex>
std::vector<long> turns_of_four() {
    constexpr int kThreads = 4;
    Mutex mutex;
    std::barrier start(kThreads + 1);
    std::atomic<bool> is_over{false};
    long total = 0;
    std::vector<long> turns(kThreads);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                long mine = 0;
                start.arrive_and_wait();
                while (!is_over.load(std::memory_order_relaxed)) {
                    std::scoped_lock held(mutex);
                    ++total;
                    ++mine;
                }
                turns[static_cast<std::size_t>(t)] = mine;
            });
        }
        start.arrive_and_wait();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        is_over = true;
    }
    if (total != std::accumulate(turns.begin(), turns.end(), 0L)) {
        std::fputs("lost an increment\n", stderr);
        std::exit(1);
    }
    return turns;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print_shares() {
    struct Contender {
        const char* name;
        std::vector<long> (*run)();
        std::vector<double> luckiest{};
        std::vector<double> unluckiest{};
    };
    Contender contenders[] = {
        {"weft", turns_of_four<weft::threading::Lock>},
        {"std::mutex", turns_of_four<std::mutex>},
        {"tbb::mutex", turns_of_four<tbb::mutex>},
        {"boost::mutex", turns_of_four<boost::mutex>},
    };
    for (int round = 0; round < 30; ++round) {
        for (Contender& each : contenders) {
            const std::vector<long> turns = each.run();
            const auto total = static_cast<double>(std::accumulate(turns.begin(), turns.end(), 0L));
            const auto [least, most] = std::ranges::minmax(turns);
            each.luckiest.push_back(100 * static_cast<double>(most) / total);
            each.unluckiest.push_back(100 * static_cast<double>(least) / total);
        }
    }
    std::printf("\n%-16s %20s %20s %20s\n", "four threads", "luckiest (median)",
                "unluckiest (median)", "unluckiest (worst)");
    for (const Contender& each : contenders) {
        std::printf("%-16s %18.1f %% %18.1f %% %18.3f %%\n", each.name, median(each.luckiest),
                    median(each.unluckiest), std::ranges::min(each.unluckiest));
    }
}

}  // namespace

int main(int argc, char** argv) {
    add<weft::threading::Lock>("weft");
    add<std::mutex>("std::mutex");
    add<tbb::mutex>("tbb::mutex");
    add<boost::mutex>("boost::mutex");
    benchmark::RegisterBenchmark(bench::name("BM_Lock_alone", "its bare operations").c_str(),
                                 alone<BareOperations>);
    add_recursive<weft::threading::RLock>("weft");
    add_recursive<std::recursive_mutex>("std::recursive_mutex");
    for (const std::string kind : {"Lock", "RLock"}) {
        bench::add_cpython("BM_" + kind + "_alone",
                           "import threading\n"
                           "lock = threading." +
                               kind +
                               "()\n"
                               "def run(n):\n"
                               "    for _ in range(n):\n"
                               "        lock.acquire()\n"
                               "        lock.release()\n",
                           200'000);
    }
    const int status = bench::run_pairs(argc, argv);
    print_shares();
    return status;
}
