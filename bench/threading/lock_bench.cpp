// Lock and RLock beside the mutexes of the standard library, oneTBB and Boost: alone, and with two
// and four threads that want the same lock. Checked: no increment is lost, no thread goes without.

#include <benchmark/benchmark.h>

#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include <boost/thread/mutex.hpp>
#include <oneapi/tbb/mutex.h>
#include <weft/threading/lock.hpp>

#include "support/pairs.hpp"

namespace {

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

}  // namespace

int main(int argc, char** argv) {
    add<weft::threading::Lock>("weft");
    add<std::mutex>("std::mutex");
    add<tbb::mutex>("tbb::mutex");
    add<boost::mutex>("boost::mutex");
    add_recursive<weft::threading::RLock>("weft");
    add_recursive<std::recursive_mutex>("std::recursive_mutex");
    return bench::run_pairs(argc, argv);
}
