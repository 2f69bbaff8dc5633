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
    written = "".join(
        f' {_attribute(key)}="{_written(value)}"' for key, value in attributes.items() if value is not None
    )
    inner = "".join([escape(child) for child in children])
    return Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - every part is escaped above


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


def _written(value: object) -> str:
    return _number(value) if isinstance(value, (float, int)) else escape(value)


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
