#!/usr/bin/env python3
"""Checks that the code in the pages is the code of the compiled examples.

In a Markdown file, the line `<!-- example: NAME -->` is followed by a C++ block that must be
examples/NAME.cpp, without the comment at its top. With --write the blocks are made so.
"""

import pathlib
import re
import sys

MARK = re.compile(r"(<!-- example: (\w+) -->\n)(?:\n?```cpp\n.*?```\n)?", re.DOTALL)


def example_text(root, name):
    lines = (root / "examples" / f"{name}.cpp").read_text().splitlines()
    while lines and (lines[0].startswith("//") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines) + "\n"


def with_examples(root, text):
    return MARK.sub(lambda m: f"{m[1]}\n```cpp\n{example_text(root, m[2])}```\n", text)


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    stale = []
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        text = page.read_text()
        wanted = with_examples(root, text)
        if text == wanted:
            continue
        if "--write" in sys.argv:
            page.write_text(wanted)
        else:
            stale.append(str(page.relative_to(root)))
    for page in stale:
        print(f"{page}: its code is not that of the example; run tests/house/snippets.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
