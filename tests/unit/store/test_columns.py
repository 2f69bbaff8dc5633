from __future__ import annotations

from datetime import UTC, date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from kiosque.store.columns import Json, Moment, Words, day_number, month_number, storable

SQLITE = sqlite.dialect()


@given(st.datetimes(timezones=st.timezones()))
def test_a_moment_survives_sqlite(moment):
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        return
    stored = Moment().process_bind_param(moment, SQLITE)
    assert Moment().process_result_value(stored, SQLITE) == expected


@given(st.datetimes(), st.datetimes())
def test_moments_sort_on_sqlite_as_they_follow_one_another(one, other):
    stored = [Moment().process_bind_param(each.replace(tzinfo=UTC), SQLITE) for each in (one, other)]
    assert (stored[0] < stored[1]) == (one < other)


@given(st.text(st.characters()))
def test_any_text_becomes_storable_and_stays_so(text):
    stored = storable(text)
    assert "\x00" not in stored
    stored.encode()
    assert storable(stored) == stored
    assert len(stored) == len(text)


def test_json_is_made_storable_at_every_depth():
    stored = Json().process_bind_param({"a\x00": ["\ud800", ("b", 1)], "c": None}, SQLITE)
    assert stored == {"a\ufffd": ["\ufffd", ["b", 1]], "c": None}


def test_nothing_stays_nothing():
    assert Words().process_bind_param(None, SQLITE) is None
    assert Moment().process_bind_param(None, SQLITE) is None
    assert Moment().process_result_value(None, SQLITE) is None


@pytest.mark.parametrize("day", [date(1, 1, 1), date(1860, 11, 6), date(2024, 2, 29), date(9999, 12, 31)])
def test_numbers_of_days_and_months(day):
    assert (day_number(day) - 1) % 7 == day.weekday()
    assert divmod(month_number(day), 12) == (day.year, day.month - 1)
