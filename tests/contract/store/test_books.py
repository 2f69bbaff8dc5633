from __future__ import annotations

from dataclasses import replace

import pytest

from kiosque.core.book import Book, ListPlacement, Reasons, Recommendation, Shelf
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.store import books, models, recommendations
from kiosque.store.books import BooksChange
from kiosque.testing.world import NOW, article

RIVALS = Book(
    key="isbn:9780684824901",
    title="Team of Rivals",
    author="Doris Kearns Goodwin",
    year=2005,
    isbn13="9780684824901",
    publisher="Simon & Schuster",
    subjects=("Abraham Lincoln", "Civil War"),
    language="en",
    fiction=False,
    description="A portrait of a cabinet.",
    published_on="2005-10-25",
    editions=("9780743270755",),
)
EPICS = Book(
    "work:the-epic/a-poet", "The Epic", "A. Poet", year=1855, fiction=True, language="fr", subjects=("War",)
)
PLAIN = Book("work:plain/nobody", "Élan", "")


def save(database, *given):
    with database.write() as tx:
        return books.save(tx, given, NOW)


@pytest.fixture
def shelf(database):
    save(database, RIVALS, EPICS, PLAIN)
    return database


def test_a_book_comes_back_as_it_went_in(shelf):
    with shelf.read() as tx:
        assert books.get(tx, RIVALS.key) == RIVALS
        assert books.of_keys(tx, [PLAIN.key, "other"]) == {PLAIN.key: PLAIN}
        assert books.count(tx) == 3
        with pytest.raises(NotFound):
            books.get(tx, "other")


def test_saving_the_same_again_changes_nothing(shelf):
    with shelf.read() as tx:
        before = books.generation(tx)
    assert save(shelf, RIVALS, EPICS) == BooksChange(0, 0, 2)
    with shelf.read() as tx:
        assert books.generation(tx) == before > 0


def test_a_new_version_fills_and_replaces_but_never_empties(shelf):
    newer = Book(RIVALS.key, "Team of Rivals: A Life", "Doris Kearns Goodwin", subjects=("Cabinet",))
    assert save(shelf, newer) == BooksChange(0, 1, 0)
    with shelf.read() as tx:
        assert books.get(tx, RIVALS.key) == replace(
            RIVALS, title="Team of Rivals: A Life", subjects=("Cabinet",)
        )
        assert books.generation(tx) == 2


def test_a_key_twice_in_one_batch_is_one_book(database):
    assert save(database, EPICS, replace(EPICS, publisher="P")) == BooksChange(1, 0, 1)
    with database.read() as tx:
        assert books.get(tx, EPICS.key).publisher == "P"


@pytest.mark.parametrize("key", ["", "x" * 1001])
def test_a_key_out_of_range_is_refused(database, key):
    with pytest.raises(InvalidInput, match="key"):
        save(database, replace(RIVALS, key=key))


def test_text_that_no_database_holds_is_made_storable(database):
    odd = replace(EPICS, title="A\x00B", subjects=("\ud800",))
    save(database, odd)
    assert save(database, odd) == BooksChange(0, 0, 1)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["Élan", "Team of Rivals", "The Epic"]),
        ({"query": "lincoln"}, ["Team of Rivals"]),
        ({"query": "goodwin"}, ["Team of Rivals"]),
        ({"query": "war"}, ["The Epic", "Team of Rivals"]),
        ({"query": "-war"}, ["Élan"]),
        ({"query": "war -lincoln"}, ["The Epic"]),
        ({"query": '"'}, []),
        ({"fiction": True}, ["The Epic"]),
        ({"fiction": False}, ["Team of Rivals"]),
        ({"language": "en"}, ["Team of Rivals"]),
        ({"year_from": 1900}, ["Team of Rivals"]),
        ({"year_to": 1900}, ["The Epic"]),
    ],
)
def test_books_are_listed_and_searched_page_by_page(shelf, asked, expected):
    found, cursor = [], None
    with shelf.read() as tx:
        while True:
            page = books.page(tx, limit=1, cursor=cursor, **asked)
            found += [each.title for each in page.items]
            cursor = page.next
            if cursor is None:
                break
    assert sorted(found) == sorted(expected) if "query" in asked else found == expected


def test_every_book_is_iterated(shelf):
    with shelf.read() as tx:
        assert list(books.iterate(tx, chunk=2)) == [RIVALS, EPICS, PLAIN]


def test_the_history_of_lists_is_kept(shelf):
    weeks = [
        ListPlacement(RIVALS.key, "nonfiction", f"2005-11-{day:02}", rank, rank)
        for day, rank in ((6, 3), (13, 2))
    ]
    with shelf.write() as tx:
        assert (
            books.save_placements(tx, [*weeks, ListPlacement("unknown", "nonfiction", "2005-11-06", 1)]) == 2
        )
        assert books.save_placements(tx, [weeks[0], replace(weeks[1], rank=1)]) == 0
        assert books.placements(tx, RIVALS.key) == (replace(weeks[1], rank=1), weeks[0])
        assert books.placements(tx, "unknown") == ()


def recommend(*chosen, version="b1", note=""):
    made = (
        Recommendation(b, i + 1, 0.9 - i / 10, Reasons(("war",), ("War",), ("L",), "shares: war"))
        for i, b in enumerate(chosen)
    )
    return Shelf(tuple(made), version, note)


def test_a_shelf_comes_back_as_it_went_in(shelf, world):
    with_books, empty, never = (world.add(article(k, "1860-01-01")) for k in "abc")
    shelves = {with_books: recommend(EPICS, RIVALS), empty: recommend(note="No good match.")}
    with shelf.write() as tx:
        models.set_current(tx, models.BOOKS, "b1", NOW)
        for _ in range(2):
            assert recommendations.replace(tx, shelves, NOW) == 2
    with shelf.read() as tx:
        assert recommendations.of_articles(tx, [with_books, empty, never]) == shelves


def test_a_shelf_is_replaced_for_its_version_only(shelf, world):
    pk = world.add(article("a", "1860-01-01"))
    with shelf.write() as tx:
        models.set_current(tx, models.BOOKS, "b1", NOW)
        recommendations.replace(tx, {pk: recommend(EPICS, RIVALS)}, NOW)
        recommendations.replace(tx, {pk: recommend(PLAIN, version="b2")}, NOW)
        recommendations.replace(tx, {pk: recommend(RIVALS)}, NOW)
        assert recommendations.of_articles(tx, [pk])[pk] == recommend(RIVALS)
        assert recommendations.of_articles(tx, [pk], model_version="b2")[pk] == recommend(PLAIN, version="b2")
        assert recommendations.of_articles(tx, [pk], model_version="b3") == {}


def test_a_book_that_is_not_in_the_catalogue_is_left_out(shelf, world):
    pk = world.add(article("a", "1860-01-01"))
    with shelf.write() as tx:
        unknown = replace(EPICS, key="work:unknown/x")
        assert recommendations.replace(tx, {pk: recommend(unknown, RIVALS)}, NOW) == 1


def test_a_book_knows_its_articles_best_first(shelf, world):
    pks = [world.add(article(f"k{i}", "1860-01-01")) for i in range(3)]
    with shelf.write() as tx:
        models.set_current(tx, models.BOOKS, "b1", NOW)
        recommendations.replace(tx, {pks[0]: recommend(EPICS, RIVALS), pks[1]: recommend(RIVALS)}, NOW)
        first = recommendations.of_book(tx, RIVALS.key, limit=1)
        second = recommendations.of_book(tx, RIVALS.key, limit=1, cursor=first.next)
        assert [(each.pk, score) for each, score in (*first.items, *second.items)] == [
            (pks[1], 0.9),
            (pks[0], 0.8),
        ]
        assert second.next is None
        with pytest.raises(NotFound):
            recommendations.of_book(tx, "unknown")
