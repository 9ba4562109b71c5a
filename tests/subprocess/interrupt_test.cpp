// Ctrl-C while the main thread waits for a child, which does not get it here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <weft/errors.hpp>
#include <weft/keyboard_interrupt.hpp>
#include <weft/subprocess.hpp>
#include <weft/unraisable.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;

void press_ctrl_c() {
    kill(getpid(), SIGINT);
}

TEST(SubprocessInterrupt, EndsAWaitAfterAGrace) {
    const weft::KeyboardInterruptGuard ctrl_c;
    Popen child({"cat"}, {.stdin_ = PIPE});
    {
        const std::jthread finger(press_ctrl_c);
        EXPECT_THROW(child.wait(), weft::KeyboardInterrupt);
    }
    EXPECT_EQ(child.poll(), std::nullopt);
    child.stdin_().close();
    EXPECT_EQ(child.wait(), 0);
}

TEST(SubprocessInterrupt, RunKillsTheChild) {
    const weft::KeyboardInterruptGuard ctrl_c;
    EXPECT_THROW(run({"sh", "-c", "echo up; exec sleep 600"},
                     {.on_stdout_line = [](std::string_view) { press_ctrl_c(); }}),
                 weft::KeyboardInterrupt);
}

TEST(SubprocessInterrupt, ADroppedChildIsLeftAndTheInterruptStays) {
    const weft::KeyboardInterruptGuard ctrl_c;
    const auto before = weft::set_warning_handler([](weft::WarningCategory, std::string_view) {});
    int process = 0;
    {
        const Popen child({"sleep", "600"});
        process = child.pid();
        press_ctrl_c();
    }
    weft::set_warning_handler(before);
    Popen next({"cat"}, {.stdin_ = PIPE});  // every start reaps what has ended, so before the kill
    EXPECT_EQ(kill(process, SIGKILL), 0);
    EXPECT_THROW(next.wait(), weft::KeyboardInterrupt);
    next.stdin_().close();
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
    run({"true"});  // reaps it
}

TEST(SubprocessInterrupt, StopKillsAtOnce) {
    const weft::KeyboardInterruptGuard ctrl_c;
    Popen child({"sh", "-c", "trap '' TERM; echo up; exec sleep 600"}, {.stdout_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "up\n");
    const std::jthread finger(press_ctrl_c);
    EXPECT_THROW(child.stop({.grace = 1h}), weft::KeyboardInterrupt);
    EXPECT_EQ(child.poll(), -SIGKILL);
}

// A stream that is always ready hides nothing: the pipe is full whenever it is looked at.

TEST(SubprocessInterrupt, EndsAConversationThatIsAlwaysReady) {
    const weft::KeyboardInterruptGuard ctrl_c;
    std::size_t chunks = 0;
    EXPECT_THROW(run({"setsid", "yes"}, {.stdout_ = PIPE,
                                         .on_stdout_chunk =
                                             [&](std::string_view) {
                                                 if (++chunks == 3) press_ctrl_c();
                                             }}),
                 weft::KeyboardInterrupt);
    EXPECT_GE(chunks, 3U);
    EXPECT_LT(chunks, 100U);
}

TEST(SubprocessInterrupt, EndsAReadThatIsAlwaysReady) {
    const weft::KeyboardInterruptGuard ctrl_c;
    Popen child({"setsid", "yes"}, {.stdout_ = PIPE, .on_drop = OnDrop::kill});
    EXPECT_EQ(child.stdout_().readline(), "y\n");
    press_ctrl_c();
    EXPECT_THROW((void)child.stdout_().read(std::size_t{1} << 40U), weft::KeyboardInterrupt);
    // What was read is kept.
    EXPECT_EQ(child.stdout_().readline(), "y\n");
}

TEST(SubprocessInterrupt, EndsATeeThatIsAlwaysReady) {
    const weft::KeyboardInterruptGuard ctrl_c;
    const int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(sink, 0);
    std::size_t chunks = 0;
    EXPECT_THROW(run({"setsid", "yes"}, {.on_stdout_chunk =
                                             [&](std::string_view) {
                                                 if (++chunks == 3) press_ctrl_c();
                                             },
                                         .tee_stdout = sink}),
                 weft::KeyboardInterrupt);
    close(sink);
}

}  // namespace
