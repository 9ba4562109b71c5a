// Barrier beside std::barrier, pthread_barrier_t, Boost's and CPython's (oneTBB has none): one
// round of two threads, and of four. Run it under `taskset -c 0` to see all of them on one CPU.
// Checked: after each round all have arrived.

#include <benchmark/benchmark.h>
#include <pthread.h>

#include <atomic>
#include <barrier>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <boost/thread/barrier.hpp>
#include <weft/threading/barrier.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

struct Standard {
    explicit Standard(int parties) : barrier(parties) {}
    void wait() { barrier.arrive_and_wait(); }
    std::barrier<> barrier;
};

struct Posix {
    explicit Posix(int parties) {
        if (pthread_barrier_init(&barrier, nullptr, static_cast<unsigned>(parties)) != 0)
            std::abort();
    }
    ~Posix() { pthread_barrier_destroy(&barrier); }
    Posix(const Posix&) = delete;
    Posix& operator=(const Posix&) = delete;
    void wait() { pthread_barrier_wait(&barrier); }
    pthread_barrier_t barrier;
};

struct Boost {
    explicit Boost(int parties) : barrier(static_cast<unsigned>(parties)) {}
    void wait() { barrier.wait(); }
    boost::barrier barrier;
};

/// How often each thread has arrived, on a cache line of its own.
struct alignas(64) Arrivals {
    std::atomic<benchmark::IterationCount> count{0};
};

template <class Barrier, int kParties>
void rounds(benchmark::State& state) {
    Barrier barrier(kParties);
    const auto count = state.max_iterations;
    std::vector<Arrivals> arrivals(kParties);
    std::atomic<bool> is_wrong{false};
    const auto arrive = [&](std::size_t me, benchmark::IterationCount round) {
        arrivals[me].count.store(round, std::memory_order_relaxed);
        barrier.wait();
        if (arrivals[(me + 1) % kParties].count.load(std::memory_order_relaxed) < round) {
            is_wrong = true;
        }
    };
    std::vector<std::thread> others;
    for (std::size_t me = 1; me < kParties; ++me) {
        others.emplace_back([&, me] {
            for (benchmark::IterationCount round = 1; round <= count; ++round) arrive(me, round);
        });
    }
    benchmark::IterationCount round = 0;
    for (auto _ : state) arrive(0, ++round);
    for (auto& each : others) each.join();
    if (is_wrong) state.SkipWithError("somebody went on too early");
}

template <class Barrier>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Barrier_of_2", contender).c_str(),
                                 rounds<Barrier, 2>)
        ->UseRealTime();
    benchmark::RegisterBenchmark(bench::name("BM_Barrier_of_4", contender).c_str(),
                                 rounds<Barrier, 4>)
        ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
    add<weft::threading::Barrier>("weft");
    add<Standard>("std::barrier");
    add<Posix>("pthread_barrier");
    add<Boost>("boost::barrier");
    for (const char* const parties : {"2", "4"}) {
        bench::add_cpython(std::string("BM_Barrier_of_") + parties,
                           std::string("import threading\n"
                                       "parties = ") +
                               parties +
                               "\n"
                               "barrier = threading.Barrier(parties)\n"
                               "def rounds(n):\n"
                               "    for _ in range(n): barrier.wait()\n"
                               "def run(n):\n"
                               "    all = [threading.Thread(target=rounds, args=(n,))\n"
                               "           for _ in range(parties - 1)]\n"
                               "    for each in all: each.start()\n"
                               "    rounds(n)\n"
                               "    for each in all: each.join()\n",
                           1'000);
    }
    return bench::run_pairs(argc, argv);
}
