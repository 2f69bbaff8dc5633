"""What came in: a column for each stretch of time, its sources upon one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from kiosque.web.figures.svg import Scale, element, figure, nothing, rect, told
from kiosque.web.language import gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import day, thousands

WIDTH, HEIGHT = 640.0, 188.0
TOP, BOTTOM = 30.0, 40.0
"""Room for a line of text that a small screen writes larger."""
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
    x = Scale(columns[0].start.toordinal(), columns[-1].end.toordinal() + 1, 0, WIDTH)
    most = max(column.total for column in columns)
    y = Scale(0, most, HEIGHT - BOTTOM, TOP)
    parts = [*_axes(columns, y, most)]
    parts += (_column(column, names, x, y) for column in columns)
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
    # upon its line, where a number of any length has room
    yield element("text", thousands(most), class_="tick", x=0, y=TOP - 7)
    yield element("line", class_="grid", x1=0, x2=WIDTH, y1=TOP, y2=TOP)
    yield element("line", class_="axis", x1=0, x2=WIDTH, y1=y(0), y2=y(0))
    edges = ((columns[0].start, 0, "start"), (columns[-1].end, WIDTH, "end"))
    for moment, place, anchor in edges:
        yield element("text", day(moment), class_="tick", x=place, y=HEIGHT - 8, text_anchor=anchor)


def _column(column: Column, names: Sequence[str], x: Scale, y: Scale) -> Markup:
    left, right = x(column.start.toordinal()), x(column.end.toordinal() + 1)
    width = max(right - left - min(1.0, (right - left) / 4), 0.5)
    ground = floor = y(0)
    bars, numbers = [], []
    for layer, (name, number) in enumerate(zip(names, column.numbers, strict=True), start=1):
        if number:
            height = ground - y(number)
            floor -= height
            bars.append(rect(f"layer-{layer}", left, floor, width, height))
            numbers.append(f"{name} {thousands(number)}")
    words = gettext(
        "%(first)s – %(last)s: %(numbers)s",
        first=day(column.start),
        last=day(column.end),
        numbers=", ".join(numbers),
    )
    return told(words, bars)
