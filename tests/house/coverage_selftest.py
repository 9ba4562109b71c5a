#!/usr/bin/env python3
"""Proves that coverage.py passes a good list and finds each kind of problem in a bad one."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import coverage
import coverage_list

GOOD = """id\tcover\tnote\tmember
# queue
queue:module\tdoc:docs/guide.md#Queues between threads example:queues
queue.Queue.put\ttest:Queue.PutStores test:QueueSizes.PutBlocks\tboth\tweft::queue::Queue::put
queue.Queue.get\ttest:QueueTypes.GetTakes
queue.Queue.join\tlater: queue
# threading
threading.Lock\tlater: threading
""" + "".join(f"threading.Lock.method{number}\tlater: threading\n" for number in range(40))

SPEC = "id\tmodule\tkind\n" + "".join(
    f"{line.split(chr(9))[0]}\t{'queue' if line.startswith('queue') else 'threading'}\tx\n"
    for line in GOOD.splitlines()[1:] if not line.startswith("#"))

PAGE = """# Guide
## Queues between `threads` {#queues}
```
# Not a heading
```
"""

SOURCE = """
// TEST(Queue, OnlyInAComment) {}
const char* text = R"(TEST(Queue, OnlyInAString))";
TEST(Queue, PutStores) {}
TEST_P(QueueSizes,
       PutBlocks) {}
TYPED_TEST(QueueTypes, GetTakes) {}
TEST(Queue, DISABLED_Shuts) {}
"""

LISTING = """Running main() from here
Queue.
  PutStores
  DISABLED_Shuts
All/QueueSizes.
  PutBlocks/0  # GetParam() = 1
  PutBlocks/1  # GetParam() = 2
QueueTypes/0.  # TypeParam = int
  GetTakes
QueueTypes/1.  # TypeParam = Lifo/Queue
  GetTakes
"""


class Tree(unittest.TestCase):
    """A small tree in a temporary folder, whose list each case spoils in one way."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("tests/coverage.tsv", GOOD)
        self.write("tests/queue/queue_test.cpp", SOURCE)
        self.write("docs/guide.md", PAGE)
        self.write("examples/queues.cpp", "int main() {}\n")
        self.write("examples/CMakeLists.txt", "# unlisted\nweft_add_example(queues)\n")
        self.write("examples/unlisted.cpp", "int main() {}\n")
        self.write("spec.tsv", SPEC)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run_check(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = coverage.main(["--root", str(self.root), "--spec", "", *arguments])
        return status, out.getvalue(), err.getvalue()

    def expect(self, old, new, *messages, arguments=()):
        """Replaces `old` by `new` in the list and expects these messages alone."""
        self.assertIn(old, GOOD)
        self.write("tests/coverage.tsv", GOOD.replace(old, new, 1))
        status, _, err = self.run_check(*arguments)
        self.assertEqual(status, 1)
        self.assertEqual(len(err.splitlines()), len(messages), err)
        for message in messages:
            self.assertIn(message, err)


class Good(Tree):
    """What must pass."""

    def test_good_list_passes_and_is_counted(self):
        status, out, err = self.run_check()
        self.assertEqual((status, err), (0, ""))
        counts = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
        self.assertEqual(counts["queue"], ["3", "1", "0", "4"])
        self.assertEqual(counts["threading"], ["0", "41", "0", "41"])
        self.assertEqual(counts["all"], ["3", "42", "0", "45"])

    def test_same_ids_as_the_spec_pass(self):
        for name in (str(self.root / "spec.tsv"), "spec.tsv"):
            with self.subTest(name=name):
                self.assertEqual(self.run_check("--spec", name)[::2], (0, ""))

    def test_names_come_from_the_binaries_that_are_given(self):
        self.write("tests/queue/queue_test.cpp", "")
        folder = self.root / "bin"
        script = self.write("bin/queue_test", f"#!/bin/sh\ncat <<'END'\n{LISTING}END\n")
        script.chmod(0o755)
        arguments = self.write("arguments", f"{script}\n")
        for given in (script, folder, f"@{arguments}"):
            with self.subTest(given=given):
                self.assertEqual(self.run_check(str(given))[::2], (0, ""))

    def test_listing_folds_instances_and_types(self):
        self.assertEqual(coverage.tests_in_listing(LISTING),
                         {"Queue.PutStores", "Queue.DISABLED_Shuts", "QueueSizes.PutBlocks",
                          "QueueTypes.GetTakes"})

    def test_two_members_and_an_operator_are_told_apart(self):
        row = coverage_list.Row(1, "queue", "queue.Queue", "test:A.B", "",
                                "weft::queue::Queue::operator bool, weft::queue::Queue::get")
        self.assertEqual(row.members(),
                         ["weft::queue::Queue::operator bool", "weft::queue::Queue::get"])


class Bad(Tree):
    """Each kind of problem is found, on its line, and nothing else is reported."""

    def test_missing_test(self):
        self.expect("Queue.PutStores", "Queue.PutVanishes",
                    "coverage.tsv:4: queue.Queue.put: the test Queue.PutVanishes does not exist")

    def test_test_in_a_comment_or_string_is_none(self):
        self.expect("Queue.PutStores", "Queue.OnlyInAComment", "does not exist")
        self.expect("Queue.PutStores", "Queue.OnlyInAString", "does not exist")

    def test_disabled_test(self):
        self.expect("Queue.PutStores", "Queue.Shuts", "the test Queue.Shuts is disabled")
        self.expect("Queue.PutStores", "Queue.DISABLED_Shuts", "is disabled")

    def test_missing_test_in_a_binary(self):
        script = self.write("queue_test", "#!/bin/sh\nprintf 'Queue.\\n  PutStores\\n'\n")
        script.chmod(0o755)
        status, _, err = self.run_check(str(script))
        self.assertEqual(status, 1)
        self.assertIn("the test QueueSizes.PutBlocks does not exist", err)

    def test_binary_that_lists_nothing(self):
        script = self.write("queue_test", "#!/bin/sh\nexit 3\n")
        script.chmod(0o755)
        self.assertIn("does not list its tests", self.run_check(str(script))[2])
        self.assertEqual(self.run_check(str(self.root / "absent_test"))[0], 1)
        self.assertIn("holds no executable", self.run_check(str(self.root / "docs"))[2])

    def test_malformed_cover(self):
        self.expect("test:QueueTypes.GetTakes", "QueueTypes.GetTakes", "is none of test:, doc:")
        self.expect("test:QueueSizes.PutBlocks", "QueueSizes.PutBlocks", "is not a list of")
        self.expect("later: queue", "", "is none of test:, doc:")
        self.expect(" example:queues", "", "is not doc:page.md#Heading example:name")

    def test_missing_page_heading_and_example(self):
        self.expect("docs/guide.md", "docs/absent.md", "the page docs/absent.md does not exist")
        self.expect("#Queues between", "#Queues among", "no heading 'Queues among threads'")
        self.expect("Queues between threads", "Not a heading", "no heading 'Not a heading'")
        self.expect("example:queues", "example:absent", "examples/absent.cpp does not exist",
                    "CMakeLists.txt does not list absent")

    def test_example_that_is_not_compiled(self):
        self.expect("example:queues", "example:unlisted", "does not list unlisted")

    def test_topic_and_member_are_covered_differently(self):
        self.expect("doc:docs/guide.md#Queues between threads example:queues",
                    "test:Queue.PutStores", "not by a test")
        self.expect("test:QueueTypes.GetTakes",
                    "doc:docs/guide.md#Queues between threads example:queues", "not by a page")

    def test_id_twice(self):
        self.expect("queue.Queue.get\t", "queue.Queue.put\t",
                    "coverage.tsv:5: queue.Queue.put: is there twice, first on line 4")

    def test_unknown_module(self):
        self.expect("later: queue", "later: quque", "'quque' is not a module")
        self.expect("# threading", "# treading", "'treading' is not a module")

    def test_none_without_a_reason(self):
        self.expect("later: queue", "none: no", "needs its reason")

    def test_too_many_none(self):
        rows = GOOD
        for number in (1, 2):
            rows = rows.replace(f"method{number}\tlater: threading",
                                f"method{number}\tnone: Python's own container")
        self.write("tests/coverage.tsv", rows)
        self.assertIn("2 of 45 rows are none; they must stay under 3 %", self.run_check()[2])

    def test_wrong_member_column(self):
        self.expect("weft::queue::Queue::put", "queue::Queue::put", "must list names in weft::")
        self.expect("later: queue", "later: queue\t\tweft::queue::Queue::join",
                    "on a row covered by a test")

    def test_wrong_form(self):
        self.expect("id\tcover\tnote\tmember", "id\tcover", ":1: the first line must be the header")
        self.expect("later: queue", "later: queue\ta\tb\tc", ":6: 5 columns")
        self.expect("queue.Queue.join\tlater", "queue.Queue.join later", ":6: 1 columns")
        self.expect("# threading\n", "\n", ":7: an empty line")
        self.expect("# queue\n", "", *["no line '# module' before it"] * 4)

    def test_ids_that_differ_from_the_spec(self):
        spec = str(self.root / "spec.tsv")
        self.expect("queue.Queue.join", "queue.Queue.joint", "queue.Queue.joint: is not in",
                    "queue.Queue.join: is in", arguments=["--spec", spec])
        self.expect("# threading\nthreading.Lock\tlater", "threading.Lock\tlater",
                    *["stands under queue, belongs to threading"] * 41, arguments=["--spec", spec])
        self.assertIn("cannot be read", self.run_check("--spec", str(self.root / "none"))[2])

    def test_spec_is_taken_from_the_environment(self):
        self.write("spec.tsv", SPEC + "queue.Queue.empty\tqueue\tmethod\n")
        command = [sys.executable, coverage.__file__, "--root", self.root]
        for spec, status in (("", 0), (self.root / "spec.tsv", 1)):
            done = subprocess.run(command, env={**os.environ, "WEFT_SPEC": str(spec)}, text=True,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn("queue.Queue.empty: is in", done.stderr)

    def test_empty_list(self):
        self.write("tests/coverage.tsv", "id\tcover\tnote\tmember\n")
        self.assertIn("there are no rows", self.run_check()[2])
        (self.root / "tests/coverage.tsv").unlink()
        self.assertEqual(self.run_check()[0], 1)


if __name__ == "__main__":
    unittest.main()
