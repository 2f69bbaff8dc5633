"""The little of SVG that the charts need. Colours come from CSS classes, never from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def element(name: str, *children: str, **attributes: object) -> Markup:
    """One element; `class_` and `stroke_width` become `class` and `stroke-width`, None is left out."""
    # charts have thousands of parts: numbers need no escaping, and what is Markup not to be wrapped in it again
    written = "".join(
        [f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None]
    )
    inner = "".join([child if type(child) is Markup else escape(child) for child in children])
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


def circle(x: float, y: float, radius: float, style: str, words: str = "") -> Markup:
    """A dot, of which charts have most; `words` are shown where a pointer rests on it. `style` is a name of ours."""
    title = f"<title>{escape(words)}</title>" if words else ""
    return Markup(  # noqa: S704 - the words are escaped, the rest is numbers and a class
        f'<circle class="{style}" cx="{_number(x)}" cy="{_number(y)}" r="{_number(radius)}">{title}</circle>'
    )


def rect(style: str, x: float, y: float, width: float, height: float) -> Markup:
    """A bar. `style` is a name of ours."""
    return Markup(  # noqa: S704 - numbers and a class
        f'<rect class="{style}" x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" '
        f'height="{_number(height)}"></rect>'
    )


def told(words: str, parts: Iterable[Markup]) -> Markup:
    """Parts that belong together; `words` are shown where a pointer rests on one of them."""
    return Markup(f"<g><title>{escape(words)}</title>{''.join(parts)}</g>")  # noqa: S704 - the words are escaped


def path(points: Sequence[Point], *, closed: bool = False) -> str:
    """The `d` of a line through `points`."""
    if not points:
        return ""
    steps = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return f"M{steps}{'Z' if closed else ''}"


def band(upper: Sequence[Point], lower: Sequence[Point]) -> str:
    """The `d` of the area between two lines with the same x."""
    return path([*upper, *reversed(lower)], closed=True)


def figure(
    width: float,
    height: float,
    title: str,
    description: str,
    children: Iterable[Markup],
    *,
    kind: str,
    fixed: bool = False,
) -> Markup:
    """The outer element. It says to a screen reader what it shows, and scales to its column unless it is `fixed`."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *children,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
        class_=kind,
        width=int(width) if fixed else None,
    )


def nothing(why: str) -> Markup:
    """What stands where a chart would be empty."""
    return Markup('<p class="empty">{}</p>').format(why)


@cache
def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    if type(value) is float:
        return _number(value)
    return str(value) if type(value) is int else escape(value)


def _number(value: float) -> str:
    """To a tenth of a pixel."""
    written = f"{value:.1f}"
    return written.removesuffix(".0")
