"""Cleaning the text that sources deliver."""

from __future__ import annotations

import html
import re
import unicodedata

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
# Tags that stand inside a word or against a comma: they leave no gap. All others part what they stand between.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|big|cite|code|em|font|i|ins|mark|s|small|span|strike|strong|sub|sup|tt|u|wbr)(?:\s[^<>]{0,500})?>",
    re.IGNORECASE,
)
_SPACE = re.compile(r"\s+")
# Control characters, surrogates and the marks that turn text direction around: never part of a headline.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def clean_text(raw: str, *, limit: int = 20_000) -> str:
    """`raw` as plain text: tags out, entities resolved, NFC, one space between words, at most `limit` characters.

    Entities are resolved twice because feeds escape twice (`&amp;quot;`).
    """
    text = raw[: limit * 4]
    for _ in range(2):
        if "&" in text:
            text = html.unescape(text)
        if "<" in text:
            text = _TAG.sub(" ", _INLINE.sub("", text))
    text = _SPACE.sub(" ", _UNWANTED.sub("", text))
    return unicodedata.normalize("NFC", text).strip()[:limit]
