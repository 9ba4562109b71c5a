// Invocations whose output and exit status were recorded from GNU parallel (20221122); where it is
// installed, it is asked once more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <weft/subprocess.hpp>

#include "tools/map_support.hpp"

namespace {

using namespace weft::subprocess;
using weft::test::Folder;
using weft::test::MapResult;
using weft::test::weft_map;

struct Invocation {
    const char* name;
    std::vector<std::string> words;
    std::string input;
    std::string output;
    int status;
};

void PrintTo(const Invocation& invocation, std::ostream* out) {
    *out << invocation.name;
}

const std::vector<Invocation>& table() {
    static const std::vector<Invocation> invocations = {
        {"adds_the_argument", {"-k", "echo", ":::", "a", "b"}, "", "a\nb\n", 0},
        {"reads_lines", {"-k", "echo"}, "1\n2\n3\n", "1\n2\n3\n", 0},
        {"reads_a_last_line_without_end", {"-k", "echo"}, "1\nnolf", "1\nnolf\n", 0},
        {"keeps_empty_lines", {"-k", "echo", "x{}y"}, "a\n\nb\n", "xay\nxy\nxby\n", 0},
        {"keeps_carriage_returns", {"echo"}, "x\r\n", "x\r\n", 0},
        {"reads_nul_separated", {"-0", "-k", "echo"}, std::string("a\0b\nc\0", 6), "a\nb\nc\n", 0},
        {"reads_a_file", {"-k", "-a", "input", "echo", "{}", "x"}, "", "a b x\nc x\n", 0},
        {"reads_listed_files", {"-k", "echo", "::::", "input"}, "", "a b\nc\n", 0},
        {"reads_standard_input_as_a_file", {"-k", "-a", "-", "echo"}, "s\n", "s\n", 0},
        {"combines_lists",
         {"-k", "echo", ":::", "a", "b", ":::", "c", "d"},
         "",
         "a c\na d\nb c\nb d\n",
         0},
        {"combines_by_position",
         {"-k", "echo", "{2}{1}", ":::", "a", "b", ":::", "c", "d"},
         "",
         "ca\nda\ncb\ndb\n",
         0},
        {"combines_a_file_and_a_list",
         {"-k", "echo", "::::", "input", ":::", "q"},
         "",
         "a b q\nc q\n",
         0},
        {"takes_the_name_apart",
         {"-k", "echo", "{}", "{.}", "{/}", "{//}", "{/.}", ":::", "a/b.c", "x.tar.gz", "/q/w",
          "noext", "/top.x", "./a.b"},
         "",
         "a/b.c a/b b.c a b\nx.tar.gz x.tar x.tar.gz . x.tar\n/q/w /q/w w /q w\n"
         "noext noext noext . noext\n/top.x /top top.x / top\n./a.b ./a a.b . a\n",
         0},
        {"takes_odd_names_apart",
         {"-k", "echo", "x{.}y", "x{/}y", "x{//}y", "x{/.}y", ":::", ".hid", "dir/.hid", "a/b/"},
         "",
         "xy x.hidy x.y xy\nxdir/y x.hidy xdiry xy\nxa/b/y xy xay xy\n",
         0},
        {"knows_number_and_place",
         {"-j1", "echo", "{#}", "{%}", "{}", ":::", "a", "b"},
         "",
         "1 1 a\n2 1 b\n",
         0},
        {"needs_no_argument", {"-k", "echo", "{#}", ":::", "a", "b"}, "", "1\n2\n", 0},
        {"knows_positions",
         {"-k", "echo", "{1.}", "{1/}", "{1//}", "{1/.}", ":::", "d/a.b"},
         "",
         "d/a a.b d a\n",
         0},
        {"leaves_out_missing_positions", {"-k", "echo", "{3}", ":::", "a"}, "", "\n", 0},
        {"leaves_other_braces", {"-k", "echo", "{x}{}", ":::", "a"}, "", "{x}a\n", 0},
        {"gives_two_at_once", {"-k", "-n", "2", "echo", ":::", "a", "b", "c"}, "", "a b\nc\n", 0},
        {"gives_two_in_a_word",
         {"-k", "-n2", "echo", "x{}y", "{#}", ":::", "a", "b", "c"},
         "",
         "xa by 1\nxcy 2\n",
         0},
        {"gives_two_by_position",
         {"-k", "-n", "2", "echo", "{2}-{1}", ":::", "a", "b"},
         "",
         "b-a\n",
         0},
        {"quotes",
         {"-k", "echo", ":::", "a b", "it's", "$x", "a*b", "a\"b", "~", ";", "a=b", "-n x"},
         "",
         "a b\nit's\n$x\na*b\na\"b\n~\n;\na=b\n-n x\n",
         0},
        {"quotes_within_quotes", {"-k", "echo \"<{}>\"", ":::", "a  b"}, "", "<'a  b'>\n", 0},
        {"gives_an_empty_argument", {"-k", "printf '<%s>'", ":::", "", "a"}, "", "<><a>", 0},
        {"shows_what_it_would_do",
         {"-k", "--dry-run", "echo", "x{}", ":::", "a b", "it's", "$x", "", "plain", "-n", "a*b"},
         "",
         "echo x'a b'\necho x'it'\"'\"'s'\necho x'$x'\necho x''\necho xplain\necho x-n\n"
         "echo x'a*b'\n",
         0},
        {"shows_several_at_once",
         {"--dry-run", "-n", "2", "echo", ":::", "a b", "c"},
         "",
         "echo 'a b' c\n",
         0},
        {"runs_whole_commands",
         {"-k", ":::", "echo a", "echo b; false", "exit 7", "echo {}"},
         "",
         "a\nb\n{}\n",
         2},
        {"runs_lines_as_commands", {"-k"}, "echo a | tr a b\necho c\n", "b\nc\n", 0},
        {"lets_the_shell_do_its_part",
         {"-k", "echo $((1 + {})) | sed s/^/x/", ":::", "1", "2"},
         "",
         "x2\nx3\n",
         0},
        {"sets_variables", {"-k", "A=1 sh -c 'echo $A$0'", ":::", "x"}, "", "1x\n", 0},
        {"knows_the_shells_own", {"-k", "cd / && pwd; :", ":::", "x"}, "", "/\n", 0},
        {"gives_no_input", {"cat; echo", ":::", "-"}, "", "-\n", 0},
        {"counts_failures",
         {"-k", "echo {}; exit {}", ":::", "0", "1", "2", "3"},
         "",
         "0\n1\n2\n3\n",
         3},
        {"counts_what_does_not_exist", {"no-such-program", ":::", "a", "b"}, "", "", 2},
        {"counts_what_was_killed", {"kill -9 $$; :", ":::", "a"}, "", "", 1},
        {"exit_itself", {"exit", ":::", "0", "5"}, "", "", 1},
        {"tries_again",
         {"-j1", "--retries", "3", "echo {}; exit {}", ":::", "0", "3"},
         "",
         "0\n3\n",
         1},
        {"stops_what_takes_long",
         {"-j2", "-k", "--timeout", "0.5", "echo {}; sleep {}", ":::", "0", "30"},
         "",
         "0\n30\n",
         1},
        {"halts_now_at_a_failure",
         {"-j1", "--halt", "now,fail=1", "echo {}; exit {}", ":::", "0", "3", "4"},
         "",
         "0\n3\n",
         3},
        {"halts_now_at_a_kill",
         {"--halt", "now,fail=1", "kill -9 $$; true", ":::", "3"},
         "",
         "",
         137},
        {"halts_and_kills",
         {"-j2", "--halt", "now,fail=1", "sleep {}; exit 4", ":::", "0.1", "60"},
         "",
         "",
         4},
        {"halts_soon_at_two_failures",
         {"-j1", "--halt", "soon,fail=2", "echo {}; exit {}", ":::", "0", "3", "4", "5"},
         "",
         "0\n3\n4\n",
         2},
        {"does_not_halt_below",
         {"-j1", "--halt", "now,fail=3", "exit {}", ":::", "3", "0"},
         "",
         "",
         1},
        {"halts_at_a_success",
         {"-j1", "--halt", "now,success=1", "echo {}; exit {}", ":::", "3", "0", "4"},
         "",
         "3\n0\n",
         0},
        {"misses_a_success",
         {"-j1", "--halt", "now,success=1", "exit {}", ":::", "3", "4"},
         "",
         "",
         2},
        {"misses_a_second_success",
         {"-j1", "--halt", "now,success=2", "exit {}", ":::", "3", "0"},
         "",
         "",
         1},
        {"halts_when_done",
         {"-j1", "--halt", "now,done=2", "echo {}; exit {}", ":::", "3", "0", "4"},
         "",
         "3\n0\n",
         1},
        {"halts_at_a_percentage_of_failures",
         {"-j1", "--halt", "soon,fail=30%", "echo {}; exit {}", ":::", "0", "0", "0", "0", "3", "3",
          "3", "3", "3", "0"},
         "",
         "0\n0\n0\n0\n3\n3\n3\n",
         30},
        {"misses_a_percentage_of_failures",
         {"-j1", "--halt", "soon,fail=70%", "exit {}", ":::", "3", "0", "0"},
         "",
         "",
         34},
        {"halts_at_a_percentage_of_successes",
         {"-j1", "--halt", "now,success=50%", "echo {}; exit {}", ":::", "3", "0", "0", "5"},
         "",
         "3\n0\n0\n",
         0},
        {"misses_a_percentage_of_successes",
         {"-j1", "--halt", "now,success=80%", "exit {}", ":::", "3", "0", "0", "5", "6"},
         "",
         "",
         60},
        {"halts_at_a_percentage_done",
         {"-j1", "--halt", "now,done=50%", "echo {}; exit {}", ":::", "3", "0", "0", "4", "5", "6"},
         "",
         "3\n0\n0\n",
         17},
        {"halts_by_an_older_form",
         {"-j1", "--halt", "2", "echo {}; exit {}", ":::", "0", "3", "4"},
         "",
         "0\n3\n",
         3},
        {"never_halts", {"--halt", "never", "exit {}", ":::", "1", "1"}, "", "", 2},
        {"refuses_a_wrong_halt", {"--halt", "bad", "echo", ":::", "a"}, "", "", 255},
        {"refuses_wrong_jobs", {"-j", "x", "echo", ":::", "a"}, "", "", 255},
        {"refuses_an_unknown_option", {"--no-such", "echo", ":::", "a"}, "", "", 255},
        {"refuses_resume_without_a_log", {"--resume", "echo", ":::", "a"}, "", "", 255},
        {"keeps_output_of_one_piece",
         {"-k", "-j3", "echo {}; sleep 0.0{}; echo {}", ":::", "3", "2", "1"},
         "",
         "3\n3\n2\n2\n1\n1\n",
         0},
        {"adds_no_end_of_line", {"-k", "printf", "%s", ":::", "a", "b"}, "", "ab", 0},
    };
    return invocations;
}

class MapTable : public testing::TestWithParam<Invocation> {
protected:
    void SetUp() override { folder_.write("input", "a b\nc\n"); }
    Folder folder_;
};

INSTANTIATE_TEST_SUITE_P(Invocations, MapTable, testing::ValuesIn(table()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(MapTable, GivesWhatGnuParallelGave) {
    const Invocation& expected = GetParam();
    const MapResult result = weft_map(expected.words, expected.input, folder_.path());
    EXPECT_EQ(result.output, expected.output) << result.errors;
    EXPECT_EQ(result.status, expected.status) << result.errors;
}

bool has_gnu_parallel() {
    try {
        return getoutput("parallel --version </dev/null 2>/dev/null").starts_with("GNU parallel");
    } catch (const std::exception&) {
        return false;
    }
}

TEST_P(MapTable, GivesWhatGnuParallelGives) {
    static const bool is_there = has_gnu_parallel();
    if (!is_there) GTEST_SKIP() << "GNU parallel is not installed";
    const Invocation& expected = GetParam();
    std::vector<std::string> words = {"parallel", "--will-cite"};
    words.insert(words.end(), expected.words.begin(), expected.words.end());
    const auto done = run(Args(words), {.input = expected.input,
                                        .capture_output = true,
                                        .timeout = 60.0,
                                        .cwd = folder_.path(),
                                        .env = Env::inherited()
                                                   .with("PARALLEL_HOME", folder_.path().string())
                                                   .with("SHELL", "/bin/sh")});
    // Its usage may come by either stream.
    if (expected.status != 255) {
        EXPECT_EQ(done.stdout_, expected.output) << done.stderr_;
    }
    EXPECT_EQ(done.returncode, expected.status) << done.stderr_;
}

TEST(MapStatus, Is101AboveAHundredFailures) {
    std::string lines;
    for (int i = 0; i < 100; ++i) lines += "x\n";
    EXPECT_EQ(weft_map({"false"}, lines).status, 100);
    EXPECT_EQ(weft_map({"false"}, lines + "x\n").status, 101);
    EXPECT_EQ(weft_map({"false"}, lines + lines).status, 101);
}

}  // namespace
