"""The books of a version: rows on disk, digest, and the filters of a query as one mask."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosque.core.book import Book, BookQuery
from kiosque.core.errors import InvalidInput

ROWS = "books.jsonl"
_NEVER = 99_999_999
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_LANGUAGES = {
    "eng": "en",
    "spa": "es",
    "fre": "fr",
    "fra": "fr",
    "ger": "de",
    "deu": "de",
    "ita": "it",
    "por": "pt",
}

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Books in the order of their keys, with what filters need in arrays of the same order."""

    books: tuple[Book, ...]
    rows: dict[str, int]
    """Book key → place in `books`."""
    years: NDArray[np.int32]
    """Year of first publication, 0 where unknown."""
    latest_days: NDArray[np.int32]
    """The latest day on which a book can have appeared, as yyyymmdd: 18590931 → unknown day gives 31 December."""
    languages: NDArray[np.str_]
    fiction: NDArray[np.int8]
    """1 fiction, 0 not, -1 unknown."""

    def __len__(self) -> int:
        return len(self.books)

    def allowed(self, query: BookQuery) -> Mask:
        """Which books pass the filters of `query`; a book of which the thing asked about is unknown does not."""
        mask = np.ones(len(self.books), dtype=np.bool_)
        for key in query.exclude:
            if key in self.rows:
                mask[self.rows[key]] = False
        if query.language:
            mask &= self.languages == normal_language(query.language)
        if query.fiction is not None:
            mask &= self.fiction == int(query.fiction)
        if query.published_from is not None:
            mask &= self.years >= query.published_from
        if query.published_to is not None:
            mask &= (self.years != 0) & (self.years <= query.published_to)
        if query.contemporary_on:
            mask &= self.latest_days <= day_number(query.contemporary_on)
        return mask

    def editions(self, book: Book) -> Mask:
        """`book` itself and what has its title and author."""
        same = (book.title.casefold(), book.author.casefold())
        return np.array([(b.title.casefold(), b.author.casefold()) == same for b in self.books], np.bool_)


def arrange(books: Iterable[Book]) -> Catalogue:
    """A catalogue of `books` in the order of their keys; of two with one key the first is kept."""
    unique: dict[str, Book] = {}
    for book in books:
        unique.setdefault(book.key, book)
    ordered = tuple(unique[key] for key in sorted(unique))
    return Catalogue(
        ordered,
        {book.key: row for row, book in enumerate(ordered)},
        np.array([_year(book) for book in ordered], np.int32),
        np.array([_latest_day(book) for book in ordered], np.int32),
        np.array([normal_language(book.language or "") for book in ordered], np.str_),
        np.array([-1 if book.fiction is None else int(book.fiction) for book in ordered], np.int8),
    )


def write_rows(catalogue: Catalogue, folder: Path) -> str:
    """Write `books.jsonl`; returns its SHA-256: the digest of the catalogue."""
    data = "".join(f"{line}\n" for line in _lines(catalogue)).encode()
    (folder / ROWS).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def read_rows(folder: Path) -> Catalogue:
    """The inverse of `write_rows`. Raises OSError, ValueError, KeyError or TypeError on a damaged file."""
    with (folder / ROWS).open(encoding="utf-8") as lines:
        return arrange(_book(json.loads(line)) for line in lines)


def normal_language(code: str) -> str:
    """`en-US`, `eng` and `EN` are all `en`; an empty code stays empty."""
    short = code.strip().lower().replace("_", "-").partition("-")[0]
    return _LANGUAGES.get(short, short)


def day_number(day: str) -> int:
    """`1864-11-08` → 18641108. Raises InvalidInput on anything that is not an ISO date."""
    try:
        moment = date.fromisoformat(day)
    except ValueError as error:
        raise InvalidInput(f"Not a day: {day[:40]!r}.", hint="Give it as YYYY-MM-DD.") from error
    return moment.year * 10_000 + moment.month * 100 + moment.day


def _lines(catalogue: Catalogue) -> Iterator[str]:
    for book in catalogue.books:
        given = {name: value for name, value in asdict(book).items() if value not in (None, "", ())}
        yield json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _book(row: dict[str, object]) -> Book:
    subjects = row.pop("subjects", ())
    if not isinstance(subjects, list | tuple):
        raise TypeError("subjects is not a list")
    return Book(**row, subjects=tuple(subjects))  # type: ignore[arg-type]


def _year(book: Book) -> int:
    if book.year is not None:
        return book.year
    return int(book.published_on[:4]) if book.published_on and book.published_on[:4].isdigit() else 0


def _latest_day(book: Book) -> int:
    if book.published_on and _DAY.fullmatch(book.published_on):
        return int(book.published_on.replace("-", ""))
    year = _year(book)
    return year * 10_000 + 1231 if year else _NEVER
