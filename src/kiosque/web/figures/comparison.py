"""Several entities over the same time: the share of articles that name each, and below it how they are spoken of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from kiosque.web.figures.frame import WIDE_WITH_NAMES, Frame
from kiosque.web.figures.hues import Hue
from kiosque.web.figures.svg import Scale, circle, element, figure, nothing, path, told
from kiosque.web.figures.timeline import DOT, Bucket, crowded, year_ticks
from kiosque.web.language import gettext, ngettext
from kiosque.web.terms import term
from kiosque.web.wording import day, percent, signed, thousands

HEIGHT = 420.0
VOICE_TOP, VOICE_BOTTOM = 28.0, 190.0
NET_TOP, NET_BOTTOM = 224.0, 386.0
APART = 15.0
"""Between two labels at the right edge."""
BELOW, ROW = 48.0, 20.0
"""From the lower panel to the first name under it, and from name to name."""


End = tuple[float, str, Hue, bool]
"""Where a line ends: its height there, whose it is, in which colour, and whether the name is in bold."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entity with its colour."""

    name: str
    hue: Hue
    buckets: tuple[Bucket, ...]

    @property
    def named(self) -> list[Bucket]:
        """The stretches in which somebody names them."""
        return [bucket for bucket in self.buckets if bucket.tone.total]


def comparison(lines: Sequence[Line], *, unit: str, frame: Frame = WIDE_WITH_NAMES) -> Markup:
    """Two panels with one time axis. A line is broken where there are no articles at all."""
    days = [
        edge for line in lines for b in line.buckets for edge in (b.start.toordinal(), b.end.toordinal() + 1)
    ]
    if not days:
        return nothing(gettext("Nothing to draw: no article in these days names any of them."))
    x = Scale(min(days), max(days), frame.left, frame.width - frame.right)
    most = max((share(b) or 0.0 for line in lines for b in line.buckets), default=0.0) or 1.0
    voice, net = Scale(0, most, VOICE_BOTTOM, VOICE_TOP), Scale(-1, 1, NET_BOTTOM, NET_TOP)
    parts = [
        *year_ticks(x, VOICE_TOP, NET_BOTTOM, frame.ticks),
        *panel(gettext("share of all articles"), x, voice, ((0.0, "0"), (most, percent(most)))),
        *panel(gettext("net polarity"), x, net, ((1.0, "+1"), (0.0, "0"), (-1.0, "−1"))),
    ]
    for line in lines:
        parts += _drawn(line, x, voice, net)
    ends = [
        (voice(share(line.buckets[-1]) or 0.0), line.name, line.hue, False) for line in lines if line.buckets
    ]
    parts += labels(ends, frame)
    words = "; ".join(f"{line.name}: {_counted(line)}" for line in lines)
    title = gettext("Side by side, by %(width)s", width=term(unit))
    return figure(frame.width, height(frame, ends), title, words, parts, kind=frame.kind("comparison"))


def _counted(line: Line) -> str:
    total = sum(bucket.tone.total for bucket in line.buckets)
    return ngettext("%(n)s article", "%(n)s articles", total, n=thousands(total))


def share(bucket: Bucket) -> float | None:
    """The share of all articles of this stretch that name the entity."""
    return bucket.tone.total / bucket.articles if bucket.articles else None


def panel(caption: str, x: Scale, y: Scale, ticks: Sequence[tuple[float, str]]) -> Iterator[Markup]:
    """One of the two: its caption, and a hairline with its value for each of `ticks`."""
    yield element("text", caption, class_="caption", x=x.start, y=min(y.start, y.end) - 10)
    for value, words in ticks:
        style = "axis" if value == 0 else "grid"
        yield element("line", class_=style, x1=x.start, x2=x.end, y1=y(value), y2=y(value))
        yield element("text", words, class_="tick", x=x.start - 6, y=y(value) + 4, text_anchor="end")


def _drawn(line: Line, x: Scale, voice: Scale, net: Scale) -> Iterator[Markup]:
    dotted = not crowded(line.buckets, x)
    for _, group in groupby(line.buckets, key=lambda bucket: bucket.run):
        run = list(group)
        shares = [(x(b.middle), voice(s)) for b in run if (s := share(b)) is not None]
        tones = [(x(b.middle), net(b.tone.net)) for b in run if b.tone.net is not None]
        for points in (shares, tones):
            if len(points) > 1:
                yield element("path", class_=f"line {line.hue.classes}", d=path(points))
        if dotted or len(tones) == 1:
            yield from _dots(line, run, x, voice, net)


def _dots(line: Line, run: Sequence[Bucket], x: Scale, voice: Scale, net: Scale) -> Iterator[Markup]:
    style = f"dot {line.hue.classes}"
    for bucket in run:
        if bucket.tone.net is not None:
            words = ngettext(
                "%(name)s, %(first)s – %(last)s: %(n)s of %(all)s article, net %(net)s",
                "%(name)s, %(first)s – %(last)s: %(n)s of %(all)s articles, net %(net)s",
                bucket.articles,
                name=line.name,
                first=day(bucket.start),
                last=day(bucket.end),
                n=thousands(bucket.tone.total),
                all=thousands(bucket.articles),
                net=signed(bucket.tone.net),
            )
            places = (voice(share(bucket) or 0.0), net(bucket.tone.net))
            dots = (circle(x(bucket.middle), y, DOT, style) for y in places)
            yield told(words, dots)


def labels(ends: Sequence[End], frame: Frame) -> Iterator[Markup]:
    """Names at the right edge, where their lines end, moved apart so that they can be read; or in rows below."""
    if frame.is_narrow:
        for row, end in enumerate(ends):
            yield from _label(end, frame.left, NET_BOTTOM + BELOW + row * ROW)
        return
    taken = -APART
    for end in sorted(ends, key=lambda end: end[:2]):
        taken = max(end[0], taken + APART)
        yield from _label(end, frame.width - frame.right + 8, taken)


def _label(end: End, left: float, y: float) -> Iterator[Markup]:
    _, name, hue, strong = end
    yield element("line", class_=f"line {hue.classes}", x1=left, x2=left + 18, y1=y, y2=y)
    yield element("text", name, class_="label winner" if strong else "label", x=left + 24, y=y + 4)


def height(frame: Frame, ends: Sequence[End]) -> float:
    """Of the whole chart, with the names where they are below it."""
    return HEIGHT + ROW * len(ends) + 8 if frame.is_narrow else HEIGHT
