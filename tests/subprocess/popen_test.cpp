#include <weft/subprocess/popen.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <signal.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/unraisable.hpp>

#include "os/process.hpp"
#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;
using testing::HasSubstr;

/// Until its child ends, and with it the end of the pipe.
void wait_without_reaping(const Popen& child) {
    siginfo_t info{};
    while (waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
}

bool is_alive(int process) {
    return kill(process, 0) == 0;
}

/// Linux 6.15 tells the true one; before that it is zero, as Python says.
int status_of_a_lost_child(int status) {
    utsname system{};
    EXPECT_EQ(uname(&system), 0);
    int major = 0;
    int minor = 0;
    EXPECT_EQ(std::sscanf(system.release, "%d.%d", &major, &minor), 2);
    return major > 6 || (major == 6 && minor >= 15) ? status : 0;
}

TEST(Popen, TellsTheReturncodeOnceItIsLookedFor) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    EXPECT_EQ(child.returncode(), std::nullopt);
    EXPECT_EQ(child.poll(), std::nullopt);
    EXPECT_TRUE(is_alive(child.pid()));
    child.stdin_().close();
    wait_without_reaping(child);
    EXPECT_EQ(child.returncode(), std::nullopt);
    EXPECT_EQ(child.poll(), 0);
    EXPECT_EQ(child.returncode(), 0);
    EXPECT_EQ(child.poll(), 0);
    EXPECT_EQ(child.wait(), 0);
}

TEST(Popen, KeepsItsArguments) {
    const Popen list({"true", "x"});
    EXPECT_EQ(list.args(), (Args{"true", "x"}));
    const Popen text("true");
    EXPECT_EQ(text.args(), Args("true"));
    EXPECT_NE(text.args(), Args{"true"});
}

TEST(Popen, TellsItsProcess) {
    Popen child({"sh", "-c", "echo $$"}, {.stdout_ = PIPE});
    EXPECT_EQ(child.stdout_().read(), std::to_string(child.pid()) + "\n");
    Popen shell("echo $$", {.stdout_ = PIPE, .shell = true});
    EXPECT_EQ(shell.stdout_().read(), std::to_string(shell.pid()) + "\n");
}

TEST(Popen, GivesMinusTheSignal) {
    Popen child({"sh", "-c", "kill -USR1 $$"});
    EXPECT_EQ(child.wait(), -SIGUSR1);
}

TEST(Popen, WaitsNoLongerThanItsLimit) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    EXPECT_THROW(child.wait(0), TimeoutExpired);
    EXPECT_THROW(child.wait(-1), TimeoutExpired);
    EXPECT_THROW(child.wait(1ms), TimeoutExpired);
    try {
        child.wait(0.25);
        ADD_FAILURE() << "it did not expire";
    } catch (const TimeoutExpired& error) {
        EXPECT_EQ(error.timeout(), 0.25);
        EXPECT_EQ(error.cmd(), Args{"cat"});
        EXPECT_EQ(error.output(), std::nullopt);
    }
    child.stdin_().close();
    EXPECT_EQ(child.wait(1h), 0);
}

TEST(Popen, WaitEndsByAToken) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    EXPECT_THROW(child.wait(stop.get_token()), weft::Cancelled);
    EXPECT_EQ(child.poll(), std::nullopt);
}

TEST(Popen, SendsSignals) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    child.send_signal(SIGINT);
    EXPECT_EQ(child.wait(), -SIGINT);
}

TEST(Popen, Terminates) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    child.terminate();
    EXPECT_EQ(child.wait(), -SIGTERM);
}

TEST(Popen, Kills) {
    Popen child({"sh", "-c", "trap '' TERM; cat"}, {.stdin_ = PIPE});
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
}

TEST(Popen, SendsNothingToAChildThatHasEnded) {
    Popen child({"true"});
    child.wait();
    EXPECT_NO_THROW(child.send_signal(SIGTERM));
    EXPECT_NO_THROW(child.terminate());
    EXPECT_NO_THROW(child.kill());
    EXPECT_EQ(child.returncode(), 0);
    Popen zombie({"sh", "-c", "exit 7"});
    wait_without_reaping(zombie);
    zombie.kill();
    EXPECT_EQ(zombie.returncode(), 7);
}

TEST(Popen, RefusesASignalThatIsNone) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    EXPECT_THROW(child.send_signal(12345), std::system_error);
}

TEST(Popen, AStoppedChildIsStillRunning) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    child.send_signal(SIGSTOP);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child.pid()), &info, WSTOPPED | WNOWAIT), 0);
    EXPECT_EQ(child.poll(), std::nullopt);
    EXPECT_THROW(child.wait(1ms), TimeoutExpired);
    child.send_signal(SIGCONT);
    child.stdin_().close();
    EXPECT_EQ(child.wait(), 0);
}

TEST(Popen, AChildThatSomebodyElseReapedHasItsStatusOrZero) {
    Popen child({"sh", "-c", "exit 3"});
    int status = 0;
    ASSERT_EQ(waitpid(child.pid(), &status, 0), child.pid());
    EXPECT_EQ(child.wait(), status_of_a_lost_child(3));
    EXPECT_NO_THROW(child.kill());
    EXPECT_EQ(child.rusage(), std::nullopt);
}

TEST(Popen, AProgramMayIgnoreItsChildren) {
    const auto before = signal(SIGCHLD, SIG_IGN);
    Popen child({"sh", "-c", "read line; exit 5"}, {.stdin_ = PIPE});
    EXPECT_EQ(child.poll(), std::nullopt);
    child.stdin_().close();
    EXPECT_EQ(child.wait(), status_of_a_lost_child(5));
    signal(SIGCHLD, before);
}

TEST(Popen, LeavesAHandlerOfTheProgramAlone) {
    static volatile sig_atomic_t count = 0;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { count = count + 1; };
    sigaction(SIGCHLD, &action, &before);
    for (int status = 0; status < 20; ++status) {
        Popen child({"sh", "-c", "exit " + std::to_string(status)});
        EXPECT_EQ(child.wait(), status);
    }
    struct sigaction now{};
    sigaction(SIGCHLD, &before, &now);
    EXPECT_EQ(now.sa_handler, action.sa_handler);
    EXPECT_GT(count, 0);
}

TEST(Popen, WorksWithoutAPidfd) {
    weft::os::missing_features.fetch_or(weft::os::kNoClone3 | weft::os::kNoPidfd);
    {
        Popen child({"sh", "-c", "read line; exit 9"}, {.stdin_ = PIPE});
        EXPECT_EQ(child.pidfd(), -1);
        EXPECT_EQ(child.poll(), std::nullopt);
        EXPECT_THROW(child.wait(1ms), TimeoutExpired);
        child.stdin_().close();
        EXPECT_EQ(child.wait(), 9);
        Popen other({"cat"}, {.stdin_ = PIPE});
        other.kill();
        EXPECT_EQ(other.wait(), -SIGKILL);
    }
    weft::os::missing_features.store(0);
}

TEST(Popen, HasADescriptorForEventLoops) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    ASSERT_GE(child.pidfd(), 0);
    pollfd watched{.fd = child.pidfd(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&watched, 1, 0), 0);
    child.stdin_().close();
    EXPECT_EQ(poll(&watched, 1, -1), 1);
    EXPECT_EQ(child.poll(), 0);
}

TEST(Popen, TellsWhatTheChildHasUsed) {
    Popen child({"sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"});
    EXPECT_EQ(child.rusage(), std::nullopt);
    child.wait();
    const std::optional<ResourceUsage> usage = child.rusage();
    ASSERT_TRUE(usage.has_value());
    EXPECT_GT((usage->user_time + usage->system_time).count(), 0);
    EXPECT_GT(usage->max_resident_bytes, 100'000);
}

TEST(Popen, ShowsItselfShortened) {
    Popen child({"sh", "-c", "exit 1"});
    EXPECT_EQ(child.repr(), "<Popen: returncode: None args: ['sh', '-c', 'exit 1']>");
    child.wait();
    EXPECT_EQ(child.repr(), "<Popen: returncode: 1 args: ['sh', '-c', 'exit 1']>");
    Popen text(Args(std::string("true ") + std::string(100, 'x')), {.shell = true});
    EXPECT_EQ(text.repr().size(), 80U);
    EXPECT_TRUE(text.repr().ends_with("...>"));
}

// The end of a Popen
// -------------------------------------------------------------------------------

TEST(PopenEnd, ClosesThePipesAndWaits) {
    int process = 0;
    {
        const Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
        process = child.pid();
    }
    EXPECT_FALSE(is_alive(process));
}

TEST(PopenEnd, MovesItsChild) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    const int process = child.pid();
    Popen moved(std::move(child));
    EXPECT_EQ(moved.pid(), process);
    moved = Popen({"sh", "-c", "exit 4"});
    EXPECT_FALSE(is_alive(process));
    EXPECT_EQ(moved.wait(), 4);
}

TEST(PopenEnd, CloseWaitsBeforeItThrowsForABrokenPipe) {
    Popen child({"sh", "-c", "exec <&-; echo closed; exec sleep 0.01"},
                {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "closed\n");
    child.stdin_().write("nobody reads this");
    try {
        child.close();
        ADD_FAILURE() << "it did not throw";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::broken_pipe);
    }
    EXPECT_EQ(child.returncode(), 0);
}

TEST(PopenEnd, CloseEndsQuietlyWhenAllIsWell) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    child.close();
    EXPECT_EQ(child.returncode(), 0);
    EXPECT_TRUE(child.stdin_().closed());
    EXPECT_TRUE(child.stdout_().closed());
}

TEST(PopenEnd, WhileAnExceptionUnwindsItLeavesTheChildToALaterStart) {
    std::string warning;
    const auto before =
        weft::set_warning_handler([&](weft::WarningCategory category, std::string_view text) {
            EXPECT_EQ(category, weft::WarningCategory::ResourceWarning);
            warning = text;
        });
    int process = 0;
    try {
        const Popen child({"sleep", "600"});
        process = child.pid();
        throw std::runtime_error("unwinding");
    } catch (const std::runtime_error&) {
    }
    weft::set_warning_handler(before);
    EXPECT_EQ(warning, "subprocess " + std::to_string(process) + " is still running");
    ASSERT_TRUE(is_alive(process));
    kill(process, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
    run({"true"});
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT | WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

TEST(PopenEnd, ReapLeavesTheChildRunning) {
    int process = 0;
    {
        const Popen child({"sleep", "600"}, {.on_drop = OnDrop::reap});
        process = child.pid();
    }
    ASSERT_TRUE(is_alive(process));
    kill(process, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
    run({"true"});
    EXPECT_FALSE(is_alive(process));
}

TEST(PopenEnd, TerminatesOrKillsOnRequest) {
    for (const OnDrop way : {OnDrop::terminate, OnDrop::kill}) {
        int process = 0;
        {
            const Popen child({"sleep", "600"}, {.on_drop = way});
            process = child.pid();
        }
        EXPECT_FALSE(is_alive(process));
    }
}

TEST(PopenEnd, EndsAChildThatDoesNotReadWhatIsKeptForIt) {
    for (const OnDrop way : {OnDrop::terminate, OnDrop::kill}) {
        int process = 0;
        {
            Popen child({"sleep", "600"}, {.stdin_ = PIPE, .on_drop = way});
            process = child.pid();
            child.stdin_().write(std::string(65536, 'x'));  // all that the pipe holds
            child.stdin_().write("x");
        }
        EXPECT_FALSE(is_alive(process));
    }
}

TEST(PopenEnd, AForkedChildLeavesItAlone) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    const pid_t fork_of_this = fork();
    if (fork_of_this == 0) {
        const bool is_running = !child.poll().has_value();
        {
            const Popen gone(std::move(child));
        }
        _exit(is_running ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(fork_of_this, &status, 0), fork_of_this);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(child.poll(), std::nullopt);
}

// Groups and staged stops
// --------------------------------------------------------------------------

/// A child and its own child, both in a group; gives the grandchild's number.
int grandchild_of(Popen& child) {
    return std::stoi(child.stdout_().readline());
}

constexpr const char* kFamily = "sleep 600 & echo $!; wait";

TEST(KillGroup, ReachesTheWholeGroup) {
    Popen child({"sh", "-c", kFamily}, {.stdout_ = PIPE, .process_group = 0});
    const int grandchild = grandchild_of(child);
    EXPECT_TRUE(is_alive(grandchild));
    EXPECT_TRUE(child.kill_group());
    EXPECT_EQ(child.wait(), -SIGKILL);
    // The pipe ends when the last of the group is gone.
    EXPECT_EQ(child.stdout_().read(), "");
}

TEST(KillGroup, ReachesWhatIsLeftOfTheGroup) {
    Popen child({"sh", "-c", "sleep 600 & echo $!"}, {.stdout_ = PIPE, .start_new_session = true});
    const int grandchild = grandchild_of(child);
    EXPECT_EQ(child.wait(), 0);
    if (!child.kill_group()) {
        kill(grandchild, SIGKILL);
        GTEST_SKIP() << "the kernel cannot name the group of a child that has ended";
    }
    EXPECT_EQ(child.stdout_().read(), "");
    // Nobody is left, sooner or later.
    while (child.signal_group(0)) std::this_thread::yield();
}

TEST(KillGroup, RefusesAChildWithoutAGroup) {
    Popen child({"cat"}, {.stdin_ = PIPE});
    EXPECT_THROW(child.kill_group(), std::logic_error);
    EXPECT_THROW(child.signal_group(SIGTERM), std::logic_error);
}

TEST(Family, IsWaitedForToTheLast) {
    Popen child({"sh", "-c", "sleep 600 & echo $!"}, {.stdout_ = PIPE, .track_family = true});
    const int grandchild = grandchild_of(child);
    EXPECT_EQ(child.wait(), 0);
    EXPECT_GE(child.family_fd(), 3);
    EXPECT_THROW(child.wait_for_family(1ms), TimeoutExpired);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(child.wait_for_family(stop.get_token()), weft::Cancelled);
    EXPECT_EQ(kill(grandchild, SIGKILL), 0);
    EXPECT_EQ(child.wait_for_family(), 0);
}

TEST(Family, IsKnownOnRequestOnly) {
    Popen child({"true"});
    EXPECT_EQ(child.family_fd(), -1);
    EXPECT_THROW(child.wait_for_family(), std::logic_error);
}

TEST(Family, AChildThatClosesItsEndIsStillWaitedFor) {
    Popen child({"/usr/bin/python3", "-c",
                 "import os, sys; os.closerange(3, 200); print('closed', flush=True); "
                 "sys.stdin.read(); sys.exit(6)"},
                {.stdin_ = PIPE, .stdout_ = PIPE, .track_family = true});
    EXPECT_EQ(child.stdout_().readline(), "closed\n");
    EXPECT_THROW(child.wait_for_family(20ms), TimeoutExpired);
    child.stdin_().close();
    EXPECT_EQ(child.wait_for_family(), 6);
}

TEST(Stop, AsksAndWaits) {
    Popen child({"sh", "-c", "trap 'exit 12' TERM; echo ready; while :; do read x; done"},
                {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "ready\n");
    child.stdin_().close();
    EXPECT_EQ(child.stop({.grace = 1h}), 12);
}

TEST(Stop, InsistsAfterTheGrace) {
    Popen child({"sh", "-c", "trap '' TERM INT; echo ready; sleep 600"},
                {.stdout_ = PIPE, .process_group = 0});
    EXPECT_EQ(child.stdout_().readline(), "ready\n");
    EXPECT_EQ(child.stop({.ask = SIGINT, .grace = 10ms}), -SIGKILL);
    EXPECT_EQ(child.stdout_().read(), "");
}

TEST(Stop, GivesTheStatusOfAChildThatHasEnded) {
    Popen child({"sh", "-c", "exit 2"});
    child.wait();
    EXPECT_EQ(child.stop(), 2);
}

}  // namespace
