from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, select

from kiosque.store.buckets import bucket_days, bucket_number
from kiosque.store.columns import day_number, month_number
from kiosque.store.figures import Counts, Gap, Granularity

DAYS = Table("days", MetaData(), Column("day", Integer), Column("month", Integer))


def number(granularity, day):
    with create_engine("sqlite://").connect() as connection:
        DAYS.create(connection)
        connection.execute(DAYS.insert().values(day=day_number(day), month=month_number(day)))
        return connection.scalar(select(bucket_number(granularity, DAYS)))


@pytest.mark.parametrize("granularity", Granularity)
@given(day=st.dates())
def test_a_day_lies_in_its_bucket_and_the_next_bucket_follows(granularity, day):
    bucket = number(granularity, day)
    start, end = bucket_days(granularity, bucket)
    assert start <= day <= end
    if end < date.max:
        assert bucket_days(granularity, bucket + 1)[0] == end + timedelta(days=1)


@pytest.mark.parametrize(
    ("granularity", "start", "end"),
    [
        (Granularity.DAY, date(1860, 11, 6), date(1860, 11, 6)),
        (Granularity.WEEK, date(1860, 11, 5), date(1860, 11, 11)),
        (Granularity.MONTH, date(1860, 11, 1), date(1860, 11, 30)),
        (Granularity.QUARTER, date(1860, 10, 1), date(1860, 12, 31)),
        (Granularity.YEAR, date(1860, 1, 1), date(1860, 12, 31)),
    ],
)
def test_the_bucket_of_election_day_1860(granularity, start, end):
    assert bucket_days(granularity, number(granularity, date(1860, 11, 6))) == (start, end)


def test_counts_add_up_and_know_their_shares():
    counts = Counts(1, 2, 3, 4) + Counts(negative=1)
    assert counts == Counts(2, 2, 3, 4)
    assert (counts.scored, counts.total) == (7, 11)
    assert counts.net == pytest.approx(1 / 7)
    assert counts.share(counts.negative) == pytest.approx(2 / 7)


def test_counts_without_a_score_have_no_net():
    assert (Counts(unscored=3).net, Counts(unscored=3).share(0)) == (None, None)


def test_a_gap_counts_both_its_days():
    assert Gap(date(2020, 1, 1), date(2020, 1, 1)).days == 1
