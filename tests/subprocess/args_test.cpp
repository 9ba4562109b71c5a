#include <weft/subprocess/args.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <weft/subprocess/env.hpp>
#include <weft/subprocess/windows.hpp>

#include "subprocess/support.hpp"

namespace {

using namespace weft::subprocess;
using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Args, AreAListOrOneText) {
    const Args list{"ls", std::string("-l"), std::filesystem::path("/tmp")};
    EXPECT_TRUE(list.is_list());
    EXPECT_EQ(list.size(), 3U);
    EXPECT_EQ(list[2].text(), "/tmp");
    EXPECT_TRUE(list[2].is_path());
    EXPECT_FALSE(list[0].is_path());
    const Args text = "ls -l";
    EXPECT_FALSE(text.is_list());
    EXPECT_EQ(text[0].text(), "ls -l");
    EXPECT_TRUE(Args().empty());
    const std::list<std::string_view> range{"a", "b"};
    EXPECT_EQ(Args(range), (Args{"a", "b"}));
    EXPECT_NE(Args("a"), Args{"a"});
    const Args pair{{"ls", "-l"}};
    EXPECT_EQ(pair.size(), 2U);
    EXPECT_EQ(Args("a").append("b"), (Args{"a", "b"}));
}

TEST(Args, ShowThemselvesAsPythonDoes) {
    EXPECT_EQ((Args{"ls", "it's", "say \"x\"", "a\\b\n"}.repr()),
              R"(['ls', "it's", 'say "x"', 'a\\b\n'])");
    EXPECT_EQ(Args("ls -l").repr(), "'ls -l'");
    EXPECT_EQ(Args("both ' and \"").repr(), R"('both \' and "')");
    EXPECT_EQ(Args(std::string(1, '\x01')).repr(), R"('\x01')");
    EXPECT_EQ(Args().repr(), "[]");
}

TEST(List2Cmdline, FollowsTheRulesOfTheRuntime) {
    EXPECT_EQ(list2cmdline({"a b c", "d", "e"}), R"("a b c" d e)");
    EXPECT_EQ(list2cmdline({"ab\"c", "\\", "d"}), R"(ab\"c \ d)");
    EXPECT_EQ(list2cmdline({"ab\"c", " \\", "d"}), R"(ab\"c " \\" d)");
    EXPECT_EQ(list2cmdline({"a\\\\\\b", "de fg", "h"}), R"(a\\\b "de fg" h)");
    EXPECT_EQ(list2cmdline({"a\\\"b", "c", "d"}), R"(a\\\"b c d)");
    EXPECT_EQ(list2cmdline({"a\\\\b c", "d", "e"}), R"("a\\b c" d e)");
    EXPECT_EQ(list2cmdline({"a\\\\b\\ c", "d", "e"}), R"("a\\b\ c" d e)");
    EXPECT_EQ(list2cmdline({"ab", ""}), R"(ab "")");
    EXPECT_EQ(list2cmdline({"a\tb"}), "\"a\tb\"");
}

TEST(Quote, IsReadBackByAShell) {
    EXPECT_EQ(quote("plain-1.txt"), "plain-1.txt");
    EXPECT_EQ(quote(""), "''");
    EXPECT_EQ(quote("it's"), R"('it'"'"'s')");
    EXPECT_EQ(join({"ls", "-l", "my file"}), "ls -l 'my file'");
    const std::string nasty = "a'b\"c $HOME `id` \\ \n * ~ # & ; é \x01 !";
    EXPECT_EQ(check_output(Args("printf %s " + quote(nasty)), {.shell = true}), nasty);
}

TEST(Env, IsInheritedOrGivenOrChanged) {
    EXPECT_FALSE(Env().is_inherited());
    EXPECT_TRUE(Env().variables().empty());
    EXPECT_TRUE(Env::inherited().is_inherited());
    const Env given = {{"A", "1"}, {"B", "2"}, {"A", "3"}};
    EXPECT_THAT(given.variables(), UnorderedElementsAre(Pair("A", "3"), Pair("B", "2")));
    EXPECT_THAT(given.with("C", "4").without("B").variables(),
                UnorderedElementsAre(Pair("A", "3"), Pair("C", "4")));
    setenv("WEFT_TEST_VARIABLE", "x=y", 1);
    EXPECT_THAT(Env::inherited().variables(), testing::Contains(Pair("WEFT_TEST_VARIABLE", "x=y")));
    unsetenv("WEFT_TEST_VARIABLE");
}

TEST(Windows, HasTheSystemsValues) {
    EXPECT_EQ(STD_INPUT_HANDLE_, static_cast<std::uint32_t>(-10));
    EXPECT_EQ(STD_OUTPUT_HANDLE_, static_cast<std::uint32_t>(-11));
    EXPECT_EQ(STD_ERROR_HANDLE_, static_cast<std::uint32_t>(-12));
    EXPECT_EQ(SW_HIDE_, 0);
    EXPECT_EQ(STARTF_USESHOWWINDOW_, 0x1U);
    EXPECT_EQ(STARTF_FORCEONFEEDBACK_, 0x40U);
    EXPECT_EQ(STARTF_FORCEOFFFEEDBACK_, 0x80U);
    EXPECT_EQ(STARTF_USESTDHANDLES_, 0x100U);
    EXPECT_EQ(DETACHED_PROCESS_, 0x8U);
    EXPECT_EQ(CREATE_NEW_CONSOLE_, 0x10U);
    EXPECT_EQ(NORMAL_PRIORITY_CLASS_, 0x20U);
    EXPECT_EQ(IDLE_PRIORITY_CLASS_, 0x40U);
    EXPECT_EQ(HIGH_PRIORITY_CLASS_, 0x80U);
    EXPECT_EQ(REALTIME_PRIORITY_CLASS_, 0x100U);
    EXPECT_EQ(CREATE_NEW_PROCESS_GROUP_, 0x200U);
    EXPECT_EQ(BELOW_NORMAL_PRIORITY_CLASS_, 0x4000U);
    EXPECT_EQ(ABOVE_NORMAL_PRIORITY_CLASS_, 0x8000U);
    EXPECT_EQ(CREATE_BREAKAWAY_FROM_JOB_, 0x1000000U);
    EXPECT_EQ(CREATE_DEFAULT_ERROR_MODE_, 0x4000000U);
    EXPECT_EQ(CREATE_NO_WINDOW_, 0x8000000U);
}

TEST(StartupInfo, CopiesItsAttributes) {
    STARTUPINFO_ info{.dwFlags = STARTF_USESTDHANDLES_,
                      .hStdInput = 3,
                      .hStdOutput = 4,
                      .hStdError = 5,
                      .wShowWindow = SW_HIDE_,
                      .lpAttributeList = {.handle_list = std::vector<std::intptr_t>{7, 8}}};
    STARTUPINFO_ copy = info.copy();
    EXPECT_EQ(copy, info);
    EXPECT_EQ(copy.hStdError, 5);
    copy.lpAttributeList.handle_list->push_back(9);
    EXPECT_THAT(*info.lpAttributeList.handle_list, ElementsAre(7, 8));
    EXPECT_EQ(STARTUPINFO_().dwFlags, 0U);
    EXPECT_EQ(STARTUPINFO_().hStdInput, std::nullopt);
    EXPECT_EQ(STARTUPINFO_().hStdOutput, std::nullopt);
    EXPECT_EQ(STARTUPINFO_().wShowWindow, 0);
}

}  // namespace
