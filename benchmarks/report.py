"""What was measured as tables and pictures: into docs/performance.md between its marks, and docs/images.

A cell holds the median with the smallest and the largest of the rounds, and how many times better Kiosque is
(above 1: faster, smaller). The pictures are drawn by matplotlib in the bench's own environment.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from itertools import groupby
from statistics import median

from benchmarks.harness import CHECKOUT, KIOSQUE, Case, Goal, Measured, Results, say
from benchmarks.peers import HERE, PeerMissing, python_of

PAGE = CHECKOUT / "docs" / "performance.md"
IMAGES = CHECKOUT / "docs" / "images"
BEGIN, END = "<!-- benchmarks {} -->", "<!-- end of benchmarks {} -->"


def write(results: Results) -> None:
    """Put the tables of every measure between its marks in docs/performance.md; draw the pictures that it shows.

    What `results` has no measure of stays as it is on the page.
    """
    page = PAGE.read_text(encoding="utf-8")
    page = _between(page, "goals", goals(results) + _other_goals(page, results))
    for name, found in results.measures.items():
        page = _between(page, name, tables(found))
    PAGE.write_text(page, encoding="utf-8")
    shown = [name for name in results.measures if f"bench-{name}.png" in page]
    if not shown:
        return
    try:
        command = [python_of("plots"), HERE / "workers" / "plot.py", results.path, IMAGES, *shown]
        subprocess.run([str(part) for part in command], check=True)
    except PeerMissing as error:
        say(f"no pictures: {error}")


def _between(page: str, name: str, text: str) -> str:
    begin, end = BEGIN.format(name), END.format(name)
    before, found, rest = page.partition(begin)
    if not found:
        say(f"docs/performance.md has no place for {name}: add {begin} and {end}")
        return page
    return f"{before}{begin}\n\n{text}\n{end}{rest.partition(end)[2]}"


def everything(results: Results) -> str:
    """All tables, for reading in a terminal."""
    return "\n".join(
        [goals(results), *(f"## {name}\n\n{tables(found)}" for name, found in results.measures.items())]
    )


def tables(found: Measured) -> str:
    """One table a unit, then what is missing and why."""
    parts = [_table(unit, list(cases)) for unit, cases in groupby(found.cases, key=lambda case: case.unit)]
    parts += [f"Not measured: {side}: {reason}\n" for side, reason in found.missing.items()]
    parts += [f"{note}\n" for note in found.notes]
    return "\n".join(parts)


def _table(unit: str, cases: list[Case]) -> str:
    sides = list(dict.fromkeys(side for case in cases for side in case.values))
    better = "more is better" if cases[0].more_is_better else "less is better"
    lines = [_row([f"{unit} ({better})", *sides]), _row(["---", *["--:" for _ in sides]])]
    lines += [_row([case.name, *(_cell(case, side) for side in sides)]) for case in cases]
    return "\n".join(lines) + "\n"


def _cell(case: Case, side: str) -> str:
    values = case.values.get(side)
    if not values:
        return "–"
    spread = f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else ""
    ratio = None if side == KIOSQUE else case.ratio(side)
    return f"{number(median(values))}{spread}" + (f" **{number(ratio[0])} ×**" if ratio else "")


def goals(results: Results) -> str:
    """Every goal, what came out, and whether that is enough."""
    lines = [_row(["goal", "measured", "met"]), _row(["---", "--:", "---"])]
    lines += [_goal(goal) for found in results.measures.values() for goal in found.goals]
    return "\n".join(lines) + "\n"


def _other_goals(page: str, results: Results) -> str:
    """The rows of `page` on measures that `results` lacks."""
    begin, end = BEGIN.format("goals"), END.format("goals")
    rows = page.partition(begin)[2].partition(end)[0].strip().splitlines()[2:]
    known = tuple(f"| {name}{mark}" for name in results.measures for mark in ":,")
    return "".join(f"{row}\n" for row in rows if not row.startswith(known))


def _goal(goal: Goal) -> str:
    got = "not measured" if goal.got is None else number(goal.got)
    verdict = {True: "yes", False: "**no**", None: "–"}[goal.met]
    return _row([goal.text, got, verdict])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def number(value: float) -> str:
    """Three digits that count, and commas in what is large."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    digits = max(0, 2 - len(str(int(abs(value)))) + 1) if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"
