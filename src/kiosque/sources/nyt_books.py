"""The best-seller lists of the NYT Books API: books, and the weeks that they stood on a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kiosque.core.book import Book, ListPlacement
from kiosque.core.catalogue import Catalogue, book_key, isbn13, normal_title
from kiosque.core.errors import SourceUnavailable
from kiosque.core.titles import name_case, title_case
from kiosque.sources.dates import moment_of, parse_moment
from kiosque.sources.nyt import NytApi
from kiosque.sources.nyt_documents import describe
from kiosque.sources.payload import excerpt, first_text, identifier, mapping, number, objects, text
from kiosque.sources.protocol import Cursor, Page, Reason, Skipped, SourceKind

_DESCRIPTION_LIMIT = 4_000
_LETTERS = re.compile(r"[^\W\d_]+")
_SERIES_LIST = re.compile(r"\bseries\b", re.IGNORECASE)
_NONFICTION = re.compile(r"\bnon-?fiction\b|\badvice\b|\bbusiness\b|\bscience\b|\bsports\b", re.IGNORECASE)
_FICTION = re.compile(r"\bfiction\b|\bnovels?\b", re.IGNORECASE)
_SUBJECT_LISTS = (
    "business",
    "science",
    "sports",
    "politics",
    "travel",
    "health",
    "religion",
    "education",
    "humor",
)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _List:
    """What an answer says once for all books of a list."""

    name: str = ""
    week: str = ""


class NytBooks:
    """Polls `lists/overview` for all lists of a week, and makes up for the weeks that were missed, oldest first.

    `since` is the day from which the first poll begins; without it, that is the present week. Costs one request when
    there is nothing new. The cursor holds the week delivered last.
    """

    kind = SourceKind.NYT_BOOKS

    def __init__(
        self,
        api: NytApi,
        *,
        since: str | None = None,
        id: str = "nyt-books",  # noqa: A002 -- what the protocol calls it
        interval: float = 86_400.0,
        max_requests: int = 10,
    ) -> None:
        self.id = id
        self.interval = interval
        self._api = api
        self._since = since
        self._max_requests = max_requests

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        done = _day((cursor or {}).get("week"))
        latest = self._overview(None)
        newest = _day(mapping(latest["results"]).get("published_date"))
        week = _following(done) if done else _day(self._since) or newest
        if done and newest <= done:
            yield Page(cursor={"week": done})
            return
        for _ in range(self._max_requests):
            if week >= newest:
                yield self._page(latest, newest)
                return
            payload = self._overview(week)
            # The API answers with the list that was valid on that day, whatever day is asked for.
            found = _day(mapping(payload["results"]).get("published_date")) or week
            yield self._page(payload, max(found, week))
            week = _following(max(found, week))

    def _overview(self, week: str | None) -> Mapping[str, Any]:
        params = {"published_date": week} if week else None
        payload = mapping(self._api.get_json("books/v3/lists/overview.json", params))
        if not _day(mapping(payload.get("results")).get("published_date")):
            raise SourceUnavailable(
                f"The NYT answered with something else than book lists ({describe(payload)}).",
                hint="Try again later; if it stays so, the API may have changed.",
            )
        return payload

    def _page(self, payload: object, week: str) -> Page:
        books, placements, skipped = collect(read_books(payload))
        return Page(cursor={"week": week}, books=books, placements=placements, skipped=skipped)


Row = tuple[Book, tuple[ListPlacement, ...]]


def collect(
    rows: Iterator[Row | Skipped],
) -> tuple[tuple[Book, ...], tuple[ListPlacement, ...], tuple[Skipped, ...]]:
    """Each work once, its placements under its key, and what was left out."""
    catalogue = Catalogue()
    placed: list[ListPlacement] = []
    skipped: list[Skipped] = []
    for row in rows:
        if isinstance(row, Skipped):
            skipped.append(row)
            continue
        key = catalogue.add(row[0]).key
        placed.extend(ListPlacement(key, p.list_name, p.week, p.rank, p.weeks_on_list) for p in row[1])
    return tuple(catalogue), tuple(dict.fromkeys(placed)), tuple(skipped)


def read_books(payload: object) -> Iterator[Row | Skipped]:
    """The books in any answer of the Books API: overview, one list, list items, history, reviews, or a bare list.

    Raises SourceUnavailable if there is no place in it where books could be.
    """
    results = mapping(payload).get("results", payload)
    if isinstance(results, list):
        yield from _rows(results, _List())
    elif "lists" in (found := mapping(results)):
        week = _day(found.get("published_date"))
        for listed in objects(found["lists"]):
            yield from _rows(listed.get("books"), _list_of(listed, week))
    elif "books" in found:
        yield from _rows(found["books"], _list_of(found, ""))
    elif "results" in mapping(payload) and results is None:
        return
    else:
        raise SourceUnavailable(
            f"The NYT answered with something else than book lists ({describe(payload)})."
        )


def _list_of(listed: Mapping[str, Any], week: str) -> _List:
    return _List(first_text(listed, "list_name", "display_name"), _day(listed.get("published_date")) or week)


def _rows(items: object, listed: _List) -> Iterator[Row | Skipped]:
    for position, item in enumerate(items if isinstance(items, list) else (), start=1):
        yield parse_book(item, listed, where=f"{listed.name or 'result'} {position}")


def parse_book(item: object, listed: _List = _List(), *, where: str) -> Row | Skipped:
    """The book in one entry and its places on lists, or why there is none. Never raises."""
    if not isinstance(item, dict):
        return Skipped(where, Reason.NOT_AN_OBJECT, type(item).__name__, excerpt(item))
    details = next(objects(item.get("book_details")), item)
    title = title_case(first_text(details, "title", "book_title"))
    author = _author(details)
    isbns = () if _SERIES_LIST.search(listed.name) else _isbns(item, details)
    if not normal_title(title):
        return Skipped(where, Reason.NO_TITLE, "no title", excerpt(item))
    names = listed.name or first_text(item, "list_name", "display_name")
    book = Book(
        key=book_key(title=title, author=author, isbn=isbns[0] if isbns else None),
        title=title,
        author=author,
        isbn13=isbns[0] if isbns else None,
        publisher=text(details.get("publisher")) or None,
        subjects=tuple(subject for subject in _SUBJECT_LISTS if subject in names.lower()),
        language="en",  # the lists count books sold in English
        fiction=is_fiction(names),
        description=first_text(details, "description", "summary", limit=_DESCRIPTION_LIMIT),
        editions=isbns[1:],
    )
    return book, tuple(_placements(item, listed, book.key))


def _author(details: Mapping[str, Any]) -> str:
    """The author; where the lists print "JR Ward" but credit "by J.R. Ward", as credited."""
    author = first_text(details, "author", "book_author")
    credited = text(details.get("contributor")).removeprefix("by ")
    if not author or "".join(_LETTERS.findall(credited)) == "".join(_LETTERS.findall(author)):
        return name_case(credited)
    return name_case(author)


def _isbns(item: Mapping[str, Any], details: Mapping[str, Any]) -> tuple[str, ...]:
    """Every ISBN-13 of the entry, the primary one first."""
    raw: list[object] = [details.get(name) for name in ("primary_isbn13", "primary_isbn10")]
    for name in ("isbn13", "isbn10"):
        value = details.get(name)
        raw.extend(value if isinstance(value, list) else [value])
    for edition in objects(item.get("isbns")):
        raw.extend((edition.get("isbn13"), edition.get("isbn10")))
    found = (isbn13(text(value)) for value in raw)
    return tuple(dict.fromkeys(isbn for isbn in found if isbn))


def _placements(item: Mapping[str, Any], listed: _List, key: str) -> Iterator[ListPlacement]:
    """The entry's own place, and those in its history."""
    for entry in (item, *objects(item.get("ranks_history"))):
        name = listed.name or first_text(entry, "list_name", "display_name")
        week = listed.week or _day(entry.get("published_date"))
        rank = number(entry.get("rank"))
        if name and week and rank and rank > 0:
            yield ListPlacement(key, name, week, rank, number(entry.get("weeks_on_list")) or None)


def is_fiction(list_name: str) -> bool | None:
    if _NONFICTION.search(list_name):
        return False
    return True if _FICTION.search(list_name) else None


def _day(value: object) -> str:
    """An ISO date, or "" """
    moment = moment_of(identifier(value)[:10]) if isinstance(value, str) else None
    return moment.date().isoformat() if moment else ""


def _following(week: str) -> str:
    moment = parse_moment(week)
    return (moment + _WEEK).date().isoformat() if moment else ""
