#!/usr/bin/env python3
"""Proves that mutate.py tells tests that check something from tests that do not.

Builds a small project with CMake and GoogleTest in a temporary folder and takes every member of it
away. Its list names for each row, in the note, what must come out.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

FILES = {
    "CMakeLists.txt": """
cmake_minimum_required(VERSION 3.22)
project(sample LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
find_package(GTest REQUIRED)
add_library(weft src/queue.cpp)
target_include_directories(weft PUBLIC include)
add_executable(other_test tests/other_test.cpp)
target_link_libraries(other_test weft GTest::gtest_main)
add_executable(boxes tests/box_test.cpp)
target_link_libraries(boxes weft GTest::gtest_main)
""",
    "include/weft/queue.hpp": """
#pragma once
#include <string>
namespace weft::queue {
inline constexpr int LIMIT = 3;
struct BoxOptions { int maxsize = 0; std::string name = "box"; };
class Box {
public:
    explicit Box(int start);
    explicit Box(BoxOptions options);
    ~Box();
    void put(int item = 1);
    bool take(bool block);
    int qsize() const;
    bool empty() const;
    bool full() const;
    const std::string& name() const;
    bool done();
    auto doubled() const { return qsize() * 2; }
    [[nodiscard]] static constexpr int version() { return 5; }
    Box& add(int n);
private:
    int size_ = 0;
    int maxsize_ = 0;
    std::string name_;
};
static_assert(Box::version() == 5);
}
""",
    "src/queue.cpp": """
#include <weft/queue.hpp>
#include <utility>
namespace weft::queue {
Box::Box(int start) : size_(start) {}
Box::Box(BoxOptions options) : maxsize_(options.maxsize), name_(std::move(options.name)) {}
Box::~Box() = default;
void Box::put(int item) { size_ += item; }
bool Box::take(bool block) {
    if (size_ == 0) { return block; }
    --size_;
    return true;
}
int Box::qsize() const { return size_; }
bool Box::empty() const { return size_ == 0; }
bool Box::full() const { return size_ == maxsize_; }
const std::string& Box::name() const { return name_; }
bool Box::done() { return ++size_ > 2; }
Box& Box::add(int n) { size_ += n; return *this; }
}
""",
    "tests/box_test.cpp": """
#include <weft/queue.hpp>
#include <gtest/gtest.h>
using weft::queue::Box;
TEST(Box, StartsWithWhatItIsGiven) { EXPECT_EQ(Box(4).qsize(), 4); }
TEST(Box, PutAddsOneByDefault) { Box box(1); box.put(); EXPECT_EQ(box.qsize(), 2); }
TEST(Box, PutAddsWhatItIsGiven) { Box box(1); box.put(2); EXPECT_EQ(box.qsize(), 3); }
TEST(Box, TakeOfNothingTellsBlock) { EXPECT_FALSE(Box(0).take(false)); }
TEST(Box, TakesOne) { Box box(1); EXPECT_TRUE(box.take(true)); EXPECT_TRUE(box.take(true)); }
TEST(Box, IsMentioned) { Box box(1); box.empty(); box.full(); box.put(); SUCCEED(); }
TEST(Box, IsFullAtItsSize) { Box box({.maxsize = 2}); box.put(2); EXPECT_TRUE(box.full()); }
TEST(Box, TellsItsName) { EXPECT_EQ(Box({.name = "a"}).name(), "a"); }
TEST(Box, EndsAtLast) { Box box(0); while (!box.done()) {} }
TEST(Box, Doubles) { EXPECT_EQ(Box(4).doubled(), 8); }
TEST(Box, HasAVersion) { EXPECT_EQ(Box::version(), 5); }
TEST(Box, HasALimit) { EXPECT_EQ(weft::queue::LIMIT, 3); }
TEST(Box, IsWrong) { EXPECT_EQ(Box(4).qsize(), 5); }
TEST(Box, IsLeftOut) { GTEST_SKIP(); }
class Sized : public testing::TestWithParam<int> {};
TEST_P(Sized, AddsToItself) { Box box(1); EXPECT_EQ(&box.add(GetParam()), &box);
                              EXPECT_EQ(box.qsize(), 1 + GetParam()); }
INSTANTIATE_TEST_SUITE_P(All, Sized, testing::Values(1, 2));
""",
    "tests/other_test.cpp": """
#include <weft/queue.hpp>
#include <gtest/gtest.h>
TEST(Other, SeesTheSize) { EXPECT_EQ(weft::queue::Box(7).qsize(), 7); }
""",
    "tests/coverage.tsv": "id\tcover\tnote\tmember\n# queue\n" + "".join(
        "\t".join(row) + "\n" for row in (
            ("queue.Box.qsize", "test:Box.StartsWithWhatItIsGiven test:Other.SeesTheSize",
             "killed"),
            ("queue.Box.put", "test:Box.PutAddsOneByDefault", "killed"),
            ("queue.Box.get", "test:Box.IsMentioned", "SURVIVED", "weft::queue::Box::put"),
            ("queue.Box.put(item)", "test:Box.PutAddsWhatItIsGiven", "killed"),
            ("queue.Box.get(item)", "test:Box.PutAddsOneByDefault", "SURVIVED",
             "weft::queue::Box::put"),
            ("queue.Box.take(block)", "test:Box.TakeOfNothingTellsBlock", "killed"),
            ("queue.Box.take_nowait(block)", "test:Box.IsMentioned", "SURVIVED",
             "weft::queue::Box::take"),
            ("queue.Box.empty", "test:Box.IsMentioned", "SURVIVED"),
            ("queue.Box.full", "test:Box.IsFullAtItsSize", "killed"),
            ("queue.Box(start)", "test:Box.StartsWithWhatItIsGiven", "killed"),
            ("queue.Box(maxsize)", "test:Box.IsFullAtItsSize", "killed"),
            ("queue.Box(name)", "test:Box.IsFullAtItsSize", "SURVIVED"),
            ("queue.Box.name", "test:Box.TellsItsName", "killed"),
            ("queue.Box.done", "test:Box.EndsAtLast", "killed"),
            ("queue.Box.doubled", "test:Box.Doubles", "killed"),
            ("queue.Box.version", "test:Box.HasAVersion", "did not compile"),
            ("queue.Box.add", "test:Sized.AddsToItself", "killed"),
            ("queue.LIMIT", "test:Box.HasALimit", "killed"),
            ("queue.Box", "test:Box.TakesOne", "not mutable"),
            ("queue.Box.__del__", "test:Box.TakesOne", "not mutable"),
            ("queue.Box.vanish", "test:Box.TakesOne", "BROKEN"),
            ("queue.Box.clear", "test:Box.IsWrong", "BROKEN", "weft::queue::Box::qsize"),
            ("queue.Box.join", "test:Box.IsLeftOut", "BROKEN", "weft::queue::Box::qsize"),
            ("queue.Box.close", "test:Box.IsNowhere", "BROKEN", "weft::queue::Box::qsize"),
            ("queue.Box.later", "later: queue", ""))),
}


class EndToEnd(unittest.TestCase):
    """The program itself, run on the sample project."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        for name, text in FILES.items():
            path = cls.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        cls.before = cls.contents()
        cls.status, cls.output = cls.mutate("--count", "100", "--seed", "1")

    @classmethod
    def contents(cls):
        return {name: (cls.root / name).read_text(encoding="utf-8") for name in FILES}

    @classmethod
    def mutate(cls, *arguments):
        done = subprocess.run([sys.executable, HERE / "mutate.py", "--root", cls.root,
                               "--least-seconds", "2", *arguments], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "GTEST_COLOR": "no"})
        return done.returncode, done.stdout

    def outcome(self, row_id):
        line = re.search(rf"^(.*\S) +{re.escape(row_id)}: (.*)$", self.output, re.MULTILINE)
        self.assertIsNotNone(line, f"{row_id} is not in\n{self.output}")
        return line.group(1), line.group(2)

    def test_every_row_comes_out_as_its_note_says(self):
        for line in FILES["tests/coverage.tsv"].splitlines()[2:-1]:
            row_id, _, expected = line.split("\t")[:3]
            with self.subTest(row=row_id):
                self.assertEqual(self.outcome(row_id)[0], expected, self.output)

    def test_survivors_make_the_status_one(self):
        self.assertEqual(self.status, 1, self.output)
        self.assertIn("12 killed, 5 survived, 1 did not compile, 2 not mutable, 4 broken",
                      self.output)

    def test_report_says_what_was_changed_and_how_it_died(self):
        self.assertIn("weft::queue::Box::put -> {}: Box.PutAddsOneByDefault",
                      self.outcome("queue.Box.put")[1])
        self.assertIn("maxsize ignored: Box.IsFullAtItsSize",
                      self.outcome("queue.Box(maxsize)")[1])
        self.assertIn("start ignored: ", self.outcome("queue.Box(start)")[1])
        self.assertIn("no end in", self.outcome("queue.Box.done")[1])
        self.assertIn("All/Sized.AddsToItself/0", self.outcome("queue.Box.add")[1])

    def test_broken_rows_say_why(self):
        self.assertIn("name it in the member column", self.outcome("queue.Box.vanish")[1])
        self.assertEqual(self.outcome("queue.Box.__del__")[1],
                         "its function is defaulted or deleted")
        self.assertIn("fails without any change", self.outcome("queue.Box.clear")[1])
        self.assertIn("runs no test, or skips all", self.outcome("queue.Box.join")[1])
        self.assertIn("no target builds the test", self.outcome("queue.Box.close")[1])

    def test_tree_is_left_alone(self):
        self.assertEqual(self.contents(), self.before)

    def test_good_row_alone_makes_the_status_zero(self):
        status, output = self.mutate("--id", "queue.Box.put")
        self.assertEqual(status, 0, output)
        self.assertIn("1 killed, 0 survived", output)

    def test_dry_run_only_tells(self):
        status, output = self.mutate("--dry-run", "--id", "queue.Box.empty")
        self.assertEqual(status, 0, output)
        self.assertIn("queue.Box.empty: weft::queue::Box::empty", output)

    def test_unknown_id_is_refused(self):
        status, output = self.mutate("--id", "queue.Box.later")
        self.assertEqual(status, 1)
        self.assertIn("not a row covered by a test: queue.Box.later", output)


if __name__ == "__main__":
    unittest.main()
