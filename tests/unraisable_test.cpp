#include <weft/unraisable.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <weft/errors.hpp>

#include "support/child.hpp"
#include "support/standard_error.hpp"

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using weft::UnraisableHookArgs;
using weft::WarningCategory;
using weft::WarningHandler;
using weft::detail::report_unraisable;
using weft::detail::warn;
using weft::test::StandardError;

const std::exception_ptr kError = std::make_exception_ptr(weft::KeyError("no such key"));

class UnraisableHook : public testing::Test {
protected:
    ~UnraisableHook() override { weft::unraisablehook = weft::original_unraisablehook; }
};

TEST_F(UnraisableHook, WritesWhereAndWhatInOneWrite) {
    StandardError error;
    report_unraisable({.exc_value = kError, .object = "callback 'f'"});
    EXPECT_THAT(error.writes(), ElementsAre("Exception ignored in: callback 'f'\n"
                                            "weft::KeyError: no such key\n"));
}

TEST_F(UnraisableHook, WritesTheGivenMessageInPlaceOfTheUsualOne) {
    StandardError error;
    report_unraisable({.exc_value = kError, .err_msg = "Cannot close", .object = "pipe 3"});
    EXPECT_THAT(error.writes(), ElementsAre("Cannot close: pipe 3\nweft::KeyError: no such key\n"));
}

TEST_F(UnraisableHook, WritesTheCausesToo) {
    std::exception_ptr nested;
    try {
        try {
            std::rethrow_exception(kError);
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (...) {
        nested = std::current_exception();
    }
    StandardError error;
    report_unraisable({.exc_value = nested, .object = "here"});
    EXPECT_THAT(error.writes(),
                ElementsAre("Exception ignored in: here\nstd::runtime_error: outer\n"
                            "  caused by weft::KeyError: no such key\n"));
}

TEST_F(UnraisableHook, LeavesOutWhatIsNotKnown) {
    StandardError error;
    report_unraisable({.exc_value = kError});
    report_unraisable({.object = "here"});
    report_unraisable({.err_msg = "Cannot close"});
    EXPECT_THAT(error.writes(), ElementsAre("Exception ignored:\nweft::KeyError: no such key\n",
                                            "Exception ignored in: here\n", "Cannot close\n"));
}

TEST_F(UnraisableHook, IsReplacedByAssignment) {
    StandardError error;
    std::vector<std::string> seen;
    weft::unraisablehook = [&](const UnraisableHookArgs& args) {
        seen.push_back(args.object + "; " + args.err_msg + "; " + args.what());
    };
    report_unraisable({.exc_value = kError, .err_msg = "Cannot close", .object = "pipe 3"});
    EXPECT_THAT(seen, ElementsAre("pipe 3; Cannot close; weft::KeyError: no such key"));
    EXPECT_THAT(error.writes(), IsEmpty());
}

TEST_F(UnraisableHook, IsPutBackFromACopyAndFromTheOriginal) {
    int calls = 0;
    const auto old = weft::unraisablehook;
    weft::unraisablehook = [&](const UnraisableHookArgs&) { ++calls; };
    const auto mine = weft::unraisablehook;
    weft::unraisablehook = old;
    StandardError error;
    report_unraisable({.object = "first"});
    weft::unraisablehook = mine;
    report_unraisable({.object = "second"});
    weft::unraisablehook = weft::original_unraisablehook;
    report_unraisable({.object = "third"});
    EXPECT_EQ(calls, 1);
    EXPECT_THAT(error.writes(),
                ElementsAre("Exception ignored in: first\n", "Exception ignored in: third\n"));
}

TEST_F(UnraisableHook, OriginalIsNotChangedByAnAssignment) {
    weft::unraisablehook = [](const UnraisableHookArgs&) {};
    StandardError error;
    weft::original_unraisablehook({.object = "here"});
    EXPECT_THAT(error.writes(), ElementsAre("Exception ignored in: here\n"));
}

TEST_F(UnraisableHook, ThatThrowsIsReportedTogetherWithWhatItWasCalledFor) {
    weft::unraisablehook = [](const UnraisableHookArgs&) { throw std::runtime_error("broken"); };
    StandardError error;
    report_unraisable({.exc_value = kError, .object = "callback 'f'"});
    EXPECT_THAT(error.writes(),
                ElementsAre("Exception in unraisablehook, called for: callback 'f'\n"
                            "std::runtime_error: broken\n",
                            "Exception ignored in: callback 'f'\n"
                            "weft::KeyError: no such key\n"));
}

TEST_F(UnraisableHook, ThatThrowsWhatIsNoExceptionIsReportedToo) {
    weft::unraisablehook = [](const UnraisableHookArgs&) { throw 7; };
    StandardError error;
    report_unraisable({.object = "here"});
    EXPECT_THAT(error.writes(), ElementsAre("Exception in unraisablehook, called for: here\nint\n",
                                            "Exception ignored in: here\n"));
}

TEST(UnraisableHookArgs, DescribeTheirException) {
    EXPECT_EQ((UnraisableHookArgs{.exc_value = kError}.what()), "weft::KeyError: no such key");
    EXPECT_EQ(UnraisableHookArgs().what(), "");
}

class Warnings : public testing::Test {
protected:
    ~Warnings() override { weft::set_warning_handler({}); }
};

TEST_F(Warnings, AreOneLineOnStandardErrorInOneWrite) {
    StandardError error;
    warn(WarningCategory::RuntimeWarning, "the fork server is not single-threaded");
    warn(WarningCategory::ResourceWarning, "");
    EXPECT_THAT(error.writes(),
                ElementsAre("weft: RuntimeWarning: the fork server is not single-threaded\n",
                            "weft: ResourceWarning: \n"));
}

TEST_F(Warnings, HavePythonsNames) {
    EXPECT_STREQ(weft::name_of(WarningCategory::DeprecationWarning), "DeprecationWarning");
    EXPECT_STREQ(weft::name_of(WarningCategory::ResourceWarning), "ResourceWarning");
    EXPECT_STREQ(weft::name_of(WarningCategory::RuntimeWarning), "RuntimeWarning");
    EXPECT_STREQ(weft::name_of(WarningCategory::UserWarning), "UserWarning");
}

TEST_F(Warnings, GoToTheHandler) {
    std::vector<std::pair<WarningCategory, std::string>> seen;
    weft::set_warning_handler([&](WarningCategory category, std::string_view message) {
        seen.emplace_back(category, message);
    });
    StandardError error;
    warn(WarningCategory::UserWarning, "first");
    warn(WarningCategory::DeprecationWarning, "second");
    EXPECT_THAT(seen, ElementsAre(std::pair(WarningCategory::UserWarning, "first"),
                                  std::pair(WarningCategory::DeprecationWarning, "second")));
    EXPECT_THAT(error.writes(), IsEmpty());
}

TEST_F(Warnings, HandlerBeforeIsReturnedAndWorks) {
    std::string seen;
    EXPECT_FALSE(weft::set_warning_handler([&](auto, auto message) { seen += message; }));
    WarningHandler before = weft::set_warning_handler([&](auto, auto) { seen += "other"; });
    ASSERT_TRUE(before);
    before(WarningCategory::UserWarning, "direct,");
    weft::set_warning_handler(std::move(before));
    warn(WarningCategory::UserWarning, "again");
    EXPECT_EQ(seen, "direct,again");
    EXPECT_TRUE(weft::set_warning_handler({}));
    EXPECT_FALSE(weft::set_warning_handler({}));
}

TEST_F(Warnings, HandlerMayTurnThemIntoErrors) {
    weft::set_warning_handler(
        [](auto, auto message) { throw std::runtime_error(std::string(message)); });
    EXPECT_THROW(warn(WarningCategory::UserWarning, "stop"), std::runtime_error);
}

TEST_F(Warnings, MayBeGivenWhileTheHandlerIsReplaced) {
    std::atomic<int> handled{0};
    constexpr int kWarnings = 5'000;
    const auto count = [&](auto, auto) { handled.fetch_add(1); };
    weft::set_warning_handler(count);
    {
        const std::jthread replacing([&] {
            for (int i = 0; i < kWarnings; ++i) weft::set_warning_handler(count);
        });
        for (int i = 0; i < kWarnings; ++i) warn(WarningCategory::UserWarning, "counted");
    }
    EXPECT_EQ(handled, kWarnings);
}

// A program whose standard error nobody reads, or that has none, must not notice.

TEST(StandardErrorOfAProgram, MayBeAClosedPipe) {
    EXPECT_TRUE(weft::test::run_child("warner", {.arguments = {"closed_pipe"}}).exited_with(0));
}

TEST(StandardErrorOfAProgram, MayBeMissing) {
    EXPECT_TRUE(weft::test::run_child("warner", {.arguments = {"closed"}}).exited_with(0));
}

TEST(StandardErrorOfAProgram, KeepsErrno) {
    EXPECT_TRUE(weft::test::run_child("warner", {.arguments = {"errno"}}).exited_with(0));
}

}  // namespace
