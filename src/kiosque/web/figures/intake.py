"""What came in: a column for each stretch of time, its sources upon one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from kiosque.web.figures.svg import Scale, element, figure, nothing
from kiosque.web.language import gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import day, thousands

WIDTH, HEIGHT = 640.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 8.0, 12.0, 30.0
LAYERS = 4
"""Sources that have a shade of their own; all others share the last."""


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch of time: the articles of each layer, as many numbers as there are layers."""

    start: date
    end: date
    numbers: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.numbers)


def intake(columns: Sequence[Column], names: Sequence[str], *, unit: str) -> Markup:
    """`names` are those of the layers, the largest first. Where there is no column nothing came in."""
    if not columns:
        return nothing(gettext("Nothing came in in these days."))
    x = Scale(columns[0].start.toordinal(), columns[-1].end.toordinal() + 1, LEFT, WIDTH - RIGHT)
    most = max(column.total for column in columns)
    y = Scale(0, most, HEIGHT - BOTTOM, TOP)
    parts = [*_axes(columns, y, most)]
    for column in columns:
        parts += _column(column, names, x, y)
    total = sum(column.total for column in columns)
    words = ngettext(
        "%(n)s article by %(width)s, %(first)s to %(last)s",
        "%(n)s articles by %(width)s, %(first)s to %(last)s",
        total,
        n=thousands(total),
        width=term(unit),
        first=day(columns[0].start),
        last=day(columns[-1].end),
    )
    return figure(WIDTH, HEIGHT, gettext("What came in"), words, parts, kind="intake")


def _axes(columns: Sequence[Column], y: Scale, most: int) -> Iterator[Markup]:
    yield element("text", thousands(most), class_="tick", x=LEFT - 6, y=TOP + 4, text_anchor="end")
    yield element("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=TOP, y2=TOP)
    yield element("line", class_="axis", x1=LEFT, x2=WIDTH - RIGHT, y1=y(0), y2=y(0))
    edges = ((columns[0].start, LEFT, "start"), (columns[-1].end, WIDTH - RIGHT, "end"))
    for moment, place, anchor in edges:
        yield element("text", day(moment), class_="tick", x=place, y=HEIGHT - 10, text_anchor=anchor)


def _column(column: Column, names: Sequence[str], x: Scale, y: Scale) -> Iterator[Markup]:
    left, right = x(column.start.toordinal()), x(column.end.toordinal() + 1)
    gap = min(1.0, (right - left) / 4)
    floor = y(0)
    for layer, (name, number) in enumerate(zip(names, column.numbers, strict=True), start=1):
        if not number:
            continue
        height = y(0) - y(number)
        floor -= height
        words = ngettext(
            "%(first)s – %(last)s, %(source)s: %(n)s article",
            "%(first)s – %(last)s, %(source)s: %(n)s articles",
            number,
            first=day(column.start),
            last=day(column.end),
            source=name,
            n=thousands(number),
        )
        yield element(
            "rect",
            element("title", words),
            class_=f"layer-{layer}",
            x=left,
            y=floor,
            width=max(right - left - gap, 0.5),
            height=height,
        )
