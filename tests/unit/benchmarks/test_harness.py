"""The benchmarks' own arithmetic: turns, ratios, goals, results that are gone on with, tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import report
from benchmarks.harness import KIOSQUE, Bench, Case, Goal, Measured, Results, rotated


def test_every_round_begins_with_the_next_side() -> None:
    asked: list[str] = []

    def side(name: str) -> float:
        asked.append(name)
        return 1.0

    Bench(quick=True).compare("c", "u", {name: lambda name=name: side(name) for name in "abc"}, rounds=3)  # type: ignore[misc]
    assert "".join(asked) == "abcbcacab"


def test_ratios_are_taken_within_each_round() -> None:
    case = Case("c", "items/s", {KIOSQUE: [10, 100, 1000], "peer": [5, 25, 500]})
    assert case.ratio("peer") == (2, 2, 4)


def test_where_less_is_better_a_ratio_above_one_still_means_better() -> None:
    case = Case("c", "ms", {KIOSQUE: [2.0], "peer": [8.0]}, more_is_better=False)
    assert case.ratio("peer") == (4, 4, 4)


@pytest.mark.parametrize(
    "values", [{KIOSQUE: [1.0]}, {KIOSQUE: [], "peer": [1.0]}, {KIOSQUE: [1.0], "peer": [0.0]}]
)
def test_without_numbers_of_both_there_is_no_ratio(values: dict[str, list[float]]) -> None:
    assert Case("c", "u", values).ratio("peer") is None


def test_a_side_that_fails_is_missing_with_its_reason_and_the_others_go_on() -> None:
    def fails() -> float:
        raise RuntimeError("some trace\nno such library")

    bench = Bench(quick=True)
    case = bench.compare("c", "u", {KIOSQUE: lambda: 1.0, "peer": fails}, rounds=2)
    assert case.values == {KIOSQUE: [1.0, 1.0]}
    assert bench.found.missing == {"peer (c)": "no such library"}


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("g", 5, 5.0), True),
        (Goal("g", 5, 4.9), False),
        (Goal("g", 100, 90.0, at_least=False), True),
        (Goal("g", 100, 110.0, at_least=False), False),
        (Goal("g", 5, None), None),
    ],
)
def test_goals(goal: Goal, met: bool | None) -> None:
    assert goal.met is met


def test_a_broken_off_run_finds_what_is_done(tmp_path: Path) -> None:
    found = Measured(
        1.5, [Case("c", "u", {KIOSQUE: [1.0]}, x=10)], [Goal("g", 1, 2.0)], {"p": "why"}, ["note"]
    )
    Results(tmp_path / "r.json").add("scoring", found)
    assert Results(tmp_path / "r.json").measures == {"scoring": found}


def test_rotation_of_nothing() -> None:
    assert rotated([], 3) == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.0123, "0.012"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346")],
)
def test_numbers_have_three_digits_that_count(value: float, shown: str) -> None:
    assert report.number(value) == shown


def test_a_table_says_median_spread_and_ratio_and_what_is_missing() -> None:
    case = Case("one by one", "items/s", {KIOSQUE: [9.0, 10.0, 11.0], "peer": [5.0, 5.0, 5.0]})
    text = report.tables(Measured(cases=[case], missing={"spaCy": "no wheel"}))
    assert "| items/s (more is better) | Kiosque | peer |" in text
    assert "| one by one | 10.0 (9.00–11.0) | 5.00 (5.00–5.00) **2.00 ×** |" in text
    assert "Not measured: spaCy: no wheel" in text


def test_goals_say_whether_they_were_met(tmp_path: Path) -> None:
    results = Results(tmp_path / "r.json")
    results.add(
        "scoring", Measured(goals=[Goal("fast", 5, 6.0), Goal("faster", 5, 4.0), Goal("unknown", 5, None)])
    )
    assert report.goals(results).splitlines()[2:] == [
        "| fast | 6.00 | yes |",
        "| faster | 4.00 | **no** |",
        "| unknown | not measured | – |",
    ]


def test_a_run_of_some_measures_leaves_the_page_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "performance.md"
    marks = [report.BEGIN.format("goals"), report.END.format("goals")]
    rows = [
        "| goal | measured | met |",
        "| --- | --: | --- |",
        "| scoring, old | 1.00 | yes |",
        "| books: b | 2.00 | yes |",
    ]
    page.write_text("\n".join([marks[0], "", *rows, "", marks[1], "and more"]), encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    results = Results(tmp_path / "r.json")
    results.add("scoring", Measured(goals=[Goal("scoring, new", 5, 6.0)]))
    report.write(results)
    assert page.read_text(encoding="utf-8").splitlines()[4:] == [
        "| scoring, new | 6.00 | yes |",
        "| books: b | 2.00 | yes |",
        "",
        marks[1],
        "and more",
    ]
