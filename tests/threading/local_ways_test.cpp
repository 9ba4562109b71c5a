#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "support/child.hpp"
#include "support/child_path.hpp"

namespace {

using weft::test::ChildResult;
using weft::test::run_child;

/// How a program uses locals to its end, and what it must have written by then.
struct Way {
    const char* name;
    int code;
    const char* output;

    friend std::ostream& operator<<(std::ostream& out, const Way& way) { return out << way.name; }
};

class LocalToTheEnd : public testing::TestWithParam<Way> {};

TEST_P(LocalToTheEnd, OfTheProgramAndOverFork) {
    // Values of threads that the process does not have any more are not destroyed.
    const ChildResult result = run_child(
        "local_ways",
        {.arguments = {GetParam().name}, .environment = {{"ASAN_OPTIONS", "detect_leaks=0"}}});
    EXPECT_TRUE(result.exited_with(GetParam().code)) << result.describe();
    EXPECT_EQ(result.output, GetParam().output) << result.describe();
}

TEST(LocalOfAPlugin, IsDestroyedInAllThreadsBeforeThePluginIsUnloaded) {
    const ChildResult result =
        run_child("local_ways", {.arguments = {"plugin", weft::test::child_path("local_plugin")}});
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
#ifdef WEFT_STATIC_DEFINE
    // The plugin has a Weft of its own, which stays, and with it the plugin and its values.
    EXPECT_EQ(result.output, "made\nmade\nstill loaded\nthread ends\ndestroyed\ndestroyed\n");
#else
    EXPECT_EQ(result.output, "made\nmade\ndestroyed\ndestroyed\nunloaded\nthread ends\n");
#endif
}

TEST(LocalOfAPlugin, LeavesNothingToDestroyOfAPluginThatTheEndOfTheProgramCloses) {
    const ChildResult result = run_child(
        "local_ways", {.arguments = {"plugin_at_the_end", weft::test::child_path("local_plugin")}});
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
#ifdef WEFT_STATIC_DEFINE
    EXPECT_EQ(result.output,
              "made for MainThread\nmade\nstill loaded\ndestroyed\njoined\n"
              "destroyed for MainThread\n");
#else
    EXPECT_EQ(result.output,
              "made for MainThread\nmade\nunloaded\njoined\ndestroyed for MainThread\n");
#endif
}

/// With the leak checker, where there is one.
TEST(LocalAfterForks, KeepsTheValuesOfThreadsThatAreNoMoreInSight) {
    const ChildResult result = run_child("local_ways", {.arguments = {"two_forks"}});
    EXPECT_TRUE(result.exited_with(5)) << result.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, LocalToTheEnd,
    testing::Values(
        Way{"static_destructors", 0,
            "made for MainThread\nmade for argument, MainThread\nmade for MainThread\n"
            "destroyed for argument, MainThread\ndestroyed for MainThread\n"
            "made for MainThread\nlate: 1\nmade for argument, MainThread\nlate: 1\nlate: 31\n"},
        Way{"atexit", 0, "made for MainThread\nat exit: 10\ndestroyed for MainThread\n"},
        Way{"daemon_running", 0,
            "made for daemon\nmade for MainThread\ndestroyed for MainThread\n"},
        Way{"exit_on_another_thread", 3,
            "made for MainThread\nmade for ending\ndestroyed for ending\n"},
        Way{"exit_on_a_foreign_thread", 4, "made for MainThread\n"},
        Way{"pthread_exit", 0,
            "made for MainThread\ndestroyed for MainThread\nmade for worker\n"
            "destroyed for worker\n"},
        Way{"fork", 0,
            "made for other\nmade for forking\nin the child: 5\nmade for fresh\n"
            "destroyed for fresh\nmade for own, forking\ndestroyed for own, forking\n"
            "destroyed for forking\nchild ended with 5\ndestroyed for forking\n"
            "destroyed for other\n"},
        Way{"death_after_fork", 0,
            "made for other\nmade for MainThread\ndestroyed for MainThread\nchild done\n"
            "destroyed for other\ndestroyed for MainThread\n"}),
    [](const testing::TestParamInfo<Way>& each) { return std::string(each.param.name); });

}  // namespace
