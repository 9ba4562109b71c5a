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

TEST(WordStack, GivesMemoryBackWhenItIsSparse) {
    WordStack stack;
    for (std::uint64_t i = 0; i < 1024; ++i) add(stack, i);
    std::size_t left = 1024;
    for (; left > 257; --left) {
        (void)take(stack);
        ASSERT_EQ(stack.sparse_capacity(0), 0u);
    }
    (void)take(stack);
    EXPECT_EQ(stack.sparse_capacity(1), 0u);
    ASSERT_EQ(stack.sparse_capacity(0), 512u);
    auto room = WordArray::make_room(512);
    stack.shrink(room, 0);
    EXPECT_EQ(room.capacity, 1024u);
    EXPECT_EQ(stack.next_capacity(), 1024u);
    // It serves as before.
    for (std::uint64_t i = 256; i < 600; ++i) add(stack, i);
    for (std::uint64_t i = 600; i-- > 0;) ASSERT_EQ(take(stack), i);
}

TEST(WordStack, DoesNotShrinkIntoARoomThatOthersHaveOutgrown) {
    WordStack stack;
    for (std::uint64_t i = 0; i < 100; ++i) add(stack, i);
    auto room = WordArray::make_room(64);
    stack.shrink(room, 0);
    EXPECT_EQ(room.capacity, 64u);
    for (std::uint64_t i = 100; i-- > 33;) (void)take(stack);
    stack.shrink(room, 0);
    EXPECT_EQ(room.capacity, 64u);
    (void)take(stack);
    stack.shrink(room, 1);
    EXPECT_EQ(room.capacity, 64u);
    stack.shrink(room, 0);
    EXPECT_EQ(room.capacity, 128u);
    for (std::uint64_t i = 32; i-- > 0;) ASSERT_EQ(take(stack), i);
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

/// An array that is copied, as by a fork, at every step of a change.
class Watched : public WordArray {
public:
    using Way = WordArray::Way;
    explicit Watched(const std::vector<std::uint64_t>& words) {
        Room room = make_room(words.size() + 1);
        adopt(room);
        for (std::uint64_t each : words) append(each);
    }
    std::vector<std::uint64_t> words() const {
        std::vector<std::uint64_t> all;
        for (std::size_t i = 0; i < size(); ++i) all.push_back(at(i));
        return all;
    }
    /// Makes the change, but leaves it by an exception before its n-th step.
    template <class Step>
    void begin(Way way, std::size_t from, std::size_t to, std::size_t new_size, int steps,
               Step step) {
        struct Cut {};
        try {
            wander(way, from, to, 99, new_size, [&](std::size_t hole) {
                if (steps-- == 0) throw Cut();
                return step(hole);
            });
        } catch (const Cut&) {
        }
    }
};

TEST(WordArray, AChangeThatWasCutOffIsFinishedFromWhereverItWas) {
    const std::vector<std::uint64_t> words{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const auto up = [](std::size_t hole) { return (hole - 1) / 2; };
    const auto back = [](std::size_t hole) { return hole - 1; };
    for (int steps = 0; steps < 4; ++steps) {
        Watched heap(words);
        heap.begin(Watched::Way::up, 12, 0, 13, steps, up);
        heap.mend();
        EXPECT_EQ(heap.words(),
                  (std::vector<std::uint64_t>{99, 1, 0, 3, 4, 2, 6, 7, 8, 9, 10, 11, 5}));
        Watched sunk(words);
        const std::size_t way_down[] = {1, 4, 10};
        int depth = 0;
        sunk.begin(Watched::Way::down, 0, 10, 11, steps,
                   [&](std::size_t) { return way_down[depth++]; });
        sunk.mend();
        EXPECT_EQ(sunk.words(), (std::vector<std::uint64_t>{1, 4, 2, 3, 10, 5, 6, 7, 8, 9, 99}));
        Watched stack(words);
        stack.begin(Watched::Way::back, 12, 9, 13, steps, back);
        stack.mend();
        EXPECT_EQ(stack.words(),
                  (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 99, 9, 10, 11}));
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
