#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/subprocess.hpp>
#include <weft/unraisable.hpp>

#include "os/process.hpp"
#include "subprocess/support.hpp"
#include "support/leaks.hpp"
#include "support/limits.hpp"

namespace {

using namespace weft::subprocess;
using testing::ElementsAre;
using testing::HasSubstr;
using weft::test::Folder;

std::error_code code_of(const std::function<void()>& body, std::string* message = nullptr) {
    try {
        body();
    } catch (const std::system_error& error) {
        if (message != nullptr) *message = error.what();
        return error.code();
    }
    return {};
}

std::string out(const Args& args, RunOptions options = {}) {
    return check_output(args, std::move(options));
}

/// The ways in which a child can be started, all of which must be alike.
struct Way {
    const char* name;
    bool uses_vfork;
    unsigned missing;
};

class EveryWay : public testing::TestWithParam<Way> {
protected:
    void SetUp() override {
        USE_VFORK = GetParam().uses_vfork;
        weft::os::missing_features = GetParam().missing;
    }
    void TearDown() override {
        USE_VFORK = true;
        weft::os::missing_features = 0;
    }
};

INSTANTIATE_TEST_SUITE_P(
    Start, EveryWay,
    testing::Values(Way{"clone3", true, 0}, Way{"clone", true, weft::os::kNoClone3},
                    Way{"without_close_range", true, weft::os::kNoCloseRange},
                    Way{"without_pidfd", true, weft::os::kNoClone3 | weft::os::kNoPidfd},
                    Way{"emulated_vfork", true, weft::os::kNoSharedMemory}, Way{"fork", false, 0},
                    Way{"fork_without_close_range", false, weft::os::kNoCloseRange}),
    [](const auto& way) { return std::string(way.param.name); });

TEST_P(EveryWay, RunsTheProgram) {
    EXPECT_EQ(run({"sh", "-c", "exit 21"}).returncode, 21);
    EXPECT_EQ(run({"cat"}, {.stdout_ = PIPE, .input = "echo"}).stdout_, "echo");
}

TEST_P(EveryWay, ReportsWhatCannotBeStarted) {
    std::string message;
    EXPECT_EQ(code_of([] { run({"/no/such/program"}); }, &message),
              std::errc::no_such_file_or_directory);
    EXPECT_THAT(message, HasSubstr("execve: '/no/such/program'"));
    EXPECT_EQ(code_of([] { run({"no-such-program-anywhere"}); }),
              std::errc::no_such_file_or_directory);
    EXPECT_EQ(code_of([] { run({"/etc/passwd"}); }, &message), std::errc::permission_denied);
    EXPECT_EQ(code_of([] { run({"true"}, {.cwd = "/no/such/folder"}); }, &message),
              std::errc::no_such_file_or_directory);
    EXPECT_THAT(message, HasSubstr("chdir: '/no/such/folder'"));
    EXPECT_EQ(code_of([] { run({"true"}, {.pass_fds = {4000}}); }, &message),
              std::errc::bad_file_descriptor);
}

/// The descriptors that a child has, with the one that the listing itself opens: the lowest free.
std::set<int> open_in_child(RunOptions options = {}) {
    std::istringstream numbers(out({"ls", "/proc/self/fd"}, std::move(options)));
    std::set<int> found;
    for (int fd = 0; numbers >> fd;) found.insert(fd);
    return found;
}

TEST_P(EveryWay, ClosesWhatTheChildIsNotGiven) {
    const int leaked = open("/dev/null", O_RDONLY);
    const int given = fcntl(leaked, F_DUPFD_CLOEXEC, leaked + 5);
    ASSERT_GE(given, 0);
    EXPECT_THAT(open_in_child({.pass_fds = {given}}), ElementsAre(0, 1, 2, 3, given));
    EXPECT_THAT(open_in_child({.pass_fds = {given, 0, leaked, given}}),
                testing::IsSupersetOf({0, 1, 2, leaked, given}));
    EXPECT_THAT(open_in_child(), ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(open_in_child({.close_fds = false}), testing::Contains(leaked));
    EXPECT_THAT(open_in_child({.close_fds = false}), testing::Not(testing::Contains(given)));
    // Passing made it inheritable in the child only.
    EXPECT_EQ(fcntl(given, F_GETFD), FD_CLOEXEC);
    close(leaked);
    close(given);
}

TEST_P(EveryWay, ResetsHandlersAndKeepsTheMask) {
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, &before);
    sigset_t mask;
    sigset_t mask_before;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &mask, &mask_before);
    const std::string status = out({"cat", "/proc/self/status"});
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    sigaction(SIGUSR1, &before, nullptr);
    EXPECT_THAT(status, HasSubstr("SigCgt:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000800\n"));
}

TEST_P(EveryWay, RestoresIgnoredSignals) {
    const auto pipe_before = signal(SIGPIPE, SIG_IGN);
    const auto user_before = signal(SIGUSR1, SIG_IGN);
    const std::string restored = out({"cat", "/proc/self/status"});
    const std::string kept = out({"cat", "/proc/self/status"}, {.restore_signals = false});
    signal(SIGPIPE, pipe_before);
    signal(SIGUSR1, user_before);
    // SIGUSR1 is bit 9, SIGPIPE bit 12; what else a test's own start has ignored may be there.
    const auto ignored = [](const std::string& status) {
        const std::size_t at = status.find("SigIgn:\t");
        return std::stoull(status.substr(at + 8, 16), nullptr, 16);
    };
    EXPECT_EQ(ignored(restored) & 0x1200U, 0x200U);
    EXPECT_EQ(ignored(kept) & 0x1200U, 0x1200U);
}

TEST_P(EveryWay, ConnectsSwappedAndSharedStreams) {
    const Folder folder;
    const int file = open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int other = open((folder / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int saved_out = fcntl(1, F_DUPFD_CLOEXEC, 10);
    const int saved_err = fcntl(2, F_DUPFD_CLOEXEC, 10);
    dup2(file, 1);
    dup2(other, 2);
    run({"sh", "-c", "echo for out; echo for err >&2"}, {.stdout_ = 2, .stderr_ = 1});
    dup2(saved_out, 1);
    dup2(saved_err, 2);
    for (const int fd : {file, other, saved_out, saved_err}) close(fd);
    EXPECT_EQ(folder.read("out"), "for err\n");
    EXPECT_EQ(folder.read("err"), "for out\n");
}

TEST_P(EveryWay, WorksWithClosedStandardStreams) {
    for (unsigned closed = 1; closed < 8; ++closed) {
        const auto outcome = weft::test::run_as_unused_uid([closed] {
            std::string text;
            {
                std::vector<int> saved;
                for (int fd = 0; fd < 3; ++fd) saved.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 20));
                for (int fd = 0; fd < 3; ++fd) {
                    if ((closed >> fd & 1U) != 0) close(fd);
                }
                const auto done = run({"sh", "-c", "cat; echo err >&2"},
                                      {.input = "in ", .capture_output = true});
                text = done.stdout_ + done.stderr_;
                for (int fd = 0; fd < 3; ++fd) dup2(saved[static_cast<std::size_t>(fd)], fd);
            }
            EXPECT_EQ(text, "in err\n");
        });
        EXPECT_TRUE(outcome.has_passed) << "closed: " << closed;
    }
}

TEST_P(EveryWay, ChangesSessionGroupAndMask) {
    EXPECT_EQ(out({"sh", "-c", "umask"}, {.umask = 0}), "0000\n");
    EXPECT_EQ(out({"sh", "-c", "umask"}, {.umask = 077}), "0077\n");
    // Fields of stat: 5 the group, 6 the session.
    const Args stat{"sh", "-c", "set -- $(cat /proc/$$/stat); echo $1 $5 $6"};
    const auto numbers = [](const std::string& text) {
        std::istringstream in(text);
        std::vector<int> result(3);
        for (int& each : result) in >> each;
        return result;
    };
    const auto session = numbers(out(stat, {.start_new_session = true}));
    EXPECT_EQ(session[0], session[1]);
    EXPECT_EQ(session[0], session[2]);
    const auto group = numbers(out(stat, {.process_group = 0}));
    EXPECT_EQ(group[0], group[1]);
    EXPECT_EQ(group[2], getsid(0));
    const auto same = numbers(out(stat));
    EXPECT_EQ(same[1], getpgrp());
    Popen leader({"cat"}, {.stdin_ = PIPE, .process_group = 0});
    EXPECT_EQ(numbers(out(stat, {.process_group = leader.pid()}))[1], leader.pid());
    EXPECT_EQ(code_of([] { run({"true"}, {.process_group = 1}); }),
              std::errc::operation_not_permitted);
}

TEST_P(EveryWay, TakesAnotherUser) {
    if (geteuid() != 0) GTEST_SKIP() << "only the super-user may become another user";
    const Args who{"sh", "-c", "id -u; id -g; id -G"};
    EXPECT_EQ(out(who, {.group = 12345, .extra_groups = {}, .user = 54321}),
              "54321\n12345\n12345\n");
    EXPECT_EQ(out(who, {.group = 7, .extra_groups = {11, 12}}), "0\n7\n7 11 12\n");
    EXPECT_EQ(out({"id", "-un"}, {.user = "nobody"}), "nobody\n");
    EXPECT_EQ(out({"id", "-gn"}, {.group = "daemon"}), "daemon\n");
    EXPECT_THAT(out({"id", "-Gn"}, {.extra_groups = {"daemon"}}), HasSubstr("daemon"));
}

TEST_P(EveryWay, ReportsAUserThatMayNotBeTaken) {
    const auto outcome = weft::test::run_as_unused_uid([] {
        if (geteuid() == 0) return;
        std::string message;
        EXPECT_EQ(code_of([] { run({"true"}, {.user = 0}); }, &message),
                  std::errc::operation_not_permitted);
        EXPECT_THAT(message, HasSubstr("setreuid"));
        EXPECT_EQ(code_of([] { run({"true"}, {.group = 0}); }), std::errc::operation_not_permitted);
        EXPECT_EQ(code_of([] { run({"true"}, {.extra_groups = {}}); }),
                  std::errc::operation_not_permitted);
    });
    EXPECT_TRUE(outcome.has_passed);
}

TEST_P(EveryWay, ReportsThatNoProcessIsToBeHad) {
    const auto outcome = weft::test::run_as_unused_uid([] {
        const rlimit none{.rlim_cur = 0, .rlim_max = 0};
        ASSERT_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
        if (geteuid() == 0) return;
        std::string message;
        EXPECT_EQ(code_of([] { run({"true"}, {.stdout_ = PIPE}); }, &message),
                  std::errc::resource_unavailable_try_again);
        EXPECT_THAT(message, HasSubstr("clone"));
    });
    EXPECT_TRUE(outcome.has_passed);
}

TEST_P(EveryWay, FindsTheProgramInTheChildsPath) {
    const Folder folder;
    folder.write("tool", "#!/bin/sh\necho found\n");
    std::filesystem::permissions(folder / "tool", std::filesystem::perms::all);
    EXPECT_EQ(out({"tool"}, {.env = {{"PATH", "/nowhere:" + folder.path().string()}}}), "found\n");
    EXPECT_EQ(code_of([] { run({"tool"}); }), std::errc::no_such_file_or_directory);
    // A relative name is looked for in the child's folder.
    EXPECT_EQ(out({"./tool"}, {.cwd = folder.path()}), "found\n");
    EXPECT_EQ(out({"tool"}, {.cwd = folder.path(), .env = {{"PATH", ""}}}), "found\n");
    // What is found but may not be executed counts more than what is not found.
    std::filesystem::permissions(folder / "tool", std::filesystem::perms::owner_read);
    EXPECT_EQ(
        code_of([&] { run({"tool"}, {.env = {{"PATH", folder.path().string() + ":/nowhere"}}}); }),
        std::errc::permission_denied);
    EXPECT_EQ(out({"echo", "usual"}, {.env = {}}), "usual\n");
}

TEST_P(EveryWay, ShowsTheChildAnotherName) {
    EXPECT_EQ(out({"other name", "-c", "echo $0"}, {.executable = "/bin/sh"}), "other name\n");
    EXPECT_EQ(out("echo $0", {.shell = true, .executable = "/bin/bash"}), "/bin/bash\n");
}

TEST(Start, PreexecRunsInTheChild) {
    EXPECT_EQ(out({"sh", "-c", "echo $PREEXEC_SET"},
                  {.env = Env::inherited(), .preexec_fn = [] { setenv("PREEXEC_SET", "x", 1); }}),
              "x\n");
    EXPECT_EQ(out({"pwd"}, {.preexec_fn = [] { (void)!chdir("/"); }}), "/\n");
}

TEST(Start, AFailingPreexecIsASubprocessError) {
    try {
        run({"true"}, {.preexec_fn = [] { throw std::range_error("too far"); }});
        ADD_FAILURE() << "it did not throw";
    } catch (const SubprocessError& error) {
        EXPECT_THAT(error.what(), HasSubstr("Exception occurred in preexec_fn"));
        EXPECT_THAT(error.what(), HasSubstr("too far"));
    }
}

TEST(Start, PosixSpawnSwitchChangesNothing) {
    USE_POSIX_SPAWN = false;
    EXPECT_EQ(run({"true"}).returncode, 0);
    USE_POSIX_SPAWN = true;
    EXPECT_EQ(run({"true"}).returncode, 0);
}

TEST(Start, RefusesBadArguments) {
    EXPECT_THROW(Popen(Args{}), std::out_of_range);
    const std::string with_nul("a\0b", 3);
    EXPECT_THROW(run({"echo", with_nul}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.env = {{"A=B", "x"}}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.env = {{"", "x"}}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.env = {{"A", with_nul}}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.env = {{with_nul, ""}}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.cwd = with_nul}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stdout_ = STDOUT}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stdin_ = STDOUT}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stdout_ = -7}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.pass_fds = {-1}}), std::invalid_argument);
    EXPECT_EQ(code_of([] { run({"true"}, {.stdout_ = 4000}); }), std::errc::bad_file_descriptor);
}

TEST(Start, RefusesBadAccounts) {
    EXPECT_THROW(run({"true"}, {.user = -1}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.group = -1}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.extra_groups = {-1}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.user = std::int64_t{1} << 40}), std::overflow_error);
    EXPECT_THROW(run({"true"}, {.group = ~std::uint64_t{0}}), std::overflow_error);
    EXPECT_THROW(run({"true"}, {.extra_groups = {std::int64_t{1} << 40}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.user = "no such user"}), weft::KeyError);
    EXPECT_THROW(run({"true"}, {.group = "no such group"}), weft::KeyError);
    EXPECT_THROW(run({"true"}, {.extra_groups = {"no such group"}}), weft::KeyError);
}

TEST(Start, RefusesWhatIsForWindows) {
    EXPECT_THROW(run({"true"}, {.startupinfo = STARTUPINFO_{}}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.creationflags = CREATE_NO_WINDOW_}), std::invalid_argument);
}

TEST(Start, WarnsOfPassedDescriptorsThatCloseTheOthers) {
    std::string warning;
    const auto before = weft::set_warning_handler(
        [&](weft::WarningCategory, std::string_view text) { warning = text; });
    const int leaked = open("/dev/null", O_RDONLY);
    EXPECT_EQ(out({"sh", "-c", "ls /proc/$$/fd"}, {.close_fds = false, .pass_fds = {0}}),
              "0\n1\n2\n");
    close(leaked);
    weft::set_warning_handler(before);
    EXPECT_EQ(warning, "pass_fds overriding close_fds.");
}

TEST(Start, OpensFiles) {
    const Folder folder;
    run({"echo", "first"}, {.stdout_ = folder / "log"});
    run({"echo", "second"}, {.stdout_ = (folder / "log").string()});
    run({"echo", "third"}, {.stdout_ = Redirect::append(folder / "log")});
    EXPECT_EQ(folder.read("log"), "second\nthird\n");
    std::FILE* file = std::fopen((folder / "c").c_str(), "w");
    run({"sh", "-c", "echo c >&2"}, {.stderr_ = file});
    std::fclose(file);
    EXPECT_EQ(folder.read("c"), "c\n");
    const int fd = open((folder / "d").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    run({"echo", "d"}, {.stdout_ = fd});
    close(fd);
    EXPECT_EQ(folder.read("d"), "d\n");
    std::string message;
    EXPECT_EQ(code_of([&] { run({"cat"}, {.stdin_ = folder / "none"}); }, &message),
              std::errc::no_such_file_or_directory);
    EXPECT_THAT(message, HasSubstr("none"));
}

TEST(Start, ConnectsChildrenByTheirPipes) {
    Popen first({"printf", "b\\na\\n"}, {.stdout_ = PIPE});
    Popen second({"sort"}, {.stdin_ = first.stdout_(), .stdout_ = PIPE});
    first.stdout_().close();
    EXPECT_EQ(second.communicate().stdout_, "a\nb\n");
    EXPECT_THROW(Popen({"cat"}, {.stdin_ = first.stdout_()}), std::invalid_argument);
}

TEST(Start, JoinsTheProgramsOwnOutput) {
    const Folder folder;
    const int file = open((folder / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int saved = fcntl(1, F_DUPFD_CLOEXEC, 10);
    dup2(file, 1);
    run({"sh", "-c", "echo err >&2"}, {.stderr_ = STDOUT});
    dup2(saved, 1);
    close(saved);
    close(file);
    EXPECT_EQ(folder.read("out"), "err\n");
}

TEST(Start, SizesThePipes) {
    Popen usual({"true"}, {.stdout_ = PIPE});
    EXPECT_EQ(fcntl(usual.stdout_().fileno(), F_GETPIPE_SZ), 65536);
    Popen small({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE, .pipesize = 4096});
    EXPECT_EQ(fcntl(small.stdin_().fileno(), F_GETPIPE_SZ), 4096);
    EXPECT_EQ(fcntl(small.stdout_().fileno(), F_GETPIPE_SZ), 4096);
    EXPECT_EQ(fcntl(small.stderr_().fileno(), F_GETPIPE_SZ), 4096);
}

TEST(Start, ItsPipesAreClosedInOtherChildren) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(fcntl(child.stdin_().fileno(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(child.stdout_().fileno(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(child.pidfd(), F_GETFD), FD_CLOEXEC);
}

TEST(Start, ClosesAlsoWhatIsAboveALoweredLimit) {
    const auto outcome = weft::test::run_as_unused_uid([] {
        const int high = fcntl(0, F_DUPFD, 900);
        ASSERT_GE(high, 900);
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 100;
        ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        EXPECT_EQ(out({"sh", "-c", "ls /proc/$$/fd"}), "0\n1\n2\n");
    });
    EXPECT_TRUE(outcome.has_passed);
}

TEST(Start, GivesATerminalOnRequest) {
    Popen child({"sh", "-c", "test -t 0 && test -t 1 && tty -s </dev/tty && echo yes"},
                {.stdin_ = PTY, .stdout_ = PTY, .stderr_ = PTY});
    EXPECT_EQ(child.stdout_().read(), "yes\r\n");
    EXPECT_EQ(child.wait(), 0);
}

TEST(Start, TheChildDiesWithTheProgram) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t program = fork();
    if (program == 0) {
        // From a thread that ends at once: the child must survive that.
        std::thread([&] {
            Popen child({"sh", "-c", "echo up; exec sleep 600"},
                        {.stdout_ = ends[1], .die_with_parent = true, .on_drop = OnDrop::reap});
        }).join();
        close(ends[1]);
        char text[3];
        (void)!read(ends[0], text, sizeof text);
        // It is alive: the pipe has not ended.
        pollfd watched{.fd = ends[0], .events = POLLIN, .revents = 0};
        _exit(poll(&watched, 1, 0));
    }
    close(ends[1]);
    int status = 0;
    waitpid(program, &status, 0);
    EXPECT_EQ(status, 0);
    // The pipe ends when the child is gone.
    char rest = 0;
    EXPECT_EQ(read(ends[0], &rest, 1), 0);
    close(ends[0]);
}

TEST(Start, NamesADescriptorThatIsNotOpen) {
    std::string message;
    EXPECT_EQ(code_of([] { run({"true"}, {.pass_fds = {4000}}); }, &message),
              std::errc::bad_file_descriptor);
    EXPECT_THAT(message, HasSubstr("pass_fds: descriptor 4000 is not open"));
}

TEST(Start, AForkDoesNotWaitForAnotherThreadsChild) {
    // Each slow child stays before its program until a quick one has been started after it had
    // begun. If it held the end of the quick one's report, neither would ever go on.
    int begun[2];
    int gate[2];
    ASSERT_EQ(pipe2(begun, O_CLOEXEC | O_NONBLOCK), 0);
    ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
    std::atomic<bool> is_over = false;
    std::jthread slow([&] {
        for (int i = 0; i < 50; ++i) {
            run({"true"}, {.preexec_fn = [&] {
                    (void)!write(begun[1], "b", 1);
                    char byte = 0;
                    (void)!read(gate[0], &byte, 1);
                }});
        }
        is_over = true;
    });
    while (!is_over) {
        char byte = 0;
        const bool is_one_waiting = read(begun[0], &byte, 1) == 1;
        EXPECT_EQ(run({"true"}, {.preexec_fn = [] {}}).returncode, 0);
        if (is_one_waiting) {
            ASSERT_EQ(write(gate[1], "g", 1), 1);
        }
    }
    for (const int fd : {begun[0], begun[1], gate[0], gate[1]}) close(fd);
}

TEST(Start, TakesNoNumberOfAStandardStream) {
    const pid_t program = fork();
    if (program == 0) {
        for (const int fd : {0, 1, 2}) close(fd);
        Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = DEVNULL});
        bool is_above = child.pidfd() > 2;
        // More than a pipe takes at once: its end is opened a second time.
        const std::string text(200'000, 'x');
        is_above = child.communicate(text).stdout_ == text && is_above;
        Popen on_terminal({"true"}, {.stdin_ = PTY});
        is_above = is_above && on_terminal.stdin_().fileno() > 2;
        _exit(is_above ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(program, &status, 0), program);
    EXPECT_EQ(status, 0);
}

TEST(Start, AForkGivesThePidfdOfItsOwnChild) {
    // The kernel reaps the child by itself: its number is free as soon as it ends.
    const auto before = signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 50; ++i) {
        Popen child({"true"}, {.preexec_fn = [] {}});
        EXPECT_GE(child.pidfd(), 0);
        EXPECT_EQ(child.wait(), 0);
    }
    signal(SIGCHLD, before);
}

/// Whether a thread of this program sleeps.
bool is_asleep(int thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    return text.find(") S ") != std::string::npos;
}

TEST(Start, AForkedProgramStartsOnlyWhatItAsksFor) {
    weft::test::allow_leftover(weft::test::Leftover::thread,
                               "the thread that starts such children lives to the end");
    const weft::test::Folder folder;
    const std::string list = (folder / "list").string();
    const auto start = [&](const std::string& name) {
        run({"sh", "-c", "echo $0 >> \"$1\"", name, list}, {.die_with_parent = true});
    };
    // The thread that starts such children is busy, and the next one waits for it.
    int gate[2];
    int begun[2];
    ASSERT_EQ(pipe2(gate, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(begun, O_CLOEXEC), 0);
    std::jthread first([&] {
        run({"true"}, {.preexec_fn =
                           [&] {
                               (void)!write(begun[1], "b", 1);
                               char byte = 0;
                               (void)!read(gate[0], &byte, 1);
                           },
                       .die_with_parent = true});
    });
    char byte = 0;
    ASSERT_EQ(read(begun[0], &byte, 1), 1);
    std::atomic<int> waiting = 0;
    std::jthread second([&] {
        waiting = static_cast<int>(gettid());
        start("parent");
    });
    while (waiting == 0 || !is_asleep(waiting)) std::this_thread::yield();
    const pid_t program = fork();
    if (program == 0) {
        std::thread([&] { start("child"); }).join();
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(program, &status, 0), program);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(folder.read("list"), "child\n");
    ASSERT_EQ(write(gate[1], "g", 1), 1);
    first.join();
    second.join();
    EXPECT_EQ(folder.read("list"), "child\nparent\n");
    for (const int fd : {gate[0], gate[1], begun[0], begun[1]}) close(fd);
}

}  // namespace
