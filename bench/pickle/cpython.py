"""CPython's own pickle in the rows of pickle_bench.cpp.

    cpython.py

Reads lines "ROW COUNT", makes the row's call so often, and answers each with an empty line.
"""

import array
import pickle
import sys


class Small:
    def __init__(self, number, real, text, values):
        self.number, self.real, self.text, self.values = number, real, text, values


def value_of(row):
    if row.startswith("small_struct"):
        return Small(42, 2.5, "hello world", array.array("i", [1, 2, 3, 4]))
    if row.startswith("doubles"):
        return array.array("d", (float(i) for i in range(100_000)))
    return {f"key number {i}": f"value number {i}" for i in range(100_000)}


def main():
    known = {}
    for line in sys.stdin:
        row, count = line.split()
        if row not in known:
            value = value_of(row)
            known[row] = value, pickle.dumps(value, 5)
        value, wire = known[row]
        if row.endswith("dump"):
            for _ in range(int(count)):
                pickle.dumps(value, 5)
        else:
            for _ in range(int(count)):
                pickle.loads(wire)
        print(flush=True)


if __name__ == "__main__":
    main()
