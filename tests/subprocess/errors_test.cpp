#include <weft/subprocess/errors.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <optional>
#include <string>
#include <type_traits>

#include <weft/subprocess/redirect.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace weft::subprocess;

TEST(SubprocessErrors, DeriveAsPythonsDo) {
    static_assert(std::is_base_of_v<weft::Exception, SubprocessError>);
    static_assert(std::is_base_of_v<SubprocessError, TimeoutExpired>);
    static_assert(std::is_base_of_v<SubprocessError, CalledProcessError>);
    EXPECT_STREQ(SubprocessError("why").what(), "why");
}

TEST(TimeoutExpired, CarriesWhatItSays) {
    TimeoutExpired error({"ls", "-l"}, 2.5, "out");
    EXPECT_EQ(error.cmd(), (Args{"ls", "-l"}));
    EXPECT_EQ(error.timeout(), 2.5);
    EXPECT_EQ(error.output(), "out");
    EXPECT_EQ(error.stdout_(), "out");
    EXPECT_EQ(error.stderr_(), std::nullopt);
    EXPECT_STREQ(error.what(), "Command '['ls', '-l']' timed out after 2.5 seconds");
    EXPECT_STREQ(TimeoutExpired("ls", 3).what(), "Command 'ls' timed out after 3 seconds");
    const TimeoutExpired copy = error;
    error.set_stdout("changed");
    error.set_stderr("err");
    EXPECT_EQ(error.output(), "changed");
    EXPECT_EQ(error.stderr_(), "err");
    EXPECT_EQ(copy.output(), "out");
    error.set_output(std::nullopt);
    EXPECT_EQ(error.stdout_(), std::nullopt);
}

TEST(CalledProcessError, CarriesWhatItSays) {
    CalledProcessError error(3, {"cmd"}, "out", "err");
    EXPECT_EQ(error.returncode(), 3);
    EXPECT_EQ(error.cmd(), Args{"cmd"});
    EXPECT_EQ(error.output(), "out");
    EXPECT_EQ(error.stdout_(), "out");
    EXPECT_EQ(error.stderr_(), "err");
    const CalledProcessError copy = error;
    error.set_stdout("other");
    error.set_stderr(std::nullopt);
    EXPECT_EQ(error.output(), "other");
    EXPECT_EQ(error.stderr_(), std::nullopt);
    EXPECT_EQ(copy.stderr_(), "err");
    error.set_output("third");
    EXPECT_EQ(error.stdout_(), "third");
}

TEST(CalledProcessError, NamesTheSignal) {
    EXPECT_STREQ(CalledProcessError(2, "fake cmd").what(),
                 "Command 'fake cmd' returned non-zero exit status 2.");
    EXPECT_STREQ(CalledProcessError(-SIGABRT, {"x"}).what(),
                 "Command '['x']' died with <Signals.SIGABRT: 6>.");
    EXPECT_STREQ(CalledProcessError(-9876543, {"x"}).what(),
                 "Command '['x']' died with unknown signal 9876543.");
}

TEST(Special, HasPythonsNumbers) {
    EXPECT_EQ(static_cast<int>(PIPE), -1);
    EXPECT_EQ(static_cast<int>(STDOUT), -2);
    EXPECT_EQ(static_cast<int>(DEVNULL), -3);
    EXPECT_TRUE(Redirect(PIPE).is(Special::pipe));
    EXPECT_FALSE(Redirect(PIPE).is(DEVNULL));
    EXPECT_TRUE(Redirect().is_inherited());
    EXPECT_FALSE(Redirect(0).is_inherited());
}

}  // namespace
