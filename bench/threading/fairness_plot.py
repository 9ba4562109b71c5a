#!/usr/bin/env python3
"""Draws the table that fairness_bench writes: for each contender, how long its waits were.

    build/bench/bench/fairness_bench | bench/threading/fairness_plot.py > docs/plots/longest_wait.svg
"""

import math
import sys

ROW_HEIGHT = 34
LEFT, RIGHT, TOP, BOTTOM = 230, 40, 64, 52
WIDTH = 860
OURS, OTHERS, GRID, TEXT = "#b3392f", "#3a5f8a", "#dddddd", "#333333"
MARKS = [("50 %", 3), ("99 %", 4), ("99.9 %", 5), ("99.99 %", 6), ("longest", 8)]


def read_table(lines):
    rows = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 7 and cells[1].isdigit():
            rows.append((cells[0], [float(cell) for cell in cells[2:]]))
    return rows


def label_of(microseconds):
    for unit, size in (("s", 1e6), ("ms", 1e3), ("µs", 1)):
        if microseconds >= size:
            return f"{microseconds / size:g} {unit}"
    return f"{microseconds * 1e3:g} ns"


def draw(rows):
    values = [value for _, waits in rows for value in waits if value > 0]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    height = TOP + ROW_HEIGHT * len(rows) + BOTTOM

    def x_of(value):
        part = (math.log10(max(value, 10.0**low)) - low) / (high - low)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" fill="{TEXT}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">How long a thread waits for what four threads want '
        "all the time</text>",
    ]
    x = LEFT
    for name, radius in MARKS:
        out.append(f'<circle cx="{x + 8}" cy="42" r="{radius}" fill="{TEXT}"/>')
        out.append(f'<text x="{x + 20}" y="46.5">{name}</text>')
        x += 44 + 8 * len(name)
    bottom = height - BOTTOM
    for power in range(low, high + 1):
        x = x_of(10.0**power)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{GRID}"/>')
        out.append(f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">'
                   f"{label_of(10.0**power)}</text>")
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{bottom + 42}" text-anchor="middle">'
               "wait, on a logarithmic scale; left is better</text>")
    for index, (name, waits) in enumerate(rows):
        y = TOP + ROW_HEIGHT * (index + 0.5)
        colour = OURS if name.startswith("weft") else OTHERS
        out.append(f'<text x="{LEFT - 14}" y="{y + 4.5}" text-anchor="end" fill="{colour}">'
                   f"{name}</text>")
        out.append(f'<line x1="{x_of(waits[0]):.1f}" y1="{y}" x2="{x_of(waits[-1]):.1f}" y2="{y}" '
                   f'stroke="{colour}" stroke-width="2"/>')
        for value, (_, radius) in zip(waits, MARKS):
            out.append(f'<circle cx="{x_of(value):.1f}" cy="{y}" r="{radius}" fill="{colour}"/>')
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    rows = read_table(sys.stdin)
    if not rows:
        print("there is no table of fairness_bench in the input", file=sys.stderr)
        return 1
    sys.stdout.write(draw(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
