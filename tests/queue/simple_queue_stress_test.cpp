// Counts what went in and what came out, and the order of each producer's items at each consumer.

#include <weft/queue/simple_queue.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <weft/errors.hpp>

#include "queue/stress_size.hpp"

namespace {

using weft::queue::Empty;
using weft::queue::SimpleQueue;
using weft::test::stress_items;

constexpr std::size_t kMostProducers = 8;

struct Label {
    std::uint32_t producer;
    std::uint32_t number;
};

template <class T>
struct Item;
template <>
struct Item<Label> {
    static Label make(Label label) { return label; }
    static Label label(const Label& item) { return item; }
};
template <>
struct Item<std::unique_ptr<Label>> {
    static std::unique_ptr<Label> make(Label label) { return std::make_unique<Label>(label); }
    static Label label(const std::unique_ptr<Label>& item) { return *item; }
};
template <>
struct Item<std::string> {
    static std::string make(Label label) {
        return std::to_string(label.producer) + " is the producer of " +
               std::to_string(label.number);
    }
    static Label label(const std::string& item) {
        const auto last = item.rfind(' ');
        return {.producer = static_cast<std::uint32_t>(std::stoul(item)),
                .number = static_cast<std::uint32_t>(std::stoul(item.substr(last)))};
    }
};

/// What one consumer saw.
class Ledger {
public:
    void enter(Label label) {
        const std::uint64_t number = label.number;
        if (seen_.at(label.producer) > number) ++out_of_order_;
        seen_.at(label.producer) = number + 1;
        sum_ += number;
        ++count_;
    }
    std::uint64_t count() const { return count_; }
    std::uint64_t sum() const { return sum_; }
    std::uint64_t out_of_order() const { return out_of_order_; }

private:
    std::array<std::uint64_t, kMostProducers> seen_{};  ///< one more than the last number
    std::uint64_t count_ = 0;
    std::uint64_t sum_ = 0;
    std::uint64_t out_of_order_ = 0;
};

/// One item in one of the ways there are, or an exception.
template <class T>
T get_somehow(SimpleQueue<T>& queue, std::uint64_t turn, std::stop_token stop) {
    switch (turn % 4) {
        case 0:
            return queue.get(stop);
        case 1:
            return queue.get(stop, 1e-5);
        case 2:
            return queue.get_nowait();
        default:
            return queue.get(true, 1e-4);
    }
}

template <class T>
void consume(SimpleQueue<T>& queue, Ledger& ledger, const std::stop_token& stop) {
    for (std::uint64_t turn = 0;; ++turn) {
        try {
            ledger.enter(Item<T>::label(get_somehow(queue, turn, stop)));
        } catch (const Empty&) {
            if (stop.stop_requested() && queue.empty()) return;
        } catch (const weft::Cancelled&) {
            if (queue.empty()) return;
        }
    }
}

/// Runs the given numbers of threads against one queue, and stops the consumers when the producers
/// are through.
template <class T>
void run(std::size_t producers, std::size_t consumers) {
    SimpleQueue<T> queue;
    std::vector<Ledger> ledgers(consumers);
    std::stop_source stop;
    const std::uint64_t each = stress_items / producers;
    {
        std::vector<std::jthread> consuming;
        for (Ledger& ledger : ledgers) {
            consuming.emplace_back([&] { consume(queue, ledger, stop.get_token()); });
        }
        {
            std::vector<std::jthread> producing;
            for (std::uint32_t producer = 0; producer < producers; ++producer) {
                producing.emplace_back([&, producer] {
                    for (std::uint32_t n = 0; n < each; ++n) {
                        queue.put(Item<T>::make({.producer = producer, .number = n}));
                    }
                });
            }
        }
        stop.request_stop();
    }
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
    for (const Ledger& ledger : ledgers) {
        count += ledger.count();
        sum += ledger.sum();
        EXPECT_EQ(ledger.out_of_order(), 0u);
    }
    EXPECT_EQ(count, each * producers);
    EXPECT_EQ(sum, producers * (each * (each - 1) / 2));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.qsize(), 0u);
}

class SimpleQueueStress : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(SimpleQueueStress, NothingIsLostDoubledOrReorderedWithPlainItems) {
    run<Label>(std::get<0>(GetParam()), std::get<1>(GetParam()));
}

TEST_P(SimpleQueueStress, NothingIsLostDoubledOrReorderedWithItemsThatCanOnlyBeMoved) {
    run<std::unique_ptr<Label>>(std::get<0>(GetParam()), std::get<1>(GetParam()));
}

TEST_P(SimpleQueueStress, NothingIsLostDoubledOrReorderedWithStrings) {
    run<std::string>(std::get<0>(GetParam()), std::get<1>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Threads, SimpleQueueStress,
                         testing::Combine(testing::Values(1, 2, 3, 8), testing::Values(1, 2, 8)));

/// All threads of the program on one CPU, as on a machine that has no more.
class OneCpu {
public:
    OneCpu() {
        sched_getaffinity(0, sizeof before_, &before_);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(sched_getcpu(), &one);
        sched_setaffinity(0, sizeof one, &one);
    }
    ~OneCpu() { sched_setaffinity(0, sizeof before_, &before_); }
    OneCpu(const OneCpu&) = delete;
    OneCpu& operator=(const OneCpu&) = delete;

private:
    cpu_set_t before_;
};

TEST(SimpleQueueOnOneCpu, NothingIsLostDoubledOrReordered) {
    const OneCpu pinned;
    run<Label>(2, 2);
    run<std::string>(4, 4);
}

TEST(SimpleQueueOnOneCpu, TwoThreadsPassAWordToAndFro) {
    const OneCpu pinned;
    SimpleQueue<int> there;
    SimpleQueue<int> back;
    std::jthread partner([&] {
        for (int i = 0; i < 20'000; ++i) back.put(there.get());
    });
    for (int i = 0; i < 20'000; ++i) {
        there.put(i);
        ASSERT_EQ(back.get(), i);
    }
}

/// An item whose copies throw now and then: such a get has no item, and somebody else gets it.
struct Fickle {
    explicit Fickle(Label l) : label(l) {}
    Fickle(const Fickle& other) : label(other.label) {
        thread_local std::uint32_t copies = 0;
        if (++copies % 3 == 0) throw std::bad_alloc();
    }
    Label label;
};

TEST(SimpleQueueStress, ItemsThatGoBackAreNeitherLostNorDoubled) {
    constexpr std::uint32_t kEach = 20'000;
    SimpleQueue<Fickle> queue;
    std::stop_source stop;
    std::array<std::atomic<std::uint32_t>, 2 * kEach> times_got{};
    {
        std::vector<std::jthread> consuming;
        for (int i = 0; i < 3; ++i) {
            consuming.emplace_back([&] {
                for (;;) {
                    try {
                        const Label label = queue.get(stop.get_token()).label;
                        ++times_got.at(label.producer * kEach + label.number);
                    } catch (const std::bad_alloc&) {
                    } catch (const weft::Cancelled&) {
                        if (queue.empty()) return;
                    }
                }
            });
        }
        {
            std::vector<std::jthread> producing;
            for (std::uint32_t producer = 0; producer < 2; ++producer) {
                producing.emplace_back([&, producer] {
                    for (std::uint32_t n = 0; n < kEach; ++n) {
                        queue.emplace(Label{.producer = producer, .number = n});
                    }
                });
            }
        }
        stop.request_stop();
    }
    // A consumer may have left while another still held an item that then went back.
    while (!queue.empty()) {
        try {
            const Label label = queue.get_nowait().label;
            ++times_got.at(label.producer * kEach + label.number);
        } catch (const std::bad_alloc&) {
        }
    }
    for (const auto& each : times_got) ASSERT_EQ(each, 1u);
}

}  // namespace
