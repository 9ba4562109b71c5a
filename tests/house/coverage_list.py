"""Reads tests/coverage.tsv, the list that says what covers each member of Python's chapter.

One row a member: id, cover, note, member, separated by tabs; the last two may be left out. A line
"# module" opens the block of that module's rows. `cover` is one of

    test:Suite.Case test:...       the tests that fail when the member is taken away
    doc:page.md#Heading example:x  where a topic is explained, and its compiled example
    none: reason                   the row has no meaning in C++
    later: module                  not built yet

`member` names the C++ functions behind the row where they do not follow from the id.
"""

import dataclasses
import pathlib
import re

HEADER = ["id", "cover", "note", "member"]

MODULES = (
    "chapter", "concurrent", "_thread", "threading", "queue", "sched", "contextvars",
    "dummy_threading", "_dummy_thread", "subprocess", "concurrent.futures",
    "concurrent.interpreters", "multiprocessing", "multiprocessing.connection",
    "multiprocessing.sharedctypes", "multiprocessing.shared_memory", "multiprocessing.managers",
    "multiprocessing.pool", "multiprocessing.dummy")

TEST = re.compile(r"test:(\w+\.\w+)")
DOC = re.compile(r"doc:(\S+?\.md)#(.+?) example:([\w/-]+)")


@dataclasses.dataclass(frozen=True)
class Problem:
    """Something wrong with the list, and the line to mend; line 0 speaks of the whole file."""

    line: int
    text: str


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the list."""

    line: int
    module: str
    id: str
    cover: str
    note: str = ""
    member: str = ""

    @property
    def kind(self):
        """The part of `cover` before its colon: test, doc, none, later, or something unknown."""
        return self.cover.partition(":")[0]

    @property
    def is_topic(self):
        """Topics are written module:name; members are written with dots."""
        return ":" in self.id

    @property
    def parameter(self):
        """The name in parentheses of a row about one parameter, else nothing."""
        found = re.fullmatch(r".*\((\W*)(\w+)\)", self.id)
        return found.group(2) if found else ""

    def tests(self):
        """The names Suite.Case of a `test:` row."""
        return TEST.findall(self.cover)

    def members(self):
        """The C++ names given in the fourth column; an operator's name may hold a space."""
        return [name for name in re.split(r"[,\s]+(?=weft::)", self.member.strip()) if name]


def read(path):
    """Returns the rows of the list and what is wrong with its form."""
    rows, problems, module = [], [], ""
    lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    if not lines or lines[0].split("\t") != HEADER:
        problems.append(Problem(1, "the first line must be the header: " + ", ".join(HEADER)))
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("#"):
            module = line[1:].strip()
            if module not in MODULES:
                problems.append(Problem(number, f"'{module}' is not a module"))
            continue
        if not line.strip():
            problems.append(Problem(number, "an empty line"))
            continue
        columns = line.split("\t")
        if not 2 <= len(columns) <= len(HEADER) or not columns[0].strip():
            problems.append(Problem(number, f"{len(columns)} columns; a row is an id, a cover, "
                                            "and perhaps a note and a member"))
            continue
        if not module:
            problems.append(Problem(number, f"{columns[0]}: no line '# module' before it"))
        rows.append(Row(number, module, *(column.strip() for column in columns)))
    return rows, problems
