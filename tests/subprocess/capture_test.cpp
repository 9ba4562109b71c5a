#include "subprocess/capture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

namespace {

using weft::subprocess::Capture;

/// Fills it with `total` bytes, at most `most` at once, and compares all ways to read it.
void fill(std::size_t total, std::size_t most) {
    Capture capture;
    std::string expected;
    while (expected.size() < total) {
        const std::span<char> room = capture.room();
        ASSERT_FALSE(room.empty());
        const std::size_t size = std::min({room.size(), most, total - expected.size()});
        for (std::size_t i = 0; i < size; ++i) {
            room[i] = static_cast<char>('a' + (expected.size() + i) % 23);
        }
        for (std::size_t i = 0; i < size; ++i) expected += room[i];
        capture.commit(size);
    }
    // The read that finds the end.
    ASSERT_FALSE(capture.room().empty());
    capture.commit(0);
    EXPECT_EQ(capture.copy(), expected);
    EXPECT_EQ(capture.take(), expected);
    EXPECT_EQ(capture.take(), "");
}

TEST(Capture, KeepsWhatIsReadWhateverTheSizes) {
    for (const std::size_t total : {0U, 1U, 8192U, 65536U, 300'000U, 524'288U, 1'048'576U}) {
        for (const std::size_t most : {1000U, 65536U, 1'000'000U}) fill(total, most);
    }
}

TEST(Capture, DoesNotGrowBeforeThereIsMore) {
    Capture capture;
    std::size_t read = 0;
    std::span<char> room = capture.room();
    // Until a read goes aside: the string is exactly full.
    while (read < 300'000 || room.size() != 65536) {
        capture.commit(room.size());
        read += room.size();
        room = capture.room();
    }
    capture.commit(0);
    const std::string text = capture.take();
    EXPECT_EQ(text.size(), read);
    EXPECT_EQ(text.capacity(), read);
}

}  // namespace
