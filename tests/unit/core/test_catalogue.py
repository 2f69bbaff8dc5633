from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.book import Book
from kiosque.core.catalogue import Catalogue, book_key, isbn13, main_title, merge, normal_author, normal_title
from kiosque.core.errors import InvalidInput

ISBN = "9780307454546"


def make(title: str, author: str = "Jane Doe", isbn: str | None = None, **fields: object) -> Book:
    key = book_key(title=title, author=author, isbn=isbn)
    return Book(key=key, title=title, author=author, isbn13=isbn, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("9780307454546", ISBN),
        ("978-0-307-45454-6", ISBN),
        ("0307454541", ISBN),
        ("0-307-45454-1", ISBN),
        ("307454541", ISBN),  # a spreadsheet took the zero
        ("307454541.0", ISBN),
        ("125016561X", "9781250165619"),
        ("125016561x", "9781250165619"),
        ("9780307454547", None),
        ("0307454542", None),
        ("None", None),
        ("", None),
        ("9" * 13, None),
        ("٩٧٨٠٣٠٧٤٥٤٥٤٦", None),
        ("12345", None),
    ],
)
def test_isbn(raw: str, expected: str | None) -> None:
    assert isbn13(raw) == expected


@given(st.text(max_size=20))
def test_isbn_takes_anything(raw: str) -> None:
    found = isbn13(raw)
    assert found is None or isbn13(found) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Long Count", "LONG COUNT"),
        ("Salt & Pepper", "Salt and Pepper"),
        ("Café Noir", "Cafe noir"),
        ("Clerk’s Tale", "Clerk's Tale"),
        ("Prodigy (Legend, #2)", "Prodigy"),
        ("Count [Book 3]", "Count"),
    ],
)
def test_titles_that_mean_the_same_compare_the_same(one: str, other: str) -> None:
    assert normal_title(one) == normal_title(other)


def test_a_title_of_other_letters_has_a_key() -> None:
    assert normal_title("デスノート") != ""
    assert normal_title("Война и мир") == "воина-и-мир"


def test_a_title_that_is_only_an_article_stays() -> None:
    assert normal_title("The") == "the"


@pytest.mark.parametrize(
    "author",
    [
        "J. K. Rowling",
        "J.K. Rowling",
        "JK Rowling",
        "Joanne Rowling",
        "Rowling, Joanne",
        "J.K. Rowling, Mary GrandPré",
        "J.K. Rowling and Jack Thorne",
        "J.K. Rowling with a Friend",
        "by J.K. Rowling. Illustrated by Mary GrandPré",
        "Edited by J.K. Rowling",
        "J. K. Rowling Jr.",
        "J. K. Rowling, PhD",
    ],
)
def test_an_author_is_the_same_however_credited(author: str) -> None:
    assert normal_author(author) == "j-rowling"


@pytest.mark.parametrize(
    ("author", "expected"), [("Voltaire", "voltaire"), ("", ""), ("Jr.", "jr"), (", ,", "")]
)
def test_odd_authors(author: str, expected: str) -> None:
    assert normal_author(author) == expected


def test_the_key_is_the_work_else_the_isbn_else_the_title() -> None:
    assert book_key(title="The Long Count", author="Jane Doe", isbn=ISBN) == "work:long-count/j-doe"
    assert book_key(title="The Long Count", author="", isbn=ISBN) == f"isbn:{ISBN}"
    assert book_key(title="", author="", isbn=ISBN) == f"isbn:{ISBN}"
    assert book_key(title="The Long Count", author="") == "work:long-count/"


def test_a_book_without_title_and_isbn_has_no_key() -> None:
    with pytest.raises(InvalidInput):
        book_key(title="?!", author="Jane Doe")


def test_long_keys_are_cut_and_stay_apart() -> None:
    one, other = (book_key(title="count " * 200 + end, author="Jane Doe") for end in ("a", "b"))
    assert one != other
    assert max(len(one), len(other)) <= 200


def test_editions_that_share_an_isbn_are_one_book() -> None:
    hardcover = make("The Long Count", isbn=ISBN)
    renamed = make("Counting, Long and Short", isbn="9781250165619", editions=(ISBN,))
    catalogue = Catalogue([hardcover])
    assert catalogue.add(renamed).key == hardcover.key
    assert catalogue.find(make("Third Title", isbn="9781250165619")) is not None
    assert len(catalogue) == 1


def test_without_isbn_title_and_author_decide() -> None:
    catalogue = Catalogue(
        [make("The Long Count", "J.R. Doe"), make("Long Count", "JR Doe"), make("Long Count", "X Y")]
    )
    assert len(catalogue) == 2


@pytest.mark.parametrize("order", list(permutations(["Destiny", "Destiny: An Odyssey"])))
def test_a_title_stands_for_the_same_with_a_subtitle(order: tuple[str, ...]) -> None:
    assert len(Catalogue(make(title) for title in order)) == 1


def test_two_subtitles_are_two_books_and_the_bare_title_is_neither() -> None:
    catalogue = Catalogue([make("Pete: Big Day"), make("Pete: Small Day"), make("Pete")])
    assert len(catalogue) == 3


@pytest.mark.parametrize(
    "other",
    [
        "Count: The Graphic Novel",
        "Count: The Play",
        "Count: Volume 2",
        "Count: #1-4",
        "Count: The Official Illustrated Guide",
    ],
)
def test_an_adaptation_is_a_work_of_its_own(other: str) -> None:
    assert len(Catalogue([make("Count"), make(other)])) == 2


def test_volumes_of_a_series_are_kept_apart_and_have_keys_of_their_own() -> None:
    catalogue = Catalogue([make("Avatar (Rift, #1)"), make("Avatar (Rift, #2)"), make("Avatar (Rift, #2)")])
    assert len(catalogue) == 2
    assert len({book.key for book in catalogue}) == 2


def test_numbered_volumes_with_subtitles_are_kept_apart() -> None:
    assert len(Catalogue([make("Storm (Ice, #3)"), make("Storm: Steel (Ice, #3: Part 1 of 2)")])) == 2


def test_merging_keeps_the_key_and_fills_what_is_missing() -> None:
    known = make("The Long Count", isbn=ISBN, year=2015, subjects=("Elections",), description="Short.")
    other = make(
        "LONG COUNT", isbn="9781250165619", year=2012, subjects=("elections", "Clerks"), description="A longer one.",
        publisher="Mill Creek", language="en", fiction=False, published_on="2012-03-01",
    )  # fmt: skip
    merged = merge(known, other)
    assert (merged.key, merged.title, merged.isbn13) == (known.key, "The Long Count", ISBN)
    assert merged.editions == ("9781250165619",)
    assert (merged.year, merged.published_on, merged.description) == (2012, "2012-03-01", "A longer one.")
    assert (merged.publisher, merged.language, merged.fiction) == ("Mill Creek", "en", False)
    assert merged.subjects == ("Elections", "Clerks")


def test_merging_twice_changes_nothing_more() -> None:
    one, other = make("The Long Count", isbn=ISBN), make("Long Count", isbn="9781250165619", year=1990)
    once = merge(one, other)
    assert merge(once, other) == once
    assert merge(once, one) == once


def test_the_main_title_ends_at_the_subtitle() -> None:
    assert main_title("Destiny and Power: An Odyssey") == "destiny-and-power"
    assert main_title(": An Odyssey") == "odyssey"
    assert main_title("3:10 to Mill Creek") == "3-10-to-mill-creek"


titles = st.sampled_from(
    ["Count", "Count: A Tale", "Count (Mill, #1)", "The Count", "Recount", "Count: The Play"]
)
isbns = st.sampled_from([None, ISBN, "9781250165619"])


@given(st.lists(st.tuples(titles, st.sampled_from(["Jane Doe", "J. Doe", ""]), isbns), max_size=12))
def test_every_record_is_found_again_under_one_key(rows: list[tuple[str, str, str | None]]) -> None:
    catalogue = Catalogue()
    for title, author, isbn in rows:
        filed = catalogue.add(make(title, author, isbn))
        assert catalogue.get(filed.key) is filed
    keys = [book.key for book in catalogue]
    assert len(keys) == len(set(keys)) == len(catalogue)
