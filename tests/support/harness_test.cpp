#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/budget.hpp"
#include "support/child.hpp"
#include "support/watchdog.hpp"

namespace {

using testing::HasSubstr;
using weft::test::ChildOptions;
using weft::test::ChildResult;
using weft::test::run_child;
using weft::test::Watchdog;

ChildResult run_case(const std::string& name, ChildOptions options = {}) {
    options.arguments.push_back("--gtest_filter=Subject." + name);
    return run_child("harness_subject", options);
}

/// A short budget: it is always used up.
ChildResult run_hanging_case(const std::string& name) {
    return run_case(name, {.environment = {{"WEFT_TEST_BUDGET", "1"}}});
}

TEST(Watchdog, PrintsTheStacksOfAllThreadsOfAHangingCaseAndFails) {
    const ChildResult result = run_hanging_case("HangsInTwoThreads");
    EXPECT_TRUE(result.exited_with(Watchdog::kHangStatus)) << result.describe();
    EXPECT_THAT(result.error, HasSubstr("Subject.HangsInTwoThreads has not ended within 1 s"));
    EXPECT_THAT(result.error, HasSubstr("first_function_that_hangs"));
    EXPECT_THAT(result.error, HasSubstr("second_function_that_hangs"));
}

TEST(Watchdog, WatchesOverTheEndOfTheProgram) {
    const ChildResult result = run_hanging_case("HangsAtTheEndOfTheProgram");
    EXPECT_TRUE(result.exited_with(Watchdog::kHangStatus)) << result.describe();
    EXPECT_THAT(result.error, HasSubstr("the end of the program"));
    EXPECT_THAT(result.error, HasSubstr("second_function_that_hangs"));
}

TEST(Watchdog, BudgetComesFromTheEnvironment) {
    ASSERT_EQ(setenv("WEFT_TEST_BUDGET", "123", 1), 0);
    EXPECT_EQ(weft::test::case_budget(), std::chrono::seconds(123));
    ASSERT_EQ(unsetenv("WEFT_TEST_BUDGET"), 0);
    EXPECT_EQ(weft::test::case_budget(), std::chrono::seconds(60) * weft::test::slowness());
}

struct Leak {
    const char* name;
    const char* message;
};

class LeaksFailACase : public testing::TestWithParam<Leak> {};

TEST_P(LeaksFailACase, ThatLeavesThemBehind) {
    const ChildResult result = run_case(GetParam().name);
    EXPECT_TRUE(result.exited_with(1)) << result.describe();
    EXPECT_THAT(result.output, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Every, LeaksFailACase,
    testing::Values(Leak{"LeavesAThread", "left a thread behind"},
                    Leak{"LeavesARunningProcess", "\"harness_subject\", still running"},
                    Leak{"LeavesAProcessThatHasEnded", "ended but not waited for"},
                    Leak{"LeavesADescriptor", "left a descriptor open"},
                    Leak{"ClosesADescriptorOfOthers", "closed a descriptor that it had not opened"},
                    Leak{"ReplacesADescriptorOfOthers", "-> /dev/zero"},
                    Leak{"LeavesASegment", "left a shared memory segment behind"},
                    Leak{"LeavesAFile", "left-behind"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Leaks, PassACaseThatTidiesUp) {
    const ChildResult result = run_case("TidiesUp");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
}

TEST(Leaks, MayBeAllowedWithAReason) {
    const ChildResult result = run_case("LeavesAThreadThatIsAllowed");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_THAT(result.output, HasSubstr("it waits for the end of the program"));
}

TEST(Leaks, OfOneCaseAreNotHeldAgainstTheNext) {
    for (const char* const name : {"LeavesARunningProcess", "LeavesASegment", "LeavesAFile"}) {
        const ChildResult result = run_case(std::string(name) + ":Subject.TidiesUp");
        EXPECT_THAT(result.output, HasSubstr("1 FAILED TEST")) << result.describe();
    }
}

TEST(TemporaryHome, IsTheProgramsOwnAndIsRemoved) {
    const std::filesystem::path note = std::filesystem::temp_directory_path() / "note";
    const ChildResult result = run_case("ShowsItsTemporaryDirectory",
                                        {.environment = {{"WEFT_SUBJECT_NOTE", note.string()}}});
    ASSERT_TRUE(result.exited_with(0)) << result.describe();
    std::ifstream file(note);
    const std::string home{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(std::filesystem::path(home).parent_path(), std::filesystem::temp_directory_path());
    EXPECT_FALSE(std::filesystem::exists(home));
    EXPECT_TRUE(std::filesystem::remove(note));
}

}  // namespace
