#include <weft/queue.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <weft/errors.hpp>

namespace {

using namespace std::chrono_literals;
using weft::queue::Empty;
using weft::queue::SimpleQueue;

/// More items than fit into one piece of the queue's memory.
constexpr int kMany = 2000;

TEST(SimpleQueue, IsEmptyWhenBuilt) {
    SimpleQueue<int> queue;
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_THROW((void)queue.get_nowait(), Empty);
}

TEST(SimpleQueue, HandsItemsOutInTheOrderOfPut) {
    SimpleQueue<int> queue;
    for (int i = 0; i < kMany; ++i) queue.put(i);
    for (int i = 0; i < kMany; ++i) ASSERT_EQ(queue.get(), i);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueue, KeepsTheOrderWhilePutsAndGetsAlternate) {
    SimpleQueue<int> queue;
    int next_put = 0;
    int next_got = 0;
    for (int round = 0; round < 100; ++round) {
        for (int i = 0; i < 37; ++i) queue.put(next_put++);
        for (int i = 0; i < 29; ++i) ASSERT_EQ(queue.get(), next_got++);
    }
    while (!queue.empty()) ASSERT_EQ(queue.get(), next_got++);
    EXPECT_EQ(next_got, next_put);
}

TEST(SimpleQueue, CountsItsItems) {
    SimpleQueue<std::string> queue;
    for (int i = 0; i < kMany; ++i) {
        ASSERT_EQ(queue.qsize(), static_cast<std::size_t>(i));
        queue.put(std::to_string(i));
        ASSERT_FALSE(queue.empty());
    }
    for (int i = kMany; i > 0; --i) {
        ASSERT_EQ(queue.qsize(), static_cast<std::size_t>(i));
        (void)queue.get();
    }
    EXPECT_EQ(queue.qsize(), 0u);
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueue, PutIgnoresBlockAndTimeoutWhateverTheirValues) {
    SimpleQueue<std::string> queue;
    const std::string third = "c";
    queue.put("a", false);
    queue.put("b", true, -1);
    queue.put(third, false, -5s);
    queue.put(third, true, 0);
    EXPECT_EQ(queue.get(), "a");
    EXPECT_EQ(queue.get(), "b");
    EXPECT_EQ(queue.get(), "c");
    EXPECT_EQ(queue.get(), "c");
}

TEST(SimpleQueue, PutNowaitAppends) {
    SimpleQueue<std::string> queue;
    const std::string second = "b";
    queue.put_nowait("a");
    queue.put_nowait(second);
    EXPECT_EQ(queue.get(), "a");
    EXPECT_EQ(queue.get(), "b");
}

TEST(SimpleQueue, PutOfAnLvalueLeavesItAlone) {
    SimpleQueue<std::string> queue;
    const std::string item(100, 'x');
    queue.put(item);
    EXPECT_EQ(queue.get(), item);
}

TEST(SimpleQueue, EmplaceBuildsTheItemFromArguments) {
    SimpleQueue<std::string> words;
    words.emplace(3u, 'x');
    EXPECT_EQ(words.get(), "xxx");
    SimpleQueue<int> numbers;
    numbers.emplace();
    EXPECT_EQ(numbers.get(), 0);
}

TEST(SimpleQueue, GetWithBlockFalseThrowsEmptyAtOnce) {
    SimpleQueue<int> queue;
    EXPECT_THROW((void)queue.get(false), Empty);
    EXPECT_THROW((void)queue.get(false, 1h), Empty);
    queue.put(1);
    EXPECT_EQ(queue.get(false), 1);
}

TEST(SimpleQueue, GetWithBlockFalseIgnoresANegativeLimit) {
    SimpleQueue<int> queue;
    EXPECT_THROW((void)queue.get(false, -1), Empty);
    queue.put(1);
    EXPECT_EQ(queue.get(false, -1), 1);
}

TEST(SimpleQueue, GetRefusesANegativeLimitAlsoWhenAnItemIsThere) {
    SimpleQueue<int> queue;
    std::stop_source stop;
    EXPECT_THROW((void)queue.get(true, -1), std::invalid_argument);
    queue.put(1);
    EXPECT_THROW((void)queue.get(true, -0.001), std::invalid_argument);
    EXPECT_THROW((void)queue.get(stop.get_token(), -1ns), std::invalid_argument);
    EXPECT_EQ(queue.get(), 1);
}

TEST(SimpleQueue, GetThrowsEmptyWhenTheLimitPasses) {
    SimpleQueue<int> queue;
    EXPECT_THROW((void)queue.get(true, 0), Empty);
    EXPECT_THROW((void)queue.get(true, 1ms), Empty);
    EXPECT_THROW((void)queue.get(std::stop_source().get_token(), 1ms), Empty);
    queue.put(7);
    EXPECT_EQ(queue.get(true, 0), 7);
}

TEST(SimpleQueue, EmptyIsAWeftExceptionThatSaysHowLongItWaited) {
    SimpleQueue<int> queue;
    try {
        (void)queue.get(true, 2ms);
        FAIL() << "an empty queue gave an item";
    } catch (const weft::Exception& error) {
        EXPECT_NE(std::string(error.what()).find("0.002 s"), std::string::npos) << error.what();
    }
}

TEST(SimpleQueue, GetWaitsUntilAnItemIsPut) {
    SimpleQueue<int> requests;
    SimpleQueue<int> replies;
    std::jthread echo([&] {
        for (int i = 0; i < kMany; ++i) replies.put(requests.get() + 1);
    });
    for (int i = 0; i < kMany; ++i) {
        requests.put(i);
        ASSERT_EQ(replies.get(), i + 1);
    }
}

TEST(SimpleQueue, GetWithALimitOrATokenAlsoGetsWhatIsPutLater) {
    SimpleQueue<std::string> requests;
    SimpleQueue<std::string> replies;
    std::stop_source stop;
    std::jthread echo([&] {
        for (int i = 0; i < kMany; ++i) replies.put(requests.get(stop.get_token()));
    });
    for (int i = 0; i < kMany; ++i) {
        requests.put(std::to_string(i));
        ASSERT_EQ(replies.get(true, 1h), std::to_string(i));
    }
}

TEST(SimpleQueue, EveryPutWakesOneOfSeveralWaiters) {
    SimpleQueue<int> queue;
    SimpleQueue<int> got;
    std::vector<std::jthread> waiters;
    for (int i = 0; i < 4; ++i) waiters.emplace_back([&] { got.put(queue.get()); });
    for (int i = 0; i < 4; ++i) queue.put(1 << i);
    int sum = 0;
    for (int i = 0; i < 4; ++i) sum += got.get();
    EXPECT_EQ(sum, 15);
}

TEST(SimpleQueue, AStopEndsTheWaitWithCancelled) {
    SimpleQueue<int> queue;
    std::stop_source stop;
    SimpleQueue<bool> was_cancelled;
    std::jthread waiter([&] {
        try {
            (void)queue.get(stop.get_token());
            was_cancelled.put(false);
        } catch (const weft::Cancelled&) {
            was_cancelled.put(true);
        }
    });
    stop.request_stop();
    EXPECT_TRUE(was_cancelled.get());
    queue.put(5);
    EXPECT_EQ(queue.get(), 5);
}

TEST(SimpleQueue, AnItemThatIsThereIsTakenDespiteAStop) {
    SimpleQueue<int> queue;
    std::stop_source stop;
    stop.request_stop();
    queue.put(1);
    EXPECT_EQ(queue.get(stop.get_token()), 1);
    EXPECT_THROW((void)queue.get(stop.get_token()), weft::Cancelled);
    EXPECT_THROW((void)queue.get(stop.get_token(), 0), weft::Cancelled);
}

TEST(SimpleQueue, WhatWasWrittenBeforePutIsSeenAfterGet) {
    SimpleQueue<int*> queue;
    std::vector<int> written(kMany);
    std::jthread writer([&] {
        for (int i = 0; i < kMany; ++i) {
            written[static_cast<std::size_t>(i)] = i;
            queue.put(&written[static_cast<std::size_t>(i)]);
        }
    });
    for (int i = 0; i < kMany; ++i) ASSERT_EQ(*queue.get(), i);
}

TEST(SimpleQueue, MayBeDestroyedOnceTheLastItemWasTaken) {
    SimpleQueue<SimpleQueue<int>*> requests;
    std::jthread server([&] {
        while (SimpleQueue<int>* const reply = requests.get()) reply->put(1);
    });
    for (int i = 0; i < kMany; ++i) {
        auto reply = std::make_unique<SimpleQueue<int>>();
        requests.put(reply.get());
        ASSERT_EQ(reply->get(), 1);
    }
    requests.put(nullptr);
}

TEST(SimpleQueue, DestroysTheItemsThatAreLeft) {
    const auto shared = std::make_shared<int>(1);
    {
        SimpleQueue<std::shared_ptr<int>> queue;
        for (int i = 0; i < kMany; ++i) queue.put(shared);
        (void)queue.get();
        EXPECT_EQ(shared.use_count(), kMany);
    }
    EXPECT_EQ(shared.use_count(), 1);
}

TEST(SimpleQueue, DropsAnItemAsSoonAsItIsHandedOut) {
    SimpleQueue<std::shared_ptr<int>> queue;
    const auto shared = std::make_shared<int>(1);
    queue.put(shared);
    {
        const auto taken = queue.get();
        EXPECT_EQ(shared.use_count(), 2);
    }
    EXPECT_EQ(shared.use_count(), 1);
}

// Types ------------------------------------------------------------------------------------------

struct Nothing {};
enum class Colour : std::uint8_t { red, green };
struct Pair {
    std::int32_t first;
    std::int32_t second;
};
struct Nine {
    std::array<unsigned char, 9> bytes;
};
struct alignas(128) Aligned {
    explicit Aligned(int v) : value(v) { check(); }
    Aligned(const Aligned& other) : value(other.value) { check(); }
    void check() const { EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 128, 0u); }
    int value;
};
struct Huge {
    std::array<int, 65536> values;
};
struct CopiedOnly {
    explicit CopiedOnly(int v) : value(v) {}
    CopiedOnly(const CopiedOnly&) = default;
    CopiedOnly& operator=(const CopiedOnly&) = delete;
    int value;
    std::string tail = "copied";
};
struct NeverAssigned {
    const int value;
};

TEST(SimpleQueueOfAnyType, CarriesTypesWithoutContents) {
    SimpleQueue<Nothing> queue;
    queue.put(Nothing{});
    queue.put({});
    EXPECT_EQ(queue.qsize(), 2u);
    (void)queue.get();
    (void)queue.get();
    EXPECT_TRUE(queue.empty());
}

TEST(SimpleQueueOfAnyType, CarriesOneByte) {
    SimpleQueue<std::uint8_t> bytes;
    SimpleQueue<bool> flags;
    SimpleQueue<Colour> colours;
    for (int i = 0; i < 256; ++i) bytes.put(static_cast<std::uint8_t>(i));
    for (int i = 0; i < 256; ++i) ASSERT_EQ(bytes.get(), i);
    flags.put(true);
    flags.put(false);
    EXPECT_TRUE(flags.get());
    EXPECT_FALSE(flags.get());
    colours.put(Colour::green);
    EXPECT_EQ(colours.get(), Colour::green);
}

TEST(SimpleQueueOfAnyType, CarriesEightBytes) {
    SimpleQueue<std::uint64_t> numbers;
    SimpleQueue<double> reals;
    SimpleQueue<Pair> pairs;
    numbers.put(std::numeric_limits<std::uint64_t>::max());
    numbers.put(0);
    EXPECT_EQ(numbers.get(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(numbers.get(), 0u);
    reals.put(-0.5);
    EXPECT_EQ(reals.get(), -0.5);
    pairs.put({.first = -1, .second = 2});
    const Pair pair = pairs.get();
    EXPECT_EQ(pair.first, -1);
    EXPECT_EQ(pair.second, 2);
}

TEST(SimpleQueueOfAnyType, CarriesNineBytes) {
    SimpleQueue<Nine> queue;
    queue.put({{1, 2, 3, 4, 5, 6, 7, 8, 9}});
    EXPECT_EQ(queue.get().bytes, (std::array<unsigned char, 9>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(SimpleQueueOfAnyType, KeepsAlignment) {
    SimpleQueue<Aligned> queue;
    for (int i = 0; i < 20; ++i) queue.emplace(i);
    for (int i = 0; i < 20; ++i) ASSERT_EQ(queue.get().value, i);
}

TEST(SimpleQueueOfAnyType, CarriesHugeItems) {
    SimpleQueue<Huge> queue;
    auto item = std::make_unique<Huge>();
    item->values.fill(3);
    queue.put(*item);
    item->values.fill(4);
    queue.put(*item);
    *item = queue.get();
    EXPECT_EQ(item->values.back(), 3);
    *item = queue.get();
    EXPECT_EQ(item->values.front(), 4);
}

TEST(SimpleQueueOfAnyType, CarriesWhatCanOnlyBeMoved) {
    SimpleQueue<std::unique_ptr<int>> queue;
    auto item = std::make_unique<int>(5);
    queue.put(std::move(item));
    EXPECT_EQ(item, nullptr);
    queue.put(std::make_unique<int>(6), true, 1s);
    queue.emplace(new int(7));
    EXPECT_EQ(*queue.get(), 5);
    EXPECT_EQ(*queue.get(), 6);
    EXPECT_EQ(*queue.get(), 7);
}

TEST(SimpleQueueOfAnyType, CarriesWhatCanOnlyBeCopied) {
    SimpleQueue<CopiedOnly> queue;
    const CopiedOnly item(8);
    queue.put(item);
    const CopiedOnly got = queue.get();
    EXPECT_EQ(got.value, 8);
    EXPECT_EQ(got.tail, "copied");
}

TEST(SimpleQueueOfAnyType, CarriesWhatCannotBeAssigned) {
    SimpleQueue<NeverAssigned> queue;
    queue.put({4});
    EXPECT_EQ(queue.get().value, 4);
}

// What must not compile
// -----------------------------------------------------------------------------

template <class Queue, class... Args>
concept can_get_with = requires(Queue& queue, Args... args) { (void)queue.get(args...); };
template <class Queue, class... Args>
concept can_put_with = requires(Queue& queue, Args... args) { queue.put(args...); };

TEST(SimpleQueue, TakesOnlyABoolForBlock) {
    static_assert(can_get_with<SimpleQueue<int>, bool>);
    static_assert(can_get_with<SimpleQueue<int>, bool, double>);
    static_assert(can_get_with<SimpleQueue<int>, std::stop_token, std::chrono::seconds>);
    static_assert(!can_get_with<SimpleQueue<int>, double>);
    static_assert(!can_get_with<SimpleQueue<int>, int>);
    static_assert(!can_get_with<SimpleQueue<int>, bool, bool>);
    static_assert(can_put_with<SimpleQueue<int>, int, bool, double>);
    static_assert(!can_put_with<SimpleQueue<int>, int, double>);
}

TEST(SimpleQueue, StaysWhereItWasBuilt) {
    static_assert(!std::is_copy_constructible_v<SimpleQueue<int>>);
    static_assert(!std::is_move_constructible_v<SimpleQueue<int>>);
    static_assert(!std::is_copy_assignable_v<SimpleQueue<int>>);
    static_assert(!std::is_move_assignable_v<SimpleQueue<int>>);
    static_assert(std::is_nothrow_default_constructible_v<SimpleQueue<std::string>>);
}

}  // namespace
