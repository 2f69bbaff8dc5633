"""Draw a results file: `plot.py RESULTS.json FOLDER MEASURE...` writes bench-<measure>.png for each of them.

Cases that grow with a size are lines over it; all others are bars of how many times better Kiosque is. One picture
shows the first unit of a measure.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

COLOURS = ("#1f5fa8", "#e07b00", "#6b7280", "#7c4dbd", "#2f8f83", "#9a6b3f")
Case = dict[str, Any]


def main() -> None:
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for name in sys.argv[3:]:
        found = results["measures"][name]
        cases = [case for case in found["cases"] if case["unit"] == found["cases"][0]["unit"]]
        draw = lines if all(case["x"] is not None for case in cases) else bars
        figure = draw(cases)
        if figure is None:
            continue
        path = Path(sys.argv[2]) / f"bench-{name}.png"
        figure.savefig(path, dpi=110, bbox_inches="tight", metadata={"Software": None})
        plt.close(figure)


def lines(cases: list[Case]) -> Any:
    """Every side over the size, the smallest and the largest round as a band."""
    figure, axes = plt.subplots(figsize=(7, 4))
    sides = list(dict.fromkeys(side for case in cases for side in case["values"]))
    for side, colour in zip(sides, COLOURS, strict=False):
        points = [(case["x"], case["values"][side]) for case in cases if case["values"].get(side)]
        sizes, values = [x for x, _ in points], [v for _, v in points]
        axes.plot(sizes, [median(v) for v in values], marker="o", label=side, color=colour)
        axes.fill_between(sizes, [min(v) for v in values], [max(v) for v in values], color=colour, alpha=0.2)
    axes.set(xscale="log", yscale="log", ylabel=cases[0]["unit"])
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def bars(cases: list[Case]) -> Any:
    """For each case and other side how many times better Kiosque is, on a logarithmic scale around 1."""
    rows = [(f"{case['name']}, {side}", ratio(case, side), side) for case in cases for side in case["values"]]
    rows = [row for row in rows if row[1] is not None]
    if not rows:
        return None
    sides = list(dict.fromkeys(side for _, _, side in rows))
    figure, axes = plt.subplots(figsize=(7, 0.8 + 0.26 * len(rows)))
    colours = [COLOURS[sides.index(side) % len(COLOURS)] for _, _, side in rows]
    axes.barh([r[0] for r in rows], [r[1] - 1 for r in rows], left=1, color=colours)
    axes.axvline(1, color="#111827", linewidth=1)
    axes.set(xscale="log", xlabel="times better: Kiosque ÷ the other (right of 1: Kiosque)")
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure


def ratio(case: Case, side: str) -> float | None:
    own, other = case["values"].get("Kiosque"), case["values"].get(side)
    if side == "Kiosque" or not own or not other:
        return None
    pairs = zip(own, other, strict=False)
    return median(k / o if case["more_is_better"] else o / k for k, o in pairs)


if __name__ == "__main__":
    main()
