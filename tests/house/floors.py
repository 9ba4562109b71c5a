"""Keeps the house in order: who may include whom, who may call the system, what the build lists.

    floors.py [root]

Prints each problem as `path:line: what is wrong` and exits with 1 if there was one. The rules are the
tables below; floors_selftest.py proves that each of them can fail.
"""

import pathlib
import posixpath
import re
import sys
from typing import Iterator, NamedTuple

# Room, floor, and its files: names under include/weft and src alike, without extension; "a/" is a
# folder, "a*" whatever begins so. The longest fitting name wins. A file uses its own floor and those below.
ROOMS = (
    ("language", 0, "detail/annotations detail/atomic detail/config version"),
    ("os", 0, "os/"),
    ("ground", 0, "timeout errors manual_clock keyboard_interrupt resume_on unraisable warnings detail/ runtime/"),
    ("_thread", 1, "_thread _thread/"),
    ("callable", 1, "bind_front detail/callable*"),
    ("pickle", 1, "pickle pickle/"),
    ("threading", 2, "threading threading/"),
    ("queue", 2, "queue queue/"),
    ("sched", 2, "sched sched/"),
    ("contextvars", 2, "contextvars contextvars/"),
    ("dummy_threading", 2, "dummy_threading dummy_threading/ _dummy_thread"),
    ("coroutines", 3, "coroutines coroutines/"),
    ("futures", 3, "concurrent/futures/ detail/future* detail/map_job detail/task_context detail/task_observer"),
    ("subprocess", 3, "subprocess subprocess/"),
    ("progress", 3, "progress progress/"),
    ("trace", 3, "trace trace/"),
    ("timeline", 3, "timeline timeline/"),
    ("interpreters", 4, "concurrent/interpreters concurrent/interpreters/"),
    ("multiprocessing", 4, "multiprocessing/"),
    ("managers", 5, "multiprocessing/managers multiprocessing/managers/"),
    ("pool", 5, "multiprocessing/pool multiprocessing/pool/"),
    ("multiprocessing.dummy", 5, "multiprocessing/dummy multiprocessing/dummy/"),
    ("multiprocessing, whole", 5, "multiprocessing"),
    ("process pool", 5, "concurrent/futures/process*"),
    ("interpreter pool", 5, "concurrent/futures/interpreter*"),
    ("MPI pool", 5, "concurrent/futures/mpi*"),
    ("futures, whole", 5, "concurrent/futures"),
    ("umbrella", 6, "weft"),
)
# Folders at the root that are rooms of their own.
FOLDERS = {"tools": 6, "examples": 6, "tests": 7, "bench": 7, "fuzz": 7}
CODE_FOLDERS = ("include", "src", *FOLDERS)

# Here only C++'s own headers, Weft's and the listed packages may be included: everything else is
# taken for a header of the operating system, and those belong to src/os.
NO_SYSTEM_CALLS = ("include", "src", "tools", "examples")
SYSTEM_CALLS_ALLOWED = "src/os/"
# A tool asks for what the library does not offer (yet).
SYSTEM_HEADERS_ELSEWHERE = {
    ("tools/weft/progress_bar.cpp", "unistd.h"),  # isatty
    *(("tools/weft/map_system.cpp", name) for name in (
        "fcntl.h", "poll.h", "sys/epoll.h", "sys/resource.h", "sys/stat.h", "unistd.h")),
}
# What a public header takes from a package, for those alone who include it.
PACKAGE_HEADERS = {("include/weft/pickle/detail/compound.hpp", "boost/pfr/core.hpp"),
                   ("include/weft/pickle/detail/compound.hpp", "boost/pfr/tuple_size.hpp")}
# fmt itself is compiled by one source, and seen by the others through one header.
PACKAGE_HEADERS |= {("src/detail/fmt.hpp", "fmt/format.h"), ("src/detail/fmt.cpp", "fmt/format-inl.h")}
PACKAGES = {"src": (), "tools": ("fmt/", "CLI/"), "include": (), "examples": ("boost/asio",)}
STANDARD_HEADERS = frozenset(
    """algorithm any array atomic barrier bit bitset charconv chrono codecvt compare complex concepts
    condition_variable coroutine deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list
    locale map memory memory_resource mutex new numbers numeric optional ostream queue random ranges
    ratio regex scoped_allocator semaphore set shared_mutex source_location span sstream stack
    stdexcept stop_token streambuf string string_view strstream syncstream system_error thread tuple
    type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector version
    cassert cctype cerrno cfenv cfloat cinttypes climits clocale cmath csetjmp csignal cstdarg cstddef
    cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype cxxabi.h""".split())

# A model build puts its own atomic in place of std::atomic (include/weft/detail/atomic.hpp).
SEAMS = {("include/weft/detail/atomic.hpp", "model/atomic.hpp")}

MAX_LINES = 600
COUNTED_ENDINGS = {".cpp", ".hpp", ".py", ".sh", ".cmake", ".in", ".txt"}
SKIPPED_FOLDERS = {"build", ".git", ".cache", "__pycache__"}


class Problem(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool


class Place(NamedTuple):
    room: str
    floor: int


def strip_comments(text: str) -> str:
    """C++ text without comments, with its lines where they were."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", "", m[0]), text,
                  flags=re.S)


def includes_of(text: str) -> list[Include]:
    found = []
    for number, line in enumerate(strip_comments(text).splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', line)
        if match:
            found.append(Include(number, match[1] or match[2], match[2] is not None))
    return found


def place_of(path: str) -> Place | None:
    """The room a file belongs to, or None when no table names it."""
    top, _, rest = path.partition("/")
    if top in FOLDERS:
        return Place(top, FOLDERS[top])
    if top == "include":
        rest = rest.removeprefix("weft/")
    name = re.sub(r"\.[a-z]+$", "", rest)
    best: tuple[int, Place | None] = (0, None)
    for room, floor, entries in ROOMS:
        for entry in entries.split():
            prefix = entry.endswith(("/", "*"))
            fits = name.startswith(entry.rstrip("*")) if prefix else name == entry
            if fits and len(entry) > best[0]:
                best = (len(entry), Place(room, floor))
    return best[1]


class House:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.texts = {path: (root / path).read_text(encoding="utf-8", errors="replace")
                      for path in sorted(self._files())}
        self.code = [path for path in self.texts
                     if path.endswith((".cpp", ".hpp")) and path.split("/")[0] in CODE_FOLDERS]
        self.includes = {path: includes_of(self.texts[path]) for path in self.code}

    def _files(self) -> Iterator[str]:
        for path in self.root.rglob("*"):
            relative = path.relative_to(self.root)
            if not SKIPPED_FOLDERS.intersection(relative.parts) and path.is_file():
                if path.suffix in COUNTED_ENDINGS or relative.as_posix() == "dev":
                    yield relative.as_posix()

    def problem(self, path: str, line: int, text: str) -> None:
        self.problems.append(Problem(path, line, text))

    def resolve(self, path: str, include: Include) -> str | None:
        """The file of this tree that an include means, or None for one from elsewhere."""
        folder, top = path.rpartition("/")[0], path.split("/")[0]
        candidates = [f"include/{include.name}"]
        if include.quoted:
            candidates = [f"{folder}/{include.name}", f"src/{include.name}", f"{top}/{include.name}",
                          f"{top}/support/{include.name}", *candidates]
        candidates = [posixpath.normpath(candidate) for candidate in candidates]
        return next((c for c in candidates if c in self.texts), None)

    def check(self) -> list[Problem]:
        self.check_floors_and_circles()
        self.check_system_headers()
        self.check_build_lists()
        self.check_form()
        self.check_umbrella()
        return sorted(self.problems)

    def check_floors_and_circles(self) -> None:
        files: dict[str, dict[str, int]] = {path: {} for path in self.code}
        rooms: dict[str, dict[str, tuple[str, int, str]]] = {}
        for path in self.code:
            place = place_of(path)
            if place is None:
                self.problem(path, 1, "belongs to no room: give it a line in ROOMS of floors.py")
                continue
            for include in self.includes[path]:
                target = self.resolve(path, include)
                if target is None:
                    self._check_unresolved(path, include)
                    continue
                files[path].setdefault(target, include.line)
                self._check_door(path, include, target)
                other = place_of(target)
                if other is None:
                    continue
                if other.floor > place.floor:
                    self.problem(path, include.line, f"floor {place.floor} ({place.room}) includes "
                                 f"{target} of floor {other.floor} ({other.room}) above it")
                if other.room != place.room:
                    rooms.setdefault(place.room, {}).setdefault(
                        other.room, (path, include.line, target))
        circle = find_circle({path: list(targets) for path, targets in files.items()})
        if circle:
            self.problem(circle[0], files[circle[0]][circle[1]],
                         "files include each other in a circle: " + " -> ".join(circle))
        circle = find_circle({room: list(targets) for room, targets in rooms.items()})
        if circle:
            path, line, target = rooms[circle[0]][circle[1]]
            self.problem(path, line, "rooms include each other in a circle: " + " -> ".join(circle) +
                         f" (here through {target})")

    def _check_unresolved(self, path: str, include: Include) -> None:
        if include.name.startswith("weft/") or include.quoted:
            if (path, include.name) not in SEAMS:
                self.problem(path, include.line, f"includes {include.name}, which does not exist")

    def _check_door(self, path: str, include: Include, target: str) -> None:
        """Who may look into whose folder, whatever the floor."""
        top, target_top = path.split("/")[0], target.split("/")[0]
        if top == "include" and (include.quoted or target_top != "include"):
            self.problem(path, include.line, f"an installed header includes {include.name} otherwise "
                         "than as <weft/...>")
        if top in ("tools", "examples"):
            if target_top == "src" or target.startswith("include/weft/detail/"):
                self.problem(path, include.line, f"{top} uses {target}: only the public face is for it")
        if top == "src" and target_top not in ("src", "include"):
            self.problem(path, include.line, f"the library includes {target}")

    def check_system_headers(self) -> None:
        for path in self.code:
            top = path.split("/")[0]
            if top not in NO_SYSTEM_CALLS or path.startswith(SYSTEM_CALLS_ALLOWED):
                continue
            for include in self.includes[path]:
                name = include.name
                if include.quoted or name.startswith("weft/") or name in STANDARD_HEADERS:
                    continue
                if (path, name) in SYSTEM_HEADERS_ELSEWHERE | PACKAGE_HEADERS:
                    continue
                if not name.startswith(PACKAGES[top]):
                    self.problem(path, include.line, f"includes <{name}>: only src/os calls the system, "
                                 "and packages are for the files that floors.py names")

    def check_build_lists(self) -> None:
        listed: set[str] = set()
        for path, text in self.texts.items():
            if not (path.endswith("CMakeLists.txt") or path.endswith(".cmake")):
                continue
            folder = path.rpartition("/")[0]
            bare = re.sub(r"#[^\n]*", "", text)
            for number, line in enumerate(bare.splitlines(), 1):
                lists_sources = path.endswith("CMakeLists.txt") or path.startswith("cmake/")
                if lists_sources and re.search(r"\bGLOB(_RECURSE)?\b", line):
                    self.problem(path, number, "globs: write the files out")
            for token in re.split(r'[\s()";]+', bare):
                token = re.sub(r"^\$\{CMAKE_CURRENT_SOURCE_DIR\}/", "", token)
                if token.startswith("${PROJECT_SOURCE_DIR}/"):
                    listed.add(token.removeprefix("${PROJECT_SOURCE_DIR}/"))
                elif path.endswith("CMakeLists.txt"):
                    listed.add(posixpath.normpath(posixpath.join(folder, token)))
            for name in re.findall(r"\bweft_add_example\(\s*(\w+)", bare):
                listed.add(f"{folder}/{name}.cpp")
        for path in self.code:
            if path not in listed:
                self.problem(path, 1, "is listed in no CMakeLists.txt")

    def check_form(self) -> None:
        for path, text in self.texts.items():
            lines = text.count("\n")
            if lines > MAX_LINES:
                self.problem(path, lines, f"has {lines} lines, more than {MAX_LINES}: split it")
            if path in self.includes and path.endswith(".hpp"):
                if not re.search(r"^#pragma once$", strip_comments(text), re.M):
                    self.problem(path, 1, "is a header without #pragma once")

    def check_umbrella(self) -> None:
        umbrella = "include/weft/weft.hpp"
        if umbrella not in self.texts:
            return
        seen, todo = set(), [umbrella]
        while todo:
            path = todo.pop()
            if path not in seen:
                seen.add(path)
                todo += filter(None, (self.resolve(path, i) for i in self.includes.get(path, [])))
        for path in self.code:
            if path.startswith("include/") and "/detail/" not in path and path not in seen:
                self.problem(umbrella, 1, f"does not bring in {path}")


def find_circle(graph: dict[str, list[str]]) -> list[str]:
    """The first circle of a graph as [a, b, ..., a], or []."""
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str]:
        if node in trail:
            return trail[trail.index(node):] + [node]
        if node in done:
            return []
        for target in sorted(graph.get(node, [])):
            circle = walk(target, trail + [node])
            if circle:
                return circle
        done.add(node)
        return []

    for start in sorted(graph):
        circle = walk(start, [])
        if circle:
            return circle
    return []


def main(arguments: list[str]) -> int:
    default = pathlib.Path(__file__).resolve().parents[2]
    house = House(pathlib.Path(arguments[0]).resolve() if arguments else default)
    problems = house.check()
    for problem in problems:
        print(problem)
    print(f"{len(house.code)} files of code, {len(problems)} problems")
    return 1 if problems or not house.code else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
