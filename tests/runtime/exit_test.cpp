#include <gtest/gtest.h>

#include <gnu/libc-version.h>

#include <csignal>
#include <cstdio>
#include <ostream>
#include <string>
#include <string_view>

#include "support/child.hpp"
#include "support/child_path.hpp"

namespace {

using weft::test::ChildResult;
using weft::test::run_child;

/// How a program that ends in some way must end, and what it must have written by then.
struct End {
    const char* way;
    int code;
    const char* output;
    int signal = 0;
    /// The process goes on without a thread that owned memory, which a leak checker would report.
    bool has_lost_threads = false;

    friend std::ostream& operator<<(std::ostream& out, const End& end) { return out << end.way; }
};

std::string way_of(const testing::TestParamInfo<End>& info) {
    return info.param.way;
}

void expect_end(const ChildResult& result, const End& end) {
    const bool ended_so =
        end.signal != 0 ? result.was_killed_by(end.signal) : result.exited_with(end.code);
    EXPECT_TRUE(ended_so) << result.describe();
    EXPECT_EQ(result.output, end.output) << result.describe();
}

class ExitOfAProgram : public testing::TestWithParam<End> {};

/// Runs a child program in the way that the case names.
ChildResult run(const std::string& program, const End& end) {
    weft::test::ChildOptions options{.arguments = {end.way}};
    if (end.has_lost_threads) options.environment = {{"ASAN_OPTIONS", "detect_leaks=0"}};
    return run_child(program, options);
}

TEST_P(ExitOfAProgram, WaitsForWhatPythonWaitsForAndNothingElse) {
    expect_end(run("exit_ways", GetParam()), GetParam());
}

/// With a C library that holds every thread but the first back in exit(), where it has run no code
/// of ours.
TEST_P(ExitOfAProgram, WaitsForTheSameWhereOnlyOneThreadGetsIntoExit) {
    expect_end(run("exclusive_exit_ways", GetParam()), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, ExitOfAProgram,
    testing::Values(
        End{"return", 3, "main ends\nworker done\nstatics\n"},
        End{"exit", 4, "main ends\nworker done\nstatics\n"},
        End{"exit_of_joined_thread", 5, "worker done\nstatics\n"},
        End{"exit_of_daemon", 14, "start: can't start a new thread at exit\nstatics\n"},
        End{"exit_of_foreign_thread", 6, "statics\n"},
        End{"two_exits", 7, "main ends\nworker done\nstatics\n"},
        End{"exit_of_a_thread_that_main_waits_for", 8, "statics\n"},
        End{"exit_of_a_thread_that_a_worker_waits_for", 8, "worker done\nstatics\n"},
        End{"pthread_exit", 0, "unwound\nworker done\nstatics\n"},
        End{"pthread_exit_beside_a_foreign_thread", 0, "started\nstatics\n", 0, true},
        End{"quick_exit", 9, ""}, End{"immediate_exit", 10, ""}, End{"abort", 0, "", SIGABRT},
        End{"exception", 0, "", SIGABRT}, End{"daemon_blocked", 0, "statics\n"},
        End{"bare_threads", 0, "worker done\nstatics\n"}, End{"daemon_running", 0, "statics\n"},
        End{"daemon_that_enters", 0, "statics\n"}, End{"daemon_with_a_limit", 0, "statics\n"},
        End{"daemon_that_is_let_go", 0, "statics\n"}, End{"daemon_in_a_condition", 0, "statics\n"},
        End{"daemon_in_join", 0, "statics\n"}, End{"daemon_in_a_scheduler", 0, "statics\n"},
        End{"daemon_in_an_event", 0, "statics\n"},
        End{"daemon_in_an_event_of_a_static", 0, "statics\n"},
        End{"daemon_in_a_delay_function", 0, "statics\n"}, End{"exit_in_an_event", 15, "statics\n"},
        End{"starting_at_exit", 0, "main ends\nlate worker done\nstatics\n"},
        End{"starting_after_exit", 0, "start: can't start a new thread at exit\nstatics\n"},
        End{"joining_a_daemon_after_exit", 0, "refused\nstatics\n"},
        End{"joining_a_bare_daemon_after_exit", 0, "refused\nstatics\n"},
        End{"scope_of_a_daemon", 0, "left\nstatics\n"},
        End{"static_destructors", 0, "worker done\nMainThread\nmain alone\nstatics\n"}),
    way_of);

class ExitOfAHost : public testing::TestWithParam<End> {};

TEST_P(ExitOfAHost, SurvivesThePluginThatBroughtWeft) {
    const std::string plugin = weft::test::child_path("exit_plugin");
    expect_end(run_child("exit_host", {.arguments = {GetParam().way, plugin}}), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Ways, ExitOfAHost,
    testing::Values(End{"closed", 0, "worker done\nMainThread of 1\nstatics\n"},
                    End{"closed_by_another_thread", 0, "worker done\nDummy-1 of 2\nstatics\n"},
                    End{"closed_while_used", 0, "worker done\nDummy-1 of 2\nstatics\n"},
                    End{"joined_by_main_itself", 0, "refused\nstatics\n"},
                    End{"first_used_elsewhere", 5, "main ends\nworker done\nstatics\n"}),
    way_of);

class LoadOfAPlugin : public testing::TestWithParam<End> {};

TEST_P(LoadOfAPlugin, MayStartAndJoinAThreadInAConstructor) {
    const std::string plugin = weft::test::child_path("starting_plugin");
    expect_end(run_child("exit_host", {.arguments = {GetParam().way, plugin}}), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ways, LoadOfAPlugin,
                         testing::Values(End{"opened", 0, "worker done\nstatics\n"},
                                         End{"opened_by_another_thread", 0,
                                             "worker done\nstatics\n"}),
                         way_of);

class ForkOfAProgram : public testing::TestWithParam<End> {};

/// From glibc 2.41 on a process that was forked while another thread was inside of exit() has a
/// copy of that function's lock, which nobody gives back.
bool can_exit_after_fork_during_exit() {
    int major = 0;
    int minor = 0;
    return std::sscanf(gnu_get_libc_version(), "%d.%d", &major, &minor) == 2 && major == 2 &&
           minor < 41;
}

TEST_P(ForkOfAProgram, MakesAWholeProgramOfTheForkingThread) {
    End end = GetParam();
    const bool forks_during_exit = std::string_view(end.way).ends_with("during_exit");
    if (forks_during_exit && !can_exit_after_fork_during_exit()) {
        GTEST_SKIP() << "this C library lets no such child call exit()";
    }
    end.has_lost_threads = true;
    expect_end(run("fork_ways", end), end);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, ForkOfAProgram,
    testing::Values(
        End{"main", 0,
            "MainThread is main, 1 alive\nother stopped\nchild's worker done\nchild's statics\n"
            "as expected\nstatics\n"},
        End{"main_with_exit", 0, "child's worker done\nstatics\nas expected\nstatics\n"},
        End{"thread_that_returns", 0,
            "forking is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"thread_that_exits", 0,
            "forking is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"foreign_thread", 0,
            "MainThread is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"dummy_thread", 0,
            "MainThread is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"bare_thread", 0,
            "MainThread is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"during_exit", 0,
            "Thread-1 is main, 1 alive\nchild's worker done\nchild's statics\nas expected\n"
            "statics\n"},
        End{"main_during_exit", 0,
            "main alive\nMainThread is main, 1 alive\nchild's statics\nas expected\nstatics\n"},
        End{"static_destructor", 0, "child refused\nchild's statics\nas expected\nstatics\n"},
        End{"prepare_handler", 0, "1 left\nstatics\nas expected\nstatics\n"},
        End{"child", 0,
            "Thread-1 is main, 1 alive\nchild's statics\nas expected\nchild's statics\n"
            "as expected\nstatics\n"},
        End{"unstarted_thread", 0,
            "started in the child\nchild's statics\nas expected\nstatics\n"}),
    way_of);

}  // namespace
