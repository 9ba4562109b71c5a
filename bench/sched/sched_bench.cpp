// sched.scheduler beside what C++ programs use for timers. Each puts n timers with random times
// into one order, cancels every second, and runs the rest; one iteration is one timer. The peers of
// the standard library are given what a scheduler for several threads needs: a mutex, and an action
// of any type. Checked: how many ran, and that they ran in order.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <weft/sched.hpp>

#include "support/cpython.hpp"
#include "support/pairs.hpp"

namespace {

/// What the timers do: they see that they run in order.
struct Witness {
    double last = -1.0;
    std::uint64_t ran = 0;
    bool is_ordered = true;

    void see(double time) {
        is_ordered = is_ordered && time >= last;
        last = time;
        ++ran;
    }
};

const std::vector<double>& random_times() {
    static const std::vector<double> times = [] {
        std::mt19937_64 random(5);
        std::uniform_real_distribution<double> seconds(0.0, 3600.0);
        std::vector<double> made(1'000'000);
        for (double& time : made) time = seconds(random);
        return made;
    }();
    return times;
}

class Weft {
public:
    using Handle = weft::sched::Event;
    Handle enter(double time, Witness& witness) {
        return scheduler_.enterabs(time - 4000.0, 0, [&witness, time] { witness.see(time); });
    }
    void cancel(const Handle& handle) { scheduler_.cancel(handle); }
    void run() { scheduler_.run(false); }

private:
    weft::sched::scheduler scheduler_;
};

/// A heap that drops cancelled entries when they come up.
class PriorityQueue {
public:
    using Handle = std::size_t;
    Handle enter(double time, Witness& witness) {
        const std::lock_guard held(mutex_);
        actions_.emplace_back([&witness, time] { witness.see(time); });
        heap_.emplace(time, actions_.size() - 1);
        return actions_.size() - 1;
    }
    void cancel(Handle handle) {
        const std::lock_guard held(mutex_);
        actions_[handle] = nullptr;
    }
    void run() {
        for (;;) {
            std::unique_lock held(mutex_);
            if (heap_.empty()) break;
            const std::size_t at = heap_.top().second;
            heap_.pop();
            std::function<void()> action = std::exchange(actions_[at], nullptr);
            held.unlock();
            if (action) action();
        }
        actions_.clear();
    }

private:
    using Entry = std::pair<double, std::size_t>;
    std::mutex mutex_;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
    std::vector<std::function<void()>> actions_;
};

/// A tree in the order of the times.
class Multimap {
public:
    using Tree = std::multimap<double, std::function<void()>>;
    using Handle = Tree::iterator;
    Handle enter(double time, Witness& witness) {
        const std::lock_guard held(mutex_);
        return tree_.emplace(time, [&witness, time] { witness.see(time); });
    }
    void cancel(Handle handle) {
        const std::lock_guard held(mutex_);
        tree_.erase(handle);
    }
    void run() {
        for (;;) {
            std::unique_lock held(mutex_);
            if (tree_.empty()) break;
            const auto first = tree_.extract(tree_.begin());
            held.unlock();
            first.mapped()();
        }
    }

private:
    std::mutex mutex_;
    Tree tree_;
};

class Asio {
public:
    using Handle = std::size_t;
    Handle enter(double time, Witness& witness) {
        auto& timer = *timers_.emplace_back(std::make_unique<boost::asio::steady_timer>(
            context_, start_ - std::chrono::hours(2) +
                          std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                              std::chrono::duration<double>(time))));
        timer.async_wait([&witness, time](const boost::system::error_code& error) {
            if (!error) witness.see(time);
        });
        return timers_.size() - 1;
    }
    void cancel(Handle handle) { timers_[handle]->cancel(); }
    void run() {
        context_.run();
        context_.restart();
        timers_.clear();
    }

private:
    boost::asio::io_context context_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<boost::asio::steady_timer>> timers_;
};

template <class Timers, std::size_t n>
void enter_cancel_run(benchmark::State& state) {
    const std::vector<double>& times = random_times();
    Timers timers;
    std::vector<typename Timers::Handle> handles;
    handles.reserve(n);
    while (state.KeepRunningBatch(n)) {
        Witness witness;
        for (std::size_t i = 0; i < n; ++i) handles.push_back(timers.enter(times[i], witness));
        for (std::size_t i = 0; i < n; i += 2) timers.cancel(handles[i]);
        handles.clear();
        timers.run();
        if (witness.ran != n / 2 || !witness.is_ordered) state.SkipWithError("wrong order");
    }
}

/// Time-outs: nearly all are cancelled before their time, soon after they were entered.
template <class Timers, std::size_t n>
void enter_cancel_at_once(benchmark::State& state) {
    const std::vector<double>& times = random_times();
    Timers timers;
    while (state.KeepRunningBatch(n)) {
        Witness witness;
        for (std::size_t i = 0; i < n; ++i) {
            const auto handle = timers.enter(times[i], witness);
            if (i % 16 != 0) timers.cancel(handle);
        }
        timers.run();
        if (witness.ran != (n + 15) / 16 || !witness.is_ordered) state.SkipWithError("wrong order");
    }
}

template <class Timers>
void add(const std::string& contender) {
    benchmark::RegisterBenchmark(
        bench::name("BM_Sched_enter_cancel_half_run_1e6", contender).c_str(),
        enter_cancel_run<Timers, 1'000'000>);
    benchmark::RegisterBenchmark(
        bench::name("BM_Sched_enter_cancel_half_run_1e4", contender).c_str(),
        enter_cancel_run<Timers, 10'000>);
    benchmark::RegisterBenchmark(
        bench::name("BM_Sched_enter_cancel_half_run_1e2", contender).c_str(),
        enter_cancel_run<Timers, 100>);
    benchmark::RegisterBenchmark(bench::name("BM_Sched_mostly_cancelled_1e5", contender).c_str(),
                                 enter_cancel_at_once<Timers, 100'000>);
}

constexpr const char* kPython = R"(
import random, sched
times = [random.uniform(0, 3600) - 4000 for _ in range(100)]
def see(time):
    pass
def run(n):
    for _ in range(n // 100):
        s = sched.scheduler()
        events = [s.enterabs(time, 0, see, (time,)) for time in times]
        for event in events[::2]:
            s.cancel(event)
        s.run(False)
)";

}  // namespace

int main(int argc, char** argv) {
    add<Weft>("weft");
    add<PriorityQueue>("std::priority_queue+mutex+function");
    add<Multimap>("std::multimap+mutex+function");
    add<Asio>("boost::asio::steady_timer");
    // Its cancel() searches the whole queue, so that more timers would take minutes.
    bench::add_cpython("BM_Sched_enter_cancel_half_run_1e2", kPython, 20'000);
    return bench::run_pairs(argc, argv);
}
