// The lines with which users begin: they must compile as they stand, and mean what they say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <string_view>

#include <weft/weft.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace std::chrono_literals;
using namespace weft;

TEST(SubprocessUsage, RunsACommand) {
    auto done =
        subprocess::run({"git", "--version"},
                        {.capture_output = true, .text = true, .check = true, .timeout = 100s});
    EXPECT_EQ(done.returncode, 0);
    EXPECT_TRUE(done.stdout_.starts_with("git version "));
    EXPECT_EQ(done.stderr_, "");
    EXPECT_EQ(done.args, (subprocess::Args{"git", "--version"}));
    done.check_returncode();

    subprocess::run(
        "ls *.txt | wc -l",
        {.stdout_ = subprocess::DEVNULL, .stderr_ = subprocess::DEVNULL, .shell = true});
    std::string out = subprocess::check_output({"uname", "-s"});
    EXPECT_EQ(out, "Linux\n");
    auto [status, text] = subprocess::getstatusoutput("ls /nowhere");
    EXPECT_EQ(status, 2);
    EXPECT_THAT(text, testing::HasSubstr("/nowhere"));
}

TEST(SubprocessUsage, TalksToAChild) {
    subprocess::Popen p({"sort"}, {.stdin_ = subprocess::PIPE,
                                   .stdout_ = subprocess::PIPE,
                                   .stderr_ = subprocess::DEVNULL,
                                   .cwd = "/tmp",
                                   .env = {{"LC_ALL", "C"}},
                                   .start_new_session = true});
    auto [o, e] = p.communicate("b\na\n", 100s);
    EXPECT_EQ(o, "a\nb\n");
    EXPECT_EQ(e, "");
    p.poll();
    p.wait(100s);
    p.send_signal(SIGINT);
    p.terminate();
    p.kill();
    EXPECT_GT(p.pid(), 0);
    EXPECT_EQ(p.returncode(), 0);

    subprocess::Popen q(
        {"cat"},
        {.stdin_ = subprocess::PIPE, .stdout_ = subprocess::PIPE, .env = {}, .process_group = 0});
    q.stdin_().write("x");
    q.stdin_().close();
    std::string all;
    for (std::string line : q.stdout_().lines()) all += line;
    EXPECT_EQ(all, "x");
    q.stop({.ask = SIGTERM, .grace = 5s});
    q.kill_group();
    EXPECT_TRUE(q.rusage().has_value());
}

TEST(SubprocessUsage, ShowsLinesWhileItRuns) {
    std::string shown;
    const auto show = [&](std::string_view line) { shown += line; };
    subprocess::run({"echo", "made"},
                    {.on_stdout_line = [&](std::string_view line) { show(line); }});
    EXPECT_EQ(shown, "made\n");
}

TEST(SubprocessUsage, ConnectsChildren) {
    subprocess::Popen a({"printf", "hda\nsda\n"}, {.stdout_ = subprocess::PIPE});
    subprocess::Popen g({"grep", "hda"}, {.stdin_ = a.stdout_(), .stdout_ = subprocess::PIPE});
    a.stdout_().close();
    EXPECT_EQ(g.communicate().stdout_, "hda\n");
    auto r = (subprocess::cmd({"printf", "hda\nsda\n"}) | subprocess::cmd({"grep", "hda"}))
                 .run({.capture_output = true});
    EXPECT_EQ(r.stdout_, "hda\n");
}

}  // namespace
