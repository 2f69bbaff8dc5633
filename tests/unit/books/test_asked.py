from datetime import UTC, datetime, timedelta

import pytest

from kiosque.books.asked import HALF_LIFE_DAYS, MAX_CHARACTERS, MAX_READ, describe, passages, recency
from kiosque.core.book import BookQuery, ReadItem
from kiosque.core.errors import InvalidInput
from kiosque.testing.books import PLAIN, TRUMAN

NEWEST = datetime(2026, 11, 1, tzinfo=UTC)


def test_an_article_read_one_half_life_before_the_newest_weighs_half():
    assert recency(NEWEST - timedelta(days=HALF_LIFE_DAYS), NEWEST) == pytest.approx(0.5)
    assert recency(NEWEST, NEWEST) == 1.0
    assert recency(None, NEWEST) == 1.0


def test_shares_of_what_was_read_add_up_to_one_and_the_newest_comes_first():
    old = ReadItem("war", NEWEST - timedelta(days=60))
    new = ReadItem("peace", NEWEST)
    found = passages(BookQuery(reader=(old, new)), None)
    assert [p.text for p in found] == ["peace", "war"]
    assert [p.share for p in found] == pytest.approx([0.8, 0.2])


def test_empty_articles_are_passed_over_and_only_so_many_are_read():
    items = tuple(ReadItem(f"word{n}") for n in range(MAX_READ + 5))
    assert len(passages(BookQuery(reader=(ReadItem(" "), *items)), None)) == MAX_READ


def test_articles_without_any_weight_are_refused():
    with pytest.raises(InvalidInput):
        passages(BookQuery(reader=(ReadItem("war", weight=0.0),)), None)


def test_a_long_text_is_cut():
    (passage,) = passages(BookQuery(text="war " * MAX_CHARACTERS), None)
    assert len(passage.text) == MAX_CHARACTERS


def test_a_book_is_described_from_what_is_known_of_it():
    assert describe(PLAIN) == "Untold"
    assert describe(TRUMAN).startswith("From a Missouri farm")
    assert describe(TRUMAN).endswith("presidential biography. Truman")


def test_half_characters_are_no_reason_to_fail():
    (passage,) = passages(BookQuery(text="Tru\udc8dman"), None)
    assert passage.text == "Tru?man"
