"""One election campaign: a lane for each candidate, weeks before the vote from left to right.

A dot is a week, or a month, in which articles name the candidate: its area their number, its height and colour their
net polarity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from markupsafe import Markup

from kiosque.web.figures.hues import Hue
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.svg import Scale, circle, element, figure, nothing
from kiosque.web.language import current, gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import signed, thousands

WIDTH = 640.0
HEAD, BODY, APART = 24.0, 32.0, 6.0
"""Of a lane: its line of words, which a small screen writes larger, and the room of its dots."""
LANE, BOTTOM = HEAD + BODY + APART, 24.0
SMALLEST, LARGEST = 2.0, 9.0
STEPS = (52, 39, 26, 13, 0)


@dataclass(frozen=True, slots=True)
class Dot:
    """`before`: weeks before the vote, 0 for the week that ends on election day; for a month its middle.

    `words` say when it is. Without any the dot says nothing, as among many, where the numbers stand in a table.
    """

    before: float
    tone: Tone
    words: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One candidate."""

    name: str
    party: str
    winner: bool
    dots: tuple[Dot, ...]
    tone: Tone
    hue: Hue | None = None
    """The candidate's colour on every page: a mark beside the name."""


def campaign(lanes: Sequence[Lane], *, title: str, weeks: int = 52) -> Markup:
    """The chart of one campaign.

    What was drawn is kept and is drawn again as soon as a number of it is another: campaigns of long ago do not
    change, and a page can have all of them.
    """
    return _drawn(tuple(lanes), title, weeks, current().code)


@lru_cache(maxsize=256)
def _drawn(lanes: tuple[Lane, ...], title: str, weeks: int, language: str) -> Markup:  # noqa: ARG001 - of its words
    if not any(lane.tone.total for lane in lanes):
        return nothing(gettext("No article of these months names a candidate."))
    height = LANE * len(lanes) + BOTTOM
    x = Scale(weeks, 0, LARGEST, WIDTH - LARGEST)
    most = max((dot.tone.total for lane in lanes for dot in lane.dots), default=1) or 1
    parts: list[Markup] = [*_axis(x, height, weeks)]
    for place, lane in enumerate(lanes):
        parts += _lane(lane, LANE * place, x, most)
    words = "; ".join(f"{lane.name}: {_said(lane.tone)}" for lane in lanes)
    return figure(WIDTH, height, title, words, parts, kind="campaign")


def _axis(x: Scale, height: float, weeks: int) -> Iterator[Markup]:
    for step in STEPS:
        if step <= weeks:
            yield element("line", class_="grid", x1=x(step), x2=x(step), y1=HEAD, y2=height - BOTTOM)
            words = ngettext("%(num)s week", "%(num)s weeks", step) if step else gettext("vote")
            place, anchor = (0.0, "start") if step == weeks else (x(step), "middle")
            if not step:
                place, anchor = WIDTH, "end"
            yield element("text", words, class_="tick", x=place, y=height - 6, text_anchor=anchor)


def _said(tone: Tone) -> str:
    return ngettext(
        "%(n)s article, net %(net)s",
        "%(n)s articles, net %(net)s",
        tone.total,
        n=thousands(tone.total),
        net=signed(tone.net),
    )


def _lane(lane: Lane, top: float, x: Scale, most: int) -> Iterator[Markup]:
    """Who it is and the sum of all at the left and right of one line, the dots below."""
    floor = top + HEAD + BODY
    y = Scale(-1, 1, floor - 4, top + HEAD + 4)
    yield element("line", class_="lane", x1=0, x2=WIDTH, y1=y(0), y2=y(0))
    weight = "name winner" if lane.winner else "name"
    words, left = top + HEAD - 8, 0
    if lane.hue is not None:
        yield element("rect", class_=f"swatch {lane.hue.classes}", x=0, y=words - 10, width=10, height=10)
        left = 18
    party = gettext("%(party)s, won", party=term(lane.party)) if lane.winner else term(lane.party)
    yield element("text", lane.name, _beside(party), class_=weight, x=left, y=words)
    number = ngettext("%(n)s article", "%(n)s articles", lane.tone.total, n=thousands(lane.tone.total))
    net = signed(lane.tone.net)
    yield element("text", net, _beside(number), class_=weight, x=WIDTH, y=words, text_anchor="end")
    for dot in sorted(lane.dots, key=lambda dot: -dot.tone.total):
        if dot.tone.net is not None:
            yield _dot(dot, dot.tone.net, x(dot.before), y(dot.tone.net), most)


def _beside(words: str) -> Markup:
    return element("tspan", words, class_="tick", dx=8)


def _dot(dot: Dot, net: float, x: float, y: float, most: int) -> Markup:
    side = "positive" if net > 0 else "negative" if net < 0 else "neutral"
    radius = SMALLEST + (LARGEST - SMALLEST) * sqrt(dot.tone.total / most)
    said = gettext("%(when)s: %(said)s", when=dot.words, said=_said(dot.tone)) if dot.words else ""
    return circle(x, y, radius, f"dot {side}", said)
