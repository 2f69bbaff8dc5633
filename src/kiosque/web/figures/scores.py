"""Scores with their intervals: one row a test set, a dot on a line from 0 to 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kiosque.web.figures.svg import Scale, element, figure
from kiosque.web.language import current, gettext
from kiosque.web.wording import decimal

WIDTH, ROW = 640.0, 30.0
LEFT, RIGHT, TOP, BOTTOM = 150.0, 60.0, 8.0, 24.0
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def score_dots(sets: Mapping[str, Mapping[str, Any]], key: str = "macro_f1") -> Markup:
    """`key` of every set, with the interval `<key>_ci` where there is one."""
    known = [(name, float(m[key]), m.get(f"{key}_ci")) for name, m in sets.items() if key in m]
    if not known:
        return Markup("")
    height = TOP + ROW * len(known) + BOTTOM
    x = Scale(0, 1, LEFT, WIDTH - RIGHT)
    parts = []
    for step in STEPS:
        parts.append(element("line", class_="grid", x1=x(step), x2=x(step), y1=TOP, y2=height - BOTTOM))
        parts.append(
            element(
                "text",
                f"{step:g}".replace(".", current().decimal),
                class_="tick",
                x=x(step),
                y=height - 8,
                text_anchor="middle",
            )
        )
    for place, (name, value, reach) in enumerate(known):
        y = TOP + ROW * (place + 0.5)
        parts.append(element("text", name, class_="name", x=0, y=y + 4))
        if reach:
            parts.append(element("line", class_="axis", x1=x(reach[0]), x2=x(reach[1]), y1=y, y2=y))
        parts.append(element("circle", class_="dot", cx=x(value), cy=y, r=4))
        parts.append(element("text", decimal(value), class_="name", x=WIDTH - RIGHT + 14, y=y + 4))
    words = "; ".join(f"{name} {decimal(value)}" for name, value, _ in known)
    return figure(WIDTH, height, gettext("Scores by test set"), words, parts, kind="scores")
