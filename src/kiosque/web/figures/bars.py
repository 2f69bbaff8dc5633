"""Small figures that stand in a row of text: a diverging bar of shares, a three-part bar, a sparkline."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from kiosque.web.figures.polarity import Tone
from kiosque.web.figures.svg import Scale, element, figure, path, rect
from kiosque.web.language import gettext, ngettext
from kiosque.web.wording import percent, thousands

BAR_WIDTH, BAR_HEIGHT = 160.0, 12.0
SPARK_WIDTH, SPARK_HEIGHT = 96.0, 20.0


def describe(tone: Tone) -> str:
    """The shares in words, with their denominator."""
    if not tone.total:
        return gettext("no scored articles")
    return ngettext(
        "%(negative)s negative, %(neutral)s neutral, %(positive)s positive of %(n)s article",
        "%(negative)s negative, %(neutral)s neutral, %(positive)s positive of %(n)s articles",
        tone.total,
        negative=percent(tone.share(tone.negative)),
        neutral=percent(tone.share(tone.neutral)),
        positive=percent(tone.share(tone.positive)),
        n=thousands(tone.total),
    )


def diverging_bar(tone: Tone) -> Markup:
    """Negative to the left, positive to the right, neutral round the middle; the whole is always one width."""
    if not tone.total:
        return Markup('<span class="quiet">–</span>')
    unit = BAR_WIDTH / 2
    negative, neutral, positive = (unit * tone.share(n) for n in (tone.negative, tone.neutral, tone.positive))
    middle = BAR_WIDTH / 2
    left = middle - neutral / 2
    parts = [
        rect("negative", left - negative, 0, negative, BAR_HEIGHT),
        rect("neutral", left, 0, neutral, BAR_HEIGHT),
        rect("positive", left + neutral, 0, positive, BAR_HEIGHT),
        element("line", class_="axis", x1=middle, x2=middle, y1=-1, y2=BAR_HEIGHT + 1),
    ]
    return figure(BAR_WIDTH, BAR_HEIGHT, gettext("Tone"), describe(tone), parts, kind="bar", fixed=True)


def probability_bar(negative: float, neutral: float, positive: float) -> Markup:
    """The three probabilities of one mention, side by side."""
    edges = (0.0, negative, negative + neutral)
    parts = [
        rect(name, BAR_WIDTH * start, 0, BAR_WIDTH * size, BAR_HEIGHT)
        for name, start, size in zip(
            ("negative", "neutral", "positive"), edges, (negative, neutral, positive), strict=True
        )
    ]
    words = gettext(
        "%(negative)s negative, %(neutral)s neutral, %(positive)s positive",
        negative=percent(negative),
        neutral=percent(neutral),
        positive=percent(positive),
    )
    return figure(BAR_WIDTH, BAR_HEIGHT, gettext("Probabilities"), words, parts, kind="bar", fixed=True)


def sparkline(values: Sequence[float | None], words: str) -> Markup:
    """A line without axes; None is a gap."""
    known = [v for v in values if v is not None]
    if not known:
        return Markup('<span class="quiet">–</span>')
    x = Scale(0, max(len(values) - 1, 1), 1, SPARK_WIDTH - 1)
    y = Scale(0, max(known) or 1, SPARK_HEIGHT - 1, 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x(place), y(value)))
    lines = [element("path", class_="line", d=path(run)) for run in runs if len(run) > 1]
    dots = [
        element("circle", class_="dot", cx=run[0][0], cy=run[0][1], r=1.5) for run in runs if len(run) == 1
    ]
    return figure(
        SPARK_WIDTH, SPARK_HEIGHT, gettext("Trend"), words, [*lines, *dots], kind="spark", fixed=True
    )
