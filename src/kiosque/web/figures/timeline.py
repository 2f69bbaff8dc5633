"""One wide chart: how often someone is named, as an area above the axis, and how they are spoken of, as a line below.

Stretches without data are left open: nothing is drawn where nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from markupsafe import Markup

from kiosque.web.figures.bars import describe
from kiosque.web.figures.frame import WIDE, Frame
from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.svg import Point, Scale, band, circle, element, figure, nothing, path, rect, told
from kiosque.web.language import gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import day, percent, signed, thousands

HEIGHT = 420.0
EDGE = 40.0
"""Labels nearer to the right edge than this end at their line instead of being centred on it."""
VOLUME_TOP, VOLUME_BOTTOM = 34.0, 120.0
SHARE_TOP, SHARE_BOTTOM = 148.0, 218.0
NET_TOP, NET_BOTTOM = 246.0, 390.0
_SHARE, _NET = Scale(0, 1, SHARE_BOTTOM, SHARE_TOP), Scale(-1, 1, NET_BOTTOM, NET_TOP)
KINDS = ("negative", "neutral", "positive")
DOT = 3.0
"""Radius of a point of a line."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of time. `run` numbers what belongs together: a new number after a gap."""

    start: date
    end: date
    tone: Tone
    run: int = 0
    articles: int = 0
    """The denominator: all articles of this stretch, whomever they name."""

    @property
    def middle(self) -> float:
        return (self.start.toordinal() + self.end.toordinal()) / 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that is drawn as a hairline with its name, e.g. an election."""

    day: date
    label: str


def timeline(
    buckets: Sequence[Bucket], marks: Iterable[Mark], *, name: str, unit: str, frame: Frame = WIDE
) -> Markup:
    """The chart of one entity. `unit` names the width of a bucket: day, week, month, …"""
    if not buckets:
        return nothing(gettext("Nothing to draw: no article in these days names them."))
    x = Scale(
        buckets[0].start.toordinal(), buckets[-1].end.toordinal() + 1, frame.left, frame.width - frame.right
    )
    parts = [
        *year_ticks(x, VOLUME_TOP, NET_BOTTOM, frame.ticks),
        *_volume(buckets, x),
        *_share_axis(x),
        *_net(buckets, x),
        *_stretches(buckets, x, frame.narrowest),
        *_marks([mark for mark in marks if buckets[0].start <= mark.day <= buckets[-1].end], x, frame),
    ]
    total = sum(bucket.tone.total for bucket in buckets)
    words = ngettext(
        "%(n)s scored article that names %(name)s, by %(width)s, %(first)s to %(last)s; "
        "their number; how many of them are negative, neutral and positive; the share of positive minus the "
        "share of negative ones with a 95 %% band.",
        "%(n)s scored articles that name %(name)s, by %(width)s, %(first)s to %(last)s; "
        "their number; how many of them are negative, neutral and positive; the share of positive minus the "
        "share of negative ones with a 95 %% band.",
        total,
        n=thousands(total),
        name=name,
        width=term(unit),
        first=day(buckets[0].start),
        last=day(buckets[-1].end),
    )
    title = gettext("%(name)s over time", name=name)
    return figure(frame.width, HEIGHT, title, words, parts, kind=frame.kind("timeline"))


def _runs(buckets: Sequence[Bucket]) -> Iterator[list[Bucket]]:
    for _, group in groupby(buckets, key=lambda bucket: bucket.run):
        yield list(group)


def _volume(buckets: Sequence[Bucket], x: Scale) -> Iterator[Markup]:
    most = max(bucket.tone.total for bucket in buckets) or 1
    y = Scale(0, most, VOLUME_BOTTOM, VOLUME_TOP)
    yield element("text", thousands(most), class_="tick", x=x.start - 6, y=VOLUME_TOP + 4, text_anchor="end")
    yield element("text", gettext("articles"), class_="caption", x=x.start, y=VOLUME_TOP - 18)
    for run in _runs(buckets):
        steps: list[Point] = []
        for bucket in run:
            top = y(bucket.tone.total)
            steps += [(x(bucket.start.toordinal()), top), (x(bucket.end.toordinal() + 1), top)]
        floor = [(steps[0][0], VOLUME_BOTTOM), (steps[-1][0], VOLUME_BOTTOM)]
        yield element("path", class_="area", d=band(steps, floor))
    yield element("line", class_="axis", x1=x.start, x2=x.end, y1=VOLUME_BOTTOM, y2=VOLUME_BOTTOM)


def _share_axis(x: Scale) -> Iterator[Markup]:
    yield element("text", gettext("shares of these articles"), class_="caption", x=x.start, y=SHARE_TOP - 8)
    for value in (0.0, 1.0):
        place = _SHARE(value) + 4
        yield element("text", percent(value), class_="tick", x=x.start - 6, y=place, text_anchor="end")


def _stretches(buckets: Sequence[Bucket], x: Scale, narrowest: float) -> Iterator[Markup]:
    """Each stretch's shares (negative below, positive above, neutral between them: always the whole height) and its
    point on the line of net polarity. What it says in words belongs to both.
    """
    alone = {id(run[0]) for run in map(_named, _runs(buckets)) if len(run) == 1}
    if len(buckets) * narrowest > x.end - x.start:
        yield from _areas(buckets, x)
        yield from (_dot(bucket, x) for bucket in buckets if id(bucket) in alone)
        return
    dotted = not crowded(buckets, x)
    for bucket in _named(buckets):
        words = gettext(
            "%(first)s – %(last)s: %(shares)s; net %(net)s",
            first=day(bucket.start),
            last=day(bucket.end),
            shares=describe(bucket.tone),
            net=signed(bucket.tone.net),
        )
        parts = [*_bars(bucket, x)]
        if dotted or id(bucket) in alone:
            parts.append(_dot(bucket, x))
        yield told(words, parts)


def _dot(bucket: Bucket, x: Scale) -> Markup:
    return circle(x(bucket.middle), _NET(bucket.tone.net or 0.0), DOT, f"dot {_side(bucket.tone)}")


def _areas(buckets: Sequence[Bucket], x: Scale) -> Iterator[Markup]:
    """The same shares where a stretch is too narrow to be pointed at: an area a polarity from gap to gap."""
    for named, group in groupby(buckets, key=lambda bucket: bucket.run + 1 if bucket.tone.total else 0):
        if not named:
            continue
        run = list(group)
        floor = [0.0] * len(run)
        for kind in KINDS:
            top = [low + b.tone.share(getattr(b.tone, kind)) for low, b in zip(floor, run, strict=True)]
            yield element("path", class_=kind, d=band(_steps(run, top, x), _steps(run, floor, x)))
            floor = top


def _steps(run: Sequence[Bucket], values: Sequence[float], x: Scale) -> list[Point]:
    return [
        (x(edge), _SHARE(value))
        for bucket, value in zip(run, values, strict=True)
        for edge in (bucket.start.toordinal(), bucket.end.toordinal() + 1)
    ]


def _bars(bucket: Bucket, x: Scale) -> Iterator[Markup]:
    left, right = x(bucket.start.toordinal()), x(bucket.end.toordinal() + 1)
    floor, bottom = 0.0, _SHARE(0.0)
    for kind in KINDS:
        share = bucket.tone.share(getattr(bucket.tone, kind))
        if share:
            floor += share
            top = _SHARE(floor)
            yield rect(kind, left, top, right - left, bottom - top)
            bottom = top


def crowded(buckets: Sequence[Bucket], x: Scale) -> bool:
    """Whether points would lie on one another: then the line alone is drawn, and the table has the numbers."""
    return len(buckets) * 2 * DOT > x.end - x.start


def _named(buckets: Sequence[Bucket]) -> list[Bucket]:
    return [bucket for bucket in buckets if bucket.tone.total]


def _net(buckets: Sequence[Bucket], x: Scale) -> Iterator[Markup]:
    y = _NET
    yield element("text", gettext("net polarity"), class_="caption", x=x.start, y=NET_TOP - 4)
    for value, words in ((1, "+1"), (0, "0"), (-1, "−1")):
        yield element(
            "line",
            class_="axis" if value == 0 else "grid",
            x1=x.start,
            x2=x.end,
            y1=y(value),
            y2=y(value),
        )
        yield element("text", words, class_="tick", x=x.start - 6, y=y(value) + 4, text_anchor="end")
    for run in _runs(buckets):
        yield from _net_run(_named(run), x, y)


def _net_run(run: Sequence[Bucket], x: Scale, y: Scale) -> Iterator[Markup]:
    line = [(x(b.middle), y(b.tone.net)) for b in run if b.tone.net is not None]
    bands = [(x(b.middle), b.tone.band) for b in run if b.tone.band is not None]
    if len(line) > 1:
        yield element(
            "path", class_="band", d=band([(p, y(b[1])) for p, b in bands], [(p, y(b[0])) for p, b in bands])
        )
        yield element("path", class_="line", d=path(line))


def _side(tone: Tone) -> str:
    net = tone.net or 0.0
    return "positive" if net > 0 else "negative" if net < 0 else "neutral"


def year_ticks(x: Scale, top: float, bottom: float, most: int) -> Iterator[Markup]:
    """Hairlines and numbers of years, for stretches of which there are at most so many."""
    first, last = date.fromordinal(int(x.low)).year, date.fromordinal(int(x.high)).year
    step = next(s for s in (1, 2, 4, 10, 20, 40, 100, 1000) if (last - first) / s <= most)
    for year in range(first - first % step, last + 1, step):
        place = x(date(max(year, 1), 1, 1).toordinal())
        if x.start <= place <= x.end:
            yield element("line", class_="grid", x1=place, x2=place, y1=top, y2=bottom)
            yield element("text", str(year), class_="tick", x=place, y=bottom + 18, text_anchor="middle")


def _marks(marks: Iterable[Mark], x: Scale, frame: Frame) -> Iterator[Markup]:
    taken = -100.0
    for mark in sorted(marks, key=lambda mark: mark.day):
        place = x(mark.day.toordinal())
        yield element("line", class_="mark", x1=place, x2=place, y1=VOLUME_TOP - 8, y2=NET_BOTTOM)
        if place - taken > frame.apart:  # labels may not run into one another
            anchor = "end" if place > frame.width - EDGE else "middle"
            x_label = min(place, frame.width - 2) if anchor == "end" else place
            yield element("text", mark.label, class_="mark", x=x_label, y=VOLUME_TOP - 12, text_anchor=anchor)
            taken = place
