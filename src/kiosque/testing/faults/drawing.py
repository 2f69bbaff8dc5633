"""Drawings of a run as SVG: lines over time, and classes of latency beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 240, 60, 190, 34, 36
"""Of one panel, in pixels; the names of what is drawn stand on the right."""
COLOURS = ("#1f5fa8", "#c25a00", "#5b6770", "#6a4c93", "#1b7f79", "#9a7d0a", "#a83279", "#3f3f3f", "#6f9c2b")
Series = Mapping[str, Sequence[tuple[float, float]]]
"""Name → points, from left to right."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis with a name."""

    start: float
    end: float
    name: str


def page(title: str, panels: Sequence[str]) -> str:
    """Panels one below the other."""
    height = HEIGHT * len(panels)
    placed = "".join(
        f'<g transform="translate(0 {HEIGHT * n})">{panel}</g>' for n, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#222"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{placed}</svg>\n'
    )


def lines(title: str, series: Series, *, x_unit: str, bands: Sequence[Band] = ()) -> str:
    """A panel with a line for each series; both axes begin at 0."""
    points = [point for line in series.values() for point in line]
    most_x, most_y = (max((point[axis] for point in points), default=0.0) or 1.0 for axis in (0, 1))
    drawn = [_frame(title, most_x, most_y, x_unit)]
    for band in bands:
        x, end = _x(band.start, most_x), _x(band.end, most_x)
        drawn.append(
            f'<rect x="{x:.1f}" y="{TOP}" width="{end - x:.1f}" height="{_depth()}" fill="#c25a00" '
            f'opacity="0.12"/><text x="{x + 4:.1f}" y="{TOP + 12}" fill="#8a4000">{escape(band.name)}</text>'
        )
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = _path(line, most_x, most_y)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        drawn.append(_name(number, name, colour))
    return "".join(drawn)


def bars(title: str, classes: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """A panel with a group of bars for each class; a series is drawn as shares of its sum."""
    shares = {name: [value / (sum(values) or 1) for value in values] for name, values in series.items()}
    most = max((share for values in shares.values() for share in values), default=0.0) or 1.0
    room = (WIDTH - LEFT - RIGHT) / max(len(classes), 1)
    width = room * 0.8 / max(len(series), 1)
    drawn = [_title(title), _axis_y(most * 100, "%")]
    for number, (name, values) in enumerate(shares.items()):
        colour = COLOURS[number % len(COLOURS)]
        for place, share in enumerate(values):
            x, y = LEFT + room * place + width * number, _y(share, most)
            drawn.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{HEIGHT - BOTTOM - y:.1f}" '
                f'fill="{colour}"/>'
            )
        drawn.append(_name(number, name, colour))
    for place, label in enumerate(classes):
        x = LEFT + room * (place + 0.4)
        drawn.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" font-size="10">'
            f"{escape(label)}</text>"
        )
    return "".join(drawn)


def _path(line: Sequence[tuple[float, float]], most_x: float, most_y: float) -> str:
    """The corners of a line in whole pixels; of level stretches only the ends, so that long runs stay light."""
    corners: list[tuple[int, int]] = []
    for x, y in line:
        corner = round(_x(x, most_x)), round(_y(y, most_y))
        if len(corners) > 1 and corner[1] == corners[-1][1] == corners[-2][1]:
            corners.pop()
        corners.append(corner)
    return " ".join(f"{x},{y}" for x, y in corners)


def _frame(title: str, most_x: float, most_y: float, x_unit: str) -> str:
    ticks = "".join(
        f'<text x="{_x(most_x * share, most_x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">'
        f"{most_x * share:.3g}{' ' + escape(x_unit) if share == 1 else ''}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    return _title(title) + _axis_y(most_y, "") + ticks


def _title(title: str) -> str:
    return f'<text x="{LEFT}" y="18" font-weight="600">{escape(title)}</text>'


def _axis_y(most: float, unit: str) -> str:
    return "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(share, 1):.1f}" y2="{_y(share, 1):.1f}" stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{_y(share, 1) + 4:.1f}" text-anchor="end">{most * share:.3g}{unit}</text>'
        for share in (0, 0.5, 1)
    )


def _name(number: int, name: str, colour: str) -> str:
    y = TOP + 12 + 18 * number
    return (
        f'<rect x="{WIDTH - RIGHT + 16}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{WIDTH - RIGHT + 32}" y="{y}">{escape(name)}</text>'
    )


def _depth() -> int:
    return HEIGHT - TOP - BOTTOM


def _x(value: float, most: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * value / most


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - _depth() * value / most
