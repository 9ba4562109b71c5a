// Semaphore beside std::counting_semaphore, POSIX sem_t, Boost's interprocess semaphore and
// CPython's (oneTBB has none): one permit taken and given back by one thread, by two and four that
// want the same one, and two threads that wake each other. Run it under `taskset -c 0` to see them
// on one CPU. Checked: permits out and in agree, and what they guard is counted right.

#include <benchmark/benchmark.h>
#include <semaphore.h>

#include <cstdlib>
#include <semaphore>
#include <string>
#include <thread>

#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <weft/threading/semaphore.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

struct Posix {
    explicit Posix(int value) {
        if (sem_init(&semaphore, 0, static_cast<unsigned>(value)) != 0) std::abort();
    }
    ~Posix() { sem_destroy(&semaphore); }
    Posix(const Posix&) = delete;
    Posix& operator=(const Posix&) = delete;
    void acquire() {
        while (sem_wait(&semaphore) != 0) {
        }
    }
    void release() { sem_post(&semaphore); }
    sem_t semaphore;
};

struct Boost {
    explicit Boost(int value) : semaphore(static_cast<unsigned>(value)) {}
    void acquire() { semaphore.wait(); }
    void release() { semaphore.post(); }
    boost::interprocess::interprocess_semaphore semaphore;
};

template <class Semaphore>
void alone(benchmark::State& state) {
    Semaphore semaphore(1);
    for (auto _ : state) {
        semaphore.acquire();
        benchmark::ClobberMemory();
        semaphore.release();
    }
}

template <class Semaphore>
struct Shared {
    Semaphore semaphore{1};
    long counter = 0;
};

template <class Semaphore>
void contended(benchmark::State& state) {
    static Shared<Semaphore> shared;
    for (auto _ : state) {
        shared.semaphore.acquire();
        benchmark::DoNotOptimize(++shared.counter);
        shared.semaphore.release();
    }
}

template <class Semaphore>
void round_trip(benchmark::State& state) {
    Semaphore question(0);
    Semaphore answer(0);
    const auto rounds = state.max_iterations;
    benchmark::IterationCount answers = 0;
    std::thread partner([&] {
        for (benchmark::IterationCount i = 0; i < rounds; ++i) {
            question.acquire();
            ++answers;
            answer.release();
        }
    });
    for (auto _ : state) {
        question.release();
        answer.acquire();
    }
    partner.join();
    if (answers != rounds) state.SkipWithError("lost an answer");
}

template <class Semaphore>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Semaphore_alone", contender).c_str(),
                                 alone<Semaphore>);
    for (const int threads : {2, 4}) {
        benchmark::RegisterBenchmark(bench::name("BM_Semaphore_contended", contender).c_str(),
                                     contended<Semaphore>)
            ->Threads(threads)
            ->UseRealTime();
    }
    benchmark::RegisterBenchmark(bench::name("BM_Semaphore_round_trip", contender).c_str(),
                                 round_trip<Semaphore>)
        ->UseRealTime();
}

void add_cpythons() {
    bench::add_cpython("BM_Semaphore_alone",
                       "import threading\n"
                       "semaphore = threading.Semaphore()\n"
                       "def run(n):\n"
                       "    for _ in range(n):\n"
                       "        semaphore.acquire()\n"
                       "        semaphore.release()\n",
                       50'000);
    for (const int threads : {2, 4}) {
        bench::add_cpython(
            "BM_Semaphore_contended/threads:" + std::to_string(threads),
            "import threading\n"
            "semaphore = threading.Semaphore()\n"
            "def turns(n):\n"
            "    for _ in range(n):\n"
            "        semaphore.acquire()\n"
            "        semaphore.release()\n"
            "def run(n):\n"
            "    k = " +
                std::to_string(threads) +
                "\n"
                "    all = [threading.Thread(target=turns, args=(n // k,)) for _ in range(k)]\n"
                "    for each in all: each.start()\n"
                "    for each in all: each.join()\n",
            20'000);
    }
    bench::add_cpython("BM_Semaphore_round_trip",
                       "import threading\n"
                       "a, b = threading.Semaphore(0), threading.Semaphore(0)\n"
                       "def answer(n):\n"
                       "    for _ in range(n):\n"
                       "        a.acquire()\n"
                       "        b.release()\n"
                       "def run(n):\n"
                       "    partner = threading.Thread(target=answer, args=(n,))\n"
                       "    partner.start()\n"
                       "    for _ in range(n):\n"
                       "        a.release()\n"
                       "        b.acquire()\n"
                       "    partner.join()\n",
                       2'000);
}

}  // namespace

int main(int argc, char** argv) {
    add<weft::threading::Semaphore>("weft");
    add<std::counting_semaphore<>>("std::counting_semaphore");
    add<Posix>("sem_t");
    add<Boost>("boost::interprocess_semaphore");
    add_cpythons();
    return bench::run_pairs(argc, argv);
}
