// What `weft map` is made of, piece by piece.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weft/subprocess.hpp>

#include "../../tools/weft/map_halt.hpp"
#include "../../tools/weft/map_inputs.hpp"
#include "../../tools/weft/map_output.hpp"
#include "../../tools/weft/map_system.hpp"
#include "../../tools/weft/map_template.hpp"
#include "subprocess/support.hpp"

namespace {

using namespace map;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

Command expanded(const Words& words, const Words& arguments) {
    return Template(words).expand(arguments, 7, 3);
}

// Templates
// ----------------------------------------------------------------------------------------------

TEST(MapTemplate, NeedsNoShellForPlainWords) {
    EXPECT_THAT(expanded({"gzip", "-9", "{}"}, {"a b"}).words, ElementsAre("gzip", "-9", "a b"));
    EXPECT_THAT(expanded({"  convert  {} x{.}.png"}, {"d e.jpg"}).words,
                ElementsAre("convert", "d e.jpg", "xd e.png"));
    EXPECT_THAT(expanded({"echo", "{#}:{%}"}, {"x"}).words, ElementsAre("echo", "7:3"));
    EXPECT_THAT(expanded({"dd", "if={}"}, {"$x"}).words, ElementsAre("dd", "if=$x"));
    EXPECT_THAT(expanded({"echo"}, {""}).words, ElementsAre("echo", ""));
    EXPECT_THAT(expanded({"echo", "x{}y"}, {"a", "b c"}).words, ElementsAre("echo", "xa", "b cy"));
    EXPECT_THAT(expanded({"echo", "{2}"}, {"a"}).words, ElementsAre("echo"));
}

TEST(MapTemplate, NeedsAShellForWhatAShellTakesForItself) {
    for (const char* const text :
         {"echo $HOME", "a | b",      "a; b",     "echo 'x'", "echo \"x\"", "echo *",  "echo ~",
          "A=1 env",    "echo `x`",   "echo \\x", "a & b",    "echo #x",    "echo <x", "echo >x",
          "(x)",        "echo {a,b}", "! x",      "a\nb",     "[ -e x",     "echo x?", "cd /",
          "exit 3",     "if x",       ". x",      ": x",      "ulimit -n"}) {
        const Command command = expanded({text}, {"y"});
        EXPECT_THAT(command.words, IsEmpty()) << text;
        EXPECT_EQ(command.line, std::string(text) + " y");
    }
    // A name that comes as an argument, too.
    EXPECT_THAT(expanded({"{}", "x"}, {"cd"}).words, IsEmpty());
    EXPECT_THAT(expanded({"{}", "x"}, {"ls"}).words, ElementsAre("ls", "x"));
}

TEST(MapTemplate, TakesWholeLines) {
    EXPECT_THAT(Template::of_line("echo {} x").words, IsEmpty());
    EXPECT_EQ(Template::of_line("echo {} x").line, "echo {} x");
    EXPECT_THAT(Template::of_line(" echo  a=b ").words, ElementsAre("echo", "a=b"));
    EXPECT_THAT(Template::of_line("a=b").words, IsEmpty());
    EXPECT_THAT(Template::of_line("").words, IsEmpty());
}

TEST(MapTemplate, LeavesWhatIsNoPlaceholder) {
    EXPECT_EQ(
        expanded({"echo", "{0}", "{x}", "{1x}", "{", "{}", "{1#}", "{99999999999999999999}"}, {"a"})
            .line,
        "echo {0} {x} {1x} { a {1#} {99999999999999999999}");
}

/// Both forms mean the same, whatever the argument: a real shell takes the line apart.
TEST(MapTemplate, BothFormsAgreeOnAnyArgument) {
    std::mt19937 random(20221122);
    constexpr std::string_view kSpecial = " '\"\\$`*?[]{}()<>|&;#~!\n\t=%-./a\xc3\xa4\xff";
    for (int round = 0; round < 40; ++round) {
        Words arguments(1 + random() % 3);
        for (std::string& each : arguments) {
            for (std::size_t size = random() % 12; size > 0; --size) {
                each += kSpecial[random() % kSpecial.size()];
            }
        }
        const Command command =
            expanded({"printf", "%s//", "{}", "x{.}y", "{/}", "{//}"}, arguments);
        ASSERT_FALSE(command.words.empty());
        const std::string direct =
            weft::subprocess::check_output(weft::subprocess::Args(command.words));
        const std::string by_shell = weft::subprocess::check_output({"sh", "-c", command.line});
        ASSERT_EQ(direct, by_shell) << command.line;
    }
}

// Inputs
// -------------------------------------------------------------------------------------------------

Source list(Words words) {
    return Source(std::move(words));
}

std::vector<Words> all_of(Inputs& inputs) {
    std::vector<Words> all;
    while (inputs.look() == Inputs::State::ready) all.push_back(inputs.next());
    EXPECT_EQ(inputs.look(), Inputs::State::ended);
    return all;
}

Inputs inputs_of(std::vector<Words> lists, std::size_t at_once = 1) {
    std::vector<Source> sources;
    for (Words& each : lists) sources.push_back(list(std::move(each)));
    return {std::move(sources), at_once};
}

TEST(MapInputs, CombineTheirSources) {
    Inputs inputs = inputs_of({{"a", "b"}, {"1", "2"}, {"x", "y"}});
    EXPECT_THAT(all_of(inputs),
                ElementsAre(Words{"a", "1", "x"}, Words{"a", "1", "y"}, Words{"a", "2", "x"},
                            Words{"a", "2", "y"}, Words{"b", "1", "x"}, Words{"b", "1", "y"},
                            Words{"b", "2", "x"}, Words{"b", "2", "y"}));
    Inputs empty = inputs_of({{"a"}, {}});
    EXPECT_THAT(all_of(empty), IsEmpty());
}

TEST(MapInputs, TellHowManyJobsTheyMake) {
    Inputs combined = inputs_of({{"a", "b"}, {"1", "2", "3"}});
    EXPECT_EQ(combined.load(), 6U);
    EXPECT_EQ(all_of(combined).size(), 6U);
    Inputs grouped = inputs_of({{"a", "b", "c"}}, 2);
    EXPECT_EQ(grouped.load(), 2U);
    EXPECT_THAT(all_of(grouped), ElementsAre(Words{"a", "b"}, Words{"c"}));
}

TEST(MapInputs, ReadWhatIsThereAndWaitForTheRest) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    std::vector<Source> sources;
    sources.emplace_back(File(ends[0]), "pipe", '\n');
    Inputs inputs(std::move(sources), 1);
    EXPECT_EQ(inputs.look(), Inputs::State::waiting);
    ASSERT_EQ(write(ends[1], "one\ntw", 6), 6);
    ASSERT_EQ(inputs.look(), Inputs::State::ready);
    EXPECT_THAT(inputs.next(), ElementsAre("one"));
    EXPECT_EQ(inputs.look(), Inputs::State::waiting);
    ASSERT_EQ(write(ends[1], "o\n\nthree", 8), 8);
    close(ends[1]);
    EXPECT_THAT(all_of(inputs), ElementsAre(Words{"two"}, Words{""}, Words{"three"}));
}

// Outputs
// ------------------------------------------------------------------------------------------------

std::string content_of(const Spool& spool) {
    const File file = open_temporary();
    EXPECT_EQ(spool.write_to(file.fd()), 0);
    std::string text(*size_of(file.fd()), '\0');
    read_at(file.fd(), text, 0);
    return text;
}

TEST(MapOutputs, ComeBackAsTheyWereWhateverTheMemory) {
    for (const std::size_t memory : {std::size_t{0}, std::size_t{10}, std::size_t{100'000}}) {
        Store store(memory);
        std::vector<Spool> spools;
        std::vector<std::string> expected(4);
        for (int i = 0; i < 4; ++i) spools.emplace_back(store);
        std::mt19937 random(7);
        for (int i = 0; i < 400; ++i) {
            const std::size_t which = random() % 4;
            const std::string piece(random() % 900, static_cast<char>('a' + random() % 26));
            spools[which].append(piece);
            expected[which] += piece;
        }
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(spools[i].size(), expected[i].size());
            EXPECT_EQ(content_of(spools[i]), expected[i]);
        }
        // The file begins anew once nobody has anything in it.
        for (Spool& spool : spools) spool.clear();
        spools[1].append(std::string(200'000, 'z'));
        EXPECT_EQ(content_of(spools[1]), std::string(200'000, 'z'));
    }
}

TEST(MapOutputs, OneLargeOutputStaysOutOfMemory) {
    Store store(std::size_t{1} << 30U);
    Spool spool(store);
    const std::string block(65536, 'x');
    for (int i = 0; i < 100; ++i) spool.append(block);
    const Spool moved = std::move(spool);
    EXPECT_EQ(moved.size(), 6'553'600U);
    EXPECT_EQ(content_of(moved), std::string(6'553'600, 'x'));
    EXPECT_EQ(spool.size(), 0U);  // NOLINT: what is left after a move
}

// --halt
// ------------------------------------------------------------------------------------------------

TEST(MapHalt, RefusesWhatItDoesNotKnow) {
    for (const char* const text : {"", "x", "now", "now,", "now,fail", "now,fail=", "now,fail=0",
                                   "now,fail=x", "now,fail=101%", "later,fail=1", "soon,fails=1",
                                   "3", "now,fail=1x", "soon,1%", "%", "now,fail=-1"}) {
        EXPECT_THROW((void)Halt::parse(text), std::invalid_argument) << text;
    }
}

TEST(MapHalt, DecidesAtItsAmount) {
    const Halt halt = Halt::parse("now,fail=2");
    EXPECT_EQ(halt.decide({.done = 5, .failed = 1}), Halt::When::never);
    EXPECT_EQ(halt.decide({.done = 5, .failed = 2}), Halt::When::now);
    EXPECT_FALSE(halt.needs_total());
    const Halt percentage = Halt::parse("soon,done=50%");
    EXPECT_TRUE(percentage.needs_total());
    EXPECT_EQ(percentage.decide({.total = 5, .done = 2}), Halt::When::never);
    EXPECT_EQ(percentage.decide({.total = 5, .done = 3}), Halt::When::soon);
    EXPECT_EQ(Halt::parse("never").decide({.done = 9, .failed = 9}), Halt::When::never);
    EXPECT_EQ(Halt::parse("20%").decide({.total = 10, .done = 2, .failed = 2}), Halt::When::soon);
    EXPECT_EQ(Halt::parse("-2").decide({.done = 1}), Halt::When::now);
    EXPECT_EQ(Halt::parse("1").decide({.done = 1, .failed = 1}), Halt::When::soon);
}

}  // namespace
