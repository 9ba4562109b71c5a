#!/usr/bin/env python3
"""Takes covered members away, one after the other, and expects their tests to fail.

    mutate.py [--count N] [--seed S] [--id ID]... [--dry-run]

Draws rows of tests/coverage.tsv that are covered by a test, replaces the body of the member by
nothing or a wrong result (a parameter's row: the function ignores it) in a copy of the tree under
build/mutate, builds the row's tests and runs them. A failure, a crash or a hang kills the mutant;
a mutant that survives is reported, with what was changed, and makes the exit status 1. So does a
row whose member or test cannot be found, or whose test fails without any change.
"""

import argparse
import collections
import dataclasses
import fcntl
import pathlib
import random
import re
import signal
import sys
import textwrap
import time

import coverage
import coverage_list
import cpp_bodies
import members
import mutants
from work_copy import BuildFailed, WorkCopy, run_group

KILLED, SURVIVED, NOT_COMPILED = "killed", "SURVIVED", "did not compile"
NOT_MUTABLE, BROKEN = "not mutable", "BROKEN"


@dataclasses.dataclass
class Plan:
    """A row with what is to be changed for it, and how its tests are built and run."""

    row: coverage_list.Row
    definitions: list
    commands: list = dataclasses.field(default_factory=list)   # (target, program, filter)
    seconds: float = 0.0                                       # what the tests took unchanged


class Broken(Exception):
    """A row cannot be tried because something about the row itself is wrong."""


def filter_for(names):
    """The gtest filter that selects the tests, with all their instances and types."""
    patterns = []
    for name in names:
        suite, _, case = name.partition(".")
        patterns += [name, f"*/{suite}.{case}/*", f"{suite}/*.{case}", f"*/{suite}/*.{case}"]
    return ":".join(patterns)


class Mutation:
    """One run over one tree."""

    def __init__(self, copy, least_seconds, report):
        self.copy = copy
        self.least_seconds = least_seconds
        self.report = report
        self.sources = {}
        self.index = None
        self.tests = {}
        self.counts = collections.Counter()

    def prepare(self):
        """Copies and configures the tree, and reads its sources and tests."""
        self.copy.update()
        self.copy.configure()
        paths = [path for folder in ("include", "src")
                 for path in sorted((self.copy.tree / folder).rglob("*"))
                 if path.suffix in (".hpp", ".cpp")]
        self.sources = {path: path.read_text(encoding="utf-8") for path in paths}
        self.index = members.Index(cpp_bodies.read_files(paths))
        self.tests = coverage.tests_in_sources(self.copy.tree)

    def tell(self, outcome, row, text):
        """Counts and prints the outcome of one row."""
        self.counts[outcome] += 1
        self.report(f"{outcome:<16}{row.id}: {text}")

    def plan(self, row):
        """What to do for the row, or None after telling why nothing can be done."""
        try:
            plan = Plan(row, members.resolve(row, self.index))
            plan.commands = self._commands(row)
            return plan
        except members.NotMutable as reason:
            self.tell(NOT_MUTABLE, row, reason)
        except (members.NotFound, Broken) as reason:
            self.tell(BROKEN, row, reason)
        return None

    def _commands(self, row):
        """The (target, program, filter) that together run the row's tests."""
        programs = collections.defaultdict(list)
        for name in row.tests():
            sources = [str(path.relative_to(self.copy.tree)) for path in self.tests.get(name, [])]
            places = [target for source in sources for target in self.copy.targets.get(source, [])]
            if not places:
                raise Broken(f"no target builds the test {name}")
            programs[min(places)].append(name)
        return [(target, program, filter_for(names))
                for (target, program), names in programs.items()]

    def check_unchanged(self, plan):
        """Whether the row's tests are built, run at least once, and pass, without any change."""
        names = " ".join(plan.row.tests())
        try:
            for target, program, chosen in plan.commands:
                built, output = self.copy.build(target)
                if not built:
                    raise BuildFailed(output[-4000:])
                started = time.monotonic()
                status, output = self._run(program, chosen, 600)
                plan.seconds += time.monotonic() - started
                passed = re.search(r"^\[  PASSED  \] (\d+) test", output, re.MULTILINE)
                if status != 0:
                    raise Broken(f"{names} fails without any change")
                if not passed or passed.group(1) == "0":
                    raise Broken(f"{names} runs no test, or skips all")
        except Broken as reason:
            self.tell(BROKEN, plan.row, reason)
            return False
        return True

    def _run(self, program, chosen, timeout):
        return run_group([program, f"--gtest_filter={chosen}", "--gtest_brief=0"], timeout,
                         program.parent, limited=True)

    def attack(self, plan):
        """Tries the candidates of one row until one compiles and tells something."""
        declarations = [one for definition in plan.definitions
                        for one in self.index.by_name[definition.name]
                        if one.kind == "declaration"]
        verdict = (NOT_COMPILED, "no wrong body compiles")
        for mutant in mutants.candidates(plan.definitions, self.sources, plan.row.parameter,
                                         declarations):
            result = self._try(plan, mutant)
            if result is None:
                continue
            survived = result == ""
            places = ", ".join(dict.fromkeys(one.name for one in plan.definitions))
            weak = " (by a throw only)" if mutant.weak else ""
            label = textwrap.shorten(mutant.label, 100, placeholder=" ...")
            verdict = (SURVIVED if survived else KILLED,
                       f"{places} -> {label}{weak}" + ("" if survived else f": {result}"))
            if not (survived and mutant.or_next):
                break
        self.tell(verdict[0], plan.row, verdict[1])

    def _try(self, plan, mutant):
        """None if the mutant does not compile, nothing if it survives, else how it died."""
        changed = mutants.apply(mutant.edits, self.sources)
        try:
            for path, text in changed.items():
                self.copy.put(path, text.encode())
            for target, program, chosen in plan.commands:
                if not self.copy.build(target)[0]:
                    return None
                limit = max(self.least_seconds, 10 * plan.seconds)
                status, output = self._run(program, chosen, limit)
                if status is None:
                    return f"no end in {limit:.0f} s"
                if status != 0:
                    failed = re.findall(r"^\[  FAILED  \] ([\w/]+\.[\w/]+)", output, re.MULTILINE)
                    how = f"signal {-status}" if status < 0 else f"exit status {status}"
                    return ", ".join(dict.fromkeys(failed)) or how
            return ""
        finally:
            for path in changed:
                self.copy.put(path, self.sources[path].encode())


def choose(rows, options, report):
    """The covered rows in the order in which to try them."""
    covered = [row for row in rows if row.kind == "test"]
    if options.id:
        missing = set(options.id) - {row.id for row in covered}
        if missing:
            raise Broken("not a row covered by a test: " + ", ".join(sorted(missing)))
        return [row for row in covered if row.id in options.id]
    seed = random.randrange(10**6) if options.seed is None else options.seed
    report(f"seed {seed}, {len(covered)} covered rows")
    random.Random(seed).shuffle(covered)
    return covered


def run(options, report):
    """Tries the chosen rows; returns the exit status."""
    rows, problems = coverage_list.read(options.root / coverage.LIST)
    if problems:
        raise Broken(f"{coverage.LIST}:{problems[0].line}: {problems[0].text}")
    chosen = choose(rows, options, report)
    limit = len(chosen) if options.id or options.dry_run else options.count
    copy = WorkCopy(options.root, options.build, options.jobs, options.cmake_arg)
    mutation = Mutation(copy, options.least_seconds, report)
    mutation.prepare()
    tried = 0
    for row in chosen:
        if tried == limit:
            break
        plan = mutation.plan(row)
        if not plan:
            continue
        if options.dry_run:
            report(f"{'would change':<16}{row.id}: "
                   + ", ".join(dict.fromkeys(one.name for one in plan.definitions)))
        elif mutation.check_unchanged(plan):
            mutation.attack(plan)
        tried += 1
    counts = mutation.counts
    report(", ".join(f"{counts[outcome]} {outcome.lower()}" for outcome in
                     (KILLED, SURVIVED, NOT_COMPILED, NOT_MUTABLE, BROKEN)))
    return 1 if counts[SURVIVED] or counts[BROKEN] else 0


def main(arguments=None):
    """Reads the command line and holds the work folder for this run alone."""
    parser = argparse.ArgumentParser(prog="dev mutate", description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--count", type=int, default=10, help="how many rows to try")
    parser.add_argument("--seed", type=int, help="draws the same rows again")
    parser.add_argument("--id", action="append", default=[], help="this row (may be repeated)")
    parser.add_argument("--dry-run", action="store_true",
                        help="only tell what each covered row resolves to")
    parser.add_argument("--least-seconds", type=float, default=20.0,
                        help="a mutant's tests get ten times what they took before, but not less")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at a time")
    parser.add_argument("--root", type=pathlib.Path, default=root, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=pathlib.Path, help="where to work (build/mutate)")
    parser.add_argument("--cmake-arg", action="append", default=[], help="passed on to CMake")
    options = parser.parse_args(arguments)
    options.root = options.root.resolve()
    options.build = (options.build or options.root / "build" / "mutate").resolve()
    options.build.mkdir(parents=True, exist_ok=True)
    # An exit by exception ends the program that runs just now, and mends the copy.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with open(options.build / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return run(options, lambda text: print(text, flush=True))
        except BlockingIOError:
            print(f"another run works in {options.build}", file=sys.stderr)
        except Broken as reason:
            print(reason, file=sys.stderr)
        except BuildFailed as reason:
            print(f"the unchanged tree does not build:\n{reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
