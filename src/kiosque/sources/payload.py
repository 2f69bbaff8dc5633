"""Reading values out of documents that hold anything: each function takes what is there and never raises."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kiosque.core.article import canonical_url
from kiosque.core.errors import InvalidInput
from kiosque.core.text import clean_text

ABSTRACT_LIMIT = 4_000
"""Characters kept of an abstract: feeds deliver whole articles in its place."""
_HEADLINE_LIMIT = 1_000
_NOTHING = frozenset({"", "none", "null", "n/a", "nan"})
_UNSAFE = re.compile("[\x00-\x20\x7f-\x9f\ud800-\udfff]+")
_LONGEST_KEY = 480
_AMPERSAND = re.compile(r">amp;|&amp;amp;")  # how old NYT text spells "&"


def text(value: object, *, limit: int = _HEADLINE_LIMIT) -> str:
    """`value` as clean text; "" for what is no text and for the words that stand for nothing ("None", "null")."""
    if not value:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    cleaned = value.strip()[:limit] if _is_clean(value) else clean_text(_mended(value, limit), limit=limit)
    return "" if cleaned.lower() in _NOTHING else cleaned


def _is_clean(value: str) -> bool:
    """Whether cleaning would change nothing but the ends: most values of most files, and a tenth of the work."""
    return (
        value.isascii()
        and value.isprintable()
        and not ("&" in value or "<" in value or ">" in value or "  " in value)
    )


def _mended(value: str, limit: int) -> str:
    """`value` without old misspellings of "&", and as much of it as can matter, not cut inside a tag."""
    start = value[: limit * 4]
    if len(start) < len(value) and start.rfind("<") > start.rfind(">"):
        start = start[: start.rfind("<")]
    return _AMPERSAND.sub("&", start) if "amp;" in start else start


def first_text(document: Mapping[str, Any], *names: str, limit: int = _HEADLINE_LIMIT) -> str:
    """The first of these fields that holds text."""
    return next((found for name in names if (found := text(document.get(name), limit=limit))), "")


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list, in order and without repeats; a lone string counts as a list of one."""
    values = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(dict.fromkeys(found for item in values if (found := text(item))))


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; nothing if it is no list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def number(value: object) -> int | None:
    """A whole number, also out of "500", "2008.0" and 14.95 (rounded down); None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value.strip().replace(",", ""))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) if abs(value) < 10**15 else None


def identifier(value: object) -> str:
    """A URI or id without blanks, control characters and surrogates; "" where there is none or it is too long."""
    if not isinstance(value, str):
        return ""
    cleaned = _UNSAFE.sub("", value)
    return "" if cleaned.lower() in _NOTHING or len(cleaned) > _LONGEST_KEY else cleaned


def web_address(value: object) -> str | None:
    """An absolute http(s) address as it is to be kept, or None."""
    cleaned = identifier(value)
    try:
        parts = urlsplit(cleaned)
        if parts.scheme.lower() not in {"http", "https"} or not parts.hostname:
            return None
        canonical_url(cleaned)
    except (ValueError, InvalidInput):
        return None
    return cleaned


def excerpt(document: object, length: int = 300) -> str:
    """The start of a document for a reject file."""
    return clean_text(document if isinstance(document, str) else repr(document)[: length * 2], limit=length)
