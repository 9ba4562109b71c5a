#include <gtest/gtest.h>

#include <string>

#include "support/child.hpp"
#include "support/child_path.hpp"

namespace {

using weft::test::child_path;
using weft::test::ChildResult;
using weft::test::run_child;

ChildResult run_way(const std::string& way, const std::string& argument = "none") {
    // What other threads held of a hook is lost in a child of fork().
    return run_child("trace_ways", {.arguments = {way, argument},
                                    .environment = {{"ASAN_OPTIONS", "detect_leaks=0"}}});
}

TEST(TraceWays, BeginBeforeMainAndEndWithTheProgramsThreads) {
    const ChildResult result = run_way("at_both_ends");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output, "shown::early()\nshown::in_main()\n");
}

TEST(TraceWays, ReachTheThreadLocalObjectsOfAThread) {
    const ChildResult result = run_way("thread_end");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output,
              "shown::early()\nshown::in_thread()\nshown::in_thread_local()\n"
              "shown::in_thread()\nshown::in_thread_local()\n");
}

TEST(TraceWays, GoOnInAChildOfFork) {
    const ChildResult result = run_way("fork_child");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output,
              "shown::early()\nshown::in_child()\nshown::in_thread()\nshown::in_main()\n");
}

TEST(TraceWays, SurviveHooksThatComeAndGoWhileThreadsCall) {
    const ChildResult result = run_way("stress");
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_NE(result.output.find("\ncalled\n"), std::string::npos) << result.describe();
}

TEST(TraceWays, ForgetTheNamesOfALibraryThatIsUnloaded) {
    const ChildResult result = run_way("plugin", child_path("traced_plugin"));
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_TRUE(result.output.ends_with("traced_plugin.cpp\ngone\n")) << result.describe();
}

}  // namespace
