"""Books, and what is said when one is recommended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Book:
    """One work; its editions are one book. `key` is `isbn:<13 digits>` or `work:<normalised title>/<author>`."""

    key: str
    title: str
    author: str
    year: int | None = None
    """Year of first publication."""
    isbn13: str | None = None
    publisher: str | None = None
    subjects: tuple[str, ...] = ()
    language: str | None = None
    fiction: bool | None = None
    description: str = ""
    published_on: str | None = None
    """ISO date of first publication where it is known to the day."""
    editions: tuple[str, ...] = ()
    """ISBN-13 of the other editions under which the work was seen; two books that share one are one."""


@dataclass(frozen=True, slots=True)
class ListPlacement:
    """One week of one best-seller list that a book stood on."""

    book_key: str
    list_name: str
    week: str
    """ISO date of the list."""
    rank: int
    weeks_on_list: int | None = None


@dataclass(frozen=True, slots=True)
class ReadItem:
    """One article that a reader has read, newest weighs most."""

    text: str
    read_at: datetime | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class BookQuery:
    """What to find books for: exactly one of `text`, `reader` and `book_key` is given.

    Years are inclusive. `contemporary_on` keeps only books that existed on that day (ISO date).
    """

    text: str = ""
    reader: tuple[ReadItem, ...] = ()
    book_key: str | None = None
    k: int = 5
    exclude: frozenset[str] = frozenset()
    language: str | None = None
    fiction: bool | None = None
    published_from: int | None = None
    published_to: int | None = None
    contemporary_on: str | None = None
    min_score: float | None = None


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a book: what it shares with what was asked. `sentence` says it, e.g. "shares: Truman, Dewey, 1948"."""

    terms: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One book for one query; `rank` starts at 1, `score` lies between 0 and 1."""

    book: Book
    rank: int
    score: float
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Shelf:
    """The answer to a `BookQuery`: books, or none with the reason said."""

    recommendations: tuple[Recommendation, ...]
    model_version: str
    note: str = ""
    """Why the shelf is empty, e.g. "No good match: …"."""
