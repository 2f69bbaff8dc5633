"""What a source is: something that can be asked for what is new since a cursor, and answers in pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from kiosque.core.article import Article
from kiosque.core.book import Book, ListPlacement

Cursor = Mapping[str, Any]
"""Where a source was left off: a small JSON object that only this source understands. None before the first poll."""


class SourceKind(StrEnum):
    NYT_WIRE = "nyt_wire"
    NYT_ARCHIVE = "nyt_archive"
    NYT_SEARCH = "nyt_search"
    NYT_BOOKS = "nyt_books"
    FEED = "feed"
    FILE = "file"
    BOOK_FILE = "book_file"


class Reason(StrEnum):
    """Why a document was left out. The values are stable: metrics and reject files carry them."""

    NO_TEXT = "no_text"
    """Neither headline nor abstract."""
    NO_DATE = "no_date"
    NO_KEY = "no_key"
    """Nothing by which the story could be told from others."""
    NO_TITLE = "no_title"
    """A book without title."""
    NOT_AN_OBJECT = "not_an_object"
    NOT_JSON = "not_json"
    NOT_CSV = "not_csv"
    NOT_UTF8 = "not_utf8"
    TOO_LONG = "too_long"
    """A line beyond the limit."""
    WRONG_COLUMNS = "wrong_columns"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Skipped:
    """One document that was left out. `where` finds it again: "line 17", "document 3", an address."""

    where: str
    reason: Reason
    detail: str = ""
    excerpt: str = ""
    """The start of the document, for the reject file."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one step of a poll brought.

    Once everything in it is safe, `cursor` may be stored: polling with it goes on after this page. Article keys are
    unique within a page; `repeats` counts those that were left out for that.
    """

    cursor: Cursor
    articles: tuple[Article, ...] = ()
    books: tuple[Book, ...] = ()
    placements: tuple[ListPlacement, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    repeats: int = 0
    warnings: tuple[str, ...] = ()
    """What was odd though it could be read, e.g. a feed that is not well-formed."""
    progress: float | None = None
    """Share of the whole that is done after this page, 0 to 1, where the whole is known."""
    wait: float | None = None
    """Seconds that the server asks to be left alone for."""

    @property
    def reasons(self) -> Counter[Reason]:
        return Counter(skipped.reason for skipped in self.skipped)


class Source(Protocol):
    """Where news or books come from."""

    @property
    def id(self) -> str:
        """Short and stable, of `a-z0-9-`: the `source` of its articles."""
        ...

    @property
    def kind(self) -> SourceKind: ...

    @property
    def interval(self) -> float:
        """Seconds between two polls."""
        ...

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        """What is new since `cursor`, page by page; the request is made when a page is asked for.

        At least one page, so that the cursor can move even when there is nothing new. Raises SourceUnavailable
        when the source does not answer or answers with what cannot be read, and RateLimited when it may not be
        asked now. What was yielded before stays valid. A cursor that is none of its own counts as None.
        """
        ...


def without_repeats(articles: Iterable[Article]) -> tuple[tuple[Article, ...], int]:
    """The first article of each key, and how many were left out."""
    kept: dict[str, Article] = {}
    repeats = 0
    for article in articles:
        if kept.setdefault(article.key, article) is not article:
            repeats += 1
    return tuple(kept.values()), repeats
