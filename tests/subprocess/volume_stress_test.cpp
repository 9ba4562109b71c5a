// Outputs of gigabytes, and thousands of children.

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <weft/subprocess.hpp>

#include "subprocess/support.hpp"
#include "support/limits.hpp"

namespace {

using namespace weft::subprocess;

constexpr std::size_t kSize = std::size_t{1} << 30;

TEST(SubprocessVolume, CountsMoreThanFourGigabytes) {
    std::uint64_t count = 0;
    run({"head", "-c", "5000000000", "/dev/zero"},
        {.check = true, .on_stdout_chunk = [&](std::string_view chunk) { count += chunk.size(); }});
    EXPECT_EQ(count, 5'000'000'000U);
}

TEST(SubprocessVolume, CapturesAGigabyteInHardlyMoreThanTwice) {
    // In a process of its own, whose largest size is this case's alone.
    const auto outcome = weft::test::run_as_unused_uid([] {
        const std::string text = check_output({"head", "-c", std::to_string(kSize), "/dev/zero"});
        EXPECT_EQ(text.size(), kSize);
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        EXPECT_LT(static_cast<std::size_t>(usage.ru_maxrss) * 1024, kSize * 2 + kSize / 16);
    });
    EXPECT_TRUE(outcome.has_passed);
}

TEST(SubprocessVolume, GivesAGigabyteOfInput) {
    const std::string input(kSize, 'x');
    EXPECT_EQ(check_output({"wc", "-c"}, {.input = input}), "1073741824\n");
}

TEST(SubprocessVolume, HoldsManyChildrenAtOnce) {
    constexpr int kChildren = 300;
    std::vector<Popen> children;
    for (int i = 0; i < kChildren; ++i) {
        children.emplace_back(Args{"cat"}, PopenOptions{.stdin_ = PIPE, .stdout_ = PIPE});
    }
    for (int i = 0; i < kChildren; ++i) {
        Popen& child = children[static_cast<std::size_t>(i)];
        EXPECT_EQ(child.communicate(std::to_string(i)).stdout_, std::to_string(i));
    }
}

TEST(SubprocessVolume, StartsThousandsOneAfterTheOther) {
    for (int i = 0; i < 3000; ++i) ASSERT_EQ(call({"true"}), 0);
}

}  // namespace
