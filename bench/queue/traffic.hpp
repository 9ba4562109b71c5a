#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// What the queues' benchmarks do with a `Queue` that has push(T) and T pop(), both of which wait.
// Checked: the sum of what comes out.

namespace bench {

inline std::uint64_t value_of(std::int64_t item) {
    return static_cast<std::uint64_t>(item);
}
inline std::uint64_t value_of(const std::string& item) {
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

}  // namespace bench
