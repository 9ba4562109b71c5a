#include <weft/detail/word_array.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>

#include <vector>

namespace {

using weft::detail::WordArray;
using weft::detail::WordHeap;
using weft::detail::WordStack;

using Heap = WordHeap<std::less<std::uint64_t>>;

template <class Storage>
void add(Storage& storage, std::uint64_t word) {
    if (!storage.has_room(0)) {
        auto room = WordArray::make_room(storage.next_capacity());
        storage.adopt(room);
    }
    storage.push(word, nullptr, 0);
}

template <class Storage>
std::uint64_t take(Storage& storage) {
    WordArray::Taken taken;
    storage.pop(taken);
    return taken.word;
}

TEST(WordStack, GivesWordsInReverse) {
    WordStack stack;
    for (std::uint64_t i = 0; i < 1000; ++i) add(stack, i);
    for (std::uint64_t i = 1000; i-- > 0;) ASSERT_EQ(take(stack), i);
    EXPECT_EQ(stack.size(), 0u);
}

TEST(WordStack, KeepsRoomForWordsThatAreOut) {
    WordStack stack;
    auto room = WordArray::make_room(2);
    stack.adopt(room);
    EXPECT_TRUE(stack.has_room(0));
    EXPECT_TRUE(stack.has_room(1));
    EXPECT_FALSE(stack.has_room(2));
}

TEST(WordStack, ASmallerRoomIsNotMovedInto) {
    WordStack stack;
    auto large = WordArray::make_room(4);
    stack.adopt(large);
    EXPECT_EQ(large.capacity, 0u);
    auto small = WordArray::make_room(2);
    stack.adopt(small);
    EXPECT_EQ(small.capacity, 2u);
}

TEST(WordHeap, GivesTheLeastOfEverySizeAndOrder) {
    std::mt19937 random(1);
    for (std::size_t size = 1; size < 70; ++size) {
        for (int round = 0; round < 20; ++round) {
            Heap heap{{}};
            std::vector<std::uint64_t> model;
            for (std::size_t i = 0; i < size; ++i) {
                model.push_back(random() % size);
                add(heap, model.back());
            }
            std::ranges::sort(model);
            for (std::uint64_t each : model) ASSERT_EQ(take(heap), each);
        }
    }
}

TEST(WordArray, AllWordsComeOutAtOnce) {
    WordStack stack;
    for (std::uint64_t i = 0; i < 100; ++i) add(stack, i);
    WordArray::Contents contents = stack.take_all();
    EXPECT_EQ(stack.size(), 0u);
    EXPECT_FALSE(stack.has_room(0));
    std::uint64_t sum = 0;
    for (std::uint64_t word = 0; contents.next(word);) sum += word;
    EXPECT_EQ(sum, 4950u);
}

}  // namespace
