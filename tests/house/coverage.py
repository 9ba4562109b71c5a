#!/usr/bin/env python3
"""Checks that every row of tests/coverage.tsv names something that exists.

    coverage.py [--root FOLDER] [--spec api.tsv] [TEST_BINARY_OR_FOLDER ...]

Test names are asked of the given test binaries (of a folder: the executables in it whose names
end in "_test"); without any, the test sources are searched for them. "@file" reads arguments from a
file, one a line. The list of ids is compared with the file named by --spec, or by the variable
WEFT_SPEC; a relative name is looked for here, then from the tree's root.
Prints the count by module; exits with 1 and one line a problem if there is any.
"""

import argparse
import collections
import os
import pathlib
import re
import subprocess
import sys

import coverage_list
from coverage_list import Problem
from cpp_text import mask

LIST = "tests/coverage.tsv"
NONE_LIMIT_PERCENT = 3
TEST_MACRO = re.compile(r"\b(?:TYPED_)?TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)\s*\)")


class ListingFailed(Exception):
    """A test binary that was named could not be asked for its tests."""


def tests_in_sources(root):
    """Maps each Suite.Case in the test sources to the files that hold it."""
    found = collections.defaultdict(list)
    for path in sorted((root / "tests").rglob("*_test.cpp")):
        for suite, case in TEST_MACRO.findall(mask(path.read_text(encoding="utf-8"))):
            found[f"{suite}.{case}"].append(path)
    return found


def tests_in_listing(listing):
    """The names Suite.Case in the output of --gtest_list_tests, instances folded together."""
    names, suite = set(), ""
    for line in listing.splitlines():
        name, _, comment = line.partition("#")
        parts = name.strip().rstrip(".").split("/")
        if line[:1].isspace():
            names.add(f"{suite}.{parts[0]}")
        elif name.strip().endswith("."):
            # A typed suite is Suite/0 or Instance/Suite/0, a parametrised one Instance/Suite.
            typed = comment.strip().startswith("TypeParam") and len(parts) > 1
            suite = parts[-2] if typed else parts[-1]
    return names


def test_binaries(arguments):
    """The executables among the given files and folders."""
    for argument in map(pathlib.Path, arguments):
        if argument.is_dir():
            inside = [path for path in sorted(argument.rglob("*_test"))
                      if path.is_file() and os.access(path, os.X_OK)]
            if not inside:
                raise ListingFailed(f"{argument} holds no executable named *_test")
            yield from inside
        else:
            yield argument


def tests_in_binaries(arguments):
    """The names Suite.Case that the given test binaries list."""
    names = set()
    for binary in test_binaries(arguments):
        try:
            answer = subprocess.run([binary.absolute(), "--gtest_list_tests"], capture_output=True,
                                    text=True, timeout=120, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise ListingFailed(f"{binary} does not list its tests: {error}") from error
        names |= tests_in_listing(answer.stdout)
    return names


def headings(page):
    """The headings of a Markdown page as plain text, those inside code blocks left out."""
    found, fence = set(), ""
    for line in page.read_text(encoding="utf-8").splitlines():
        mark = re.match(r"\s*(```|~~~)", line)
        if mark:
            fence = "" if fence == mark.group(1) else fence or mark.group(1)
        heading = None if fence else re.fullmatch(r"#{1,6}\s+(.*?)\s*(?:\{#[\w-]+\})?\s*#*", line)
        if heading:
            found.add(heading.group(1).replace("`", "").replace("\\", ""))
    return found


class Checker:
    """Resolves rows against the tests, pages and examples of one tree."""

    def __init__(self, root, known_tests):
        self.root = root
        self.known_tests = known_tests
        self.pages = {}
        examples = root / "examples" / "CMakeLists.txt"
        text = examples.read_text(encoding="utf-8") if examples.is_file() else ""
        self.listed_examples = set(re.findall(r"[\w/-]+", re.sub(r"#.*|\.cpp\b", "", text)))

    def wrong_with(self, row):
        """Yields the text of each problem of one row."""
        check = {"test": self._test, "doc": self._doc, "none": self._none,
                 "later": self._later}.get(row.kind)
        if check is None:
            yield f"cover '{row.cover}' is none of test:, doc:, none:, later:"
        else:
            yield from check(row)
        if row.member and (row.kind != "test" or
                           not all(name.startswith("weft::") for name in row.members())):
            yield f"member '{row.member}' must list names in weft::, on a row covered by a test"

    def _test(self, row):
        if row.is_topic:
            yield "a topic is covered by a page and its example (doc:), not by a test"
        if not all(coverage_list.TEST.fullmatch(part) for part in row.cover.split()):
            yield f"cover '{row.cover}' is not a list of test:Suite.Case"
        for name in row.tests():
            if name in self.known_tests:
                continue
            suite, _, case = name.partition(".")
            disabled = {f"{suite}.DISABLED_{case}", f"DISABLED_{suite}.{case}"}
            state = "is disabled" if disabled & set(self.known_tests) else "does not exist"
            yield f"the test {name} {state}"
        for name in row.tests():
            if "DISABLED_" in name:
                yield f"the test {name} is disabled"

    def _doc(self, row):
        if not row.is_topic:
            yield "a member is covered by a test, not by a page"
        parts = coverage_list.DOC.fullmatch(row.cover)
        if not parts:
            yield f"cover '{row.cover}' is not doc:page.md#Heading example:name"
            return
        page, heading, example = parts.groups()
        path = self.root / page
        if not path.is_file():
            yield f"the page {page} does not exist"
        else:
            if page not in self.pages:
                self.pages[page] = headings(path)
            if heading not in self.pages[page]:
                yield f"{page} has no heading '{heading}'"
        if not (self.root / "examples" / f"{example}.cpp").is_file():
            yield f"examples/{example}.cpp does not exist"
        if example not in self.listed_examples:
            yield f"examples/CMakeLists.txt does not list {example}, so nobody compiles it"

    def _none(self, row):
        if len(row.cover.partition(":")[2].split()) < 3:
            yield "none: needs its reason in a few words"

    def _later(self, row):
        module = row.cover.partition(":")[2].strip()
        if module not in coverage_list.MODULES:
            yield f"'{module}' is not a module"


def twice(rows):
    """Problems for ids that have more than one row."""
    first = {}
    for row in rows:
        if row.id in first:
            yield Problem(row.line, f"{row.id}: is there twice, first on line {first[row.id]}")
        first.setdefault(row.id, row.line)


def too_many_none(rows):
    """A problem if the rows without a meaning reach the limit."""
    none = sum(row.kind == "none" for row in rows)
    if none * 100 >= len(rows) * NONE_LIMIT_PERCENT and none:
        yield Problem(0, f"{none} of {len(rows)} rows are none; they must stay under "
                         f"{NONE_LIMIT_PERCENT} %")


def against_spec(rows, spec, root):
    """Problems where the ids, or their modules, differ from those of the given list."""
    path = pathlib.Path(spec)
    try:
        text = (path if path.exists() else root / path).read_text(encoding="utf-8")
    except OSError as error:
        yield Problem(0, f"the list of ids cannot be read: {error}")
        return
    modules = dict(line.split("\t")[:2] for line in text.splitlines()[1:] if line.strip())
    for row in rows:
        if row.id not in modules:
            yield Problem(row.line, f"{row.id}: is not in {spec}")
        elif row.module != modules[row.id]:
            yield Problem(row.line, f"{row.id}: stands under {row.module}, belongs to "
                                    f"{modules[row.id]}")
    for missing in modules.keys() - {row.id for row in rows}:
        yield Problem(0, f"{missing}: is in {spec}, but has no row here")


def all_problems(root, known_tests, spec):
    """Returns the rows of the list below `root`, and every problem in order of lines."""
    rows, problems = coverage_list.read(root / LIST)
    checker = Checker(root, known_tests)
    for row in rows:
        problems += [Problem(row.line, f"{row.id}: {text}") for text in checker.wrong_with(row)]
    problems += twice(rows)
    problems += too_many_none(rows)
    if not rows:
        problems.append(Problem(0, "there are no rows"))
    if spec:
        problems += against_spec(rows, spec, root)
    return rows, sorted(problems, key=lambda problem: (problem.line, problem.text))


def print_counts(rows):
    """Prints how many rows of each module are covered, to come, and without meaning."""
    counts = collections.defaultdict(collections.Counter)
    for row in rows:
        column = {"test": "covered", "doc": "covered"}.get(row.kind, row.kind)
        for name in (row.module, "all"):
            counts[name][column] += 1
            counts[name]["total"] += 1
    columns = ("covered", "later", "none", "total")
    print(f"{'module':<30}" + "".join(f"{column:>9}" for column in columns))
    names = [name for name in coverage_list.MODULES if name in counts] + ["all"]
    for name in names:
        print(f"{name:<30}" + "".join(f"{counts[name][column]:>9}" for column in columns))


def main(arguments=None):
    """Checks the list; returns the exit status."""
    parser = argparse.ArgumentParser(description="check tests/coverage.tsv",
                                     fromfile_prefix_chars="@")
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--spec", default=os.environ.get("WEFT_SPEC", ""))
    parser.add_argument("binaries", nargs="*")
    options = parser.parse_args(arguments)
    try:
        known = (tests_in_binaries(options.binaries) if options.binaries
                 else tests_in_sources(options.root))
        rows, problems = all_problems(options.root, known, options.spec)
    except (ListingFailed, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print_counts(rows)
    for problem in problems:
        print(f"{LIST}:{problem.line}: {problem.text}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
