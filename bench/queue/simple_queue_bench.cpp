// SimpleQueue beside its peers: every row runs every competitor in turn, in one process, for a
// number of rounds, and prints the quietest and the median time of one item, and the ratio of the
// medians to SimpleQueue's. A ratio above one means that SimpleQueue is ahead.

#include <weft/queue/simple_queue.hpp>

// Interruption points belong to boost::thread, and would need its compiled library.
#define BOOST_THREAD_DONT_PROVIDE_INTERRUPTIONS

// sync_queue.hpp needs lock_guard.hpp before it.
#include <boost/thread/lock_guard.hpp>

#include <tbb/concurrent_queue.h>
#include <boost/lockfree/queue.hpp>
#include <boost/thread/concurrent_queues/sync_queue.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

template <class T>
class Weft {
public:
    static constexpr const char* kName = "weft::queue::SimpleQueue";
    void push(T item) { queue_.put(std::move(item)); }
    T pop() { return queue_.get(); }

private:
    weft::queue::SimpleQueue<T> queue_;
};

template <class T>
class Textbook {
public:
    static constexpr const char* kName = "mutex + condition_variable + deque";
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
    static constexpr const char* kName = "tbb::concurrent_bounded_queue";
    void push(T item) { queue_.push(std::move(item)); }
    T pop() {
        T item;
        queue_.pop(item);
        return item;
    }

private:
    tbb::concurrent_bounded_queue<T> queue_;
};

template <class T>
class TbbUnbounded {
public:
    static constexpr const char* kName = "tbb::concurrent_queue (polled, yields)";
    void push(T item) { queue_.push(std::move(item)); }
    T pop() {
        T item;
        while (!queue_.try_pop(item)) std::this_thread::yield();
        return item;
    }

private:
    tbb::concurrent_queue<T> queue_;
};

template <class T>
class BoostLockfree {
public:
    static constexpr const char* kName = "boost::lockfree::queue (polled, yields)";
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

[[noreturn]] void fail(const char* name) {
    std::fprintf(stderr, "%s lost or invented items\n", name);
    std::abort();
}

double seconds_of(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Nanoseconds for one item, one thread putting and getting in turn.
template <class Queue, class T>
double alone(std::uint64_t items) {
    Queue queue;
    std::uint64_t sum = 0;
    const double time = seconds_of([&] {
        for (std::uint64_t i = 0; i < items; ++i) {
            queue.push(make_item<T>(i));
            sum += value_of(queue.pop());
        }
    });
    if (sum != items * (items - 1) / 2) fail(Queue::kName);
    return time * 1e9 / static_cast<double>(items);
}

/// Nanoseconds for one item, `pairs` producers and as many consumers.
template <class Queue, class T, int pairs>
double streamed(std::uint64_t items) {
    Queue queue;
    const std::uint64_t each = items / pairs;
    std::atomic<std::uint64_t> sum{0};
    std::latch start(2 * pairs + 1);
    std::vector<std::jthread> threads;
    for (int i = 0; i < pairs; ++i) {
        threads.emplace_back([&] {
            start.arrive_and_wait();
            for (std::uint64_t n = 0; n < each; ++n) queue.push(make_item<T>(n));
        });
        threads.emplace_back([&] {
            start.arrive_and_wait();
            std::uint64_t mine = 0;
            for (std::uint64_t n = 0; n < each; ++n) mine += value_of(queue.pop());
            sum += mine;
        });
    }
    const double time = seconds_of([&] {
        start.arrive_and_wait();
        for (auto& thread : threads) thread.join();
    });
    if (sum != pairs * (each * (each - 1) / 2)) fail(Queue::kName);
    return time * 1e9 / static_cast<double>(each * pairs);
}

/// Nanoseconds for a round trip between two threads over two queues.
template <class Queue, class T>
double ping_pong(std::uint64_t rounds) {
    Queue there;
    Queue back;
    std::uint64_t sum = 0;
    std::jthread partner([&] {
        for (std::uint64_t i = 0; i < rounds; ++i) back.push(there.pop());
    });
    const double time = seconds_of([&] {
        for (std::uint64_t i = 0; i < rounds; ++i) {
            there.push(make_item<T>(i));
            sum += value_of(back.pop());
        }
    });
    if (sum != rounds * (rounds - 1) / 2) fail(Queue::kName);
    return time * 1e9 / static_cast<double>(rounds);
}

struct Competitor {
    const char* name;
    double (*run)(std::uint64_t);
    std::vector<double> times = {};
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

void race(std::string_view row, std::uint64_t items, int rounds, std::string_view wanted,
          std::vector<Competitor> competitors) {
    if (row.find(wanted) == std::string_view::npos) return;
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < competitors.size(); ++i) {
            Competitor& each =
                competitors[(i + static_cast<std::size_t>(round)) % competitors.size()];
            each.times.push_back(each.run(items));
        }
    }
    const double ours = median(competitors.front().times);
    std::printf("%.*s\n", static_cast<int>(row.size()), row.data());
    for (const Competitor& each : competitors) {
        std::printf("  %-42s min %8.1f ns   median %8.1f ns   ratio %6.2f\n", each.name,
                    *std::min_element(each.times.begin(), each.times.end()), median(each.times),
                    median(each.times) / ours);
    }
    std::fflush(stdout);
}

template <class T, template <class> class... Queues>
void race_all(const char* type, std::string_view wanted, int rounds) {
    const std::string suffix = std::string(" ") + type;
    race("alone put+get" + suffix, 300'000, rounds, wanted,
         {{Queues<T>::kName, alone<Queues<T>, T>}...});
    race("1P1C" + suffix, 400'000, rounds, wanted,
         {{Queues<T>::kName, streamed<Queues<T>, T, 1>}...});
    race("2P2C" + suffix, 400'000, rounds, wanted,
         {{Queues<T>::kName, streamed<Queues<T>, T, 2>}...});
    race("4P4C" + suffix, 400'000, rounds, wanted,
         {{Queues<T>::kName, streamed<Queues<T>, T, 4>}...});
    race("ping-pong" + suffix, 5'000, rounds, wanted,
         {{Queues<T>::kName, ping_pong<Queues<T>, T>}...});
}

}  // namespace

/// Arguments: part of a row's name (all rows when empty), and the number of rounds.
int main(int argc, char** argv) {
    const std::string wanted = argc > 1 ? argv[1] : "";
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
    race_all<std::int64_t, Weft, Textbook, BoostSync, TbbBounded, TbbUnbounded, BoostLockfree>(
        "int64", wanted, rounds);
    race_all<std::string, Weft, Textbook, BoostSync, TbbBounded, TbbUnbounded>("string of 32",
                                                                               wanted, rounds);
}
