// threading::local beside thread_local and boost::thread_specific_ptr: touching the calling
// thread's value, and a thread that touches one for the first time and ends. In the rows named
// `many`, sixteen of a kind take turns. Checked: no increment is lost, and what threads made is
// destroyed.

#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include <boost/thread/tss.hpp>
#include <weft/threading/local.hpp>

#include "support/pairs.hpp"

namespace {

constexpr std::size_t kMany = 16;

struct Counter {
    Counter() { made.fetch_add(1, std::memory_order_relaxed); }
    ~Counter() { destroyed.fetch_add(1, std::memory_order_relaxed); }
    long count = 0;
    static inline std::atomic<long> made{0};
    static inline std::atomic<long> destroyed{0};
};

template <int>
struct OfWeft {
    static inline constinit weft::threading::local<Counter> value;
    static Counter& get() { return *value; }
};

/// With a constructor and a destructor, as every use of the others has.
template <int>
struct OfTheLanguage {
    static inline thread_local Counter value;
    static Counter& get() { return value; }
};

template <int>
struct OfBoost {
    static inline boost::thread_specific_ptr<Counter> value;
    static Counter& get() {
        if (value.get() == nullptr) value.reset(new Counter);
        return *value;
    }
};

template <template <int> class Kind>
void touch(benchmark::State& state) {
    const long before = Kind<0>::get().count;
    for (auto _ : state) {
        Counter& counter = Kind<0>::get();
        benchmark::DoNotOptimize(&counter);
        ++counter.count;
        benchmark::ClobberMemory();
    }
    if (Kind<0>::get().count - before != static_cast<long>(state.iterations())) {
        state.SkipWithError("lost an increment");
    }
}

template <template <int> class Kind, std::size_t... Numbers>
long touch_each(std::index_sequence<Numbers...>) {
    long sum = 0;
    auto touch_one = [&sum](Counter& counter) {
        benchmark::DoNotOptimize(&counter);
        sum += ++counter.count;
    };
    (touch_one(Kind<static_cast<int>(Numbers) + 1>::get()), ...);
    return sum;
}

template <template <int> class Kind>
void touch_many(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(touch_each<Kind>(std::make_index_sequence<kMany>()));
    }
}

template <template <int> class Kind>
void thread_that_touches(benchmark::State& state) {
    const long alive = Counter::made - Counter::destroyed;
    for (auto _ : state) std::thread([] { ++Kind<0>::get().count; }).join();
    if (Counter::made - Counter::destroyed != alive) state.SkipWithError("left a value behind");
}

template <template <int> class Kind>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Local_touch", contender).c_str(), touch<Kind>);
    benchmark::RegisterBenchmark(bench::name("BM_Local_touch_many", contender).c_str(),
                                 touch_many<Kind>);
    benchmark::RegisterBenchmark(bench::name("BM_Local_thread_that_touches", contender).c_str(),
                                 thread_that_touches<Kind>)
        ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
    add<OfWeft>("weft");
    add<OfTheLanguage>("thread_local");
    add<OfBoost>("boost::thread_specific_ptr");
    return bench::run_pairs(argc, argv);
}
