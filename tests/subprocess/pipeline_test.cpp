#include <weft/subprocess/pipeline.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <weft/errors.hpp>
#include <weft/subprocess/errors.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft::subprocess;
using testing::ElementsAre;
using weft::test::Folder;

TEST(Pipeline, ConnectsItsCommands) {
    const auto done = (cmd({"printf", "b\\na\\nb\\n"}) | cmd({"sort"}) | cmd({"uniq", "-c"}))
                          .run({.capture_output = true});
    EXPECT_EQ(done.stdout_, "      1 a\n      2 b\n");
    EXPECT_EQ(done.returncode, 0);
    EXPECT_THAT(done.returncodes, ElementsAre(0, 0, 0));
    EXPECT_THAT(done.args,
                ElementsAre(Args{"printf", "b\\na\\nb\\n"}, Args{"sort"}, Args{"uniq", "-c"}));
}

TEST(Pipeline, GivesTheInputToTheFirst) {
    const auto sorted = cmd({"sort"}) | cmd({"tr", "a-z", "A-Z"});
    EXPECT_EQ(sorted.run({.stdout_ = PIPE, .input = "b\na\n"}).stdout_, "A\nB\n");
    EXPECT_EQ(sorted.run({.stdout_ = PIPE, .input = ""}).stdout_, "");
    const Folder folder;
    folder.write("in", "x\n");
    sorted.run({.stdin_ = folder / "in", .stdout_ = folder / "out"});
    EXPECT_EQ(folder.read("out"), "X\n");
}

TEST(Pipeline, CapturesTheErrorsOfAll) {
    const auto done = (cmd({"sh", "-c", "echo one >&2"}) | cmd({"sh", "-c", "cat; echo two >&2"}))
                          .run({.stderr_ = PIPE});
    EXPECT_EQ(done.stderr_, "one\ntwo\n");
    EXPECT_FALSE(done.has_stdout);
    EXPECT_TRUE(done.has_stderr);
    // A command may send its own elsewhere.
    EXPECT_EQ((cmd({"sh", "-c", "echo err >&2"}, {.stderr_ = STDOUT}) | cmd({"cat"}))
                  .run({.capture_output = true})
                  .stdout_,
              "err\n");
}

TEST(Pipeline, TheFirstEndsWhenTheLastHasEnough) {
    const auto done =
        (cmd({"yes"}) | cmd({"head", "-n", "1"})).run({.stdout_ = PIPE, .check = true});
    EXPECT_EQ(done.stdout_, "y\n");
    EXPECT_THAT(done.returncodes, ElementsAre(-SIGPIPE, 0));
}

TEST(Pipeline, ChecksAllCommands) {
    const auto failing = cmd({"sh", "-c", "exit 3"}) | cmd({"cat"});
    EXPECT_EQ(failing.run().returncode, 0);
    try {
        failing.run({.check = true});
        ADD_FAILURE() << "it did not throw";
    } catch (const CalledProcessError& error) {
        EXPECT_EQ(error.returncode(), 3);
        EXPECT_EQ(error.cmd(), (Args{"sh", "-c", "exit 3"}));
    }
}

TEST(Pipeline, KillsAllWhenTheTimeIsUp) {
    EXPECT_THROW((cmd({"sleep", "600"}) | cmd({"cat"})).run({.timeout = 10ms}), TimeoutExpired);
}

TEST(Pipeline, StopsByToken) {
    std::stop_source stop;
    EXPECT_THROW((cmd({"sh", "-c", "echo up; exec sleep 600"}) | cmd({"cat"}))
                     .run({.on_stdout_line = [&](std::string_view) { stop.request_stop(); },
                           .stop = stop.get_token()}),
                 weft::Cancelled);
}

TEST(Pipeline, ACommandThatCannotBeStartedEndsTheOthers) {
    EXPECT_THROW((cmd({"sleep", "600"}) | cmd({"no-such-program-anywhere"})).run(),
                 std::system_error);
}

TEST(Pipeline, CallsBackWithTheLinesOfTheLast) {
    std::vector<std::string> lines;
    (cmd({"printf", "b\\r\\na\\r\\n"}) | cmd({"sort"}))
        .run({.text = true, .on_stdout_line = [&](std::string_view l) { lines.emplace_back(l); }});
    EXPECT_THAT(lines, ElementsAre("a\n", "b\n"));
}

TEST(Pipeline, RefusesStreamsThatAreInItsWay) {
    EXPECT_THROW((cmd({"true"}, {.stdout_ = DEVNULL}) | cmd({"true"})).run(),
                 std::invalid_argument);
    EXPECT_THROW((cmd({"true"}) | cmd({"true"}, {.stdin_ = DEVNULL})).run(), std::invalid_argument);
}

TEST(Pipeline, RefusesAPipeOfErrorsThatNobodyReads) {
    EXPECT_THROW((cmd({"true"}, {.stderr_ = PIPE}) | cmd({"cat"})).run(), std::invalid_argument);
    EXPECT_THROW((cmd({"true"}) | cmd({"cat"}, {.stderr_ = PTY})).run(), std::invalid_argument);
    EXPECT_THROW((cmd({"true"}) | cmd({"cat"})).run({.stderr_ = PTY}), std::invalid_argument);
}

}  // namespace
