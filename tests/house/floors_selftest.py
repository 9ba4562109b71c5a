"""Proves that floors.py finds what it is there to find: a small tree in order, and one fault at a time."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import floors  # noqa: E402

HEADER = "#pragma once\n"
TREE = {
    "include/CMakeLists.txt": "set(H weft/timeout.hpp weft/_thread.hpp weft/threading.hpp\n"
                              "  weft/detail/config.hpp weft/weft.hpp)\n",
    "include/weft/detail/config.hpp": HEADER,
    "include/weft/timeout.hpp": HEADER + "#include <weft/detail/config.hpp>\n",
    "include/weft/_thread.hpp": HEADER + "#include <string>\n#include <weft/timeout.hpp>\n",
    "include/weft/threading.hpp": HEADER + "#include <weft/_thread.hpp>\n",
    "include/weft/weft.hpp": HEADER + "#include <weft/threading.hpp>\n",
    "src/CMakeLists.txt": "add_library(weft _thread/lock.cpp os/cpu.hpp os/linux/cpu.cpp\n"
                          "  detail/clock.hpp detail/fmt.hpp)\n",
    "src/_thread/lock.cpp": '#include <weft/_thread.hpp>\n#include "detail/fmt.hpp"\n#include "os/cpu.hpp"\n',
    "src/detail/clock.hpp": HEADER + "#include <weft/timeout.hpp>\n",
    "src/detail/fmt.hpp": HEADER + "#include <fmt/format.h>\n",
    "src/os/cpu.hpp": HEADER + "#include <weft/detail/config.hpp>\n",
    "src/os/linux/cpu.cpp": '#include <unistd.h>\n#include "os/cpu.hpp"\n',
    "tests/CMakeLists.txt": "weft_add_test(lock_test SOURCES lock_test.cpp)\n",
    "tests/lock_test.cpp": "#include <sys/wait.h>\n#include <gtest/gtest.h>\n#include <weft/_thread.hpp>\n",
    "examples/CMakeLists.txt": "weft_add_example(first)\n",
    "examples/first.cpp": "#include <weft/weft.hpp>\n",
}


class Floors(unittest.TestCase):
    def problems(self, **changes: str) -> list[str]:
        """What is found in the tree when these files of it are put in place of its own."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in {**TREE, **changes}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            return [str(problem) for problem in floors.House(root).check()]

    def expect(self, fragment: str, changes: dict[str, str]) -> None:
        found = self.problems(**changes)
        self.assertTrue(any(fragment in line for line in found), f"no '{fragment}' in {found}")

    def test_a_tree_in_order_has_no_problem(self) -> None:
        self.assertEqual(self.problems(), [])

    def test_a_header_that_includes_from_above_is_found(self) -> None:
        self.expect("include/weft/timeout.hpp:2: floor 0 (ground) includes include/weft/_thread.hpp",
                    {"include/weft/timeout.hpp": HEADER + "#include <weft/_thread.hpp>\n"})

    def test_a_source_that_includes_from_above_is_found(self) -> None:
        self.expect("src/_thread/lock.cpp:1: floor 1 (_thread) includes include/weft/threading.hpp",
                    {"src/_thread/lock.cpp": "#include <weft/threading.hpp>\n"})

    def test_files_in_a_circle_are_found(self) -> None:
        self.expect("files include each other in a circle", {
            "include/weft/detail/config.hpp": HEADER + "#include <weft/timeout.hpp>\n"})

    def test_a_file_that_includes_itself_is_found(self) -> None:
        self.expect("files include each other in a circle", {
            "include/weft/detail/config.hpp": HEADER + "#include <weft/detail/config.hpp>\n"})

    def test_rooms_in_a_circle_without_files_in_one_are_found(self) -> None:
        self.expect("rooms include each other in a circle: ground -> os -> ground", {
            "src/detail/clock.hpp": HEADER + '#include "os/cpu.hpp"\n',
            "src/os/cpu.hpp": HEADER + "#include <weft/timeout.hpp>\n"})

    def test_an_include_in_a_comment_is_no_include(self) -> None:
        self.assertEqual(self.problems(**{
            "include/weft/timeout.hpp": HEADER + "// #include <weft/_thread.hpp>\n/*\n#include <weft/"
                                                 "threading.hpp>\n*/\n#include <weft/detail/config.hpp>\n"}), [])

    def test_a_system_header_outside_os_is_found(self) -> None:
        for name in ("unistd.h", "sys/syscall.h", "linux/futex.h", "pthread.h", "sched.h", "signal.h",
                     "fcntl.h", "dlfcn.h", "poll.h", "time.h", "spawn.h"):
            with self.subTest(name):
                self.expect(f"src/_thread/lock.cpp:1: includes <{name}>",
                            {"src/_thread/lock.cpp": f"#include <{name}>\n"})

    def test_a_system_header_in_a_public_header_or_an_example_is_found(self) -> None:
        self.expect("includes <pthread.h>", {"include/weft/timeout.hpp": HEADER + "#include <pthread.h>\n"})
        self.expect("includes <unistd.h>", {"examples/first.cpp": "#include <unistd.h>\n"})

    def test_a_package_outside_the_files_named_for_it_is_found(self) -> None:
        self.expect("includes <fmt/format.h>",
                    {"src/detail/clock.hpp": HEADER + "#include <fmt/format.h>\n"})
        self.expect("includes <fmt/format.h>",
                    {"src/_thread/lock.cpp": "#include <fmt/format.h>\n"})

    def test_a_file_that_is_not_listed_is_found(self) -> None:
        for path in ("src/detail/new.cpp", "src/detail/new.hpp", "include/weft/queue.hpp",
                     "tests/queue/new_test.cpp", "examples/second.cpp", "tools/weft/main.cpp",
                     "bench/new_bench.cpp", "fuzz/new_fuzz.cpp"):
            with self.subTest(path):
                self.expect(f"{path}:1: is listed in no CMakeLists.txt", {path: HEADER})

    def test_a_file_that_a_comment_names_is_not_listed(self) -> None:
        self.expect("examples/first.cpp:1: is listed in no CMakeLists.txt",
                    {"examples/CMakeLists.txt": "# weft_add_example(first)\n"})

    def test_globbing_is_found(self) -> None:
        self.expect("src/CMakeLists.txt:3: globs",
                    {"src/CMakeLists.txt": TREE["src/CMakeLists.txt"] + "file(GLOB rest *.cpp)\n"})

    def test_a_file_without_a_room_is_found(self) -> None:
        self.expect("src/attic/box.cpp:1: belongs to no room", {"src/attic/box.cpp": ""})

    def test_a_long_file_is_found(self) -> None:
        self.expect("src/_thread/lock.cpp:601: has 601 lines",
                    {"src/_thread/lock.cpp": "\n" * 601})
        self.assertEqual(self.problems(**{"src/_thread/lock.cpp": "\n" * 600}), [])

    def test_a_header_without_its_guard_is_found(self) -> None:
        self.expect("src/os/cpu.hpp:1: is a header without #pragma once",
                    {"src/os/cpu.hpp": "// #pragma once\n"})

    def test_an_include_of_nothing_is_found(self) -> None:
        self.expect("includes weft/gone.hpp, which does not exist",
                    {"examples/first.cpp": "#include <weft/gone.hpp>\n"})
        self.expect("includes os/gone.hpp, which does not exist",
                    {"src/_thread/lock.cpp": '#include "os/gone.hpp"\n'})

    def test_an_installed_header_that_looks_into_src_is_found(self) -> None:
        self.expect("an installed header includes",
                    {"include/weft/_thread.hpp": HEADER + '#include "../../src/os/cpu.hpp"\n'})

    def test_an_example_that_uses_the_inside_is_found(self) -> None:
        self.expect("examples uses include/weft/detail/config.hpp",
                    {"examples/first.cpp": "#include <weft/detail/config.hpp>\n"})

    def test_a_library_that_includes_its_tests_is_found(self) -> None:
        self.expect("the library includes tests/support.hpp",
                    {"src/_thread/lock.cpp": '#include "../../tests/support.hpp"\n',
                     "tests/support.hpp": HEADER})

    def test_a_public_header_that_the_umbrella_forgets_is_found(self) -> None:
        self.expect("include/weft/weft.hpp:1: does not bring in include/weft/queue.hpp",
                    {"include/weft/queue.hpp": HEADER})

    def test_floors_are_told_by_the_longest_name(self) -> None:
        for path, floor in {
                "include/weft/detail/deadline.hpp": 0, "include/weft/detail/callable.hpp": 1,
                "src/detail/callable_table.cpp": 1, "src/concurrent/futures/future.cpp": 3,
                "include/weft/concurrent/futures/process_pool_executor.hpp": 5,
                "src/multiprocessing/connection.cpp": 4, "src/multiprocessing/managers/server.cpp": 5,
                "include/weft/weft.hpp": 6, "tools/weft/main.cpp": 6}.items():
            place = floors.place_of(path)
            self.assertIsNotNone(place, path)
            self.assertEqual(place.floor, floor, path)


if __name__ == "__main__":
    unittest.main()
