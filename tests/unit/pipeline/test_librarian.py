from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kiosque.core.book import Book, ListPlacement
from kiosque.core.catalogue import book_key
from kiosque.pipeline.librarian import Librarian
from kiosque.store import books

NOW = datetime(2024, 11, 6, tzinfo=UTC)


def book(title, author="Ada Writer", isbn=None, **more):
    return Book(
        key=book_key(isbn=isbn, title=title, author=author), title=title, author=author, isbn13=isbn, **more
    )


PLAIN = book("The Long Campaign", description="A short account.")
NUMBERED = book("The Long Campaign", isbn="9780684824901", publisher="Harbour")


@pytest.fixture
def librarian():
    return Librarian()


def file(store, librarian, *given, placements=()):
    with store.write() as tx:
        return librarian.file(tx, given, placements, NOW)


def all_books(store):
    with store.read() as tx:
        return list(books.iterate(tx))


def test_an_edition_with_a_number_joins_the_work_without_one(sqlite_store, librarian):
    file(sqlite_store, librarian, PLAIN)
    file(sqlite_store, librarian, NUMBERED)
    (only,) = all_books(sqlite_store)
    assert only.description == "A short account."
    assert only.publisher == "Harbour"


def test_a_placement_follows_the_book_to_the_key_that_it_was_filed_under(sqlite_store, librarian):
    file(sqlite_store, librarian, PLAIN)
    stood = ListPlacement(NUMBERED.key, "Hardcover Nonfiction", "2024-11-03", 1)
    file(sqlite_store, librarian, NUMBERED, placements=[stood])
    (only,) = all_books(sqlite_store)
    with sqlite_store.read() as tx:
        assert [p.week for p in books.placements(tx, only.key)] == ["2024-11-03"]


def test_what_another_process_filed_is_seen(sqlite_store, librarian):
    file(sqlite_store, librarian, book("Something Else"))
    file(sqlite_store, Librarian(), PLAIN)
    file(sqlite_store, librarian, NUMBERED)
    assert len(all_books(sqlite_store)) == 2


def test_a_transaction_that_was_undone_leaves_no_trace(sqlite_store, librarian):
    with pytest.raises(RuntimeError), sqlite_store.write() as tx:  # noqa: PT012 - the block is what is undone
        librarian.file(tx, [PLAIN], [], NOW)
        raise RuntimeError
    change = file(sqlite_store, librarian, PLAIN)
    assert change.added == 1
    assert all_books(sqlite_store) == [replace(PLAIN)]


def test_the_same_books_again_change_nothing(sqlite_store, librarian):
    file(sqlite_store, librarian, PLAIN, NUMBERED)
    change = file(sqlite_store, librarian, PLAIN, NUMBERED)
    assert (change.added, change.updated) == (0, 0)
