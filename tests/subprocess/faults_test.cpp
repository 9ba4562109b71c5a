// Starting, talking and ending while memory, descriptors and system calls fail.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include <weft/subprocess.hpp>

#include "os/process.hpp"
#include "subprocess/support.hpp"
#include "support/faults.hpp"
#include "support/limits.hpp"

namespace {

using namespace weft::subprocess;
namespace faults = weft::test::faults;

bool has_children() {
    siginfo_t info{};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

std::size_t count_descriptors() {
    std::size_t count = 0;
    for (int fd = 0; fd < 200; ++fd) {
        if (fcntl(fd, F_GETFD) >= 0) ++count;
    }
    return count;
}

/// After a failure nothing is left: no child and no descriptor.
struct NothingLeft {
    std::size_t before = count_descriptors();
    void operator()() const {
        const faults::Pause pause;
        EXPECT_FALSE(has_children());
        EXPECT_EQ(count_descriptors(), before);
    }
};

void capture() {
    const auto done = run({"sh", "-c", "cat; echo err >&2"},
                          {.input = "in", .capture_output = true, .text = true});
    const faults::Pause pause;
    EXPECT_EQ(done.stdout_, "in");
    EXPECT_EQ(done.stderr_, "err\n");
}

TEST(SubprocessFaults, EveryAllocationMayFail) {
    EXPECT_GT(faults::for_every_allocation(capture, {.invariant = NothingLeft()}), 10U);
}

TEST(SubprocessFaults, EverySystemCallMayFail) {
    EXPECT_GT(faults::for_every_system_call(capture, {.invariant = NothingLeft()}), 3U);
}

TEST(SubprocessFaults, EveryStepOfTheChildMayFail) {
    // In borrowed memory the child's calls are this program's: fail the n-th of them, for every n.
    int pass[2];
    ASSERT_EQ(pipe2(pass, O_CLOEXEC), 0);
    const auto start = [&pass] {
        EXPECT_EQ(run({"true"}, {.stdin_ = DEVNULL,
                                 .stdout_ = DEVNULL,
                                 .stderr_ = DEVNULL,
                                 .cwd = "/",
                                 .pass_fds = {pass[0]},
                                 .process_group = 0})
                      .returncode,
                  0);
    };
    const auto in_child = [](const faults::Call& call) {
        return call.name == "chdir" || call.name == "dup3" || call.name == "execve" ||
                       call.name == "fcntl" || call.name == "setpgid" || call.name == "close_range"
                   ? EIO
                   : 0;
    };
    EXPECT_GE(faults::for_every_system_call(start, {.invariant = NothingLeft(), .error = in_child}),
              8U);
    EXPECT_GE(
        faults::for_every_system_call(start, {.persistence = faults::Persistence::from_then_on,
                                              .invariant = NothingLeft(),
                                              .error = in_child}),
        8U);
    close(pass[0]);
    close(pass[1]);
}

TEST(SubprocessFaults, DescriptorsMayRunOut) {
    for (const bool uses_vfork : {true, false}) {
        const auto outcome = weft::test::run_as_unused_uid([uses_vfork] {
            USE_VFORK = uses_vfork;
            weft::test::wait_for_the_first_time();
            rlimit limit{};
            getrlimit(RLIMIT_NOFILE, &limit);
            const std::size_t before = count_descriptors();
            int failures = 0;
            for (rlim_t room = 0; room < 16; ++room) {
                limit.rlim_cur = before + room;
                ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
                try {
                    run({"cat"}, {.input = "x", .capture_output = true});
                } catch (const std::system_error& error) {
                    EXPECT_EQ(error.code(), std::errc::too_many_files_open) << error.what();
                    ++failures;
                }
                EXPECT_FALSE(has_children());
                EXPECT_EQ(count_descriptors(), before);
            }
            EXPECT_GT(failures, 3);
            EXPECT_LT(failures, 16);
        });
        EXPECT_TRUE(outcome.has_passed);
    }
}

TEST(SubprocessFaults, AChildMayBeKilledAtAnyMoment) {
    // Killed from outside, after ever more of its work: at first before it ends, at last after.
    int killed = 0;
    int ended = 0;
    for (int round = 0; round < 200; ++round) {
        Popen child({"sh", "-c", "cat >/dev/null; echo end"},
                    {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
        child.stdin_().write(std::string(static_cast<std::size_t>(round) * 100, 'x'));
        if (round >= 190) {
            child.stdin_().close();
            EXPECT_EQ(child.stdout_().read(), "end\n");
        } else if (round % 2 == 1) {
            child.stdin_().close();
            for (int i = 0; i < round * 50; ++i) (void)child.poll();
        }
        kill(child.pid(), SIGKILL);
        const Output output = child.communicate();
        const int code = *child.returncode();
        EXPECT_TRUE(code == -SIGKILL || code == 0) << code;
        if (code == 0 && round < 190) {
            EXPECT_EQ(output.stdout_, "end\n");
        }
        ++(output.stdout_ == "end\n" || round >= 190 ? ended : killed);
    }
    EXPECT_GE(killed, 95);  // every second one waits for the end of its input
    EXPECT_GE(ended, 10);
}

TEST(SubprocessFaults, ABadFolderOrProgramLeavesNothing) {
    const NothingLeft nothing_left;
    for (int i = 0; i < 100; ++i) {
        EXPECT_THROW(run({"/no/such/program"}, {.capture_output = true}), std::system_error);
        EXPECT_THROW(run({"true"}, {.input = "", .cwd = "/no/such/folder"}), std::system_error);
        nothing_left();
    }
}

}  // namespace
