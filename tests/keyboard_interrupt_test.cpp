#include <weft/keyboard_interrupt.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <ostream>
#include <string>

#include "support/child.hpp"

namespace {

using weft::test::ChildResult;
using weft::test::run_child;

/// A way to press Ctrl-C, and what the program must have written by its end.
struct Press {
    const char* way;
    const char* output;
    int signal = 0;

    friend std::ostream& operator<<(std::ostream& out, const Press& press) {
        return out << press.way;
    }
};

std::string way_of(const testing::TestParamInfo<Press>& info) {
    return info.param.way;
}

class KeyboardInterruptGuard : public testing::TestWithParam<Press> {};

TEST_P(KeyboardInterruptGuard, MakesTheMainThreadsWaitsThrow) {
    const ChildResult result = run_child("interrupt_ways", {.arguments = {GetParam().way}});
    const bool ended_so =
        GetParam().signal != 0 ? result.was_killed_by(GetParam().signal) : result.exited_with(0);
    EXPECT_TRUE(ended_so) << result.describe();
    EXPECT_EQ(result.output, GetParam().output) << result.describe();
}

INSTANTIATE_TEST_SUITE_P(
    Ways, KeyboardInterruptGuard,
    testing::Values(
        Press{"before_the_wait", "acquire: KeyboardInterrupt\nstill locked\n"},
        Press{"during_the_wait", "interrupted\ncheck: KeyboardInterrupt\n"},
        Press{"on_another_thread", "interrupted\ncheck: KeyboardInterrupt\n"},
        Press{"around_the_beginning_of_many_waits", "300 of 300\n"},
        Press{"waiting_for_a_descriptor",
              "interrupted\ncheck: KeyboardInterrupt\ninterrupted\ncheck: KeyboardInterrupt\n"
              "notified\n"},
        Press{"in_a_condition", "wait: KeyboardInterrupt\nlock held\n"},
        Press{"in_a_semaphore", "acquire: KeyboardInterrupt\na permit\n"},
        Press{"in_an_event", "wait: KeyboardInterrupt\nunset\n"},
        Press{"in_a_barrier", "wait: KeyboardInterrupt\nbroken\n"},
        Press{"while_another_thread_waits", "check: KeyboardInterrupt\ncheck: done\nnotified\n"},
        Press{"twice", "check: KeyboardInterrupt\ncheck: done\ncheck: KeyboardInterrupt\n"},
        Press{"without_need_to_wait",
              "free lock: done\npoll: done\nlocked lock: KeyboardInterrupt\n"},
        Press{"in_a_wait_that_must_go_on", "notified\ncheck: KeyboardInterrupt\n"},
        Press{"restoring", "own handler\ncheck: KeyboardInterrupt\nown handler\n"},
        Press{"restoring_the_default", "guard gone\n", SIGINT},
        Press{"left_over", "guard ends\nown handler\n"},
        Press{"left_over_for_the_default", "guard ends\n", SIGINT},
        Press{"guards",
              "second: KeyboardInterruptGuard: there is one already\n"
              "first: KeyboardInterrupt\nlater: done\n"
              "elsewhere: KeyboardInterruptGuard: only the main thread can have one\n"},
        Press{"without_a_guard", "not sent\n", SIGINT},
        Press{"requested", "sent\ninterrupted\ncheck: KeyboardInterrupt\n"},
        Press{"in_a_system_call", "check: KeyboardInterrupt\nEINTR\n"}),
    way_of);

}  // namespace
