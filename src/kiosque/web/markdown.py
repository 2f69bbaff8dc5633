"""Model cards and their like: Markdown that others wrote, as HTML that can do no harm.

No HTML of theirs comes through, no image, and only links to the web; headings begin below those of the page.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

BELOW = 2
"""Levels by which headings are lowered: a card's first heading stands under the page's h2."""
_LOWEST = 6
_WEB = ("https://", "http://")


def render(text: str) -> Markup:
    """`text`, in CommonMark with tables, as HTML."""
    tokens = _parser().parse(text)
    for token in tokens:
        _tame(token)
        for child in token.children or ():
            _tame(child)
    # everything in the text is escaped by the parser, with HTML switched off
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "typographer": False})
    parser.enable("table")
    parser.disable("image")
    parser.validateLink = lambda url: url.strip().lower().startswith(_WEB)  # type: ignore[method-assign]
    return parser


def _tame(token: Token) -> None:
    if token.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
        token.tag = f"h{min(int(token.tag[1]) + BELOW, _LOWEST)}"
    if token.type == "link_open":
        token.attrSet("rel", "noopener noreferrer")
    # a table's columns are aligned by a style attribute, which the page's policy forbids
    aligned = token.attrs.pop("style", None)
    if aligned == "text-align:right":
        token.attrSet("class", "number")
