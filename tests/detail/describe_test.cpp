#include "detail/describe.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <stdexcept>
#include <string>

#include <weft/errors.hpp>

namespace named {

struct Bare {};
struct BareWithCause {};

template <class T>
struct Template : std::runtime_error {
    using std::runtime_error::runtime_error;
};

}  // namespace named

namespace {

using weft::detail::describe;
using weft::detail::describe_with_causes;

template <class Error>
std::exception_ptr made(const Error& error) {
    return std::make_exception_ptr(error);
}

template <class Outer>
std::exception_ptr wrapped(const std::exception_ptr& cause, const Outer& outer) {
    try {
        try {
            std::rethrow_exception(cause);
        } catch (...) {
            std::throw_with_nested(outer);
        }
    } catch (...) {
        return std::current_exception();
    }
}

TEST(Describe, GivesTypeAndMessage) {
    const auto text = describe(made(weft::KeyError("no such key")));
    EXPECT_EQ(text.type, "weft::KeyError");
    EXPECT_EQ(text.message, "no such key");
    EXPECT_EQ(text.line(), "weft::KeyError: no such key");
}

TEST(Describe, NamesTheTypeThatWasThrownAndNotABase) {
    EXPECT_EQ(describe(made(named::Template<int>("text"))).line(), "named::Template<int>: text");
}

TEST(Describe, GivesTheTypeAloneWithoutAMessage) {
    EXPECT_EQ(describe(made(weft::Exception(""))).line(), "weft::Exception");
    EXPECT_EQ(describe(made(named::Bare())).line(), "named::Bare");
    EXPECT_EQ(describe(made(7)).line(), "int");
}

TEST(Describe, SaysNothingOfNoException) {
    EXPECT_EQ(describe(nullptr).line(), "");
    EXPECT_EQ(describe_with_causes(nullptr), "");
}

TEST(Describe, NamesAnExceptionWithACauseAsItWasWritten) {
    const auto error = wrapped(made(1), named::Template<int>("text"));
    EXPECT_EQ(describe(error).line(), "named::Template<int>: text");
    const auto bare = wrapped(made(1), named::BareWithCause());
    EXPECT_EQ(describe(bare).line(), "named::BareWithCause");
}

TEST(DescribeWithCauses, GivesALineToEachCause) {
    const auto innermost = made(std::out_of_range("row 7"));
    const auto middle = wrapped(innermost, weft::KeyError("user"));
    const auto outer = wrapped(middle, std::runtime_error("cannot log in"));
    EXPECT_EQ(describe_with_causes(outer),
              "std::runtime_error: cannot log in\n"
              "  caused by weft::KeyError: user\n"
              "  caused by std::out_of_range: row 7");
}

TEST(DescribeWithCauses, FollowsThroughWhatIsNoStandardException) {
    const auto error = wrapped(wrapped(made(1), named::BareWithCause()), weft::TypeError("outer"));
    EXPECT_EQ(describe_with_causes(error),
              "weft::TypeError: outer\n  caused by named::BareWithCause\n  caused by int");
}

TEST(DescribeWithCauses, EndsWithACauseThatIsNotThere) {
    struct Nothing : std::runtime_error, std::nested_exception {
        Nothing() : std::runtime_error("alone") {}
    };
    const std::string text = describe_with_causes(made(Nothing()));
    EXPECT_TRUE(text.ends_with("Nothing: alone")) << text;
}

TEST(DescribeWithCauses, StopsSomewhereInAChainWithoutEnd) {
    auto error = made(1);
    for (int i = 0; i < 1000; ++i) error = wrapped(error, weft::Exception("link"));
    const std::string text = describe_with_causes(error);
    EXPECT_GT(text.size(), 100U);
    EXPECT_LT(text.size(), 10'000U);
}

}  // namespace
