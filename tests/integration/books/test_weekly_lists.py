"""Best-seller lists as the New York Times sent them, filed week after week; needs the data sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kiosque.core.book import Book, ListPlacement
from kiosque.pipeline.librarian import Librarian
from kiosque.sources.catalogue import BookFile
from kiosque.store import books
from kiosque.store.books import BooksChange
from kiosque.store.database import Database
from kiosque.testing.paths import datasets

ROOT = datasets()
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BOOKS, PLACEMENTS = 65, 80
"""In the overview of 1 April 2018."""

pytestmark = pytest.mark.skipif(ROOT is None, reason="needs the data sets: set KIOSQUE_DATASETS")


@pytest.fixture
def overview() -> dict[str, Any]:
    assert ROOT is not None
    path = ROOT / "nyt_payloads" / "books_lists_overview_2018-04-01.json"
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def read(folder: Path, document: dict[str, Any]) -> tuple[Sequence[Book], Sequence[ListPlacement]]:
    path = folder / "overview.json"
    path.write_text(json.dumps(document))
    (page,) = BookFile(path).poll(None)
    assert page.skipped == ()
    return page.books, page.placements


def file(
    store: Database, librarian: Librarian, read: tuple[Sequence[Book], Sequence[ListPlacement]]
) -> BooksChange:
    with store.write() as tx:
        return librarian.file(tx, *read, NOW)


def weeks(store: Database) -> list[int]:
    """How many weeks each book has stood on lists, all lists together."""
    with store.read() as tx:
        return [len(books.placements(tx, each.key)) for each in books.iterate(tx)]


def test_a_week_filed_again_changes_nothing_and_the_next_adds_to_the_history(
    sqlite_store: Database, overview: dict[str, Any], tmp_path: Path
) -> None:
    librarian = Librarian()
    assert file(sqlite_store, librarian, read(tmp_path, overview)) == BooksChange(BOOKS, 0, 0)
    assert file(sqlite_store, Librarian(), read(tmp_path, overview)) == BooksChange(0, 0, BOOKS)
    assert sum(weeks(sqlite_store)) == PLACEMENTS
    next_week = json.loads(json.dumps(overview).replace("2018-04-01", "2018-04-08"))
    assert file(sqlite_store, librarian, read(tmp_path, next_week)) == BooksChange(0, 0, BOOKS)
    assert weeks(sqlite_store) == [2 * count for count in weeks_of(overview, sqlite_store)]
    assert sum(weeks(sqlite_store)) == 2 * PLACEMENTS


def weeks_of(overview: dict[str, Any], store: Database) -> list[int]:
    """What the lists themselves say, in the order of the catalogue."""
    titles = [book["title"].casefold() for listed in overview["results"]["lists"] for book in listed["books"]]
    with store.read() as tx:
        return [titles.count(each.title.casefold()) for each in books.iterate(tx)]


def test_an_edition_of_the_next_week_joins_its_work(
    sqlite_store: Database, overview: dict[str, Any], tmp_path: Path
) -> None:
    """The same titles and authors under numbers of paperbacks, as lists print them after a while."""
    librarian = Librarian()
    file(sqlite_store, librarian, read(tmp_path, overview))
    for listed in overview["results"]["lists"]:
        for number, book in enumerate(listed["books"]):
            book["author"] = book["author"].upper()
            book["primary_isbn10"] = ""
            book["primary_isbn13"] = _number(listed["list_id"] * 100 + number)
    file(sqlite_store, librarian, read(tmp_path, overview))
    with sqlite_store.read() as tx:
        found = list(books.iterate(tx))
    assert len(found) == BOOKS
    series = sum(len(of["books"]) for of in overview["results"]["lists"] if "Series" in of["list_name"])
    assert sum(bool(book.editions) for book in found) == BOOKS - series  # a series has no number of its own
    assert not any(book.author.isupper() for book in found if len(book.author) > 4)


def _number(n: int) -> str:
    """An ISBN-13 that nobody has."""
    digits = f"9789999{n:05d}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10
    return f"{digits}{check}"


def test_the_same_works_out_of_a_list_of_years_are_the_same_books(
    sqlite_store: Database, overview: dict[str, Any], tmp_path: Path
) -> None:
    """The catalogue of 2011 to 2018 prints titles in capitals and often has no number."""
    assert ROOT is not None
    librarian = Librarian()
    catalogue = ROOT / "books" / "nyt_bestsellers_catalogue.csv.gz"
    for page in BookFile(catalogue).poll(None):
        file(sqlite_store, librarian, (page.books, page.placements))
    with sqlite_store.read() as tx:
        before = {(book.title.casefold(), book.author.casefold()) for book in books.iterate(tx)}
        count = books.count(tx)
    week = read(tmp_path, overview)
    known = sum((book.title.casefold(), book.author.casefold()) in before for book in week[0])
    assert known >= 10
    change = file(sqlite_store, librarian, week)
    assert change.added <= BOOKS - known
    with sqlite_store.read() as tx:
        assert books.count(tx) == count + change.added
