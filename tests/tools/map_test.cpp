// `weft map`: its logs, its stopping and what goes wrong. What it shares with GNU parallel is in
// map_table_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <weft/subprocess.hpp>

#include "support/budget.hpp"
#include "tools/map_support.hpp"

namespace {

using namespace weft::subprocess;
using testing::HasSubstr;
using testing::MatchesRegex;
using weft::test::Folder;
using weft::test::map_words;
using weft::test::MapResult;
using weft::test::weft_map;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

bool is_alive(int process) {
    return kill(process, 0) == 0;
}

std::string numbers(int count) {
    std::string text;
    for (int i = 1; i <= count; ++i) text += std::to_string(i) + '\n';
    return text;
}

// The job log
// -------------------------------------------------------------------------------------------

constexpr const char* kHeading =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand";

TEST(MapLog, HasGnuParallelsColumns) {
    const Folder folder;
    weft_map({"-j1", "--joblog", "log", "echo {}; exit {}", ":::", "0", "3"}, "", folder.path());
    const auto lines = lines_of(folder.read("log"));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0], kHeading);
    const std::string times = "\t:\t[0-9]+[.][0-9][0-9][0-9]\t +[0-9]+[.][0-9][0-9][0-9]\t";
    EXPECT_THAT(lines[1], MatchesRegex("1" + times + "0\t2\t0\t0\techo 0; exit 0"));
    EXPECT_THAT(lines[2], MatchesRegex("2" + times + "0\t2\t3\t0\techo 3; exit 3"));
}

TEST(MapLog, TellsSignalsAndTimeouts) {
    const Folder folder;
    weft_map(
        {"-j1", "--timeout", "0.2", "--joblog", "log", "kill -{} $$; sleep 60", ":::", "9", "0"},
        "", folder.path());
    const auto lines = lines_of(folder.read("log"));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_THAT(lines[1], HasSubstr("\t0\t9\tkill -9"));
    EXPECT_THAT(lines[2], HasSubstr("\t-1\t15\tkill -0"));
}

TEST(MapLog, KeepsOneLineAJob) {
    const Folder folder;
    const auto result =
        weft_map({"-0", "--joblog", "log", "echo", ":::", "a\nb"}, "", folder.path());
    EXPECT_EQ(result.output, "a\nb\n");
    const std::string log = folder.read("log");
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2);
    EXPECT_TRUE(log.ends_with(std::string("\techo 'a\0b'\n", 12)));
}

TEST(MapLog, LetsALaterRunGoOn) {
    const Folder folder;
    const std::vector<std::string> run = {"-k",       "--joblog",         "log",
                                          "--resume", "echo {}; exit {}", ":::"};
    const auto with = [&](std::vector<std::string> arguments) {
        std::vector<std::string> words = run;
        words.insert(words.end(), arguments.begin(), arguments.end());
        return weft_map(words, "", folder.path());
    };
    EXPECT_EQ(with({"0", "3"}).output, "0\n3\n");
    const MapResult more = with({"0", "3", "4", "5"});
    EXPECT_EQ(more.output, "4\n5\n");
    EXPECT_EQ(more.status, 2);
    EXPECT_EQ(lines_of(folder.read("log")).size(), 5U);
    const MapResult failed =
        weft_map({"-k", "--joblog", "log", "--resume-failed", "echo {}", ":::", "0", "3", "4", "5"},
                 "", folder.path());
    EXPECT_EQ(failed.output, "3\n4\n5\n");
    EXPECT_EQ(weft_map({"--joblog", "log", "--resume-failed", "echo {}", ":::", "0", "3", "4", "5"},
                       "", folder.path())
                  .output,
              "");
    // Without --resume it begins anew.
    weft_map({"--joblog", "log", "true", ":::", "x"}, "", folder.path());
    EXPECT_EQ(lines_of(folder.read("log")).size(), 2U);
}

TEST(MapLog, MayHaveBeenCutAnywhere) {
    const Folder folder;
    weft_map({"-j1", "--joblog", "log", "echo", ":::", "a", "b", "c"}, "", folder.path());
    const std::string whole = folder.read("log");
    for (std::size_t size = 0; size <= whole.size(); size += 7) {
        const std::string cut = whole.substr(0, size);
        folder.write("log", cut);
        const auto ended = std::count(cut.begin(), cut.end(), '\n');
        const auto left = static_cast<std::size_t>(3 - std::max<std::ptrdiff_t>(ended - 1, 0));
        const MapResult result =
            weft_map({"-j1", "--joblog", "log", "--resume", "echo", ":::", "a", "b", "c"}, "",
                     folder.path());
        EXPECT_EQ(result.status, 0) << result.errors;
        EXPECT_EQ(lines_of(result.output).size(), left) << "cut after " << size;
        // Each job once, and no line that is not whole.
        const auto lines = lines_of(folder.read("log"));
        ASSERT_EQ(lines.size(), 4U) << "cut after " << size;
        EXPECT_EQ(lines[0], kHeading);
        for (std::size_t i = 1; i < lines.size(); ++i) {
            EXPECT_TRUE(lines[i].starts_with(std::to_string(i) + "\t:\t")) << lines[i];
        }
    }
}

TEST(MapLog, AFullDiskEndsItAndIsTold) {
    const MapResult result =
        weft_map({"-j1", "--joblog", "/dev/full", "echo", ":::", "a", "b", "c"});
    EXPECT_EQ(result.status, 255);
    EXPECT_THAT(result.errors, HasSubstr("the job log '/dev/full': No space left on device"));
    const MapResult other = weft_map({"--joblog", "/no/such/folder/log", "echo", ":::", "a"});
    EXPECT_EQ(other.status, 255);
    EXPECT_EQ(other.output, "");
    EXPECT_THAT(other.errors, HasSubstr("/no/such/folder/log"));
}

TEST(MapLog, ADiskThatFillsUpLeavesWholeLines) {
    const Folder folder;
    // A kibibyte is all that a file may have there.
    const std::string script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" map \"$@\"";
    const auto run_with = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"sh", "-c", script, WEFT_PROGRAM});
        return run(
            Args(words),
            {.input = numbers(100), .capture_output = true, .timeout = 60.0, .cwd = folder.path()});
    };
    const auto done = run_with({"-j1", "--joblog", "log", "echo"});
    EXPECT_EQ(done.returncode, 255);
    EXPECT_THAT(done.stderr_, HasSubstr("the job log 'log': File too large"));
    const std::string log = folder.read("log");
    EXPECT_TRUE(log.ends_with("\n"));
    EXPECT_LE(log.size(), 1024U);
    const std::size_t logged = lines_of(log).size() - 1;
    EXPECT_GT(logged, 5U);
    // The job whose line found no room was printed; nothing was started after it.
    EXPECT_EQ(lines_of(done.stdout_).size(), logged + 1);
    // With room again it goes on there.
    const MapResult rest =
        weft_map({"-j1", "--joblog", "log", "--resume", "echo"}, numbers(100), folder.path());
    EXPECT_EQ(rest.status, 0);
    EXPECT_EQ(lines_of(rest.output).size(), 100 - logged);
}

TEST(MapTimeline, ListsEachAttempt) {
    const Folder folder;
    weft_map(
        {"-j1", "--retries", "2", "--timeline", "time.json", "exit {}", ":::", "0", "1", "\"\xff"},
        "", folder.path());
    const auto read =
        run({"python3", "-c",
             "import json; e = json.load(open('time.json'));\n"
             "print([(x['name'], x['cat'], x['args']['attempt'], x['args']['status'])"
             " for x in e])\n"
             "print(all(x['ph'] == 'X' and x['dur'] >= 0 and x['ts'] >= 0 for x in e))\n"
             "print(all(a['ts'] + a['dur'] <= b['ts'] + 1 for a, b in zip(e, e[1:])))"},
            {.capture_output = true, .cwd = folder.path()});
    EXPECT_THAT(read.stdout_, testing::StartsWith("[('exit 0', 'done', 1, 0), ('exit 1', 'failed', "
                                                  "1, 1), "))
        << read.stderr_;
    EXPECT_THAT(read.stdout_, HasSubstr("('exit 1', 'failed', 2, 1)"));
    EXPECT_THAT(read.stdout_, testing::EndsWith("True\nTrue\n"));
}

// Output
// ---------------------------------------------------------------------------------------------

TEST(MapOutput, IsNeverMixed) {
    // Each writes in many small pieces, more than a pipe holds.
    const MapResult result =
        weft_map({"-j8", "i=0; while [ $i -lt 3000 ]; do echo {}{}{}{}{}; i=$((i+1)); done",
                  ":::", "aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee", "fffff", "ggggg", "hhhhh"});
    const auto lines = lines_of(result.output);
    ASSERT_EQ(lines.size(), 24000U);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        ASSERT_EQ(lines[i], lines[i - i % 3000]);
    }
}

TEST(MapOutput, LargerThanItsMemoryGoesThroughAFile) {
    const Folder folder;
    // A hundred MiB wait for the first job, which waits for them.
    constexpr std::size_t kSize = std::size_t{48} * 1024 * 1024;
    Popen child(
        Args(map_words({"-k", "-j3",
                        "if test {#} = 1; then while ! test -e 2 || ! test -e 3; do sleep 0.01; "
                        "done; echo first; else head -c 50331648 /dev/zero | tr '\\0' x; echo > "
                        "{#}; fi",
                        ":::", "a", "b", "c"})),
        {.stdout_ = PIPE, .cwd = folder.path()});
    const std::string output = child.communicate().stdout_;
    EXPECT_EQ(child.returncode(), 0);
    ASSERT_EQ(output.size(), 6U + 2 * kSize);
    EXPECT_TRUE(output.starts_with("first\n"));
    EXPECT_EQ(output.find_first_not_of('x', 6), std::string::npos);
    const std::optional<ResourceUsage> usage = child.rusage();
    ASSERT_TRUE(usage.has_value());
    // A sanitizer keeps what was freed.
    if (weft::test::slowness() == 1) {
        EXPECT_LT(usage->max_resident_bytes, std::int64_t{48} * 1024 * 1024);
    }
}

TEST(MapOutput, KeepsBothStreamsApart) {
    const MapResult result = weft_map({"-k", "echo {}; echo e{} >&2", ":::", "1", "2"});
    EXPECT_EQ(result.output, "1\n2\n");
    EXPECT_EQ(result.errors, "e1\ne2\n");
}

TEST(MapOutput, AnEndThatNobodyReadsEndsIt) {
    Popen child(Args(map_words({"-j2", "yes {} | head -c 100000; sleep 0.01"})),
                {.stdin_ = PIPE, .stdout_ = PIPE, .stderr_ = PIPE});
    std::thread writer([input = child.stdin_()] {
        try {
            for (;;) input.write("x\n");
        } catch (const std::exception&) {
        }
    });
    EXPECT_EQ(child.stdout_().readline(), "x\n");
    child.stdout_().close();
    EXPECT_EQ(child.wait(), 255);
    EXPECT_THAT(child.stderr_().read(), HasSubstr("standard output: Broken pipe"));
    writer.join();
}

TEST(MapOutput, DoesNotWaitForWhatAJobLeavesBehind) {
    const MapResult result = weft_map({"sleep 600 & echo $!", ":::", "x"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(kill(std::stoi(result.output), SIGKILL), 0);
}

TEST(MapOutput, ShowsNoProgressOffATerminal) {
    EXPECT_EQ(weft_map({"--progress", "true", ":::", "1", "2"}).errors, "");
}

TEST(MapOutput, ShowsProgressOnATerminal) {
    Popen child(Args(map_words({"--progress", "-j1", "echo", ":::", "1", "2"})),
                {.stdout_ = PIPE, .stderr_ = PTY});
    const std::string errors = child.stderr_().read();
    EXPECT_EQ(child.stdout_().read(), "1\n2\n");
    EXPECT_THAT(errors, HasSubstr("0/2 done, 1 running, 0 failed"));
    EXPECT_TRUE(errors.ends_with("\r\033[K")) << errors;
}

// Jobs
// -----------------------------------------------------------------------------------------------

TEST(MapJobs, RunAtOnce) {
    // Each waits for the other.
    const Folder folder;
    const MapResult result =
        weft_map({"-j2", "-n2", "echo > {1}; while ! test -e {2}; do sleep 0.01; done", ":::", "c",
                  "d", "d", "c"},
                 "", folder.path());
    EXPECT_EQ(result.status, 0);
}

TEST(MapJobs, AreAsManyAsAsked) {
    for (const char* const jobs : {"1", "2", "3"}) {
        const Folder folder;
        // How many run, when one begins.
        const MapResult result =
            weft_map({"-j", jobs, "echo > run.{#}; ls run.* | wc -l; sleep 0.02; rm run.{#}"},
                     numbers(12), folder.path());
        int most = 0;
        for (const std::string& line : lines_of(result.output))
            most = std::max(most, std::stoi(line));
        EXPECT_LE(most, std::stoi(jobs));
        EXPECT_GE(most, 1);
    }
    EXPECT_EQ(weft_map({"-j", "50%", "-k", "echo", ":::", "1", "2"}).output, "1\n2\n");
    EXPECT_EQ(weft_map({"-j", "+1", "-k", "echo", ":::", "1", "2"}).output, "1\n2\n");
    EXPECT_EQ(lines_of(weft_map({"-j0", "-k", "echo"}, numbers(300)).output).size(), 300U);
}

TEST(MapJobs, StartAsTheirInputComes) {
    Popen child(Args(map_words({"-j2", "echo", "got"})), {.stdin_ = PIPE, .stdout_ = PIPE});
    for (const char* const line : {"1\n", "2\n", "3\n"}) {
        child.stdin_().write(line);
        child.stdin_().flush();
        EXPECT_EQ(child.stdout_().readline(), std::string("got ") + line);
    }
    child.stdin_().close();
    EXPECT_EQ(child.wait(), 0);
}

TEST(MapJobs, WaitForOthersWhenTheSystemIsShortOfDescriptors) {
    const auto done =
        run({"sh", "-c", "ulimit -n 24; exec \"$0\" map -j100 -k 'sleep 0.02; echo'", WEFT_PROGRAM},
            {.input = numbers(60), .capture_output = true, .timeout = 60.0});
    EXPECT_EQ(done.returncode, 0) << done.stderr_;
    EXPECT_EQ(done.stdout_, numbers(60));
}

TEST(MapJobs, AreNoneForAnEmptyList) {
    const std::vector<std::vector<std::string>> invocations = {{"echo", ":::"},
                                                               {"echo", ":::", "a", ":::"}};
    for (const std::vector<std::string>& words : invocations) {
        const MapResult result = weft_map(words);
        EXPECT_EQ(result.output, "");
        EXPECT_EQ(result.status, 0);
    }
    EXPECT_EQ(weft_map({"echo"}, "").output, "");
}

TEST(MapJobs, TellWhatCannotBeStarted) {
    const Folder folder;
    folder.write("data", "no program");
    folder.write("script", "echo script $1\n");
    std::filesystem::permissions(folder / "script", std::filesystem::perms::owner_all);
    const MapResult missing = weft_map({"no-such-program", ":::", "a"}, "", folder.path());
    EXPECT_EQ(missing.errors, "weft map: no-such-program: command not found\n");
    const MapResult denied = weft_map({"--joblog", "log", "./data", ":::", "a"}, "", folder.path());
    EXPECT_EQ(denied.errors, "weft map: ./data: Permission denied\n");
    EXPECT_THAT(folder.read("log"), HasSubstr("\t126\t0\t./data a"));
    EXPECT_EQ(weft_map({"./script", ":::", "a"}, "", folder.path()).output, "script a\n");
}

TEST(MapJobs, AreTriedAgainUntilTheySucceed) {
    const Folder folder;
    const MapResult result = weft_map(
        {"-j1", "--retries", "5", "--joblog", "log",
         "echo x >> tries; test $(wc -l < tries) -ge 3 && echo good {} || { echo bad; exit 1; }",
         ":::", "a"},
        "", folder.path());
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output, "good a\n");
    EXPECT_EQ(lines_of(folder.read("tries")).size(), 3U);
    EXPECT_EQ(lines_of(folder.read("log")).size(), 2U);
}

TEST(MapJobs, AreStoppedWithAllTheyHaveStarted) {
    const MapResult result = weft_map(
        {"--timeout", "0.3", "(trap '' TERM; echo started; exec sleep 600) & echo $!; wait; : {}",
         ":::", "x"});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.errors, HasSubstr("stopped, since its time was up: (trap"));
    std::string first = lines_of(result.output).front();
    if (first == "started") first = lines_of(result.output).at(1);
    // The group is gone once nobody of it can be signalled; it is reaped by init.
    for (const int process = std::stoi(first); is_alive(process);) std::this_thread::yield();
}

TEST(MapJobs, MayBeKilledByOthers) {
    const MapResult result = weft_map({"-j1", "-k", "kill -KILL $$", ":::", "", "x"});
    EXPECT_EQ(result.status, 2);
}

// Ctrl-C
// ---------------------------------------------------------------------------------------------

/// A job that says when it runs and waits for a file.
constexpr const char* kPatient =
    "echo {} >> begun; while ! test -e go; do sleep 0.01; done; echo {}";

class MapInterrupt : public testing::TestWithParam<int> {
protected:
    Popen start(std::vector<std::string> words) {
        return Popen(Args(map_words(std::move(words))),
                     {.stdin_ = DEVNULL, .stdout_ = PIPE, .stderr_ = PIPE, .cwd = folder_.path()});
    }
    void wait_for_lines(std::size_t count) const {
        while (lines_of(folder_.read("begun")).size() < count) std::this_thread::yield();
    }
    Folder folder_;
};

INSTANTIATE_TEST_SUITE_P(Signals, MapInterrupt, testing::Values(SIGINT, SIGTERM, SIGHUP),
                         [](const auto& row) { return "signal" + std::to_string(row.param); });

TEST_P(MapInterrupt, OnceLetsTheJobsFinish) {
    Popen child = start({"-j2", "-k", kPatient, ":::", "1", "2", "3", "4"});
    wait_for_lines(2);
    child.send_signal(GetParam());
    EXPECT_THAT(child.stderr_().readline(), HasSubstr("nothing new is started; 2 jobs still run"));
    folder_.write("go", "");
    const Output output = child.communicate();
    EXPECT_EQ(output.stdout_, "1\n2\n");
    EXPECT_EQ(child.returncode(), 128 + GetParam());
}

TEST_P(MapInterrupt, TwiceStopsTheTrees) {
    Popen child =
        start({"-j2", "echo {} >> begun; (trap '' TERM INT HUP; echo $$; exec sleep 600) & wait",
               ":::", "1", "2", "3"});
    wait_for_lines(2);
    child.send_signal(GetParam());
    EXPECT_THAT(child.stderr_().readline(), HasSubstr("nothing new is started"));
    child.send_signal(GetParam());
    const Output output = child.communicate();
    EXPECT_EQ(child.returncode(), 128 + GetParam());
    EXPECT_EQ(lines_of(folder_.read("begun")).size(), 2U);
    // Both shells led the groups that their children were in.
    for (const std::string& line : lines_of(output.stdout_)) {
        while (kill(-std::stoi(line), 0) == 0) std::this_thread::yield();
    }
}

TEST_P(MapInterrupt, WithNothingLeftItIsNoFailure) {
    Popen child = start({"-j2", kPatient, ":::", "1", "2"});
    wait_for_lines(2);
    child.send_signal(GetParam());
    (void)child.stderr_().readline();
    folder_.write("go", "");
    (void)child.communicate();
    EXPECT_EQ(child.returncode(), 0);
}

TEST(MapEnd, TakesItsJobsWithIt) {
    const Folder folder;
    Popen child(Args(map_words({"-j1", "echo $$ > pid.{}; exec sleep 600", ":::", "x"})),
                {.stdin_ = DEVNULL, .cwd = folder.path()});
    while (!folder.read("pid.x").ends_with("\n")) std::this_thread::yield();
    child.kill();
    EXPECT_EQ(child.wait(), -SIGKILL);
    for (const int process = std::stoi(folder.read("pid.x")); is_alive(process);) {
        std::this_thread::yield();
    }
}

// What one may get wrong
// -------------------------------------------------------------------------------------------

TEST(MapUsage, SaysWhatToDo) {
    const auto errors = [](std::vector<std::string> words) {
        const MapResult result = weft_map(std::move(words));
        EXPECT_EQ(result.status, 255);
        EXPECT_EQ(result.output, "");
        return result.errors;
    };
    EXPECT_THAT(errors({"-j", "x", "echo"}), HasSubstr("-j x: give a number of jobs"));
    EXPECT_THAT(errors({"--timeout", "soon", "echo"}), HasSubstr("with s, m, h or d as in 1.5m"));
    EXPECT_THAT(errors({"--timeout", "-1", "echo"}), HasSubstr("--timeout"));
    EXPECT_THAT(errors({"--halt", "later", "echo"}), HasSubstr("as in now,fail=1"));
    EXPECT_THAT(errors({"--resume", "echo"}), HasSubstr("name it with --joblog FILE"));
    EXPECT_THAT(errors({"-a", "/no/such/file", "echo"}), HasSubstr("'/no/such/file'"));
    EXPECT_THAT(errors({"-n", "2", "echo", ":::", "a", ":::", "b"}), HasSubstr("one list"));
    EXPECT_THAT(errors({"echo", ":::+", "a"}), HasSubstr("there are :::"));
    EXPECT_THAT(errors({"-n", "0", "echo"}), HasSubstr("--max-args"));
    EXPECT_THAT(errors({"--jobs"}), HasSubstr("--jobs"));
}

TEST(MapUsage, HelpNamesEveryOption) {
    const MapResult help = weft_map({"--help"});
    EXPECT_EQ(help.status, 0);
    for (const char* const option :
         {"-j,--jobs", "-k,--keep-order", "-n,--max-args", "-0,--null", "-a,--arg-file",
          "--progress", "--timeout", "--retries", "--halt", "--joblog", "--resume",
          "--resume-failed", "--dry-run", "--timeline", ":::", "{/.}"}) {
        EXPECT_THAT(help.output, HasSubstr(option));
    }
}

TEST(MapUsage, OptionsOfTheCommandAreItsOwn) {
    EXPECT_EQ(weft_map({"-k", "-j2", "echo", "-k", "--jobs", ":::", "a"}).output, "-k --jobs a\n");
    EXPECT_EQ(weft_map({"--", "echo", "-n", ":::", "a"}).output, "a");
    EXPECT_EQ(weft_map({"--jobs=2", "echo", ":::", "a"}).output, "a\n");
    EXPECT_EQ(weft_map({"-kj", "2", "echo", ":::", "a"}).output, "a\n");
    EXPECT_EQ(weft_map({"tour", ":::", "a"}).status, 1);
}

}  // namespace
