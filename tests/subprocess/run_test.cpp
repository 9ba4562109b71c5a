#include <weft/subprocess/run.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/subprocess/pipeline.hpp>
#include <weft/unraisable.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;
using testing::ElementsAre;
using testing::HasSubstr;
using weft::test::Folder;

template <class Error, class Body>
Error thrown_by(Body body) {
    try {
        body();
    } catch (const Error& error) {
        return error;
    }
    throw std::runtime_error("nothing of that type was thrown");
}

TEST(Run, GivesArgumentsAndReturncode) {
    const CompletedProcess done = run({"sh", "-c", "exit 47"});
    EXPECT_EQ(done.args, (Args{"sh", "-c", "exit 47"}));
    EXPECT_EQ(done.returncode, 47);
    EXPECT_EQ(run({"true"}).returncode, 0);
    EXPECT_FALSE(done.has_stdout);
    EXPECT_TRUE(done.stdout_.empty());
}

TEST(Run, TakesAnyRangeAsArguments) {
    const std::vector<std::string> list{"sh", "-c", "exit 3"};
    EXPECT_EQ(run(list).returncode, 3);
    const std::vector<std::filesystem::path> paths{"/bin/true"};
    EXPECT_EQ(run(paths).returncode, 0);
    EXPECT_EQ(run("true").returncode, 0);
    EXPECT_EQ(run(std::filesystem::path("/bin/true")).returncode, 0);
}

TEST(Run, CapturesBothOutputs) {
    const auto done = run({"sh", "-c", "echo out; echo err >&2"}, {.capture_output = true});
    EXPECT_EQ(done.stdout_, "out\n");
    EXPECT_EQ(done.stderr_, "err\n");
    EXPECT_TRUE(done.has_stdout);
    EXPECT_TRUE(done.has_stderr);
}

TEST(Run, CapturesOneOutput) {
    auto done = run({"sh", "-c", "echo out; echo err >&2"}, {.stdout_ = PIPE, .stderr_ = DEVNULL});
    EXPECT_EQ(done.stdout_, "out\n");
    EXPECT_FALSE(done.has_stderr);
    done = run({"sh", "-c", "echo out; echo err >&2"}, {.stdout_ = DEVNULL, .stderr_ = PIPE});
    EXPECT_EQ(done.stderr_, "err\n");
    EXPECT_FALSE(done.has_stdout);
}

TEST(Run, MergesErrorsIntoTheOutput) {
    const auto done =
        run({"sh", "-c", "echo out; echo err >&2; echo out"}, {.stdout_ = PIPE, .stderr_ = STDOUT});
    EXPECT_EQ(done.stdout_, "out\nerr\nout\n");
    EXPECT_FALSE(done.has_stderr);
}

TEST(Run, RefusesCaptureTogetherWithAStream) {
    EXPECT_THROW(run({"true"}, {.stdout_ = PIPE, .capture_output = true}), std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stderr_ = DEVNULL, .capture_output = true}),
                 std::invalid_argument);
}

TEST(Run, GivesTheInput) {
    EXPECT_EQ(run({"sort"}, {.stdout_ = PIPE, .input = "b\na\n"}).stdout_, "a\nb\n");
    EXPECT_EQ(run({"cat"}, {.stdout_ = PIPE, .input = ""}).stdout_, "");
}

TEST(Run, RefusesInputTogetherWithStdin) {
    EXPECT_THROW(run({"true"}, {.stdin_ = DEVNULL, .input = "x"}), std::invalid_argument);
}

TEST(Run, ReadsFromAnotherStream) {
    const Folder folder;
    folder.write("in", "from a file");
    EXPECT_EQ(run({"cat"}, {.stdin_ = folder / "in", .stdout_ = PIPE}).stdout_, "from a file");
    EXPECT_EQ(run({"cat"}, {.stdin_ = DEVNULL, .stdout_ = PIPE}).stdout_, "");
}

TEST(Run, ChecksOnRequest) {
    EXPECT_EQ(run({"false"}).returncode, 1);
    const auto error = thrown_by<CalledProcessError>([] {
        run({"sh", "-c", "echo out; echo err >&2; exit 2"},
            {.capture_output = true, .check = true});
    });
    EXPECT_EQ(error.returncode(), 2);
    EXPECT_EQ(error.cmd(), (Args{"sh", "-c", "echo out; echo err >&2; exit 2"}));
    EXPECT_EQ(error.output(), "out\n");
    EXPECT_EQ(error.stdout_(), "out\n");
    EXPECT_EQ(error.stderr_(), "err\n");
}

/// Makes the time pass when the child has written something.
class PassingTime {
public:
    [[nodiscard]] std::function<void(std::string_view)> on_output() {
        return [this](std::string_view) { clock_.advance(1h); };
    }

private:
    weft::ManualClock clock_;
    weft::ManualClock::Installation installed_ = clock_.install();
};

TEST(Run, KillsTheChildWhenTheTimeIsUp) {
    PassingTime time;
    const auto error = thrown_by<TimeoutExpired>([&] {
        run({"sh", "-c", "echo partial; exec sleep 600"},
            {.stdout_ = PIPE, .timeout = 90s, .on_stdout_line = time.on_output()});
    });
    EXPECT_EQ(error.cmd(), (Args{"sh", "-c", "echo partial; exec sleep 600"}));
    EXPECT_DOUBLE_EQ(error.timeout(), 90);
    EXPECT_EQ(error.output(), "partial\n");
    EXPECT_EQ(error.stderr_(), std::nullopt);
}

TEST(Run, ItsLimitBindsWhenAGrandchildHoldsThePipe) {
    // The grandchild tells its number, so that it can be ended here.
    PassingTime time;
    const auto error = thrown_by<TimeoutExpired>([&] {
        run({"sh", "-c", "sleep 600 & echo $!"},
            {.stdout_ = PIPE, .timeout = 90s, .on_stdout_line = time.on_output()});
    });
    ASSERT_TRUE(error.output().has_value());
    const int grandchild = std::stoi(*error.output());
    EXPECT_EQ(kill(grandchild, SIGKILL), 0);
}

TEST(Run, UsesAShellOnRequest) {
    EXPECT_EQ(run("echo $((40 + 2)) | cat", {.stdout_ = PIPE, .shell = true}).stdout_, "42\n");
    EXPECT_EQ(run({"echo $0-$1", "zero", "one"}, {.stdout_ = PIPE, .shell = true}).stdout_,
              "zero-one\n");
    EXPECT_THROW(run(std::filesystem::path("/bin/true"), {.shell = true}), weft::TypeError);
}

TEST(Run, ChangesTheFolder) {
    EXPECT_EQ(run({"pwd"}, {.stdout_ = PIPE, .cwd = "/"}).stdout_, "/\n");
}

TEST(Run, DecodesText) {
    const auto done = run({"printf", R"(a\r\nb\rc\n\303\251)"}, {.stdout_ = PIPE, .text = true});
    EXPECT_EQ(done.stdout_, "a\nb\nc\né");
    EXPECT_EQ(run({"printf", "a\\r\\n"}, {.stdout_ = PIPE, .universal_newlines = true}).stdout_,
              "a\n");
    EXPECT_EQ(run({"printf", "a\\r\\n"}, {.stdout_ = PIPE}).stdout_, "a\r\n");
}

TEST(Run, DecodesAnotherEncodingAndEncodesTheInput) {
    EXPECT_EQ(run({"printf", "\\351"}, {.stdout_ = PIPE, .encoding = "latin-1"}).stdout_, "é");
    EXPECT_EQ(
        run({"od", "-An", "-tx1"}, {.stdout_ = PIPE, .input = "é", .encoding = "latin-1"}).stdout_,
        " e9\n");
    EXPECT_EQ(run({"cat"}, {.stdout_ = PIPE, .input = "Zürich €\n", .encoding = "utf-16"}).stdout_,
              "Zürich €\n");
}

TEST(Run, FollowsTheErrorPolicy) {
    EXPECT_EQ(run({"printf", "a\\377b"}, {.stdout_ = PIPE, .errors = "replace"}).stdout_,
              "a\uFFFDb");
    EXPECT_EQ(run({"printf", "a\\377b"}, {.stdout_ = PIPE, .errors = "ignore"}).stdout_, "ab");
    EXPECT_THROW(run({"printf", "a\\377b"}, {.stdout_ = PIPE, .text = true}),
                 std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.encoding = "no-such-encoding"}), weft::LookupError);
    EXPECT_THROW(run({"true"}, {.errors = "no-such-policy"}), weft::LookupError);
}

TEST(Run, RefusesTextOptionsThatDisagree) {
    EXPECT_THROW(run({"true"}, {.text = true, .universal_newlines = false}), SubprocessError);
    EXPECT_THROW(run({"true"}, {.text = false, .universal_newlines = true}), SubprocessError);
    EXPECT_EQ(run({"true"}, {.text = true, .universal_newlines = true}).returncode, 0);
}

TEST(Run, GivesTheEnvironment) {
    EXPECT_EQ(run({"/usr/bin/env"}, {.stdout_ = PIPE, .env = {{"FRUIT", "orange"}}}).stdout_,
              "FRUIT=orange\n");
    EXPECT_EQ(run({"/usr/bin/env"}, {.stdout_ = PIPE, .env = {}}).stdout_, "");
    setenv("WEFT_TEST_VARIABLE", "mine", 1);
    const char* script = "echo \"$WEFT_TEST_VARIABLE,$FRUIT\"";
    EXPECT_EQ(run(script, {.stdout_ = PIPE, .shell = true}).stdout_, "mine,\n");
    EXPECT_EQ(
        run(script, {.stdout_ = PIPE, .shell = true, .env = Env::inherited().with("FRUIT", "pear")})
            .stdout_,
        "mine,pear\n");
    EXPECT_EQ(
        run(script,
            {.stdout_ = PIPE, .shell = true, .env = Env::inherited().without("WEFT_TEST_VARIABLE")})
            .stdout_,
        ",\n");
    unsetenv("WEFT_TEST_VARIABLE");
}

TEST(Run, ForwardsTheOtherOptions) {
    const auto done = run({"sh", "-c", "umask; ps -o sid= -p $$ | tr -d ' '; echo $$"},
                          {.stdout_ = PIPE, .start_new_session = true, .umask = 027});
    std::istringstream lines(done.stdout_);
    std::string mask;
    std::string session;
    std::string process;
    lines >> mask >> session >> process;
    EXPECT_EQ(mask, "0027");
    EXPECT_EQ(session, process);
}

TEST(Run, CallsBackWithEachLine) {
    std::vector<std::string> out;
    std::vector<std::string> err;
    const auto done =
        run({"sh", "-c", "echo one; echo two; printf three; echo bad >&2"},
            {.on_stdout_line = [&](std::string_view line) { out.emplace_back(line); },
             .on_stderr_line = [&](std::string_view line) { err.emplace_back(line); }});
    EXPECT_THAT(out, ElementsAre("one\n", "two\n", "three"));
    EXPECT_THAT(err, ElementsAre("bad\n"));
    EXPECT_FALSE(done.has_stdout);
}

TEST(Run, DecodesTheLinesInTextMode) {
    std::vector<std::string> lines;
    const auto done = run({"printf", "\\351\\r\\nb\\r"},
                          {.capture_output = true,
                           .encoding = "latin-1",
                           .on_stdout_line = [&](std::string_view l) { lines.emplace_back(l); }});
    EXPECT_THAT(lines, ElementsAre("é\n", "b\n"));
    EXPECT_EQ(done.stdout_, "é\nb\n");
}

TEST(Run, CallsBackWithEachChunk) {
    std::string out;
    std::string err;
    run({"sh", "-c", "printf out; printf err >&2"},
        {.on_stdout_chunk = [&](std::string_view chunk) { out += chunk; },
         .on_stderr_chunk = [&](std::string_view chunk) { err += chunk; }});
    EXPECT_EQ(out, "out");
    EXPECT_EQ(err, "err");
}

TEST(Run, KillsTheChildWhenACallbackThrows) {
    EXPECT_THROW(
        run({"sh", "-c", "echo line; exec sleep 600"},
            {.on_stdout_line = [](std::string_view) { throw std::range_error("enough"); }}),
        std::range_error);
}

TEST(Run, TeesWhatItCaptures) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto done = run({"sh", "-c", "printf out; printf err >&2"},
                          {.capture_output = true, .tee_stdout = ends[1], .tee_stderr = ends[1]});
    close(ends[1]);
    std::string copy(64, '\0');
    const ssize_t size = read(ends[0], copy.data(), copy.size());
    close(ends[0]);
    ASSERT_EQ(size, 6);
    copy.resize(6);
    EXPECT_THAT(copy, testing::AnyOf("outerr", "errout"));
    EXPECT_EQ(done.stdout_ + done.stderr_, "outerr");
}

TEST(Run, StopsByToken) {
    std::stop_source stop;
    EXPECT_THROW(run({"sh", "-c", "echo up; exec sleep 600"},
                     {.on_stdout_line = [&](std::string_view) { stop.request_stop(); },
                      .stop = stop.get_token()}),
                 weft::Cancelled);
}

TEST(CompletedProcess, ChecksItsReturncode) {
    const CompletedProcess good{.args = {"true"}, .returncode = 0};
    EXPECT_NO_THROW(good.check_returncode());
    const CompletedProcess bad{.args = {"x"}, .returncode = -9, .stdout_ = "o", .has_stdout = true};
    const auto error = thrown_by<CalledProcessError>([&] { bad.check_returncode(); });
    EXPECT_EQ(error.returncode(), -9);
    EXPECT_EQ(error.output(), "o");
    EXPECT_EQ(error.stderr_(), std::nullopt);
}

TEST(CompletedProcess, ShowsOnlyWhatWasCaptured) {
    EXPECT_EQ((CompletedProcess{.args = {"ls", "-l"}, .returncode = 1}.repr()),
              "CompletedProcess(args=['ls', '-l'], returncode=1)");
    EXPECT_EQ((CompletedProcess{.args = "ls", .stdout_ = "a\n", .has_stdout = true}.repr()),
              "CompletedProcess(args='ls', returncode=0, stdout='a\\n')");
    EXPECT_EQ((CompletedProcess{.args = "ls", .stderr_ = "it's", .has_stderr = true}.repr()),
              "CompletedProcess(args='ls', returncode=0, stderr=\"it's\")");
}

TEST(Call, GivesTheReturncode) {
    EXPECT_EQ(call({"sh", "-c", "exit 5"}), 5);
    EXPECT_EQ(call("exit 6", {.shell = true}), 6);
    EXPECT_THROW(call({"true"}, {.input = "x"}), weft::TypeError);
    EXPECT_THROW(call({"true"}, {.capture_output = true}), weft::TypeError);
    EXPECT_THROW(call({"true"}, {.check = true}), weft::TypeError);
}

TEST(Call, KillsTheChildWhenTheTimeIsUp) {
    EXPECT_THROW(call({"sleep", "600"}, {.timeout = 10ms}), TimeoutExpired);
}

TEST(CheckCall, ThrowsForAFailure) {
    EXPECT_EQ(check_call({"true"}), 0);
    const auto error = thrown_by<CalledProcessError>([] { check_call({"sh", "-c", "exit 47"}); });
    EXPECT_EQ(error.returncode(), 47);
}

TEST(CheckCall, KillsTheChildWhenTheTimeIsUp) {
    EXPECT_THROW(check_call({"sleep", "600"}, {.timeout = 10ms}), TimeoutExpired);
}

TEST(CheckOutput, GivesTheOutput) {
    EXPECT_EQ(check_output({"echo", "BDFL"}), "BDFL\n");
    const auto error = thrown_by<CalledProcessError>(
        [] { (void)check_output({"sh", "-c", "echo some; exit 5"}); });
    EXPECT_EQ(error.returncode(), 5);
    EXPECT_EQ(error.output(), "some\n");
    EXPECT_EQ(check_output({"sh", "-c", "echo err >&2"}, {.stderr_ = STDOUT}), "err\n");
}

TEST(CheckOutput, GivesTheInput) {
    EXPECT_EQ(check_output({"tr", "a-z", "A-Z"}, {.input = "pear"}), "PEAR");
    EXPECT_EQ(check_output({"cat"}, {.input = ""}), "");
}

TEST(CheckOutput, RefusesWhatItDecidesItself) {
    EXPECT_THROW((void)check_output({"true"}, {.stdout_ = PIPE}), std::invalid_argument);
    EXPECT_THROW((void)check_output({"true"}, {.check = true}), std::invalid_argument);
    EXPECT_THROW((void)check_output({"true"}, {.capture_output = true}), std::invalid_argument);
}

TEST(CheckOutput, KillsTheChildWhenTheTimeIsUp) {
    PassingTime time;
    const auto error = thrown_by<TimeoutExpired>([&] {
        (void)check_output({"sh", "-c", "echo early; exec sleep 600"},
                           {.timeout = 90s, .on_stdout_line = time.on_output()});
    });
    EXPECT_EQ(error.output(), "early\n");
}

TEST(GetStatusOutput, MergesOutputsAndDropsOneNewline) {
    auto [status, output] = getstatusoutput("echo out; echo err >&2; echo; exit 3");
    EXPECT_EQ(status, 3);
    EXPECT_EQ(output, "out\nerr\n");
    EXPECT_EQ(getstatusoutput("kill -9 $$").status, -9);
    EXPECT_THAT(getstatusoutput("type no-such-command").status, testing::Ne(0));
}

TEST(GetStatusOutput, Decodes) {
    EXPECT_EQ(getstatusoutput("printf '\\351'", {.encoding = "latin-1"}).output, "é");
    EXPECT_EQ(getstatusoutput("printf '\\351'", {.errors = "replace"}).output, "\uFFFD");
}

TEST(GetOutput, IsTheOutputAlone) {
    EXPECT_EQ(getoutput("echo xyzzy"), "xyzzy");
    EXPECT_EQ(getoutput("exit 1"), "");
}

TEST(Run, ALimitBindsWhileTheTeeTakesNothing) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    EXPECT_THROW(run({"yes"}, {.timeout = 0.1, .tee_stdout = ends[1]}), TimeoutExpired);
    // A token, too.
    std::stop_source stop;
    const std::jthread stopper([&] {
        // Full up to what is written at once.
        for (int size = 0; size < 60000; std::this_thread::yield()) ioctl(ends[0], FIONREAD, &size);
        stop.request_stop();
    });
    EXPECT_THROW(run({"yes"}, {.tee_stdout = ends[1], .stop = stop.get_token()}), weft::Cancelled);
    close(ends[0]);
    close(ends[1]);
}

TEST(Run, ATriggeredTokenStartsNothing) {
    const weft::test::Folder folder;
    std::stop_source stop;
    stop.request_stop();
    const std::string file = (folder / "made").string();
    EXPECT_THROW(run({"touch", file}, {.stop = stop.get_token()}), weft::Cancelled);
    EXPECT_THROW(call({"touch", file}, {.stop = stop.get_token()}), weft::Cancelled);
    EXPECT_THROW((cmd({"touch", file}) | cmd({"cat"})).run({.stop = stop.get_token()}),
                 weft::Cancelled);
    EXPECT_FALSE(std::filesystem::exists(file));
    // A program that cannot be started is not even looked for.
    EXPECT_THROW(run({"/no/such/program"}, {.stop = stop.get_token()}), weft::Cancelled);
}

TEST(Run, RefusesToListenToWhatGoesElsewhere) {
    const auto line = [](std::string_view) {};
    EXPECT_THROW(run({"true"}, {.stdout_ = DEVNULL, .on_stdout_line = line}),
                 std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stdout_ = PIPE, .stderr_ = STDOUT, .on_stderr_line = line}),
                 std::invalid_argument);
    EXPECT_THROW(run({"true"}, {.stderr_ = DEVNULL, .tee_stderr = 2}), std::invalid_argument);
    try {
        run({"true"}, {.stdout_ = DEVNULL, .on_stdout_chunk = line});
        ADD_FAILURE() << "it did not refuse";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(),
                     "on_stdout_line, on_stdout_chunk and tee_stdout need stdout_ to be PIPE, PTY "
                     "or left out");
    }
    EXPECT_EQ(run({"true"}, {.stdout_ = DEVNULL, .on_stderr_line = line}).returncode, 0);
}

/// Gives away the right to signal the super-user's processes, for a scope.
class Powerless {
public:
    Powerless() { EXPECT_EQ(setresuid(65534, 65534, 0), 0); }
    ~Powerless() { EXPECT_EQ(setresuid(0, 0, 0), 0); }
    Powerless(const Powerless&) = delete;
    Powerless& operator=(const Powerless&) = delete;
};

TEST(Run, ALimitBindsForAChildThatMayNotBeKilled) {
    if (geteuid() != 0) GTEST_SKIP() << "only the super-user can have such a child here";
    const auto before = weft::set_warning_handler([](weft::WarningCategory, std::string_view) {});
    int process = 0;
    {
        std::optional<Powerless> powerless;
        EXPECT_THROW(run({"sh", "-c", "echo $$; exec sleep 600"}, {.timeout = 0.1,
                                                                   .on_stdout_line =
                                                                       [&](std::string_view line) {
                                                                           process = std::stoi(
                                                                               std::string(line));
                                                                           powerless.emplace();
                                                                       }}),
                     TimeoutExpired);
    }
    weft::set_warning_handler(before);
    ASSERT_EQ(kill(process, SIGKILL), 0);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT), 0);
    run({"true"});  // reaps it
}

}  // namespace
