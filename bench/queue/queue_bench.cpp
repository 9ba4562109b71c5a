// Queue, LifoQueue and PriorityQueue beside queues of the standard library's parts and those of
// Boost, oneTBB, moodycamel and CPython: one thread that puts and gets in turn, producers and
// consumers in equal numbers, and a word that goes to and fro. Peers that cannot wait are polled
// with a yield. Then: the longest that a put or get took under contention, and memory.

// Boost's queue is faster without interruption points, which its peers do not have.
#define BOOST_THREAD_DONT_PROVIDE_INTERRUPTIONS

// sync_bounded_queue.hpp needs lock_guard.hpp before it.
#include <boost/thread/lock_guard.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <oneapi/tbb/concurrent_priority_queue.h>
#include <oneapi/tbb/concurrent_queue.h>
#include <boost/thread/concurrent_queues/sync_bounded_queue.hpp>
#include <weft/queue.hpp>

#if __has_include(<concurrentqueue/blockingconcurrentqueue.h>)
#    include <concurrentqueue/blockingconcurrentqueue.h>
#    define WEFT_BENCH_HAS_MOODYCAMEL 1
#else
#    define WEFT_BENCH_HAS_MOODYCAMEL 0
#endif

#include "queue/python.hpp"
#include "queue/traffic.hpp"
#include "support/pairs.hpp"

namespace {

constexpr std::size_t kBound = 1024;
constexpr std::size_t kUnbounded = 0;

template <class Q>
class Weft {
public:
    using value_type = typename Q::value_type;
    static constexpr const char* kName = "weft";
    explicit Weft(std::size_t bound) : queue_(static_cast<std::ptrdiff_t>(bound)) {}
    void push(value_type item) { queue_.put(std::move(item)); }
    value_type pop() { return queue_.get(); }

private:
    Q queue_;
};

template <class T>
struct InOrder {
    static constexpr const char* kName = "std::mutex+deque";
    std::deque<T> items;
    void push(T item) { items.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items.front());
        items.pop_front();
        return item;
    }
};
template <class T>
struct Stack {
    static constexpr const char* kName = "std::mutex+vector";
    std::vector<T> items;
    void push(T item) { items.push_back(std::move(item)); }
    T pop() {
        T item = std::move(items.back());
        items.pop_back();
        return item;
    }
};
template <class T>
struct Heap {
    static constexpr const char* kName = "std::mutex+heap";
    std::vector<T> items;
    void push(T item) {
        items.push_back(std::move(item));
        std::push_heap(items.begin(), items.end(), std::greater<T>());
    }
    T pop() {
        std::pop_heap(items.begin(), items.end(), std::greater<T>());
        T item = std::move(items.back());
        items.pop_back();
        return item;
    }
};

template <class T, template <class> class Storage>
class Textbook {
public:
    using value_type = T;
    static constexpr const char* kName = Storage<T>::kName;
    explicit Textbook(std::size_t bound) : bound_(bound) {}
    void push(T item) {
        {
            std::unique_lock held(mutex_);
            if (bound_ != 0) {
                not_full_.wait(held, [this] { return storage_.items.size() < bound_; });
            }
            storage_.push(std::move(item));
        }
        not_empty_.notify_one();
    }
    T pop() {
        std::unique_lock held(mutex_);
        not_empty_.wait(held, [this] { return !storage_.items.empty(); });
        T item = storage_.pop();
        held.unlock();
        if (bound_ != 0) not_full_.notify_one();
        return item;
    }

private:
    std::size_t bound_;
    std::mutex mutex_;
    std::condition_variable not_empty_;
    std::condition_variable not_full_;
    Storage<T> storage_;
};

template <class T>
class BoostBounded {
public:
    using value_type = T;
    static constexpr const char* kName = "boost::sync_bounded";
    explicit BoostBounded(std::size_t bound) : queue_(bound) {}
    void push(T item) { queue_.push_back(std::move(item)); }
    T pop() { return queue_.pull_front(); }

private:
    boost::sync_bounded_queue<T> queue_;
};

template <class T>
class TbbBounded {
public:
    using value_type = T;
    static constexpr const char* kName = "tbb::bounded_queue";
    explicit TbbBounded(std::size_t bound) {
        if (bound != 0) queue_.set_capacity(static_cast<std::ptrdiff_t>(bound));
    }
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
class TbbPriority {
public:
    using value_type = T;
    static constexpr const char* kName = "tbb::priority(yield)";
    explicit TbbPriority(std::size_t /*bound*/) {}
    void push(T item) { queue_.push(std::move(item)); }
    T pop() {
        T item{};
        while (!queue_.try_pop(item)) std::this_thread::yield();
        return item;
    }

private:
    tbb::concurrent_priority_queue<T, std::greater<T>> queue_;
};

#if WEFT_BENCH_HAS_MOODYCAMEL
/// First in, first out only for the items of one producer.
template <class T>
class Moodycamel {
public:
    using value_type = T;
    static constexpr const char* kName = "moodycamel(unordered)";
    explicit Moodycamel(std::size_t /*bound*/) {}
    void push(T item) { queue_.enqueue(std::move(item)); }
    T pop() {
        T item{};
        queue_.wait_dequeue(item);
        return item;
    }

private:
    moodycamel::BlockingConcurrentQueue<T> queue_;
};
#endif

/// As the benchmarks' functions want it: built without arguments.
template <class Queue, std::size_t bound>
struct Bounded : Queue {
    Bounded() : Queue(bound) {}
};

template <class Queue, std::size_t bound>
void add(const std::string& kind) {
    using T = typename Queue::value_type;
    using Built = Bounded<Queue, bound>;
    const std::string type = std::is_same_v<T, std::string> ? "string32" : "int64";
    const auto row = [&](const char* what, void (*run)(benchmark::State&)) {
        const std::string name = "BM_" + kind + "_" + what + "_" + type;
        benchmark::RegisterBenchmark(bench::name(name, Queue::kName).c_str(), run)->UseRealTime();
    };
    row("alone", bench::alone<Built, T>);
    row("1P1C", bench::streamed<Built, T, 1>);
    row("2P2C", bench::streamed<Built, T, 2>);
    row("4P4C", bench::streamed<Built, T, 4>);
    row("ping_pong", bench::ping_pong<Built, T>);
}

template <class T>
void add_all() {
    using weft::queue::LifoQueue;
    using weft::queue::PriorityQueue;
    using weft::queue::Queue;
    add<Weft<Queue<T>>, kBound>("Queue1024");
    add<Textbook<T, InOrder>, kBound>("Queue1024");
    add<BoostBounded<T>, kBound>("Queue1024");
    add<TbbBounded<T>, kBound>("Queue1024");
    add<Weft<Queue<T>>, kUnbounded>("Queue");
    add<Textbook<T, InOrder>, kUnbounded>("Queue");
    add<TbbBounded<T>, kUnbounded>("Queue");
#if WEFT_BENCH_HAS_MOODYCAMEL
    add<Moodycamel<T>, kUnbounded>("Queue");
#endif
    add<Weft<LifoQueue<T>>, kBound>("LifoQueue1024");
    add<Textbook<T, Stack>, kBound>("LifoQueue1024");
    add<Weft<PriorityQueue<T>>, kUnbounded>("PriorityQueue");
    add<Textbook<T, Heap>, kUnbounded>("PriorityQueue");
    add<TbbPriority<T>, kUnbounded>("PriorityQueue");
}

void add_python() {
    const std::pair<const char*, const char*> kinds[] = {{"BM_Queue1024_", "Queue(1024)"},
                                                         {"BM_Queue_", "Queue()"},
                                                         {"BM_LifoQueue1024_", "LifoQueue(1024)"},
                                                         {"BM_PriorityQueue_", "PriorityQueue()"}};
    for (const auto& [row, kind] : kinds) {
        bench::add_python(std::string(row) + "alone_int64", kind, 0);
        bench::add_python(std::string(row) + "1P1C_int64", kind, 1);
        bench::add_python(std::string(row) + "4P4C_int64", kind, 4);
        bench::add_python(std::string(row) + "ping_pong_int64", kind, -1);
    }
}

// Fairness ----------------------------------------------------------------------------------------

/// The longest single push or pop of eight threads, in microseconds.
template <class Queue>
double longest_wait() {
    using Clock = std::chrono::steady_clock;
    constexpr int kEach = 50'000;
    Queue queue(kBound);
    std::array<Clock::duration, 8> longest{};
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < longest.size(); ++i) {
            threads.emplace_back([&, i] {
                Clock::duration mine{};
                for (int n = 0; n < kEach; ++n) {
                    const auto start = Clock::now();
                    if (i % 2 == 0) {
                        queue.push(n);
                    } else {
                        benchmark::DoNotOptimize(queue.pop());
                    }
                    mine = (std::max)(mine, Clock::now() - start);
                }
                longest[i] = mine;
            });
        }
    }
    return std::chrono::duration<double, std::micro>(*std::ranges::max_element(longest)).count();
}

template <class... Queues>
void print_fairness() {
    constexpr std::size_t kRounds = 15;
    std::array<std::array<double, kRounds>, sizeof...(Queues)> times;
    for (std::size_t round = 0; round < kRounds; ++round) {
        std::size_t which = 0;
        ((times[which++][round] = longest_wait<Queues>()), ...);
    }
    std::printf("\nlongest put or get among 4 producers and 4 consumers, bound 1024, us\n");
    std::printf("%-24s %12s %12s\n", "queue", "median", "worst");
    std::size_t which = 0;
    const auto line = [&](const char* name) {
        auto& mine = times[which++];
        std::ranges::sort(mine);
        std::printf("%-24s %12.0f %12.0f\n", name, mine[kRounds / 2], mine.back());
    };
    (line(Queues::kName), ...);
}

// Memory ------------------------------------------------------------------------------------------

std::size_t bytes_in_use() {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

template <class Queue>
void print_memory(const char* name) {
    constexpr std::size_t kItems = 100'000;
    auto queue = std::make_unique<Queue>(kUnbounded);
    const std::size_t empty = bytes_in_use();
    for (std::size_t i = 0; i < kItems; ++i) {
        queue->push(bench::make_item<typename Queue::value_type>(1));
    }
    const std::size_t full = bytes_in_use() - empty;
    std::printf("%-40s %12zu %12.1f\n", name, sizeof(Queue),
                static_cast<double>(full) / static_cast<double>(kItems));
}

void print_memories() {
    using Word = std::int64_t;
    // Without oneTBB's, which do not take their memory from malloc.
    std::printf("\nbytes in use (malloc's count)\n%-40s %12s %12s\n", "queue", "object", "an item");
    print_memory<Weft<weft::queue::Queue<Word>>>("weft Queue<int64>");
    print_memory<Weft<weft::queue::LifoQueue<Word>>>("weft LifoQueue<int64>");
    print_memory<Weft<weft::queue::PriorityQueue<Word>>>("weft PriorityQueue<int64>");
    print_memory<Textbook<Word, InOrder>>("std::mutex+deque<int64>");
#if WEFT_BENCH_HAS_MOODYCAMEL
    print_memory<Moodycamel<Word>>("moodycamel<int64>");
#endif
    // A string of 32 characters takes 48 bytes of its own from malloc.
    print_memory<Weft<weft::queue::Queue<std::string>>>("weft Queue<string32>");
    print_memory<Textbook<std::string, InOrder>>("std::mutex+deque<string32>");
}

}  // namespace

int main(int argc, char** argv) {
    add_all<std::int64_t>();
    add_all<std::string>();
    add_python();
    const int result = bench::run_pairs(argc, argv);
    using Word = std::int64_t;
    print_fairness<Weft<weft::queue::Queue<Word>>, Textbook<Word, InOrder>, BoostBounded<Word>,
                   TbbBounded<Word>>();
    print_memories();
    return result;
}
