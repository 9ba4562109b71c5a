#include "support/child.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using weft::test::ChildOptions;
using weft::test::ChildResult;
using weft::test::run_child;

ChildResult talk(const std::string& task, ChildOptions options = {}) {
    options.arguments.insert(options.arguments.begin(), task);
    return run_child("talker", options);
}

TEST(Child, ReportsExitAndBothStreams) {
    const ChildResult result = talk("speak");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output, "to output");
    EXPECT_EQ(result.error, "to errors");
}

TEST(Child, ReportsItsExitStatus) {
    const ChildResult result = talk("exit");
    EXPECT_TRUE(result.exited_with(7));
    EXPECT_FALSE(result.exited_with(0));
    EXPECT_FALSE(result.was_killed_by(SIGTERM));
}

TEST(Child, ReportsTheSignalThatKilledIt) {
    const ChildResult result = talk("die");
    EXPECT_TRUE(result.was_killed_by(SIGTERM)) << result.describe();
    EXPECT_FALSE(result.exited_with(0));
}

TEST(Child, GetsArgumentsAndEnvironment) {
    EXPECT_EQ(talk("arguments", {.arguments = {"a b", "", "c"}}).output, "[a b][][c]");
    EXPECT_EQ(talk("environment", {.environment = {{"WEFT_TALKER", "value"}}}).output, "value");
    EXPECT_EQ(talk("environment").output, "nothing");
}

TEST(Child, GetsAnInputLargerThanAPipe) {
    const std::string input(1'000'000, 'i');
    EXPECT_EQ(talk("echo", {.input = input}).output, input);
}

TEST(Child, MayLeaveItsInputUnread) {
    EXPECT_TRUE(talk("exit", {.input = std::string(1'000'000, 'i')}).exited_with(7));
}

TEST(Child, MayWriteMoreThanAPipeHolds) {
    const ChildResult result = talk("flood");
    EXPECT_EQ(result.output.size(), 1'000'000U);
    EXPECT_EQ(result.error.size(), 1'000'000U);
}

TEST(Child, IsKilledWhenItExceedsItsLimit) {
    const ChildResult result = talk("hang", {.limit = 100ms});
    EXPECT_TRUE(result.has_timed_out);
    EXPECT_FALSE(result.was_killed_by(SIGKILL));
}

TEST(Child, IsNotWaitedForThroughTheProcessesThatItLeft) {
    const ChildResult result = talk("leave");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output, "left one");
}

TEST(Child, InheritsNoDescriptors) {
    const int inheritable = open("/dev/null", O_RDONLY);  // NOLINT: without O_CLOEXEC on purpose
    ASSERT_GE(inheritable, 0);
    EXPECT_EQ(talk("descriptors").output, "");
    close(inheritable);
}

TEST(Child, ThatDoesNotExistIsAnError) {
    EXPECT_THROW(weft::test::run_program("/nonexistent/program"), std::system_error);
}

TEST(WaitForProcess, GivesTheStatus) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    EXPECT_EQ(weft::test::wait_for_process(child, 10s), 3 << 8);
}

TEST(WaitForProcess, KillsWhatExceedsTheLimit) {
    const pid_t child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    EXPECT_EQ(weft::test::wait_for_process(child, 50ms), std::nullopt);
    EXPECT_EQ(kill(child, 0), -1);
}

}  // namespace
