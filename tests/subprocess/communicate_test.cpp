#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <weft/errors.hpp>
#include <weft/manual_clock.hpp>
#include <weft/subprocess/popen.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;
using testing::ElementsAre;

TEST(Communicate, ReadsAllAndWaits) {
    Popen child({"sh", "-c", "echo out; echo err >&2; exit 3"}, {.stdout_ = PIPE, .stderr_ = PIPE});
    auto [out, err] = child.communicate();
    EXPECT_EQ(out, "out\n");
    EXPECT_EQ(err, "err\n");
    EXPECT_EQ(child.returncode(), 3);
}

TEST(Communicate, GivesTheInput) {
    Popen child({"sort"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    auto [out, err] = child.communicate("b\na\n", 1h);
    EXPECT_EQ(out, "a\nb\n");
    EXPECT_EQ(err, "");
}

TEST(Communicate, ClosesStdinWithoutInput) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(child.communicate().stdout_, "");
    EXPECT_TRUE(child.stdin_().closed());
}

TEST(Communicate, DoesNotDeadlockWhateverTheSizes) {
    // All three streams carry several times what a pipe holds, and the child reads last.
    const std::string input(1'000'000, 'x');
    Popen child({"sh", "-c",
                 "head -c 700000 /dev/zero; head -c 300000 /dev/zero >&2; cat; "
                 "head -c 200000 /dev/zero >&2"},
                {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    auto [out, err] = child.communicate(input);
    EXPECT_EQ(out, std::string(700000, '\0') + input);
    EXPECT_EQ(err, std::string(500000, '\0'));
}

TEST(Communicate, ReadsMoreThanManyPipesHold) {
    Popen child({"sh", "-c", "head -c 40000000 /dev/zero; echo end"}, {.stdout_ = PIPE});
    const std::string out = child.communicate().stdout_;
    ASSERT_EQ(out.size(), 40000004U);
    EXPECT_EQ(out.substr(40000000), "end\n");
    EXPECT_EQ(out.find_first_not_of('\0'), 40000000U);
}

TEST(Communicate, AChildThatReadsNothingIsNoError) {
    Popen child({"sh", "-c", "exec <&-; echo done"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(child.communicate(std::string(1'000'000, 'x')).stdout_, "done\n");
    EXPECT_EQ(child.returncode(), 0);
}

TEST(Communicate, SigpipeNeverReachesTheProgram) {
    static volatile sig_atomic_t count = 0;
    struct sigaction action{};
    struct sigaction before{};
    action.sa_handler = [](int) { count = count + 1; };
    sigaction(SIGPIPE, &action, &before);
    Popen child({"true"}, {.stdin_ = PIPE});
    child.communicate(std::string(500'000, 'x'));
    Popen other({"true"}, {.stdin_ = PIPE});
    other.wait();
    other.stdin_().write("x");
    EXPECT_THROW(other.stdin_().close(), std::system_error);
    sigaction(SIGPIPE, &before, nullptr);
    EXPECT_EQ(count, 0);
}

TEST(Communicate, GivesTheSameAgain) {
    Popen child({"echo", "once"}, {.stdout_ = PIPE, .stderr_ = PIPE});
    EXPECT_EQ(child.communicate().stdout_, "once\n");
    EXPECT_EQ(child.communicate().stdout_, "once\n");
}

TEST(Communicate, ContinuesAfterAnExpiry) {
    weft::ManualClock clock;
    const auto installed = clock.install();
    Popen child({"sh", "-c", "echo first; read line; echo second; exit 1"},
                {.stdin_ = PIPE, .stdout_ = PIPE});
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::jthread time([&] {
        clock.wait_for_sleepers(1);
        clock.advance(2s);
    });
    Popen reader({"sh", "-c", "echo early; read x <&$0; echo late", std::to_string(ends[0])},
                 {.stdout_ = PIPE, .pass_fds = {ends[0]}});
    try {
        reader.communicate(std::nullopt, 1s);
        ADD_FAILURE() << "it did not expire";
    } catch (const TimeoutExpired& error) {
        EXPECT_EQ(error.timeout(), 1);
        EXPECT_THAT(error.output(), testing::AnyOf(std::nullopt, "early\n"));
    }
    time.join();
    EXPECT_THROW(reader.communicate("more"), std::invalid_argument);
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(reader.communicate().stdout_, "early\nlate\n");
    EXPECT_EQ(child.communicate("go\n").stdout_, "first\nsecond\n");
}

TEST(Communicate, ItsLimitBindsWhenOnlyTheExitIsMissing) {
    Popen child({"sh", "-c", "exec >&- 2>&-; read line"}, {.stdin_ = {}, .stdout_ = PIPE});
    Popen quiet({"sh", "-c", "exec >&-; exec sleep 600"},
                {.stdout_ = PIPE, .on_drop = OnDrop::kill});
    EXPECT_THROW(quiet.communicate(std::nullopt, 50ms), TimeoutExpired);
    EXPECT_EQ(quiet.poll(), std::nullopt);
    child.kill();
}

TEST(Communicate, EndsByAToken) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    Popen holder({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    std::stop_source stop;
    std::jthread stopper([&] { stop.request_stop(); });
    Popen sleeper({"sleep", "600"}, {.stdout_ = PIPE, .on_drop = OnDrop::kill});
    EXPECT_THROW(sleeper.communicate(stop.get_token()), weft::Cancelled);
    EXPECT_EQ(sleeper.poll(), std::nullopt);
}

TEST(Communicate, TwoThreadsGetTheSameOutput) {
    Popen child({"sh", "-c", "read line; echo $line"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    child.stdin_().write("hello\n");
    std::vector<std::string> outputs(2);
    {
        std::vector<std::jthread> talkers;
        for (std::string& each : outputs) {
            talkers.emplace_back([&] { each = child.communicate().stdout_; });
        }
    }
    EXPECT_THAT(outputs, ElementsAre("hello\n", "hello\n"));
}

TEST(Communicate, RefusesInputWithoutAPipe) {
    Popen child({"true"});
    EXPECT_THROW(child.communicate("x"), std::invalid_argument);
}

TEST(Communicate, IncludesWhatWasReadAndWrittenBefore) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .text = true});
    child.stdin_().write("one\ntwo\n");
    child.stdin_().flush();
    EXPECT_EQ(child.stdout_().readline(), "one\n");
    child.stdin_().write("three\n");
    EXPECT_EQ(child.communicate("four\n").stdout_, "two\nthree\nfour\n");
}

TEST(Communicate, KeepsNulBytes) {
    const std::string input("a\0b\0", 4);
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_EQ(child.communicate(input).stdout_, input);
}

TEST(Communicate, GivesTimeoutOutputAsBytes) {
    Popen child({"sh", "-c", "printf 'a\\r\\n'; exec sleep 600"},
                {.stdout_ = PIPE, .text = true, .on_drop = OnDrop::kill});
    // Wait until it has been written.
    EXPECT_EQ(child.stdout_().read1(1), "a");
    Popen bytes({"sh", "-c", "printf '\\351\\r\\n'; exec >&-; exec sleep 600"},
                {.stdout_ = PIPE, .encoding = "latin-1", .on_drop = OnDrop::kill});
    try {
        bytes.communicate(std::nullopt, 300ms);
        ADD_FAILURE() << "it did not expire";
    } catch (const TimeoutExpired& error) {
        EXPECT_THAT(error.output(), testing::AnyOf(std::nullopt, "\xE9\r\n"));
        EXPECT_EQ(error.stderr_(), std::nullopt);
    }
}

TEST(Communicate, TextModeCanBeChanged) {
    Popen child({"printf", "a\\r\\nb"}, {.stdout_ = PIPE});
    EXPECT_FALSE(child.universal_newlines());
    child.set_universal_newlines(true);
    EXPECT_TRUE(child.universal_newlines());
    EXPECT_EQ(child.communicate().stdout_, "a\nb");
    Popen text({"printf", "a\\r\\nb"}, {.stdout_ = PIPE, .text = true});
    EXPECT_TRUE(text.universal_newlines());
    text.set_universal_newlines(false);
    EXPECT_EQ(text.communicate().stdout_, "a\r\nb");
}

// The pipes' ends
// ----------------------------------------------------------------------------------

TEST(PipeReader, ReadsInEveryWay) {
    Popen child({"printf", "one\\ntwo\\nthree\\nrest of it"}, {.stdout_ = PIPE});
    const PipeReader out = child.stdout_();
    EXPECT_EQ(out.readline(), "one\n");
    EXPECT_EQ(out.read(2), "tw");
    EXPECT_EQ(out.read1(2), "o\n");
    EXPECT_EQ(out.readline(), "three\n");
    EXPECT_EQ(out.read(), "rest of it");
    EXPECT_EQ(out.read(), "");
    EXPECT_EQ(out.read(5), "");
    EXPECT_EQ(out.read1(), "");
    EXPECT_EQ(out.readline(), "");
}

TEST(PipeReader, GivesTheLines) {
    Popen child({"printf", "a\\n\\nb"}, {.stdout_ = PIPE});
    std::vector<std::string> lines;
    for (std::string line : child.stdout_().lines()) lines.push_back(line);
    EXPECT_THAT(lines, ElementsAre("a\n", "\n", "b"));
    Popen other({"printf", "a\\n\\nb"}, {.stderr_ = PIPE, .shell = false});
    EXPECT_THAT(other.stderr_().readlines(), testing::IsEmpty());
    Popen third({"printf", "a\\n\\nb"}, {.stdout_ = PIPE});
    EXPECT_THAT(third.stdout_().readlines(), ElementsAre("a\n", "\n", "b"));
}

TEST(PipeReader, WaitsNoLongerThanItsLimit) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    EXPECT_THROW((void)child.stdout_().read1(10, 1ms), weft::TimeoutError);
    child.stdin_().write("half a");
    child.stdin_().flush();
    EXPECT_EQ(child.stdout_().read1(4), "half");
    EXPECT_THROW((void)child.stdout_().readline(1ms), weft::TimeoutError);
    child.stdin_().write(" line\n");
    child.stdin_().flush();
    EXPECT_EQ(child.stdout_().readline(), " a line\n");
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW((void)child.stdout_().readline(stop.get_token()), weft::Cancelled);
    EXPECT_THROW((void)child.stdout_().read1(stop.get_token()), weft::Cancelled);
}

TEST(PipeReader, CountsCharactersInTextMode) {
    Popen child({"printf", "h\\303\\251llo\\r\\nw\\303\\266rld"}, {.stdout_ = PIPE, .text = true});
    EXPECT_EQ(child.stdout_().read(2), "hé");
    EXPECT_EQ(child.stdout_().readline(), "llo\n");
    EXPECT_EQ(child.stdout_().read(2), "wö");
    EXPECT_EQ(child.stdout_().read1(1), "r");
    EXPECT_EQ(child.stdout_().read(100), "ld");
}

TEST(PipeReader, UnbufferedTakesNoMoreThanAskedFor) {
    Popen child({"printf", "one\\ntwo\\n"}, {.stdout_ = PIPE, .bufsize = 0});
    EXPECT_EQ(child.stdout_().readline(), "one\n");
    // The other line is still in the pipe.
    EXPECT_EQ(run({"cat"}, {.stdin_ = child.stdout_(), .stdout_ = PIPE}).stdout_, "two\n");
}

TEST(PipeReader, ClosesOnce) {
    Popen child({"sh", "-c", "while echo x; do :; done"}, {.stdout_ = PIPE, .stderr_ = DEVNULL});
    const PipeReader out = child.stdout_();
    EXPECT_GE(out.fileno(), 3);
    EXPECT_FALSE(out.closed());
    out.close();
    out.close();
    EXPECT_TRUE(child.stdout_().closed());
    EXPECT_EQ(out.fileno(), -1);
    EXPECT_THROW((void)out.read(), std::invalid_argument);
    EXPECT_EQ(child.wait(), -SIGPIPE);
}

TEST(PipeReader, IsNoneForAStreamThatIsNoPipe) {
    Popen child({"true"});
    EXPECT_FALSE(child.stdin_());
    EXPECT_FALSE(child.stdout_());
    EXPECT_FALSE(child.stderr_());
    EXPECT_THROW((void)child.stdout_().read(), std::logic_error);
    EXPECT_THROW(child.stdin_().write("x"), std::logic_error);
    Popen piped({"true"}, {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    EXPECT_TRUE(piped.stdin_());
    EXPECT_TRUE(piped.stdout_());
    EXPECT_TRUE(piped.stderr_());
}

TEST(PipeWriter, WritesWhenTheBufferIsFullOrFlushed) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .bufsize = 4});
    const PipeWriter in = child.stdin_();
    EXPECT_EQ(in.write("ab"), 2U);
    EXPECT_THROW((void)child.stdout_().read1(9, 1ms), weft::TimeoutError);
    in.write("cde");
    EXPECT_EQ(child.stdout_().read(5), "abcde");
    in.write("f");
    in.flush();
    EXPECT_EQ(child.stdout_().read(1), "f");
    in.write("g");
    in.close();
    EXPECT_EQ(child.stdout_().read(), "g");
    EXPECT_TRUE(in.closed());
    EXPECT_EQ(in.fileno(), -1);
    EXPECT_THROW(in.write("x"), std::invalid_argument);
}

TEST(PipeWriter, WritesByLinesInTextMode) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .text = true, .bufsize = 1});
    child.stdin_().write("no line");
    EXPECT_THROW((void)child.stdout_().read1(9, 1ms), weft::TimeoutError);
    child.stdin_().write(" yet\n");
    EXPECT_EQ(child.stdout_().readline(), "no line yet\n");
    Popen bytes({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .bufsize = 1});
    bytes.stdin_().write("a line\n");
    EXPECT_THROW((void)bytes.stdout_().read1(9, 1ms), weft::TimeoutError);
    Popen unbuffered({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .bufsize = 0});
    unbuffered.stdin_().write("x");
    EXPECT_EQ(unbuffered.stdout_().read(1), "x");
    Popen usual({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .bufsize = std::nullopt});
    usual.stdin_().write("x");
    EXPECT_THROW((void)usual.stdout_().read1(9, 1ms), weft::TimeoutError);
}

TEST(PipeWriter, WritesMoreThanThePipeHolds) {
    Popen child({"sh", "-c", "cat | tail -c 3"}, {.stdin_ = PIPE, .stdout_ = PIPE});
    child.stdin_().write(std::string(300'000, 'x') + "end");
    child.stdin_().close();
    EXPECT_EQ(child.stdout_().read(), "end");
}

TEST(PipeWriter, RefusesTextThatCannotBeEncoded) {
    Popen child({"cat"}, {.stdin_ = PIPE, .stdout_ = PIPE, .encoding = "ascii"});
    EXPECT_THROW(child.stdin_().write("é"), std::invalid_argument);
    EXPECT_EQ(child.communicate("e").stdout_, "e");
}

TEST(Communicate, KeepsWhatCannotBeDecoded) {
    Popen child({"sh", "-c", "printf sound; printf 'a\\377b' >&2"},
                {.stdout_ = PIPE, .stderr_ = PIPE, .text = true});
    EXPECT_THROW(child.communicate(), std::invalid_argument);
    EXPECT_THROW(child.communicate(), std::invalid_argument);
    // As bytes it can be had.
    child.set_universal_newlines(false);
    const auto [output, errors] = child.communicate();
    EXPECT_EQ(output, "sound");
    EXPECT_EQ(errors, "a\377b");
    EXPECT_EQ(child.communicate().stderr_, "a\377b");
}

TEST(Communicate, TakesAStreamThatWasClosedAfterALimitForEnded) {
    Popen child({"sh", "-c", "echo early; exec sleep 600"},
                {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "early\n");
    EXPECT_THROW(child.communicate(std::string(1'000'000, 'x'), 0.01), TimeoutExpired);
    child.kill();
    child.stdin_().close();
    child.stdout_().close();
    EXPECT_EQ(child.communicate().stdout_, "");
    EXPECT_EQ(child.returncode(), -SIGKILL);
}

TEST(Communicate, LimitsBindWhileAnotherThreadReads) {
    Popen child({"sh", "-c", "echo up; echo ready >&2; exec sleep 600"},
                {.stdout_ = PIPE, .stderr_ = PIPE});
    std::jthread reader([&] { EXPECT_EQ(child.stdout_().read(), "up\n"); });
    EXPECT_EQ(child.stderr_().readline(), "ready\n");
    // Once the line is gone from the pipe that thread is in the middle of its read.
    for (int size = 1; size > 0; std::this_thread::yield()) {
        ASSERT_EQ(ioctl(child.stdout_().fileno(), FIONREAD, &size), 0);
    }
    EXPECT_THROW(child.communicate(std::nullopt, 0.05), TimeoutExpired);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(child.communicate(stop.get_token()), weft::Cancelled);
    child.kill();
    reader.join();
    EXPECT_EQ(child.communicate().stdout_, "");
}

}  // namespace
