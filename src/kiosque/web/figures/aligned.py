"""People of different times over one another: weeks before a day of their own on the axis.

Above the share of all articles of the same weeks that name each, below how they are spoken of. Where there is no
article at all the line is broken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from kiosque.web.figures.comparison import (
    NET_BOTTOM,
    NET_TOP,
    VOICE_BOTTOM,
    VOICE_TOP,
    height,
    labels,
    panel,
)
from kiosque.web.figures.frame import WIDE_WITH_NAMES, Frame
from kiosque.web.figures.hues import Hue
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.svg import Scale, circle, element, figure, nothing, path, told
from kiosque.web.figures.timeline import DOT
from kiosque.web.language import gettext, ngettext
from kiosque.web.wording import percent, signed, thousands


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some weeks, which begin `first` and end `last` weeks before the day: `first` is the larger number."""

    first: int
    last: int
    tone: Tone
    articles: int

    @property
    def middle(self) -> float:
        return (self.first + self.last) / 2

    @property
    def share(self) -> float:
        return self.tone.total / self.articles if self.articles else 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """One entity before one day; `stretches` oldest first, those without any article left out."""

    name: str
    hue: Hue
    stretches: tuple[Stretch, ...]
    strong: bool = False
    """Drawn with a bold name: the one who won."""


def aligned(lines: Sequence[Line], *, weeks: int, title: str, frame: Frame = WIDE_WITH_NAMES) -> Markup:
    """The chart; `weeks` is how long the axis is."""
    if not any(stretch.tone.total for line in lines for stretch in line.stretches):
        return nothing(gettext("Nothing to draw: no article in these weeks names any of them."))
    x = Scale(weeks, 0, frame.left, frame.width - frame.right)
    most = max((s.share for line in lines for s in line.stretches), default=0.0) or 1.0
    voice, net = Scale(0, most, VOICE_BOTTOM, VOICE_TOP), Scale(-1, 1, NET_BOTTOM, NET_TOP)
    parts = [
        *_weeks(x, weeks, min(8, frame.ticks)),
        *panel(gettext("share of all articles"), x, voice, ((0.0, "0"), (most, percent(most)))),
        *panel(gettext("net polarity"), x, net, ((1.0, "+1"), (0.0, "0"), (-1.0, "−1"))),
    ]
    for line in lines:
        parts += _drawn(line, x, voice, net)
    ends = [
        (voice(line.stretches[-1].share), line.name, line.hue, line.strong)
        for line in lines
        if line.stretches
    ]
    parts += labels(ends, frame)
    words = "; ".join(f"{line.name}: {_counted(line)}" for line in lines)
    return figure(frame.width, height(frame, ends), title, words, parts, kind=frame.kind("comparison"))


def _counted(line: Line) -> str:
    total = sum(stretch.tone.total for stretch in line.stretches)
    return ngettext("%(n)s article", "%(n)s articles", total, n=thousands(total))


def _weeks(x: Scale, weeks: int, most: int) -> Iterator[Markup]:
    step = next(s for s in (1, 2, 4, 13, 26, 52) if weeks / s <= most)
    for number in range(0, weeks + 1, step):
        place = x(number)
        yield element("line", class_="grid", x1=place, x2=place, y1=VOICE_TOP, y2=NET_BOTTOM)
        words = ngettext("%(num)s week", "%(num)s weeks", number) if number else gettext("the day")
        yield element("text", words, class_="tick", x=place, y=NET_BOTTOM + 18, text_anchor="middle")


def _drawn(line: Line, x: Scale, voice: Scale, net: Scale) -> Iterator[Markup]:
    named = [s for s in line.stretches if s.tone.net is not None]
    for run in _runs(line.stretches):
        shares = [(x(s.middle), voice(s.share)) for s in run]
        tones = [(x(s.middle), net(s.tone.net)) for s in run if s.tone.net is not None]
        for points in (shares, tones):
            if len(points) > 1:
                yield element("path", class_=f"line {line.hue.classes}", d=path(points))
    for stretch in named:
        words = ngettext(
            "%(name)s, %(first)s to %(last)s weeks before: %(n)s of %(all)s article, net %(net)s",
            "%(name)s, %(first)s to %(last)s weeks before: %(n)s of %(all)s articles, net %(net)s",
            stretch.articles,
            name=line.name,
            first=stretch.first,
            last=stretch.last,
            n=thousands(stretch.tone.total),
            all=thousands(stretch.articles),
            net=signed(stretch.tone.net),
        )
        places = (voice(stretch.share), net(stretch.tone.net or 0.0))
        dots = (circle(x(stretch.middle), y, DOT, f"dot {line.hue.classes}") for y in places)
        yield told(words, dots)


def _runs(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """What follows on one another without a gap."""
    number, previous = 0, None
    numbered = []
    for stretch in stretches:
        if previous is not None and previous.last != stretch.first:
            number += 1
        previous = stretch
        numbered.append((number, stretch))
    for _, group in groupby(numbered, key=lambda pair: pair[0]):
        yield [stretch for _, stretch in group]
