"""A copy of the source tree that may be broken and built at will, and what CMake knows about it."""

import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess

_MEMORY_LIMIT = 8 << 30      # a mutant that fills its memory must not take the machine with it


class BuildFailed(Exception):
    """The unchanged tree could not be configured or built; holds the end of the output."""


def sources_of(root):
    """The files of the tree, relative to it: what git tracks or would track, else everything."""
    listing = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                             capture_output=True, text=True, check=False)
    if listing.returncode == 0:
        names = [pathlib.Path(name) for name in listing.stdout.split("\0") if name]
    else:
        names = [path.relative_to(root) for path in sorted(root.rglob("*"))]
        names = [path for path in names if path.parts[0] not in ("build", ".git")]
    return [name for name in names if (root / name).is_file()]


def _limits():
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_group(command, timeout, folder, limited=False):
    """Runs a command in a process group of its own.

    Returns its status, or None if it did not end in `timeout` seconds, and its output. The whole
    group is killed either way, so that no child outlives a broken mutant.
    """
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace",
                          start_new_session=True,
                          preexec_fn=_limits if limited else None) as child:
        status = None
        try:
            output = child.communicate(timeout=timeout)[0]
            status = child.returncode
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"").decode(errors="replace")
        finally:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass                  # the usual case: nobody is left
        return status, output


class WorkCopy:
    """The copied tree below one folder, configured with CMake and Ninja."""

    def __init__(self, root, folder, jobs, cmake_arguments=()):
        self.root = root
        self.tree = folder / "tree"
        self.build_folder = folder / "build"
        self.jobs = jobs
        self.cmake_arguments = list(cmake_arguments)
        self.targets = {}

    def update(self):
        """Makes the copy equal to the tree; files that are equal already keep their time."""
        wanted = sources_of(self.root)
        for name in wanted:
            self.put(name, (self.root / name).read_bytes())
            shutil.copymode(self.root / name, self.tree / name)
        for path in sorted(self.tree.rglob("*"), reverse=True):
            if path.is_file() and path.relative_to(self.tree) not in set(wanted):
                path.unlink()

    def put(self, name, content):
        """Writes one file of the copy, unless it holds this already."""
        path = self.tree / name
        if path.is_file() and path.read_bytes() == content:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def configure(self):
        """Runs CMake, and learns from it which target builds which source into which program."""
        query = self.build_folder / ".cmake/api/v1/query/codemodel-v2"
        query.parent.mkdir(parents=True, exist_ok=True)
        query.touch()
        # PRE_TEST: a build that ran a broken test program to ask for its tests might hang.
        command = ["cmake", "-G", "Ninja", "-S", self.tree, "-B", self.build_folder,
                   "-DCMAKE_BUILD_TYPE=Debug", "-DWEFT_WERROR=OFF", "-DWEFT_BUILD_TESTS=ON",
                   "-DCMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE=PRE_TEST"]
        command += [f"-DWEFT_BUILD_{part}=OFF"
                    for part in ("TOOLS", "EXAMPLES", "FUZZERS", "BENCHMARKS")]
        status, output = run_group(command + self.cmake_arguments, 600, self.tree)
        if status != 0:
            raise BuildFailed(output[-4000:])
        self._read_targets()

    def _read_targets(self):
        """Maps each source, relative to the tree, to the (target, program) that hold it."""
        reply = self.build_folder / ".cmake/api/v1/reply"
        index = max(reply.glob("index-*.json"), key=lambda path: path.name)
        answers = json.loads(index.read_text())["reply"]
        model = json.loads((reply / answers["codemodel-v2"]["jsonFile"]).read_text())
        self.targets = {}
        for entry in model["configurations"][0]["targets"]:
            target = json.loads((reply / entry["jsonFile"]).read_text())
            if target["type"] != "EXECUTABLE":
                continue
            program = self.build_folder / target["artifacts"][0]["path"]
            for source in target.get("sources", []):
                self.targets.setdefault(source["path"], []).append((target["name"], program))

    def build(self, target):
        """Builds one target; returns whether it was built, and the output."""
        status, output = run_group(["cmake", "--build", self.build_folder, "--target", target,
                                    "--parallel", str(self.jobs)], 3600, self.tree)
        return status == 0, output
