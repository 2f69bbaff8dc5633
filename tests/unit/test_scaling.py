"""The sizes on the page about scaling follow from what was measured, and the costs from the sizes."""

from __future__ import annotations

import math
import re

import pytest

from kiosque.testing.paths import CHECKOUT

PAGE = (CHECKOUT / "docs/scaling.md").read_text(encoding="utf-8")
UNITS = {"GB": 1, "TB": 1000, "cores": 1, "": 1}


def rows(heading: str) -> list[list[float]]:
    """The numbers of the table whose first column is `heading`, a row an entry; a dash is nothing."""
    table = PAGE.split(f"| {heading} |")[1]
    body = re.findall(r"^\| (\d[\d ]*\|.*)\|$", table.split("\n\n")[0], re.MULTILINE)
    return [[number(cell) for cell in line.split("|")] for line in body]


def number(cell: str) -> float:
    found = re.fullmatch(r"([\d ]+(?:\.\d+)?) ?(GB|TB|cores|)", cell.strip())
    return float(found[1].replace(" ", "")) * UNITS[found[2]] if found else 0.0


SIZES = rows("articles a day | average a second")
COSTS = rows("articles a day | cores")


def measured(what: str) -> float:
    return float(re.findall(rf"^\| {what}.*\| ([\d.]+) \w+ \|$", PAGE, re.MULTILINE)[0])


def test_sizes_follow_from_what_one_article_takes() -> None:
    scoring, database = measured("processor time of predict"), measured("processor time of the database")
    stored = measured("rows of article")
    assert len(SIZES) == 4
    for articles, rate, predict, processor, storage, broker in SIZES:
        a_second = articles / 86_400
        assert rate == pytest.approx(a_second, rel=0.2)
        assert predict == pytest.approx(a_second * scoring / 1000, rel=0.2)
        assert processor == pytest.approx(a_second * database / 1000, rel=0.2, abs=0.001)
        assert storage == pytest.approx(articles * 365 * stored * 1000 / 1e9, rel=0.05)
        assert broker == pytest.approx(articles * 30 * 1000 / 1e9, rel=0.05)


def test_costs_follow_from_sizes() -> None:
    core, gigabyte = (
        float(re.findall(rf"^- `{letter}`, .*: ([\d.]+)$", PAGE, re.MULTILINE)[0]) for letter in "CG"
    )
    assert len(COSTS) == len(SIZES)
    for (articles, cores, held, _, price), (same, _, predict, processor, storage, broker) in zip(
        COSTS, SIZES, strict=True
    ):
        assert articles == same
        assert cores == max(2, math.ceil(10 * (predict + processor)))
        assert held == pytest.approx(storage + broker, rel=0.02)
        assert price == pytest.approx(cores * core + held * gigabyte, abs=1)
