#include <gtest/gtest.h>

#include "support/child.hpp"

namespace {

using weft::test::run_child;

constexpr const char* kOrder = "drain\nworker done\njoin\nstatics\n";

TEST(ExitHooks, LetThreadsEndBeforeTheyAreJoined) {
    const auto result = run_child("exit_hooks", {.arguments = {"return"}});
    EXPECT_TRUE(result.exited_with(3)) << result.describe();
    EXPECT_EQ(result.output, kOrder) << result.describe();
}

TEST(ExitHooks, RunWhenTheMainThreadEndsByPthreadExitBesideOwnThreads) {
    const auto result = run_child("exit_hooks", {.arguments = {"pthread_exit"}});
    EXPECT_TRUE(result.exited_with(0)) << result.describe();
    EXPECT_EQ(result.output, kOrder) << result.describe();
}

}  // namespace
