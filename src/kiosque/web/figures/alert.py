"""A rule over time: the measure window by window, its limit, what was to be expected, and where it fires."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from markupsafe import Markup

from kiosque.core.alert import AlertRule, Kind, Measure
from kiosque.pipeline.alert_decision import Reading, Verdict
from kiosque.web.figures.svg import Point, Scale, element, figure, path
from kiosque.web.language import gettext, ngettext
from kiosque.web.wording import day, decimal, percent, signed, thousands

WIDTH, HEIGHT = 720.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 12.0, 18.0, 160.0
GAP = 3
"""Windows without articles after which the line is broken."""


def alert_chart(rule: AlertRule, readings: Sequence[Reading], *, name: str) -> Markup:
    """The chart of `readings`, oldest first; a sentence where there is nothing to draw."""
    known = [reading for reading in readings if reading.value is not None]
    if not known:
        return Markup('<p class="empty">{}</p>').format(gettext("Nothing to draw: no article in these days."))
    x = Scale(known[0].start.toordinal(), known[-1].end.toordinal() + 1, LEFT, WIDTH - RIGHT)
    y = _scale(rule, known)
    fired = sum(reading.verdict is Verdict.FIRES for reading in readings)
    words = ngettext(
        "%(first)s to %(last)s; the rule fires %(n)s time.",
        "%(first)s to %(last)s; the rule fires %(n)s times.",
        fired,
        n=thousands(fired),
        first=day(known[0].start),
        last=day(known[-1].end),
    )
    parts = [
        *_axis(rule, y),
        *_expected(known, x, y),
        *_line(known, x, y),
        *_dots(rule, known, x, y),
        *_days(known),
    ]
    return figure(
        WIDTH, HEIGHT, gettext("%(name)s as the rule sees it", name=name), words, parts, kind="alert"
    )


def value_words(measure: Measure, value: float | None) -> str:
    """A value of the measure as the pages write it."""
    if value is None:
        return "–"
    if measure is Measure.NET:
        return signed(value)
    if measure is Measure.NEGATIVE_SHARE:
        return percent(value)
    return thousands(int(value)) if value == int(value) else decimal(value, 1)


def _scale(rule: AlertRule, known: Sequence[Reading]) -> Scale:
    if rule.measure is Measure.NET:
        return Scale(-1.0, 1.0, BOTTOM, TOP)
    if rule.measure is Measure.NEGATIVE_SHARE:
        return Scale(0.0, 1.0, BOTTOM, TOP)
    most = max(reading.value or 0.0 for reading in known)
    limit = rule.limit if rule.kind is Kind.THRESHOLD else 0.0
    return Scale(0.0, max(most, limit, 1.0), BOTTOM, TOP)


def _axis(rule: AlertRule, y: Scale) -> Iterator[Markup]:
    for value in (y.low, y.high):
        yield element(
            "text",
            value_words(rule.measure, value),
            class_="tick",
            x=LEFT - 6,
            y=y(value) + 4,
            text_anchor="end",
        )
    zero = y(max(y.low, 0.0))
    yield element("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=zero, y2=zero)
    if rule.kind is Kind.THRESHOLD:
        at = y(rule.limit)
        yield element("line", class_="mark", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at)
        yield element("text", gettext("limit"), class_="mark", x=WIDTH - RIGHT, y=at - 4, text_anchor="end")


def _expected(known: Sequence[Reading], x: Scale, y: Scale) -> Iterator[Markup]:
    points = [(_middle(each, x), y(each.expected)) for each in known if each.expected is not None]
    if len(points) > 1:
        yield element("path", class_="expected", d=path(points))


def _line(known: Sequence[Reading], x: Scale, y: Scale) -> Iterator[Markup]:
    for run in _runs(known):
        points: list[Point] = [(_middle(each, x), y(each.value or 0.0)) for each in run]
        if len(points) > 1:
            yield element("path", class_="line", d=path(points))
        else:
            yield element("circle", class_="dot", cx=points[0][0], cy=points[0][1], r=1.5)


def _runs(known: Sequence[Reading]) -> list[list[Reading]]:
    """What belongs together: a longer stretch without articles is left open."""
    runs = [[known[0]]]
    for before, now in pairwise(known):
        width = (before.end - before.start).days + 1
        if (now.start - before.end).days > GAP * width:
            runs.append([])
        runs[-1].append(now)
    return runs


def _dots(rule: AlertRule, known: Sequence[Reading], x: Scale, y: Scale) -> Iterator[Markup]:
    for each in known:
        if each.verdict not in (Verdict.FIRES, Verdict.SILENT):
            continue
        words = f"{day(each.start)}: {value_words(rule.measure, each.value)}"
        kind = "fires" if each.verdict is Verdict.FIRES else "silent"
        yield element(
            "circle",
            element("title", words),
            class_=f"dot {kind}",
            cx=_middle(each, x),
            cy=y(each.value or 0.0),
            r=4.5,
        )


def _days(known: Sequence[Reading]) -> Iterator[Markup]:
    first, last = known[0].start, known[-1].end
    yield element("text", day(first), class_="tick", x=LEFT, y=BOTTOM + 20)
    yield element("text", day(last), class_="tick", x=WIDTH - RIGHT, y=BOTTOM + 20, text_anchor="end")


def _middle(reading: Reading, x: Scale) -> float:
    return x((reading.start.toordinal() + reading.end.toordinal() + 1) / 2)
