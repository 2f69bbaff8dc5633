"""The style sheet: every colour is a token with a light and a dark value, and text can be read in both."""

from __future__ import annotations

import re

import pytest

from kiosque.web.render import STATIC

CSS = (STATIC / "kiosque.css").read_text(encoding="utf-8")
TOKEN = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{6})\b")


def tokens(block: str) -> dict[str, str]:
    return dict(TOKEN.findall(block))


DARK_FROM, DARK_TO = CSS.index("@media screen and (prefers-color-scheme: dark)"), CSS.index("* { box-sizing")
LIGHT, DARK = tokens(CSS[CSS.index(":root {") : DARK_FROM]), tokens(CSS[DARK_FROM:DARK_TO])


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_every_colour_has_a_dark_value() -> None:
    assert set(DARK) == set(LIGHT)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "wash"])
@pytest.mark.parametrize("text", ["ink", "quiet", "accent", "negative-ink", "positive-ink"])
def test_text_can_be_read(theme: dict[str, str], ground: str, text: str) -> None:
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("mark", ["negative", "positive", *(f"entity-{n}" for n in range(1, 9))])
def test_marks_of_charts_can_be_seen(theme: dict[str, str], mark: str) -> None:
    assert contrast(theme[mark], theme["paper"]) >= 3


def test_colours_stand_in_the_tokens_alone() -> None:
    rules = CSS[DARK_TO : CSS.index("@media print")]
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == []
