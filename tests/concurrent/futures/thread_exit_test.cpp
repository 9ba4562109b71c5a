// The end of programs, and children of fork(), with pools at work.

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "support/child.hpp"

namespace {

using weft::test::run_child;

struct End {
    const char* way;
    int code;
    const char* output;

    friend std::ostream& operator<<(std::ostream& out, const End& end) { return out << end.way; }
};

std::string way_of(const testing::TestParamInfo<End>& info) {
    return info.param.way;
}

class PoolAtTheEnd : public testing::TestWithParam<End> {};

TEST_P(PoolAtTheEnd, FinishesWhatIsQueuedAndEnds) {
    const End& end = GetParam();
    weft::test::ChildOptions options{.arguments = {end.way}};
    // A thread that never comes back from exit(), and what a child of fork() has of its parent's
    // threads, own memory that a leak checker would report.
    options.environment = {{"ASAN_OPTIONS", "detect_leaks=0"},
                           {"TSAN_OPTIONS", "die_after_fork=0"}};
    const auto result = run_child("pool_ways", options);
    EXPECT_TRUE(result.exited_with(end.code)) << result.describe();
    EXPECT_EQ(result.output, end.output) << result.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, PoolAtTheEnd,
    testing::Values(End{"queued_work_is_finished_first", 0,
                        "main ends\ndone\ndone\ndone\nstatics\n"},
                    End{"shut_down_without_waiting", 0, "main ends\ndone\ndone\ndone\nstatics\n"},
                    End{"exit_in_a_call", 3, "statics\n"},
                    End{"exit_in_a_call_that_another_waits_for", 4, "broken\nstatics\n"},
                    End{"exit_beside_an_idle_pool", 5, "done\nstatics\n"},
                    End{"static_pool_at_work", 6, "done\ndone\ndone\nstatics\n"},
                    End{"new_pool_at_the_end", 0, "late\nstatics\n"},
                    End{"fork_beside_an_idle_pool", 7, "refused\nown\nstatics\nstatics\n"},
                    End{"fork_beside_a_busy_pool", 7, "refused\nnever\nown\nstatics\nstatics\n"},
                    End{"fork_with_calls_under_way", 10,
                        "wait\nfirst\nlook\nlate as_completed\nearly as_completed\nmap\n"
                        "when_all\nawait\nstatics\n"},
                    End{"fork_with_pools_on_the_stack", 11, "gone\nstatics\n"},
                    End{"fork_in_a_call", 8, "refused\nstatics\n"},
                    End{"fork_while_shutting_down", 9, "gone\nstatics\nstatics\n"}),
    way_of);

}  // namespace
