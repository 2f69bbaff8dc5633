"""When an alert fires: a pure function of counts by window. No clock, no database.

A threshold compares the measure with the rule's limit. A spike asks how many standard deviations the window lies from
the entity's own history: the windows with articles just before it, at least `LEAST_HISTORY` of them.

*Volume.* Counts are transformed by 2·√(x + 3/8), after which a Poisson count has a variance of 1 whatever its mean
(Anscombe 1948). The score is the distance from the median of the history, in units of its spread, 1.4826 times the
median absolute deviation and never less than that 1: so news that come in bursts are measured by their own bursts,
and one earlier spike moves neither the median nor the spread.

*Share.* The mean m of the scored articles (negative 1, else 0; or -1, 0, 1) is compared with the pooled mean m₀ of
the history. One article varies by v, estimated from the history with one article of each polarity added, so that m
varies by φ·v·(1/n + 1/N), where n and N are the numbers of articles now and in the history, and φ ≥ 1 says how much
more the windows of the history varied among themselves than n alone explains (the squared robust spread of their
standardised residuals, as in a beta-binomial model). Windows of the history that were themselves out of line are left
out of m₀.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import sqrt
from statistics import median

from kiosque.core.alert import AlertRule, Kind, Measure, Side, Window, window_number, window_start
from kiosque.store.figures import Bucket, Counts

HISTORY = {Window.DAY: 56, Window.WEEK: 52, Window.MONTH: 36}
"""Windows that a spike is compared with, at most; older ones than twice as far back are no history of this one."""
LEAST_HISTORY = 8
MAD_TO_SD = 1.4826
"""What turns the median absolute deviation of a normal distribution into its standard deviation."""
OUT_OF_LINE = 3.0
"""Robust standard deviations from which a window of the history is left out of its mean."""


class Verdict(StrEnum):
    """What a rule says of one window."""

    QUIET = "quiet"
    FIRES = "fires"
    SILENT = "silent"
    """It would fire, but for the cool-down."""
    THIN = "thin"
    """Too few articles to say anything."""
    YOUNG = "young"
    """Too little history to compare with."""
    OPEN = "open"
    """Not over yet, and only a whole window can have too few articles."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One window as a rule sees it. `articles` is the denominator of `value`."""

    start: date
    end: date
    value: float | None
    articles: int
    verdict: Verdict
    expected: float | None = None
    score: float | None = None


def read(
    rule: AlertRule,
    buckets: Sequence[Bucket],
    *,
    today: date,
    since: date,
    last_fired: date | None = None,
) -> tuple[Reading, ...]:
    """Every window that begins on or after `since`, oldest first, with what the rule says of it.

    `buckets` are windows of the rule's kind, oldest first, with those before `since` as history; a stretch without
    any article in the store is missing there. `last_fired` is the first day of the last window that fired before.
    """
    last = None if last_fired is None else window_number(rule.window, last_fired)
    readings = []
    for place, bucket in enumerate(buckets):
        if bucket.start < since:
            continue
        reading = _judge(rule, bucket, _history(rule.window, buckets, place), today)
        number = window_number(rule.window, bucket.start)
        if reading.verdict is Verdict.FIRES:
            if last is not None and number - last <= rule.cool_down:
                reading = replace(reading, verdict=Verdict.SILENT)
            else:
                last = number
        readings.append(reading)
    return tuple(readings)


def first_needed(window: Window, since: date) -> date:
    """From which day on `read` wants to know what there was."""
    return window_start(window, window_number(window, since) - 2 * HISTORY[window])


def _history(window: Window, buckets: Sequence[Bucket], place: int) -> Sequence[Bucket]:
    before = buckets[max(0, place - HISTORY[window]) : place]
    oldest = window_number(window, buckets[place].start) - 2 * HISTORY[window]
    return [bucket for bucket in before if window_number(window, bucket.start) >= oldest]


def _judge(rule: AlertRule, bucket: Bucket, history: Sequence[Bucket], today: date) -> Reading:
    value = _value(rule.measure, bucket.counts)
    articles = bucket.articles if rule.measure is Measure.VOLUME else bucket.counts.scored
    expected, score = _compared(rule, bucket, history)
    verdict = _verdict(rule, bucket, value, score, ended=bucket.end < today)
    return Reading(bucket.start, bucket.end, value, articles, verdict, expected, score)


def _verdict(
    rule: AlertRule, bucket: Bucket, value: float | None, score: float | None, *, ended: bool
) -> Verdict:
    falls = rule.measure is Measure.VOLUME and rule.side is Side.BELOW
    if falls and not ended:
        return Verdict.OPEN
    if value is None or (not falls and _enough(rule.measure, bucket.counts) < rule.min_articles):
        return Verdict.THIN
    compared = value if rule.kind is Kind.THRESHOLD else score
    if compared is None:
        return Verdict.YOUNG
    beyond = _is_beyond(rule, compared)
    return Verdict.FIRES if beyond else Verdict.QUIET


def _is_beyond(rule: AlertRule, compared: float) -> bool:
    if rule.side is Side.ABOVE:
        return compared >= rule.limit
    return compared <= (-rule.limit if rule.kind is Kind.SPIKE else rule.limit)


def _enough(measure: Measure, counts: Counts) -> int:
    """What `min_articles` is asked of."""
    return counts.total if measure is Measure.VOLUME else counts.scored


def _value(measure: Measure, counts: Counts) -> float | None:
    if measure is Measure.VOLUME:
        return float(counts.total)
    return counts.net if measure is Measure.NET else counts.share(counts.negative)


def _compared(
    rule: AlertRule, bucket: Bucket, history: Sequence[Bucket]
) -> tuple[float | None, float | None]:
    """What was to be expected, and how many standard deviations away from it the window lies."""
    if rule.kind is Kind.THRESHOLD:
        return None, None
    if rule.measure is Measure.VOLUME:
        return compare_volume(bucket.counts.total, [each.counts.total for each in history])
    now = _Sample.of(rule.measure, bucket.counts)
    return _compare_share(
        now, [_Sample.of(rule.measure, each.counts) for each in history if each.counts.scored]
    )


def compare_volume(count: int, history: Sequence[int]) -> tuple[float | None, float | None]:
    """(expected count, score) of a count; (None, None) without enough history."""
    if len(history) < LEAST_HISTORY:
        return None, None
    steady = [_stabilised(each) for each in history]
    middle = median(steady)
    score = (_stabilised(count) - middle) / max(1.0, _spread(steady, middle))
    return max(0.0, (middle / 2) ** 2 - 3 / 8), score


def _stabilised(count: int) -> float:
    return 2 * sqrt(count + 3 / 8)


def _spread(values: Sequence[float], middle: float) -> float:
    return MAD_TO_SD * median(abs(value - middle) for value in values)


@dataclass(frozen=True, slots=True)
class _Sample:
    """`n` scored articles: the sum of what each counts, and of its square; with one of each polarity for `prior`."""

    n: int
    total: int
    square: int
    prior: tuple[int, int, int]

    @classmethod
    def of(cls, measure: Measure, counts: Counts) -> _Sample:
        if measure is Measure.NET:
            prior = (3, 0, 2)
            return cls(
                counts.scored, counts.positive - counts.negative, counts.positive + counts.negative, prior
            )
        return cls(counts.scored, counts.negative, counts.negative, (2, 1, 1))

    @property
    def mean(self) -> float:
        return self.total / self.n


def _compare_share(now: _Sample, history: Sequence[_Sample]) -> tuple[float | None, float | None]:
    if len(history) < LEAST_HISTORY or not now.n:
        return None, None
    pooled = _pooled(history)
    in_line = _in_line(history, pooled)
    pooled = _pooled(in_line)
    variance = _variance(pooled)
    residuals = _residuals(in_line, pooled.mean, variance)
    excess = max(1.0, _spread(residuals, median(residuals)) ** 2)
    error = sqrt(excess * variance * (1 / now.n + 1 / pooled.n))
    return pooled.mean, (now.mean - pooled.mean) / error


def _pooled(samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        sum(each.n for each in samples),
        sum(each.total for each in samples),
        sum(each.square for each in samples),
        samples[0].prior,
    )


def _variance(pooled: _Sample) -> float:
    """Of one article; above zero, for the prior has one of each polarity."""
    n, total, square = pooled.prior
    size = pooled.n + n
    return (pooled.square + square) / size - ((pooled.total + total) / size) ** 2


def _residuals(samples: Sequence[_Sample], mean: float, variance: float) -> list[float]:
    return [(each.mean - mean) * sqrt(each.n / variance) for each in samples]


def _in_line(samples: Sequence[_Sample], pooled: _Sample) -> Sequence[_Sample]:
    residuals = _residuals(samples, pooled.mean, _variance(pooled))
    middle = median(residuals)
    reach = OUT_OF_LINE * max(1.0, _spread(residuals, middle))
    return [s for s, residual in zip(samples, residuals, strict=True) if abs(residual - middle) <= reach]
