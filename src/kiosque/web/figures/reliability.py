"""A reliability diagram: how often answers of a stated probability are right.

A dot is a bin of answers: at its mean stated probability to the right, at the share of right ones upwards, its area
their number, a line its 95 % interval. On the diagonal the model is as sure as it may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup

from kiosque.core.drift import wilson
from kiosque.web.figures.svg import Scale, element, figure
from kiosque.web.language import gettext
from kiosque.web.wording import decimal, percent, thousands

SIZE = 360.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 26.0, 40.0
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
SMALLEST, LARGEST = 2.5, 9.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same stated probability."""

    confidence: float
    """Mean of what was stated, 0 to 1."""
    accuracy: float
    """Share of right ones, 0 to 1."""
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(round(self.accuracy * self.n), self.n)


def reliability(bins: Sequence[Bin], *, name: str) -> Markup:
    """The diagram of one test set; nothing without answers."""
    known = [each for each in bins if each.n]
    if not known:
        return Markup("")
    x = Scale(0, 1, LEFT, SIZE - RIGHT)
    y = Scale(0, 1, SIZE - BOTTOM, TOP)
    most = max(each.n for each in known)
    parts = [*_axes(x, y), *(part for each in known for part in _dot(each, x, y, most))]
    words = "; ".join(
        gettext(
            "stated %(stated)s, right %(right)s of %(n)s",
            stated=percent(each.confidence),
            right=percent(each.accuracy),
            n=thousands(each.n),
        )
        for each in known
    )
    title = gettext("Stated probability and share of right answers on %(set)s", set=name)
    return figure(SIZE, SIZE, title, words, parts, kind="reliability")


def _axes(x: Scale, y: Scale) -> Iterator[Markup]:
    for step in STEPS:
        yield element("line", class_="grid", x1=x(step), x2=x(step), y1=y(0), y2=y(1))
        yield element("line", class_="grid", x1=x(0), x2=x(1), y1=y(step), y2=y(step))
        words = percent(step)
        yield element("text", words, class_="tick", x=x(step), y=y(0) + 16, text_anchor="middle")
        yield element("text", words, class_="tick", x=LEFT - 6, y=y(step) + 4, text_anchor="end")
    yield element("line", class_="mark", x1=x(0), x2=x(1), y1=y(0), y2=y(1))
    yield element("text", gettext("right"), class_="caption", x=0, y=TOP - 10)
    yield element(
        "text", gettext("stated probability"), class_="caption", x=x(1), y=SIZE - 4, text_anchor="end"
    )


def _dot(each: Bin, x: Scale, y: Scale, most: int) -> Iterator[Markup]:
    low, high = each.interval
    yield element("line", class_="axis", x1=x(each.confidence), x2=x(each.confidence), y1=y(low), y2=y(high))
    words = gettext(
        "stated %(stated)s, right %(right)s (95 %% interval %(low)s to %(high)s) of %(n)s answers",
        stated=decimal(each.confidence),
        right=decimal(each.accuracy),
        low=decimal(low),
        high=decimal(high),
        n=thousands(each.n),
    )
    radius = SMALLEST + (LARGEST - SMALLEST) * sqrt(each.n / most)
    yield element(
        "circle",
        element("title", words),
        class_="dot",
        cx=x(each.confidence),
        cy=y(each.accuracy),
        r=radius,
    )
