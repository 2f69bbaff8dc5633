"""Dates and numbers, as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.books.reasons import explain, take_apart
from kiosque.core.book import Book
from kiosque.web.because import because
from kiosque.web.language import speaking
from kiosque.web.wording import day, decimal, moment, percent, signed, thousands, weekday

NARROW, FIXED = "\u202f", "\u00a0"


class TestEnglish:
    def test_dates(self) -> None:
        assert day(date(1860, 11, 6)) == "6 November 1860"
        assert day(None) == "–"
        assert weekday(date(1860, 11, 6)) == "Tuesday"
        assert moment(datetime(1860, 11, 6, 9, 5, tzinfo=UTC)) == "6 November 1860, 09:05 UTC"
        assert moment(None) == "never"

    def test_numbers(self) -> None:
        assert thousands(1234567) == "1,234,567"
        assert percent(0.456) == "46%"
        assert percent(0.456, 1) == "45.6%"
        assert percent(None) == "–"
        assert decimal(0.5, 3) == "0.500"

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (0.0, "0.00"),
            (-0.0, "0.00"),
            (0.001, "0.00"),
            (-0.001, "0.00"),
            (0.25, "+0.25"),
            (-1, "−1.00"),
            (None, "–"),
        ],
    )
    def test_a_zero_has_no_sign(self, value: float | None, words: str) -> None:
        assert signed(value) == words


class TestFrench:
    def test_dates(self) -> None:
        with speaking("fr"):
            assert day(date(1860, 11, 6)) == "6 novembre 1860"
            assert day(date(1860, 11, 1)) == "1er novembre 1860"
            assert day(date(1860, 11, 11)) == "11 novembre 1860"
            assert weekday(date(1860, 11, 6)) == "mardi"
            assert moment(datetime(1860, 11, 6, 9, 5, tzinfo=UTC)) == (
                f"6 novembre 1860 à 09{FIXED}h{FIXED}05 (UTC)"
            )

    def test_numbers(self) -> None:
        with speaking("fr"):
            assert thousands(1234567) == f"1{NARROW}234{NARROW}567"
            assert percent(0.456, 1) == f"45,6{FIXED}%"
            assert signed(-0.25) == "−0,25"
            assert decimal(0.5, 3) == "0,500"

    @given(st.dates())
    def test_every_day_can_be_written(self, value: date) -> None:
        with speaking("fr"):
            assert str(value.year) in day(value)


class TestBecause:
    def test_says_what_a_real_reason_says(self) -> None:
        book = Book(key="b", title="Team of Rivals", author="D. K. Goodwin", subjects=("Abraham Lincoln",))
        reasons = explain(take_apart("Lincoln and his rivals in Chicago"), book, lambda _: 1.0)
        assert reasons.sentence.startswith("shares: Abraham Lincoln")
        shared = reasons.sentence.removeprefix("shares: ")
        assert because(reasons.sentence) == f"because it shares: {shared}"
        with speaking("fr"):
            assert because(reasons.sentence) == f"parce qu’il a en commun{FIXED}: {shared}"

    @pytest.mark.parametrize(
        ("sentence", "words"),
        [
            ("is close in subject", "parce que son sujet est proche"),
            (
                "shares: 1860, Chicago; by way of “Election of 1860”: Abraham Lincoln",
                f"parce qu’il a en commun{FIXED}: 1860, Chicago{NARROW}; "
                f"par le biais de «{FIXED}Election of 1860{FIXED}»{FIXED}: Abraham Lincoln",
            ),
            (
                "by way of “A; b”: Lincoln",
                f"parce que, par le biais de «{FIXED}A; b{FIXED}», il a en commun{FIXED}: Lincoln",
            ),
            ("mentions 50 % of it", f"motif{FIXED}: mentions 50 % of it"),
        ],
    )
    def test_in_french(self, sentence: str, words: str) -> None:
        with speaking("fr"):
            assert because(sentence) == words
