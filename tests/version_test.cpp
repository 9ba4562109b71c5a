#include <weft/version.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

TEST(Version, OfTheLibraryIsThatOfTheHeaders) {
    EXPECT_EQ(weft::version(), WEFT_VERSION);
}

TEST(Version, TextHasTheThreeNumbers) {
    const std::string expected = std::to_string(WEFT_VERSION_MAJOR) + "." +
                                 std::to_string(WEFT_VERSION_MINOR) + "." +
                                 std::to_string(WEFT_VERSION_PATCH);
    EXPECT_EQ(weft::version_string(), expected);
}

}  // namespace
