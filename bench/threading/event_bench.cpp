// Event beside an event made of std::condition_variable, one made of std::atomic's wait() and
// CPython's: set and cleared with nobody waiting, waited for when it is set, and two threads that
// wake each other. Run it under `taskset -c 0` to see both on one CPU. Checked: every question is
// answered once.

#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <weft/threading/event.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

class ConditionEvent {
public:
    void set() {
        const std::scoped_lock held(mutex_);
        is_set_ = true;
        condition_.notify_all();
    }
    void clear() {
        const std::scoped_lock held(mutex_);
        is_set_ = false;
    }
    void wait() {
        std::unique_lock held(mutex_);
        condition_.wait(held, [this] { return is_set_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool is_set_ = false;
};

class AtomicEvent {
public:
    void set() {
        is_set_.store(1);
        is_set_.notify_all();
    }
    void clear() { is_set_.store(0); }
    void wait() { is_set_.wait(0); }

private:
    std::atomic<int> is_set_{0};
};

template <class Event>
void set_nobody(benchmark::State& state) {
    Event event;
    for (auto _ : state) {
        event.set();
        event.clear();
    }
}

template <class Event>
void wait_when_set(benchmark::State& state) {
    Event event;
    event.set();
    for (auto _ : state) {
        event.wait();
        benchmark::ClobberMemory();
    }
}

template <class Event>
void round_trip(benchmark::State& state) {
    Event question;
    Event answer;
    const auto rounds = state.max_iterations;
    benchmark::IterationCount answers = 0;
    std::thread partner([&] {
        for (benchmark::IterationCount i = 0; i < rounds; ++i) {
            question.wait();
            question.clear();
            ++answers;
            answer.set();
        }
    });
    for (auto _ : state) {
        question.set();
        answer.wait();
        answer.clear();
    }
    partner.join();
    if (answers != rounds) state.SkipWithError("lost an answer");
}

template <class Event>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(bench::name("BM_Event_set_nobody", contender).c_str(),
                                 set_nobody<Event>);
    benchmark::RegisterBenchmark(bench::name("BM_Event_wait_when_set", contender).c_str(),
                                 wait_when_set<Event>);
    benchmark::RegisterBenchmark(bench::name("BM_Event_round_trip", contender).c_str(),
                                 round_trip<Event>)
        ->UseRealTime();
}

void add_cpythons() {
    bench::add_cpython("BM_Event_set_nobody",
                       "import threading\n"
                       "event = threading.Event()\n"
                       "def run(n):\n"
                       "    for _ in range(n):\n"
                       "        event.set()\n"
                       "        event.clear()\n",
                       50'000);
    bench::add_cpython("BM_Event_wait_when_set",
                       "import threading\n"
                       "event = threading.Event()\n"
                       "event.set()\n"
                       "def run(n):\n"
                       "    for _ in range(n): event.wait()\n",
                       50'000);
    bench::add_cpython("BM_Event_round_trip",
                       "import threading\n"
                       "a, b = threading.Event(), threading.Event()\n"
                       "def answer(n):\n"
                       "    for _ in range(n):\n"
                       "        a.wait()\n"
                       "        a.clear()\n"
                       "        b.set()\n"
                       "def run(n):\n"
                       "    partner = threading.Thread(target=answer, args=(n,))\n"
                       "    partner.start()\n"
                       "    for _ in range(n):\n"
                       "        a.set()\n"
                       "        b.wait()\n"
                       "        b.clear()\n"
                       "    partner.join()\n",
                       2'000);
}

}  // namespace

int main(int argc, char** argv) {
    add<weft::threading::Event>("weft");
    add<ConditionEvent>("std::condition_variable");
    add<AtomicEvent>("std::atomic");
    add_cpythons();
    return bench::run_pairs(argc, argv);
}
