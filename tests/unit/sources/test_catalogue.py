from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.book import Book, ListPlacement
from kiosque.core.catalogue import Catalogue
from kiosque.core.errors import InvalidInput
from kiosque.sources.catalogue import VOCABULARY, BookFile, parse_record
from kiosque.sources.columns import Columns
from kiosque.sources.protocol import Page, Reason, Skipped
from kiosque.sources.records import Record
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.payloads import books_overview, listed_book


def poll(folder: Path, name: str, data: str, **options: Any) -> list[Page]:
    path = folder / name
    path.write_text(data, encoding="utf-8")
    return list(BookFile(path, **options).poll(None))


def one(**fields: Any) -> Book:
    (row,) = parse_record(Record("line 1", fields), Columns(VOCABULARY))
    assert not isinstance(row, Skipped), row
    return row[0]


def test_our_own_catalogue_is_read_whole() -> None:
    path = CHECKOUT / "data/demo/books.jsonl"
    originals = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    (page,) = BookFile(path, source="demo").poll(None)
    assert (len(page.books), page.repeats, page.skipped, page.warnings) == (len(originals), 0, (), ())
    for book, original in zip(page.books, originals, strict=True):
        assert (book.title, book.author, book.year) == (
            original["title"],
            original["author"],
            original["year"],
        )
        assert (book.isbn13, book.description) == (original["isbn"], original["description"])
        assert list(book.subjects) == original["subjects"]
        assert (book.language, book.fiction) == ("en", original["fiction"])


def test_a_catalogue_of_another_make() -> None:
    book = one(
        book_id="7",
        isbn10="439023483",
        isbn13="9780439023481",
        authors="Jane Doe, Richard Roe",
        original_publication_year="2008.0",
        title="The Long Count (Mill Creek, #1)",
        language_code="en-US",
        genres="Adventure novel,Science fiction",
        description="",
        nyt_description="A clerk counts.",
    )
    assert book.isbn13 == "9780439023481"
    assert (book.year, book.language, book.description) == (2008, "en", "A clerk counts.")
    assert book.subjects == ("Adventure novel", "Science fiction")
    assert book.key == "work:long-count/j-doe"


@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"isbn": "9780439023481; 0307454541"}, "editions", ("9780307454546",)),
        ({"isbn13": ["9780439023481", "junk"]}, "isbn13", "9780439023481"),
        ({"isbn": 9780439023481}, "isbn13", "9780439023481"),
        ({"isbn": "junk"}, "isbn13", None),
        ({"year": -431}, "year", -431),
        ({"year": "c. 1900"}, "year", None),
        ({"year": 99999}, "year", None),
        ({"published_on": "2012-03-01"}, "year", 2012),
        ({"published_on": "1 March 2012"}, "published_on", "2012-03-01"),
        ({"published": "2012"}, "published_on", None),
        ({"fiction": False}, "fiction", False),
        ({"fiction": "yes"}, "fiction", True),
        ({"fiction": "maybe"}, "fiction", None),
        ({"list_name": "Hardcover Nonfiction"}, "fiction", False),
        ({"language": "ger"}, "language", "de"),
        ({"language": "Klingon"}, "language", None),
        ({"subjects": ["a", "b"]}, "subjects", ("a", "b")),
        ({"subjects": "['a', 'b']"}, "subjects", ("a", "b")),
        ({"author": ["A", "B", "C"]}, "author", "A, B and C"),
        ({"author": ["A"]}, "author", "A"),
        ({"author": "RACHEL MADDOW"}, "author", "Rachel Maddow"),
        ({"author": ["SALLY BEDELL SMITH", "Joan Didion"]}, "author", "Sally Bedell Smith and Joan Didion"),
        ({}, "author", ""),
    ],
)
def test_fields_of_every_kind(fields: dict[str, Any], name: str, expected: object) -> None:
    assert getattr(one(title="The Long Count", **fields), name) == expected


def test_upper_case_titles_are_set_in_title_case() -> None:
    assert one(title="THE LONG COUNT OF O'REILLY").title == "The Long Count of O'Reilly"


def test_a_week_on_a_list_is_a_placement_if_the_rank_is_known(tmp_path: Path) -> None:
    data = (
        "title,author,list_name,list_date,rank,weeks_on_list\n"
        "A,J Doe,Fiction,2012-03-04,1,3\nB,J Doe,Fiction,2012-03-04,,\n"
    )
    (page,) = poll(tmp_path, "a.csv", data)
    assert page.placements == (ListPlacement("work:a/j-doe", "Fiction", "2012-03-04", 1, 3),)


def test_weeks_of_one_book_are_one_book(tmp_path: Path) -> None:
    rows = "".join(f"THE LONG COUNT,Jane Doe,Nonfiction,2012-03-{day:02},1\n" for day in (4, 11, 18))
    (page,) = poll(tmp_path, "a.csv", "title,author,list_name,list_date,rank\n" + rows)
    assert (len(page.books), len(page.placements), page.repeats) == (1, 3, 2)


def test_placements_follow_a_book_that_was_merged(tmp_path: Path) -> None:
    data = (
        "title,author,isbn,list_name,week,rank\n"
        "The Long Count,Jane Doe,9780439023481,Fiction,2012-03-04,1\n"
        "Counting Long,Jane Doe,9780439023481,Audio,2012-03-04,2\n"
    )
    (page,) = poll(tmp_path, "a.csv", data)
    assert {placement.book_key for placement in page.placements} == {page.books[0].key}


def test_pages_merge_in_a_catalogue(tmp_path: Path) -> None:
    rows = "".join(f"The Count {number % 3},Jane Doe\n" for number in range(10))
    pages = poll(tmp_path, "a.csv", "title,author\n" + rows, page_size=4)
    catalogue = Catalogue(book for page in pages for book in page.books)
    assert len(pages) == 3
    assert len(catalogue) == 3


@pytest.mark.parametrize(
    "payload",
    [books_overview(), {"results": [listed_book(1), listed_book(2)]}, [listed_book(1), listed_book(2)]],
)
def test_saved_answers_of_the_nyt(tmp_path: Path, payload: object) -> None:
    pages = poll(tmp_path, "saved.json", json.dumps(payload))
    assert [book.title for page in pages for book in page.books] == [
        "The Clerk's Tale, Volume 1",
        "The Clerk's Tale, Volume 2",
    ]


@pytest.mark.parametrize(
    "fields", [{}, {"title": " "}, {"title": "?!"}, {"author": "Jane Doe"}, {"isbn": "9780439023481"}]
)
def test_a_book_without_title_is_left_out(fields: dict[str, Any]) -> None:
    (result,) = parse_record(Record("line 3", fields), Columns(VOCABULARY))
    assert isinstance(result, Skipped)
    assert (result.reason, result.where) == (Reason.NO_TITLE, "line 3")


def test_a_file_without_titles_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No column for title"):
        poll(tmp_path, "a.csv", "isbn13,description\n9780439023481,x\n")


def test_broken_rows_do_not_cost_the_others(tmp_path: Path) -> None:
    (page,) = poll(tmp_path, "a.jsonl", '{"title": "A"}\n{"title"\n[]\n{"title": ""}\n{"title": "B"}\n')
    assert [book.title for book in page.books] == ["A", "B"]
    assert [(reject.where, reject.reason) for reject in page.skipped] == [
        ("line 2", Reason.NOT_JSON),
        ("line 3", Reason.NOT_AN_OBJECT),
        ("line 4", Reason.NO_TITLE),
    ]


FIELDS = "title author isbn year subjects language fiction rank week list_name results isbns book_details"
names = st.sampled_from(FIELDS.split())
odd = st.sampled_from(["2012-03-04", "THE LONG COUNT", "['a']"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | odd,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["title", "books", "lists"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(names, values, max_size=8))
def test_any_record_gives_books_or_reasons(fields: dict[str, Any]) -> None:
    for result in parse_record(Record("line 1", fields), Columns(VOCABULARY)):
        assert result.reason in set(Reason) if isinstance(result, Skipped) else result[0].title
