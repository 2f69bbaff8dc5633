"""One election campaign: a lane for each candidate, weeks before the vote from left to right.

A dot is a week in which articles name the candidate: its area their number, its height and colour their net polarity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

from markupsafe import Markup

from kiosque.web.figures.hues import Hue
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.svg import Scale, element, figure, nothing
from kiosque.web.language import gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import signed, thousands

WIDTH = 640.0
LABEL, RIGHT = 166.0, 86.0
LANE, TOP, BOTTOM = 44.0, 8.0, 24.0
SMALLEST, LARGEST = 2.0, 9.0
STEPS = (52, 39, 26, 13, 0)


@dataclass(frozen=True, slots=True)
class Week:
    """`before` is the number of weeks before the vote: 0 ends on election day."""

    before: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Lane:
    """One candidate."""

    name: str
    party: str
    winner: bool
    weeks: tuple[Week, ...]
    tone: Tone
    hue: Hue | None = None
    """The candidate's colour on every page: a mark beside the name."""


def campaign(lanes: Sequence[Lane], *, title: str, weeks: int = 52) -> Markup:
    """The chart of one campaign."""
    if not any(lane.tone.total for lane in lanes):
        return nothing(gettext("No article of these months names a candidate."))
    height = TOP + LANE * len(lanes) + BOTTOM
    x = Scale(weeks, 0, LABEL, WIDTH - RIGHT)
    most = max((week.tone.total for lane in lanes for week in lane.weeks), default=1) or 1
    parts: list[Markup] = [*_axis(x, height, weeks)]
    for place, lane in enumerate(lanes):
        parts += _lane(lane, TOP + LANE * place, x, most)
    words = "; ".join(f"{lane.name}: {_said(lane.tone)}" for lane in lanes)
    return figure(WIDTH, height, title, words, parts, kind="campaign")


def _axis(x: Scale, height: float, weeks: int) -> Iterator[Markup]:
    for step in STEPS:
        if step <= weeks:
            yield element("line", class_="grid", x1=x(step), x2=x(step), y1=TOP, y2=height - BOTTOM)
            words = ngettext("%(num)s week", "%(num)s weeks", step) if step else gettext("vote")
            yield element("text", words, class_="tick", x=x(step), y=height - 8, text_anchor="middle")


def _said(tone: Tone) -> str:
    return ngettext(
        "%(n)s article, net %(net)s",
        "%(n)s articles, net %(net)s",
        tone.total,
        n=thousands(tone.total),
        net=signed(tone.net),
    )


def _lane(lane: Lane, top: float, x: Scale, most: int) -> Iterator[Markup]:
    middle = top + LANE / 2
    y = Scale(-1, 1, top + LANE - 6, top + 6)
    yield element("line", class_="lane", x1=x.start, x2=x.end, y1=middle, y2=middle)
    weight = "name winner" if lane.winner else "name"
    if lane.hue is not None:
        yield element("rect", class_=f"swatch {lane.hue.classes}", x=0, y=middle - 11, width=9, height=9)
    yield element("text", lane.name, class_=weight, x=14, y=middle - 1)
    party = gettext("%(party)s, won", party=term(lane.party)) if lane.winner else term(lane.party)
    yield element("text", party, class_="tick", x=14, y=middle + 13)
    for week in sorted(lane.weeks, key=lambda week: -week.tone.total):
        if week.tone.net is not None:
            radius = SMALLEST + (LARGEST - SMALLEST) * sqrt(week.tone.total / most)
            words = ngettext(
                "%(num)s week before: %(said)s",
                "%(num)s weeks before: %(said)s",
                week.before,
                said=_said(week.tone),
            )
            side = "positive" if week.tone.net > 0 else "negative" if week.tone.net < 0 else "neutral"
            yield element(
                "circle",
                element("title", words),
                class_=f"dot {side}",
                cx=x(week.before),
                cy=y(week.tone.net),
                r=radius,
            )
    yield element("text", signed(lane.tone.net), class_=weight, x=x.end + 14, y=middle - 1)
    yield element(
        "text",
        ngettext("%(n)s article", "%(n)s articles", lane.tone.total, n=thousands(lane.tone.total)),
        class_="tick",
        x=x.end + 14,
        y=middle + 13,
    )
