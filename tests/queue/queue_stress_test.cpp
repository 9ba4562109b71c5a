// Any mix of put, get, limit, stop and shutdown over threads: what went in and what came out agree.

#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <vector>

#include <weft/errors.hpp>

#include "queue/stress_size.hpp"

namespace {

using weft::queue::Empty;
using weft::queue::Full;
using weft::queue::LifoQueue;
using weft::queue::PriorityQueue;
using weft::queue::Queue;
using weft::queue::ShutDown;
using weft::test::stress_items;

/// A producer in the high half, its count in the low one.
template <class T>
T item_of(std::uint64_t label) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::to_string(label) + " is the label of an item with text";
    } else {
        return label;
    }
}
std::uint64_t label_of(std::uint64_t item) {
    return item;
}
std::uint64_t label_of(const std::string& item) {
    return std::stoull(item);
}

/// What all threads put and got.
struct Ledger {
    std::atomic<std::uint64_t> put{0};
    std::atomic<std::uint64_t> put_sum{0};
    std::atomic<std::uint64_t> got{0};
    std::atomic<std::uint64_t> got_sum{0};
    std::atomic<std::uint64_t> out_of_order{0};
};

template <class Q>
void put_somehow(Q& queue, std::uint64_t turn, typename Q::value_type item, std::stop_token stop) {
    switch (turn % 5) {
        case 0:
            return queue.put(std::move(item));
        case 1:
            return queue.put_nowait(std::move(item));
        case 2:
            return queue.put(std::move(item), true, 1e-5);
        case 3:
            return queue.put(std::move(item), stop, 1e-4);
        default:
            return queue.put(item, stop);
    }
}

template <class Q>
auto get_somehow(Q& queue, std::uint64_t turn, std::stop_token stop) {
    switch (turn % 5) {
        case 0:
            return queue.get();
        case 1:
            return queue.get_nowait();
        case 2:
            return queue.get(true, 1e-5);
        case 3:
            return queue.get(stop, 1e-4);
        default:
            return queue.get(stop);
    }
}

constexpr std::size_t kMostProducers = 8;

template <class Q>
void produce(Q& queue, std::uint64_t producer, std::uint64_t count, Ledger& ledger,
             const std::stop_token& stop) {
    using T = typename Q::value_type;
    std::uint64_t put = 0;
    std::uint64_t sum = 0;
    for (std::uint64_t turn = 0; put < count; ++turn) {
        const std::uint64_t label = producer << 32 | put;
        try {
            put_somehow(queue, turn, item_of<T>(label), stop);
            ++put;
            sum += label;
        } catch (const Full&) {
        } catch (const weft::Cancelled&) {
        } catch (const ShutDown&) {
            break;
        }
    }
    ledger.put += put;
    ledger.put_sum += sum;
}

template <class Q>
void consume(Q& queue, Ledger& ledger, const std::stop_token& stop) {
    constexpr bool is_fifo = std::is_same_v<Q, Queue<typename Q::value_type>>;
    std::array<std::uint64_t, kMostProducers> next{};
    std::uint64_t got = 0;
    std::uint64_t sum = 0;
    for (std::uint64_t turn = 0;; ++turn) {
        try {
            const std::uint64_t label = label_of(get_somehow(queue, turn, stop));
            ++got;
            sum += label;
            std::uint64_t& expected = next.at(label >> 32);
            const std::uint64_t number = label & 0xffffffff;
            if (is_fifo && number < expected) ++ledger.out_of_order;
            expected = number + 1;
            queue.task_done();
        } catch (const Empty&) {
        } catch (const weft::Cancelled&) {
        } catch (const ShutDown&) {
            break;
        }
    }
    ledger.got += got;
    ledger.got_sum += sum;
}

template <class Q>
class QueueStress : public testing::Test {};
using Kinds = testing::Types<Queue<std::uint64_t>, Queue<std::string>, LifoQueue<std::uint64_t>,
                             LifoQueue<std::string>, PriorityQueue<std::uint64_t>,
                             PriorityQueue<std::string>>;
TYPED_TEST_SUITE(QueueStress, Kinds);

template <class Q>
void run(std::size_t producers, std::size_t consumers, std::ptrdiff_t bound) {
    Q queue(bound);
    Ledger ledger;
    std::stop_source stop;
    const std::uint64_t each = stress_items / 8 / producers;
    {
        std::vector<std::jthread> consuming;
        for (std::size_t i = 0; i < consumers; ++i) {
            consuming.emplace_back([&] { consume(queue, ledger, stop.get_token()); });
        }
        {
            std::vector<std::jthread> producing;
            for (std::size_t i = 0; i < producers; ++i) {
                producing.emplace_back(
                    [&, i] { produce(queue, i, each, ledger, stop.get_token()); });
            }
        }
        queue.join();
        queue.shutdown();
    }
    EXPECT_EQ(ledger.put, each * producers);
    EXPECT_EQ(ledger.got, ledger.put);
    EXPECT_EQ(ledger.got_sum, ledger.put_sum);
    EXPECT_EQ(ledger.out_of_order, 0u);
    EXPECT_EQ(queue.unfinished_tasks(), 0u);
    EXPECT_TRUE(queue.empty());
}

TYPED_TEST(QueueStress, NothingIsLostDoubledOrReorderedWithABound) {
    run<TypeParam>(1, 1, 1);
    run<TypeParam>(2, 2, 3);
    run<TypeParam>(4, 4, 16);
    run<TypeParam>(8, 2, 300);
}

TYPED_TEST(QueueStress, NothingIsLostDoubledOrReorderedWithoutABound) {
    run<TypeParam>(1, 1, 0);
    run<TypeParam>(4, 4, 0);
}

/// Stops, a bound that changes and a shutdown come while all is under way.
TYPED_TEST(QueueStress, WhatWasPutIsGotOrVanishesAtTheShutdown) {
    const int rounds = stress_items > 1'000'000 ? 1000 : 60;
    for (int round = 0; round < rounds; ++round) {
        TypeParam queue(1 + round % 7);
        Ledger ledger;
        std::stop_source stop;
        std::uint64_t left = 0;
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < 2; ++i) {
                threads.emplace_back([&] { consume(queue, ledger, stop.get_token()); });
                threads.emplace_back(
                    [&, i] { produce(queue, i, ~std::uint64_t{0}, ledger, stop.get_token()); });
            }
            while (queue.unfinished_tasks() == 0) std::this_thread::yield();
            queue.set_maxsize(1 + round % 5);
            stop.request_stop();
            queue.set_maxsize(round % 3);
            if (round % 2 == 0) queue.shutdown();
            queue.shutdown(true);
        }
        left = ledger.put - ledger.got;
        ASSERT_EQ(queue.unfinished_tasks(), 0u) << "in round " << round << ", left " << left;
        ASSERT_LE(ledger.got, ledger.put);
        ASSERT_TRUE(queue.empty());
        queue.join();
    }
}

TYPED_TEST(QueueStress, ShutdownLeavesEverythingToBeGot) {
    const int rounds = stress_items > 1'000'000 ? 1000 : 60;
    for (int round = 0; round < rounds; ++round) {
        TypeParam queue(round % 7);
        Ledger ledger;
        std::stop_source stop;
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t i = 0; i < 2; ++i) {
                threads.emplace_back([&] { consume(queue, ledger, stop.get_token()); });
                threads.emplace_back(
                    [&, i] { produce(queue, i, ~std::uint64_t{0}, ledger, stop.get_token()); });
            }
            while (queue.unfinished_tasks() == 0) std::this_thread::yield();
            queue.shutdown();
        }
        ASSERT_EQ(ledger.got, ledger.put) << "in round " << round;
        ASSERT_EQ(ledger.got_sum, ledger.put_sum);
        ASSERT_EQ(queue.unfinished_tasks(), 0u);
    }
}

/// An item whose copies throw now and then: such a get has no item, and somebody else gets it.
struct Fickle {
    explicit Fickle(std::uint64_t l) : label(l) {}
    Fickle(const Fickle& other) : label(other.label) {
        thread_local std::uint32_t copies = 0;
        if (++copies % 5 == 0) throw std::bad_alloc();
    }
    Fickle& operator=(const Fickle&) = default;
    friend bool operator<(const Fickle& a, const Fickle& b) { return a.label < b.label; }
    std::uint64_t label;
};

template <class Q>
class FickleQueueStress : public testing::Test {};
using FickleKinds = testing::Types<Queue<Fickle>, LifoQueue<Fickle>, PriorityQueue<Fickle>>;
TYPED_TEST_SUITE(FickleQueueStress, FickleKinds);

TYPED_TEST(FickleQueueStress, ItemsThatGoBackAreNeitherLostNorDoubledAndTheBoundHolds) {
    constexpr std::uint64_t kEach = 5'000;
    constexpr std::ptrdiff_t kBound = 4;
    TypeParam queue(kBound);
    std::vector<std::atomic<int>> times_got(2 * kEach);
    std::atomic<bool> was_exceeded{false};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
                for (;;) {
                    if (queue.qsize() > kBound) was_exceeded = true;
                    try {
                        ++times_got.at(queue.get().label);
                        queue.task_done();
                    } catch (const std::bad_alloc&) {
                    } catch (const ShutDown&) {
                        return;
                    }
                }
            });
        }
        {
            std::vector<std::jthread> producing;
            for (std::uint64_t producer = 0; producer < 2; ++producer) {
                producing.emplace_back([&, producer] {
                    for (std::uint64_t n = 0; n < kEach;) {
                        const Fickle item(producer * kEach + n);
                        try {
                            queue.put(item);
                            ++n;
                        } catch (const std::bad_alloc&) {
                        }
                    }
                });
            }
        }
        queue.join();
        queue.shutdown();
    }
    for (const auto& each : times_got) ASSERT_EQ(each, 1);
    EXPECT_FALSE(was_exceeded);
}

}  // namespace
