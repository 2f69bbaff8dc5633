from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.core.book import Book, ListPlacement
from kiosque.core.errors import SourceUnavailable
from kiosque.sources.nyt_books import NytBooks, collect, is_fiction, parse_book, read_books
from kiosque.sources.protocol import Page, Reason, Skipped
from kiosque.testing.payloads import as_bytes, books_overview, listed_book
from kiosque.testing.sources import Network

WEEKS = ["2020-11-08", "2020-11-15", "2020-11-22", "2020-11-29"]


def one(item: object) -> tuple[Book, tuple[ListPlacement, ...]]:
    result = parse_book(item, where="1")
    assert not isinstance(result, Skipped), result
    return result


def test_an_overview_gives_each_work_once_with_all_its_places() -> None:
    books, placements, skipped = collect(read_books(books_overview()))
    assert [book.title for book in books] == ["The Clerk's Tale, Volume 1", "The Clerk's Tale, Volume 2"]
    assert books[0].isbn13 == "9780000000019"
    assert (books[0].author, books[0].publisher, books[0].language) == ("J.R. Doe", "Mill Creek Press", "en")
    assert len(placements) == 4
    assert placements[0] == ListPlacement(books[0].key, "Hardcover Fiction", "2020-11-08", 1, 3)
    assert skipped == ()


def test_one_list_is_read() -> None:
    current = {"list_name": "Hardcover Fiction", "published_date": "2024-03-31", "books": [listed_book(1)]}
    books, placements, _ = collect(read_books({"results": current}))
    assert books[0].fiction is True
    assert placements == (ListPlacement(books[0].key, "Hardcover Fiction", "2024-03-31", 1, 3),)


def test_list_items_carry_their_list_and_their_editions() -> None:
    item = {
        "list_name": "Trade Fiction Paperback",
        "published_date": "2010-10-03",
        "rank": 1,
        "weeks_on_list": 65,
        "isbns": [
            {"isbn10": "0307454541", "isbn13": "9780307454546"},
            {"isbn10": "0307473473", "isbn13": "None"},
        ],
        "book_details": [
            {"title": "THE LONG COUNT", "author": "Jane Doe", "price": 14.95, "primary_isbn10": ""}
        ],
    }
    books, placements, _ = collect(read_books({"results": [item]}))
    assert (books[0].isbn13, books[0].editions) == ("9780307454546", ("9780307473479",))
    assert placements == (ListPlacement(books[0].key, "Trade Fiction Paperback", "2010-10-03", 1, 65),)


def test_history_gives_every_week() -> None:
    ranks = [
        {"list_name": "Science", "published_date": week, "rank": 2, "weeks_on_list": 0} for week in WEEKS
    ]
    _, placements = one({"title": "X", "author": "Jane Doe", "ranks_history": ranks})
    assert [placement.week for placement in placements] == WEEKS
    assert {placement.weeks_on_list for placement in placements} == {None}


def test_a_review_is_read_as_the_book_it_is_about() -> None:
    review = {
        "publication_dt": "2011-11-10",
        "book_title": "1Q84",
        "book_author": "Haruki Murakami",
        "summary": "A long one.",
        "isbn13": ["9780307593313", "9780307476463", "junk"],
    }
    book, placements = one(review)
    assert (book.title, book.author, book.description, placements) == (
        "1Q84",
        "Haruki Murakami",
        "A long one.",
        (),
    )
    assert book.editions == ("9780307476463",)


def test_a_series_list_names_no_edition() -> None:
    listed = {"list_name": "Series Books", "published_date": WEEKS[0], "books": [listed_book(1)]}
    books, _, _ = collect(read_books({"results": listed}))
    assert (books[0].isbn13, books[0].editions) == (None, ())


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"description": ""}, "description", ""),
        ({"publisher": None}, "publisher", None),
        ({"primary_isbn13": "None", "primary_isbn10": "None"}, "isbn13", None),
        ({"primary_isbn13": "", "primary_isbn10": "0307454541"}, "isbn13", "9780307454546"),
        ({"author": "", "contributor": "by Jane Doe"}, "author", "Jane Doe"),
        ({"author": "Jane Doe", "contributor": "by Jane Doe. Illustrated by X"}, "author", "Jane Doe"),
        ({"author": None, "contributor": None}, "author", ""),
        ({"title": "A Clerk's Tale"}, "title", "A Clerk's Tale"),
    ],
)
def test_fields_of_every_kind(changes: dict[str, Any], field: str, expected: object) -> None:
    book, _ = one(listed_book(**changes))
    assert getattr(book, field) == expected


@pytest.mark.parametrize("rank", [None, 0, -1, "x", [], "None"])
def test_without_a_rank_there_is_no_place(rank: object) -> None:
    _, placements = one(listed_book(rank=rank, list_name="Science", published_date=WEEKS[0]))
    assert placements == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Hardcover Fiction", True),
        ("Combined Print & E-Book Nonfiction", False),
        ("Advice How-To and Miscellaneous", False),
        ("Graphic Novels", True),
        ("Picture Books", None),
        ("", None),
    ],
)
def test_the_list_tells_fiction_from_nonfiction(name: str, expected: bool | None) -> None:
    assert is_fiction(name) is expected


@pytest.mark.parametrize(
    ("item", "reason"),
    [(None, Reason.NOT_AN_OBJECT), ({}, Reason.NO_TITLE), ({"title": "?"}, Reason.NO_TITLE)],
)
def test_what_is_no_book_is_left_out_with_its_reason(item: object, reason: Reason) -> None:
    result = parse_book(item, where="1")
    assert isinstance(result, Skipped)
    assert result.reason is reason


@pytest.mark.parametrize("payload", [None, 3, {}, {"results": 3}, {"results": {}}, {"fault": {}}])
def test_another_answer_is_an_error(payload: object) -> None:
    with pytest.raises(SourceUnavailable):
        list(read_books(payload))


def test_no_results_are_no_books() -> None:
    assert list(read_books({"results": None})) == list(read_books({"results": []})) == []


class Lists:
    """The Books API with its lists of some weeks."""

    def __init__(self, *weeks: str) -> None:
        self.weeks = list(weeks)
        self.network = Network(self.answer)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        asked = request.url.params.get("published_date", self.weeks[-1])
        week = next((week for week in self.weeks if week >= asked), self.weeks[-1])
        return httpx2.Response(200, content=as_bytes(books_overview(week)))

    def source(self, folder: Path, **options: Any) -> NytBooks:
        return NytBooks(self.network.nyt(folder), **options)


def weeks(pages: list[Page]) -> list[str]:
    return [placement.week for page in pages for placement in page.placements[:1]]


def test_the_first_poll_takes_the_present_week(tmp_path: Path) -> None:
    lists = Lists(*WEEKS)
    pages = list(lists.source(tmp_path).poll(None))
    assert weeks(pages) == WEEKS[-1:]
    assert pages[-1].cursor == {"week": WEEKS[-1]}


def test_missed_weeks_are_made_up_oldest_first(tmp_path: Path) -> None:
    lists = Lists(*WEEKS)
    assert weeks(list(lists.source(tmp_path).poll({"week": WEEKS[0]}))) == WEEKS[1:]


def test_history_begins_on_the_day_that_is_asked_for(tmp_path: Path) -> None:
    lists = Lists(*WEEKS)
    assert weeks(list(lists.source(tmp_path, since="2020-11-10").poll(None))) == WEEKS[1:]


def test_a_poll_spends_no_more_requests_than_it_may_and_the_next_goes_on(tmp_path: Path) -> None:
    lists = Lists(*WEEKS)
    source = lists.source(tmp_path, max_requests=2)
    first = list(source.poll({"week": "2020-11-01"}))
    assert weeks(first) == WEEKS[:2]
    assert weeks(list(source.poll(first[-1].cursor))) == WEEKS[2:]


def test_nothing_new_costs_one_request(tmp_path: Path) -> None:
    lists = Lists(*WEEKS)
    pages = list(lists.source(tmp_path).poll({"week": WEEKS[-1]}))
    assert weeks(pages) == []
    assert len(lists.network.requests) == 1


def test_a_server_that_answers_with_an_older_week_does_not_send_us_in_circles(tmp_path: Path) -> None:
    lists = Lists(WEEKS[0])
    lists.network.handler = lambda request: httpx2.Response(
        200,
        content=as_bytes(books_overview(WEEKS[0] if "published_date" in request.url.params else WEEKS[-1])),
    )
    pages = list(lists.source(tmp_path).poll({"week": WEEKS[0]}))
    assert pages[-1].cursor == {"week": WEEKS[-1]}


NAMES = st.sampled_from(["title", "isbn13", "rank"])
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["None", "0.00", "978"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=300)
@given(
    st.sampled_from([*listed_book(), "book_details", "isbns", "ranks_history", "isbn13", "list_name"]), junk
)
def test_any_change_of_an_entry_gives_a_book_or_a_reason(name: str, value: Any) -> None:
    result = parse_book(listed_book() | {name: value}, where="1")
    assert isinstance(result, Skipped) or result[0].title


@settings(max_examples=200)
@given(
    st.sampled_from(["status", "num_results", "results"]),
    st.sampled_from(["lists", "books", "published_date"]),
    junk,
)
def test_any_change_of_an_answer_gives_books_or_an_error_of_ours(outer: str, inner: str, value: Any) -> None:
    payload = copy.deepcopy(books_overview())
    payload["results"][inner] = value
    for changed in (payload, payload | {outer: value}):
        try:
            collect(read_books(changed))
        except SourceUnavailable:
            continue
