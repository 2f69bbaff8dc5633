"""When an alert fires."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.alert import AlertRule, Kind, Measure, Side, Window, window_number, window_start
from kiosque.core.errors import InvalidInput
from kiosque.pipeline.alert_decision import Verdict, compare_volume, first_needed, read
from kiosque.store.figures import Bucket, Counts

START = date(1860, 1, 1)
SPIKE = AlertRule("a", Measure.VOLUME, Kind.SPIKE, Side.ABOVE, 4.0, Window.DAY)
MANY = AlertRule("a", Measure.VOLUME, Kind.THRESHOLD, Side.ABOVE, 10.0, Window.DAY)
LATER = date(1861, 1, 1)


def days(counts, articles=100):
    """One bucket a day; a number is that many neutral mentions."""
    made = [each if isinstance(each, Counts) else Counts(neutral=each) for each in counts]
    at = [START + timedelta(days=place) for place in range(len(made))]
    return [Bucket(day, day, each, articles) for day, each in zip(at, made, strict=True)]


def verdicts(rule, counts, today=LATER, **more):
    return [reading.verdict for reading in read(rule, days(counts), today=today, since=START, **more)]


def test_a_threshold_fires_on_its_side_of_the_limit():
    assert verdicts(MANY, [9, 10, 11]) == [Verdict.QUIET, Verdict.FIRES, Verdict.FIRES]
    few = replace(MANY, side=Side.BELOW, limit=3)
    assert verdicts(few, [4, 3, 0]) == [Verdict.QUIET, Verdict.FIRES, Verdict.FIRES]


def test_a_volume_that_falls_is_judged_when_the_window_is_over():
    few = replace(MANY, side=Side.BELOW, limit=3)
    assert verdicts(few, [0, 0], today=START + timedelta(days=1)) == [Verdict.FIRES, Verdict.OPEN]


def test_a_rise_fires_while_the_window_is_under_way():
    assert verdicts(MANY, [12], today=START) == [Verdict.FIRES]


def test_too_few_articles_say_nothing():
    badly = AlertRule("a", Measure.NEGATIVE_SHARE, Kind.THRESHOLD, Side.ABOVE, 0.5, min_articles=5)
    assert verdicts(badly, [Counts(negative=4), Counts(negative=5), Counts(unscored=9)]) == [
        Verdict.THIN,
        Verdict.FIRES,
        Verdict.THIN,
    ]


def test_after_one_that_fires_the_cool_down_is_silent():
    rule = replace(MANY, cool_down=2)
    assert verdicts(rule, [12] * 5) == [
        Verdict.FIRES,
        Verdict.SILENT,
        Verdict.SILENT,
        Verdict.FIRES,
        Verdict.SILENT,
    ]
    assert verdicts(rule, [12], last_fired=START - timedelta(days=2)) == [Verdict.SILENT]
    assert verdicts(rule, [12], last_fired=START - timedelta(days=3)) == [Verdict.FIRES]


def test_the_same_window_does_not_fire_again():
    assert verdicts(MANY, [12], last_fired=START) == [Verdict.SILENT]


def test_a_spike_needs_history_and_then_is_seen():
    assert verdicts(SPIKE, [3, 2, 4, 3, 2, 3, 4, 30])[-1] is Verdict.YOUNG
    assert verdicts(SPIKE, [3, 2, 4, 3, 2, 3, 4, 3, 30])[-1] is Verdict.FIRES


def test_an_earlier_storm_does_not_hide_the_next_one():
    calm = [3, 2, 4, 3, 2, 3, 4, 3, 2, 3]
    assert verdicts(SPIKE, [*calm, 200, 300, *calm, 30])[-1] is Verdict.FIRES


def test_a_turn_of_tone_is_a_spike():
    usual = [Counts(3, 10, 5), Counts(2, 11, 4), Counts(4, 9, 4)] * 6
    turn = AlertRule("a", Measure.NET, Kind.SPIKE, Side.BELOW, 4.0)
    assert verdicts(turn, [*usual, Counts(20, 2, 0)])[-1] is Verdict.FIRES
    assert verdicts(turn, [*usual, Counts(3, 10, 4)])[-1] is Verdict.QUIET
    badly = AlertRule("a", Measure.NEGATIVE_SHARE, Kind.SPIKE, Side.ABOVE, 4.0)
    assert verdicts(badly, [*usual, Counts(20, 2, 0)])[-1] is Verdict.FIRES


counts = st.builds(Counts, *(st.integers(0, 40) for _ in range(4)))


@given(
    st.lists(counts, max_size=40),
    st.sampled_from(Measure),
    st.sampled_from(Kind),
    st.sampled_from(Side),
    st.integers(0, 5),
)
def test_any_counts_are_judged_and_no_two_firings_are_too_near(found, measure, kind, side, cool_down):
    limit = 4.0 if kind is Kind.SPIKE else 0.5
    rule = AlertRule("a", measure, kind, side, limit, Window.DAY, 3, cool_down)
    readings = read(rule, days(found), today=LATER, since=START)
    assert len(readings) == len(found)
    fired = [window_number(Window.DAY, each.start) for each in readings if each.verdict is Verdict.FIRES]
    assert all(later - earlier > cool_down for earlier, later in pairwise(fired))


@given(st.sampled_from(Window), st.dates(date(2, 1, 1), date(9998, 1, 1)))
def test_windows_are_counted_through(window, day):
    number = window_number(window, day)
    start = window_start(window, number)
    assert window_number(window, start) == number
    assert start <= day < window_start(window, number + 1)
    assert first_needed(window, day) <= start


@pytest.mark.parametrize(
    ("measure", "kind", "limit"),
    [
        (Measure.VOLUME, Kind.SPIKE, 1.9),
        (Measure.NET, Kind.THRESHOLD, 1.1),
        (Measure.NEGATIVE_SHARE, Kind.THRESHOLD, -0.1),
        (Measure.VOLUME, Kind.THRESHOLD, float("nan")),
        (Measure.VOLUME, Kind.THRESHOLD, float("inf")),
    ],
)
def test_a_limit_that_is_never_reached_is_refused(measure, kind, limit):
    with pytest.raises(InvalidInput):
        AlertRule("a", measure, kind, Side.ABOVE, limit)


def _poisson(rng, mean):
    limit, number, product = exp(-mean), 0, rng.random()
    while product >= limit:
        number, product = number + 1, product * rng.random()
    return number


@pytest.mark.parametrize("mean", [2, 10])
def test_quiet_news_hardly_ever_fire(mean):
    """Counts whose mean itself varies by half from day to day, as the docs say: fewer than one day in a hundred."""
    rng = random.Random(1860)
    hits = 0
    for _ in range(1000):
        bursty = [_poisson(rng, rng.gammavariate(1 / 0.3, mean * 0.3)) for _ in range(57)]
        hits += (compare_volume(bursty[-1], bursty[:-1])[1] or 0) >= 4
    assert hits < 10
