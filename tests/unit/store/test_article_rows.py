from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from kiosque.core.article import Article
from kiosque.store.article_rows import changes_text, revision, to_row

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(**others):
    given = {"key": "k", "source": "wire", "headline": "H", "published_at": NOW}
    return to_row(Article(**{**given, **others}), NOW)


@pytest.mark.parametrize(
    ("sighted", "expected"),
    [
        ({}, {}),
        ({"headline": "New"}, {"headline": "New"}),
        ({"headline": "New", "source": "feed"}, {}),
        ({"abstract": "A", "source": "feed"}, {"abstract": "A"}),
        ({"headline": "", "abstract": "A"}, {"abstract": "A"}),
        ({"section": "S", "source": "feed"}, {"section": "S"}),
        ({"url": "u", "byline": ("b",), "language": "en"}, {"url": "u", "byline": ("b",), "language": "en"}),
        ({"kind": "blogpost", "published_at": datetime(1999, 1, 1, tzinfo=UTC)}, {}),
        ({"headline": "H\x00"}, {"headline": "H\ufffd"}),
    ],
)
def test_what_a_sighting_changes(sighted, expected):
    assert revision(row(), row(**sighted)) == expected


def test_what_is_full_is_not_replaced_by_another_value():
    stored = row(section="S", keywords=("a",), url="u")
    assert revision(stored, row(section="T", keywords=("b",), url="v")) == {}


LATER = NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("there", "told", "expected"),
    [
        (NOW, LATER, {"headline": "New", "told_at": LATER}),
        (LATER, NOW, {}),
        (NOW, NOW, {"headline": "New"}),
        (None, NOW, {"headline": "New", "told_at": NOW}),
        (NOW, None, {"headline": "New"}),
    ],
)
def test_of_two_texts_the_one_told_later_holds(there, told, expected):
    assert revision(row(told_at=there), row(headline="New", told_at=told)) == expected


def test_what_was_told_before_still_fills_what_is_empty():
    assert revision(row(told_at=LATER), row(abstract="A", told_at=NOW)) == {"abstract": "A"}


@pytest.mark.parametrize(
    ("changes", "text"),
    [({}, False), ({"section": "S"}, False), ({"headline": "x"}, True), ({"abstract": "x"}, True)],
)
def test_only_text_calls_for_new_mentions(changes, text):
    assert changes_text(changes) is text


def test_days_and_months_are_those_of_utc():
    stored = row(published_at=datetime.fromisoformat("1999-12-31T23:30:00-05:00"))
    assert (stored["day"], stored["month"]) == (date(2000, 1, 1).toordinal(), 24_000)
