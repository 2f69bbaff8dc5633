from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.sources.dates import moment_of, parse_moment


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2012-01-02T22:18:41Z", "2012-01-02T22:18:41+00:00"),
        ("1851-09-18T05:00:00+0000", "1851-09-18T05:00:00+00:00"),
        ("2019-05-10T19:48:03-04:00", "2019-05-10T23:48:03+00:00"),
        ("2018-03-17", "2018-03-17T00:00:00+00:00"),
        ("2018-3-1", "2018-03-01T00:00:00+00:00"),
        ("2018-03-21 23:00:09", "2018-03-21T23:00:09+00:00"),
        ("2016-02-01T17:22:00 +01:00", "2016-02-01T16:22:00+00:00"),
        ("2016-06-03T07:38:00.000-07:00", "2016-06-03T14:38:00+00:00"),
        ("Mon, 20 Apr 2020 21:37:00 GMT", "2020-04-20T21:37:00+00:00"),
        ("Tue, 20 Jul 2021 19:00:03 EDT", "2021-07-20T23:00:03+00:00"),
        ("Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42:40+00:00"),
        ("Sáb, 1 Dez 2018 19:42:40 -0300", "2018-12-01T22:42:40+00:00"),
        ("mer., 14 févr. 2018 10:00:00 +0100", "2018-02-14T09:00:00+00:00"),
        ("Di, 06 Okt 2020 10:00:00 +0200", "2020-10-06T08:00:00+00:00"),
        ("1 de janeiro de 2019 10:00", "2019-01-01T10:00:00+00:00"),
        ("24 Set 2018", "2018-09-24T00:00:00+00:00"),
        ("Tue Jul  2 19:00:03 2021", "2021-07-02T19:00:03+00:00"),
        ("20 Apr 20 21:37:00 GMT", "2020-04-20T21:37:00+00:00"),
        ("11/24/2012", "2012-11-24T00:00:00+00:00"),
    ],
)
def test_every_form_is_read_in_utc(written: str, expected: str) -> None:
    found = parse_moment(written)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize(
    "written",
    ["", "x", "2018-02-31", "31 Feb 2012 00:00:00", "12 Foo 2012", "0001-01-01T00:00:00+23:00", "25:00", "2018" * 50,
     "9999-12-31T23:59:59-23:00", "13/24/2012"],
)  # fmt: skip
def test_what_names_no_moment_is_none(written: str) -> None:
    assert parse_moment(written) is None


def test_numbers_are_seconds_or_milliseconds() -> None:
    assert moment_of(1_600_000_000) == datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
    assert moment_of(1_600_000_000_000) == moment_of(1_600_000_000)


@pytest.mark.parametrize("value", [None, True, [], {}, 1e300, float("nan"), -(10**15)])
def test_other_values_are_none(value: object) -> None:
    assert moment_of(value) is None


@given(
    st.text() | st.from_regex(r"\d{1,4}-\d{1,2}-\d{1,2}.{0,20}") | st.from_regex(r"\w+, \d+ \w+ \d+.{0,20}")
)
def test_any_text_is_a_moment_in_utc_or_none(written: str) -> None:
    found = parse_moment(written)
    assert found is None or found.tzinfo is UTC


@given(st.datetimes(min_value=datetime(1851, 9, 18), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 -- zone added
def test_iso_round_trip(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert parse_moment(aware.isoformat()) == aware
