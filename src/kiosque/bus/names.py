"""Keys and source ids as the broker can carry them, and back. Any text survives the way there and back.

A subject's token may hold no dot, blank, `*` or `>`; a header no line break and nothing but ASCII. What is not
allowed is percent-encoded, so that ordinary keys and ids stay readable in the broker's own tools.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from kiosque.core.errors import InvalidInput

_SAFE_IN_HEADER = "!#$&'()*+,-./:;<=>?@[]^_`{|}~"


def subject_of(stream: str, source: str) -> str:
    """`articles.<source>`."""
    return f"{stream}.{token_of(source)}"


def token_of(source: str) -> str:
    if not source:
        raise InvalidInput("A message needs a subject: the id of its source.")
    return quote(source, safe="-_").replace(".", "%2E").replace("~", "%7E")


def source_of(subject: str) -> str:
    """The inverse of `subject_of`."""
    return unquote(subject.partition(".")[2])


def header_of(key: str) -> str:
    if not key:
        raise InvalidInput("A message needs a key: that of its article.")
    return quote(key, safe=_SAFE_IN_HEADER)


def key_of(header: str) -> str:
    """The inverse of `header_of`."""
    return unquote(header)
