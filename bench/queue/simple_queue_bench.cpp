// SimpleQueue beside a queue of the standard library's parts and those of Boost and oneTBB: one
// thread that puts and gets in turn, producers and consumers in equal numbers, and a word that goes
// to and fro. Peers that cannot wait are polled with a yield.

// Boost's queue is faster without interruption points, which its peers do not have.
#define BOOST_THREAD_DONT_PROVIDE_INTERRUPTIONS

// sync_queue.hpp needs lock_guard.hpp before it.
#include <boost/thread/lock_guard.hpp>

#include <benchmark/benchmark.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <oneapi/tbb/concurrent_queue.h>
#include <boost/lockfree/queue.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>
#include <weft/queue/simple_queue.hpp>

#include "queue/python.hpp"
#include "queue/traffic.hpp"
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

template <class Queue, class T>
void add(const std::string& type) {
    const auto row = [&](const char* what, void (*run)(benchmark::State&)) {
        const std::string name = std::string("BM_SimpleQueue_") + what + "_" + type;
        benchmark::RegisterBenchmark(bench::name(name, Queue::kName).c_str(), run)->UseRealTime();
    };
    row("alone", bench::alone<Queue, T>);
    row("1P1C", bench::streamed<Queue, T, 1>);
    row("2P2C", bench::streamed<Queue, T, 2>);
    row("4P4C", bench::streamed<Queue, T, 4>);
    row("ping_pong", bench::ping_pong<Queue, T>);
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
    bench::add_python("BM_SimpleQueue_alone_int64", "SimpleQueue", 0);
    bench::add_python("BM_SimpleQueue_1P1C_int64", "SimpleQueue", 1);
    bench::add_python("BM_SimpleQueue_2P2C_int64", "SimpleQueue", 2);
    bench::add_python("BM_SimpleQueue_4P4C_int64", "SimpleQueue", 4);
    bench::add_python("BM_SimpleQueue_ping_pong_int64", "SimpleQueue", -1);
    return bench::run_pairs(argc, argv);
}
