#include <weft/detail/word_queue.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

using weft::detail::Deadline;
using weft::detail::WaitEnd;
using weft::detail::WordQueue;

WordQueue::Taken must_take(WordQueue& queue) {
    WordQueue::Taken taken;
    EXPECT_TRUE(queue.try_pop(taken));
    return taken;
}

std::uint64_t must_pop(WordQueue& queue) {
    return must_take(queue).word;
}

TEST(WordQueue, GivesNothingWhenEmpty) {
    WordQueue queue;
    WordQueue::Taken taken{.word = 7};
    EXPECT_FALSE(queue.try_pop(taken));
    EXPECT_EQ(taken.word, 7u);
    EXPECT_TRUE(queue.is_empty());
    EXPECT_EQ(queue.size(), 0u);
}

TEST(WordQueue, CarriesEveryWordAlsoZeroAndAllOnes) {
    WordQueue queue;
    queue.push(0);
    queue.push(~std::uint64_t{0});
    EXPECT_EQ(must_pop(queue), 0u);
    EXPECT_EQ(must_pop(queue), ~std::uint64_t{0});
}

TEST(WordQueue, KeepsOrderAndSizeAtEveryFillAroundTheEndsOfChunks) {
    // With each fill, every position of a chunk is once the place where the queue runs empty.
    for (std::uint64_t fill : {1u, 2u, 255u, 256u, 257u, 511u, 512u, 513u}) {
        WordQueue queue;
        std::uint64_t put = 0;
        std::uint64_t got = 0;
        for (int round = 0; round < 300; ++round) {
            for (std::uint64_t i = 0; i < fill; ++i) queue.push(put++);
            ASSERT_EQ(queue.size(), fill);
            for (std::uint64_t i = 0; i < fill; ++i) ASSERT_EQ(must_pop(queue), got++);
            ASSERT_TRUE(queue.is_empty());
        }
    }
}

TEST(WordQueue, FreesItsChunksWhenDestroyedWithWords) {
    WordQueue queue;
    for (std::uint64_t i = 0; i < 10'000; ++i) queue.push(i);
    for (std::uint64_t i = 0; i < 5'000; ++i) ASSERT_EQ(must_pop(queue), i);
    EXPECT_EQ(queue.size(), 5'000u);  // a leak checker sees what the destructor leaves
}

TEST(WordQueue, AWordGivenBackComesFirstAgain) {
    WordQueue queue;
    WordQueue::Returned place;
    for (std::uint64_t i = 0; i < 3; ++i) queue.push(i);
    queue.give_back(must_take(queue), place);
    EXPECT_EQ(queue.size(), 3u);
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(must_pop(queue), i);
    EXPECT_TRUE(queue.is_empty());
}

TEST(WordQueue, SeveralWordsGivenBackAreInOrderInWhichOrderSoEverTheyReturn) {
    std::array<std::size_t, 3> order{0, 1, 2};
    do {
        WordQueue queue;
        std::array<WordQueue::Returned, 3> places;
        std::array<WordQueue::Taken, 3> taken;
        for (std::uint64_t i = 0; i < 5; ++i) queue.push(i);
        for (auto& each : taken) each = must_take(queue);
        for (std::size_t which : order) queue.give_back(taken.at(which), places.at(which));
        EXPECT_EQ(queue.size(), 5u);
        queue.push(5);
        for (std::uint64_t i = 0; i < 6; ++i) ASSERT_EQ(must_pop(queue), i);
        EXPECT_EQ(queue.size(), 0u);
    } while (std::ranges::next_permutation(order).found);
}

TEST(WordQueue, AWordGivenBackTwiceKeepsItsPlace) {
    WordQueue queue;
    std::array<WordQueue::Returned, 2> places;
    for (std::uint64_t i = 0; i < 3; ++i) queue.push(i);
    const WordQueue::Taken first = must_take(queue);
    queue.give_back(must_take(queue), places[1]);
    const WordQueue::Taken second = must_take(queue);
    EXPECT_EQ(second.word, 1u);
    queue.give_back(first, places[0]);
    queue.give_back(second, places[1]);
    for (std::uint64_t i = 0; i < 3; ++i) ASSERT_EQ(must_pop(queue), i);
}

TEST(WordQueue, AWordMayBeGivenBackAtTheEndOfAChunk) {
    for (std::uint64_t taken : {255u, 256u, 257u}) {
        WordQueue queue;
        WordQueue::Returned place;
        for (std::uint64_t i = 0; i < 600; ++i) queue.push(i);
        for (std::uint64_t i = 0; i < taken; ++i) ASSERT_EQ(must_pop(queue), i);
        queue.give_back({.word = taken - 1, .index = taken - 1}, place);
        for (std::uint64_t i = taken - 1; i < 600; ++i) ASSERT_EQ(must_pop(queue), i);
        EXPECT_TRUE(queue.is_empty());
    }
}

TEST(WordQueue, TheLastWordGivenBackMakesItNotEmpty) {
    WordQueue queue;
    WordQueue::Returned place;
    queue.push(9);
    queue.give_back(must_take(queue), place);
    EXPECT_FALSE(queue.is_empty());
    EXPECT_EQ(queue.size(), 1u);
    EXPECT_EQ(must_pop(queue), 9u);
    EXPECT_TRUE(queue.is_empty());
}

TEST(WordQueue, PopTakesWhatIsThereDespiteAPassedDeadlineOrAStop) {
    WordQueue queue;
    std::stop_source source;
    source.request_stop();
    const std::stop_token stop = source.get_token();
    queue.push(1);
    WordQueue::Taken taken;
    EXPECT_EQ(queue.pop(taken, {.deadline = Deadline::after(0), .stop = &stop}), WaitEnd::notified);
    EXPECT_EQ(taken.word, 1u);
}

TEST(WordQueue, PopEndsWithItsLimits) {
    WordQueue queue;
    std::stop_source source;
    source.request_stop();
    const std::stop_token stop = source.get_token();
    WordQueue::Taken taken{.word = 5};
    EXPECT_EQ(queue.pop(taken, {.deadline = Deadline::after(0)}), WaitEnd::timed_out);
    EXPECT_EQ(queue.pop(taken, {.deadline = Deadline::after(0.001)}), WaitEnd::timed_out);
    EXPECT_EQ(queue.pop(taken, {.stop = &stop}), WaitEnd::cancelled);
    EXPECT_EQ(taken.word, 5u);
}

TEST(WordQueue, AStopGoesBeforeADeadlineThatHasPassed) {
    WordQueue queue;
    std::stop_source source;
    source.request_stop();
    const std::stop_token stop = source.get_token();
    WordQueue::Taken taken;
    EXPECT_EQ(queue.pop(taken, {.deadline = Deadline::after(0), .stop = &stop}),
              WaitEnd::cancelled);
}

TEST(WordQueue, AGivenBackWordIsSeenByWhoeverWaits) {
    for (int round = 0; round < 300; ++round) {
        WordQueue queue;
        WordQueue::Returned place;
        queue.push(3);
        const WordQueue::Taken taken = must_take(queue);
        WordQueue::Taken got;
        std::jthread waiter([&] {
            EXPECT_EQ(queue.pop(got, {.deadline = Deadline::after(60)}), WaitEnd::notified);
        });
        queue.give_back(taken, place);
        waiter.join();
        ASSERT_EQ(got.word, 3u);
    }
}

TEST(WordQueue, ProducersThatNeedAChunkAtOnceLoseNothing) {
    constexpr std::uint64_t kEach = 20'000;
    WordQueue queue;
    std::atomic<int> ready{0};
    {
        std::vector<std::jthread> producers;
        for (std::uint64_t producer = 0; producer < 4; ++producer) {
            producers.emplace_back([&, producer] {
                ++ready;
                while (ready != 4) std::this_thread::yield();
                for (std::uint64_t n = 0; n < kEach; ++n) queue.push(producer << 32 | n);
            });
        }
    }
    ASSERT_EQ(queue.size(), 4 * kEach);
    std::array<std::uint64_t, 4> next{};
    for (std::uint64_t i = 0; i < 4 * kEach; ++i) {
        const std::uint64_t word = must_pop(queue);
        ASSERT_EQ(word & 0xffffffff, next.at(word >> 32)++);
    }
    EXPECT_TRUE(queue.is_empty());
}

TEST(WordQueue, EmptyIsNeverClaimedWhileAWordIsAlwaysThere) {
    WordQueue queue;
    std::atomic<bool> ends{false};
    queue.push(0);
    std::jthread mover([&] {
        for (std::uint64_t i = 1; !ends; ++i) {
            queue.push(i);
            (void)must_pop(queue);
        }
    });
    for (int i = 0; i < 200'000; ++i) {
        ASSERT_FALSE(queue.is_empty());
        const std::size_t size = queue.size();
        ASSERT_TRUE(size == 1 || size == 2) << size;
    }
    ends = true;
}

}  // namespace
