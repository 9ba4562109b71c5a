// SimpleQueue beside a queue of the standard library's parts and those of Boost and oneTBB: one
// thread that puts and gets in turn, producers and consumers in equal numbers, and a word that goes
// to and fro. Peers that cannot wait are polled with a yield. Checked: the sum of what comes out.

// Boost's queue is faster without interruption points, which its peers do not have.
#define BOOST_THREAD_DONT_PROVIDE_INTERRUPTIONS

// sync_queue.hpp needs lock_guard.hpp before it.
#include <boost/thread/lock_guard.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <oneapi/tbb/concurrent_queue.h>
#include <boost/lockfree/queue.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>
#include <weft/queue/simple_queue.hpp>

#include "support/pairs.hpp"

namespace {

template <class T>
class Weft {
public:
    static constexpr const char* kName = "weft";
    void push(T item) { queue_.put(std::move(item)); }
    T pop() { return queue_.get(); }

private:
    weft::queue::SimpleQueue<T> queue_;
};

template <class T>
class Textbook {
public:
    static constexpr const char* kName = "std::mutex+deque";
    void push(T item) {
        {
            const std::lock_guard held(mutex_);
            items_.push_back(std::move(item));
        }
        not_empty_.notify_one();
    }
    T pop() {
        std::unique_lock held(mutex_);
        not_empty_.wait(held, [this] { return !items_.empty(); });
        T item = std::move(items_.front());
        items_.pop_front();
        return item;
    }

private:
    std::mutex mutex_;
    std::condition_variable not_empty_;
    std::deque<T> items_;
};

template <class T>
class BoostSync {
public:
    static constexpr const char* kName = "boost::sync_queue";
    void push(T item) { queue_.push(std::move(item)); }
    T pop() { return queue_.pull(); }

private:
    boost::sync_queue<T> queue_;
};

template <class T>
class TbbBounded {
public:
    static constexpr const char* kName = "tbb::bounded_queue";
    void push(T item) { queue_.push(std::move(item)); }
    T pop() {
        T item{};
        queue_.pop(item);
        return item;
    }

private:
    tbb::concurrent_bounded_queue<T> queue_;
};

template <class T>
class TbbUnbounded {
public:
    static constexpr const char* kName = "tbb::queue(yield)";
    void push(T item) { queue_.push(std::move(item)); }
    T pop() {
        T item{};
        while (!queue_.try_pop(item)) std::this_thread::yield();
        return item;
    }

private:
    tbb::concurrent_queue<T> queue_;
};

template <class T>
class BoostLockfree {
public:
    static constexpr const char* kName = "boost::lockfree(yield)";
    void push(T item) {
        while (!queue_.push(item)) std::this_thread::yield();
    }
    T pop() {
        T item{};
        while (!queue_.pop(item)) std::this_thread::yield();
        return item;
    }

private:
    boost::lockfree::queue<T> queue_{1024};
};

std::uint64_t value_of(std::int64_t item) {
    return static_cast<std::uint64_t>(item);
}
std::uint64_t value_of(const std::string& item) {
    return std::strtoull(item.c_str(), nullptr, 10);
}

template <class T>
T make_item(std::uint64_t value) {
    if constexpr (std::is_same_v<T, std::string>) {
        std::string item(32, '0');
        for (std::size_t at = item.size(); value != 0; value /= 10) {
            item[--at] = static_cast<char>('0' + value % 10);
        }
        return item;
    } else {
        return static_cast<T>(value);
    }
}

constexpr std::uint64_t sum_below(std::uint64_t n) {
    return n * (n - 1) / 2;
}

/// One thread puts an item and gets it.
template <class Queue, class T>
void alone(benchmark::State& state) {
    Queue queue;
    std::uint64_t items = 0;
    std::uint64_t sum = 0;
    for (auto _ : state) {
        queue.push(make_item<T>(items++));
        sum += value_of(queue.pop());
    }
    if (sum != sum_below(items)) state.SkipWithError("lost an item");
}

/// `pairs` threads put, as many get; a batch of items at a time, threads and all.
template <class Queue, class T, std::uint64_t pairs>
void streamed(benchmark::State& state) {
    constexpr std::uint64_t kEach = 200'000 / pairs;
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(kEach * pairs))) {
        Queue queue;
        std::atomic<std::uint64_t> sum{0};
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < pairs; ++i) {
                threads.emplace_back([&] {
                    for (std::uint64_t n = 0; n < kEach; ++n) queue.push(make_item<T>(n));
                });
                threads.emplace_back([&] {
                    std::uint64_t mine = 0;
                    for (std::uint64_t n = 0; n < kEach; ++n) mine += value_of(queue.pop());
                    sum += mine;
                });
            }
        }
        if (sum != pairs * sum_below(kEach)) state.SkipWithError("lost an item");
    }
}

/// Two threads and two queues; one iteration is a round trip.
template <class Queue, class T>
void ping_pong(benchmark::State& state) {
    constexpr std::uint64_t kRounds = 2'000;
    while (state.KeepRunningBatch(kRounds)) {
        Queue there;
        Queue back;
        std::uint64_t sum = 0;
        const std::jthread partner([&] {
            for (std::uint64_t i = 0; i < kRounds; ++i) back.push(there.pop());
        });
        for (std::uint64_t i = 0; i < kRounds; ++i) {
            there.push(make_item<T>(i));
            sum += value_of(back.pop());
        }
        if (sum != sum_below(kRounds)) state.SkipWithError("lost an item");
    }
}

template <class Queue, class T>
void add(const std::string& type) {
    const auto row = [&](const char* what, void (*run)(benchmark::State&)) {
        const std::string name = std::string("BM_SimpleQueue_") + what + "_" + type;
        benchmark::RegisterBenchmark(bench::name(name, Queue::kName).c_str(), run)->UseRealTime();
    };
    row("alone", alone<Queue, T>);
    row("1P1C", streamed<Queue, T, 1>);
    row("2P2C", streamed<Queue, T, 2>);
    row("4P4C", streamed<Queue, T, 4>);
    row("ping_pong", ping_pong<Queue, T>);
}

template <class T>
void add_all(const std::string& type) {
    add<Weft<T>, T>(type);
    add<Textbook<T>, T>(type);
    add<BoostSync<T>, T>(type);
    add<TbbBounded<T>, T>(type);
    add<TbbUnbounded<T>, T>(type);
    if constexpr (std::is_trivially_copyable_v<T>) add<BoostLockfree<T>, T>(type);
}

}  // namespace

int main(int argc, char** argv) {
    add_all<std::int64_t>("int64");
    add_all<std::string>("string32");
    return bench::run_pairs(argc, argv);
}
