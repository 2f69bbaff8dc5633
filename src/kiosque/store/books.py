"""The catalogue of books and the best-seller lists they stood on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from kiosque.core.book import Book, ListPlacement
from kiosque.store.paging import Page
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class BooksChange:
    """What `save` did."""

    added: int
    updated: int
    unchanged: int


def save(tx: Tx, books: Sequence[Book], at: datetime) -> BooksChange:
    """Add each book or bring the one with its key up to date. What a new version leaves empty is kept."""
    raise NotImplementedError


def save_placements(tx: Tx, placements: Sequence[ListPlacement]) -> int:
    """Keep which book stood where on which list in which week; how many were new. Unknown books are left out."""
    raise NotImplementedError


def placements(tx: Tx, book_key: str) -> tuple[ListPlacement, ...]:
    """Where the book stood, newest week first."""
    raise NotImplementedError


def get(tx: Tx, key: str) -> Book:
    """Raises NotFound."""
    raise NotImplementedError


def of_keys(tx: Tx, keys: Iterable[str]) -> dict[str, Book]:
    """Those of the keys that are there."""
    raise NotImplementedError


def page(
    tx: Tx,
    *,
    query: str = "",
    language: str | None = None,
    fiction: bool | None = None,
    year_from: int | None = None,
    year_to: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Book]:
    """Books by title; with `query` (title, author, subjects, description) the best fit first."""
    raise NotImplementedError


def iterate(tx: Tx, *, chunk: int = 1000) -> Iterator[Book]:
    """Every book, in constant memory. `tx` must stay open."""
    raise NotImplementedError


def count(tx: Tx) -> int:
    raise NotImplementedError


def generation(tx: Tx) -> int:
    """A number that grows whenever the catalogue changes."""
    raise NotImplementedError
