// A child on a pseudo-terminal that is written to.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <string>

#include <weft/subprocess.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace weft::subprocess;

/// So many lines, of 100 bytes each.
std::string lines(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += std::string(99, static_cast<char>('a' + i % 26)) + '\n';
    return text;
}

/// Without the echo, which would mix with the output; ready when it says so.
Args quietly(const char* program) {
    std::string script = "stty -echo; echo ready; exec ";
    script += program;
    return {"sh", "-c", script};
}

TEST(Terminal, TakesAllInputAndEndsIt) {
    Popen child(quietly("wc -lc >&2"), {.stdin_ = PTY, .stdout_ = PTY, .stderr_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "ready\r\n");
    // Much more than is written at once, and than a terminal keeps.
    const auto [output, errors] = child.communicate(lines(2000));
    EXPECT_THAT(errors, testing::ContainsRegex("2000 +200000"));
    EXPECT_EQ(child.returncode(), 0);
}

TEST(Terminal, EndsTheInputInTheMiddleOfALine) {
    Popen child(quietly("cat >&2"), {.stdin_ = PTY, .stdout_ = PTY, .stderr_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "ready\r\n");
    EXPECT_EQ(child.communicate("one\ntwo").stderr_, "one\ntwo");
}

TEST(Terminal, WithoutInputItEndsAtOnce) {
    Popen child({"cat"}, {.stdin_ = PTY, .stdout_ = PTY});
    EXPECT_THAT(child.communicate().stdout_, testing::AnyOf("", "^D\b\b"));
    EXPECT_EQ(child.returncode(), 0);
}

TEST(Terminal, ClosingTheInputEndsItToo) {
    Popen child(quietly("cat >&2"), {.stdin_ = PTY, .stdout_ = PTY, .stderr_ = PIPE});
    EXPECT_EQ(child.stdout_().readline(), "ready\r\n");
    child.stdin_().write("one\n");
    child.stdin_().flush();
    EXPECT_EQ(child.stderr_().readline(), "one\n");
    child.stdin_().write("two");
    child.stdin_().close();
    EXPECT_EQ(child.stderr_().read(), "two");
    EXPECT_EQ(child.wait(), 0);
}

TEST(Terminal, ForTheInputAloneDoesNotHangUpAtItsEnd) {
    for (int round = 0; round < 20; ++round) {
        Popen child({"sh", "-c", "trap 'echo hung up' HUP; cat"}, {.stdin_ = PTY, .stdout_ = PIPE});
        EXPECT_EQ(child.communicate("x\n").stdout_, "x\n");
        EXPECT_EQ(child.returncode(), 0);
        Popen other({"cat"}, {.stdin_ = PTY, .stdout_ = PIPE});
        other.stdin_().write("y\n");
        other.stdin_().close();
        EXPECT_EQ(other.stdout_().read(), "y\n");
        EXPECT_EQ(other.wait(), 0);
    }
}

TEST(Terminal, AChildThatClosesItLivesOn) {
    Popen child({"sh", "-c", "exec <&- >&-; sleep 0.05; exit 7"}, {.stdin_ = PTY, .stdout_ = PTY});
    EXPECT_EQ(child.communicate().stdout_, "");
    EXPECT_EQ(child.returncode(), 7);
}

TEST(Terminal, AChildThatIsGoneReadsNoMore) {
    Popen child({"sh", "-c", "exit 3"}, {.stdin_ = PTY, .stdout_ = PTY});
    EXPECT_EQ(child.wait(), 3);
    (void)child.communicate(lines(100));
    EXPECT_EQ(child.returncode(), 3);
}

TEST(Terminal, IsHungUpByTheEndOfThePopen) {
    int returncode = 0;
    {
        Popen child({"cat"}, {.stdin_ = PTY, .stdout_ = PTY});
        child.close();
        returncode = *child.returncode();
    }
    // Either it has read the end before the terminal hung up, or not.
    EXPECT_THAT(returncode, testing::AnyOf(0, 1, -SIGHUP));
}

}  // namespace
