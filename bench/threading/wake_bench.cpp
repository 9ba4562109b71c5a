// How long one thread needs to wake another and to be woken back: Condition beside
// std::condition_variable, Boost's and CPython's. Run it under `taskset -c 0` to see both threads
// on one CPU. Checked: every question is answered once.

#include <benchmark/benchmark.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>

#include <boost/thread/condition_variable.hpp>
#include <boost/thread/mutex.hpp>
#include <weft/threading/condition.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

struct Weft {
    weft::threading::Lock mutex;
    weft::threading::Condition condition{mutex};
    template <class Predicate>
    void await(Predicate predicate) {
        while (!predicate()) condition.wait();
    }
    void notify() { condition.notify(); }
};

template <class Mutex, class Variable, class UniqueLock>
struct Standard {
    Mutex mutex;
    Variable condition;
    template <class Predicate>
    void await(Predicate predicate) {
        UniqueLock held(mutex, AdoptLock());
        while (!predicate()) condition.wait(held);
        held.release();
    }
    void notify() { condition.notify_one(); }

    using AdoptLock = std::conditional_t<std::is_same_v<Mutex, std::mutex>, std::adopt_lock_t,
                                         boost::adopt_lock_t>;
};

enum class Turn { nobody, partner, mine, over };

template <class Signal>
void round_trip(benchmark::State& state) {
    Signal signal;
    Turn turn = Turn::nobody;
    long answers = 0;
    std::thread partner([&] {
        for (;;) {
            signal.mutex.lock();
            signal.await([&] { return turn == Turn::partner || turn == Turn::over; });
            const bool is_over = turn == Turn::over;
            if (!is_over) {
                turn = Turn::mine;
                ++answers;
                signal.notify();
            }
            signal.mutex.unlock();
            if (is_over) return;
        }
    });
    for (auto _ : state) {
        signal.mutex.lock();
        turn = Turn::partner;
        signal.notify();
        signal.await([&] { return turn == Turn::mine; });
        signal.mutex.unlock();
    }
    signal.mutex.lock();
    turn = Turn::over;
    signal.notify();
    signal.mutex.unlock();
    partner.join();
    if (answers != static_cast<long>(state.iterations())) state.SkipWithError("lost an answer");
}

template <class Signal>
void notify_nobody(benchmark::State& state) {
    Signal signal;
    for (auto _ : state) {
        signal.mutex.lock();
        signal.notify();
        signal.mutex.unlock();
    }
}

template <class Signal>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Condition_round_trip", contender).c_str(),
                                 round_trip<Signal>)
        ->UseRealTime();
    benchmark::RegisterBenchmark(bench::name("BM_Condition_notify_nobody", contender).c_str(),
                                 notify_nobody<Signal>);
}

}  // namespace

int main(int argc, char** argv) {
    add<Weft>("weft");
    add<Standard<std::mutex, std::condition_variable, std::unique_lock<std::mutex>>>(
        "std::condition_variable");
    add<Standard<boost::mutex, boost::condition_variable, boost::unique_lock<boost::mutex>>>(
        "boost::condition_variable");
    bench::add_cpython("BM_Condition_notify_nobody",
                       "import threading\n"
                       "condition = threading.Condition(threading.Lock())\n"
                       "def run(n):\n"
                       "    for _ in range(n):\n"
                       "        with condition: condition.notify()\n",
                       50'000);
    bench::add_cpython("BM_Condition_round_trip",
                       "import threading\n"
                       "condition = threading.Condition(threading.Lock())\n"
                       "turn = 0\n"
                       "def take_turns(me, n):\n"
                       "    global turn\n"
                       "    for _ in range(n):\n"
                       "        with condition:\n"
                       "            while turn != me: condition.wait()\n"
                       "            turn = 1 - me\n"
                       "            condition.notify()\n"
                       "def run(n):\n"
                       "    partner = threading.Thread(target=take_turns, args=(1, n))\n"
                       "    partner.start()\n"
                       "    take_turns(0, n)\n"
                       "    partner.join()\n",
                       2'000);
    return bench::run_pairs(argc, argv);
}
