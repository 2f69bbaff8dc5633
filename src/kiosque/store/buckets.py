"""Stretches of time as numbers: in SQL by integer division, back to days here."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy import ColumnElement, FromClause

from kiosque.store.columns import month_number
from kiosque.store.figures import Granularity

_MONTHS = {Granularity.MONTH: 1, Granularity.QUARTER: 3, Granularity.YEAR: 12}


def bucket_number(granularity: Granularity, days: FromClause) -> ColumnElement[int]:
    """The number of the bucket in which the columns `day` and `month` of `days` lie (see `columns`)."""
    if granularity is Granularity.DAY:
        return days.c.day
    if granularity is Granularity.WEEK:
        return (days.c.day - 1) // 7
    return days.c.month // _MONTHS[granularity]


@lru_cache(maxsize=4096)
def bucket_days(granularity: Granularity, number: int) -> tuple[date, date]:
    """First and last day of a bucket."""
    if granularity is Granularity.DAY:
        return date.fromordinal(number), date.fromordinal(number)
    if granularity is Granularity.WEEK:
        return date.fromordinal(number * 7 + 1), date.fromordinal(min(number * 7 + 7, date.max.toordinal()))
    months = _MONTHS[granularity]
    return _first_of(number * months), _last_of(number * months + months - 1)


@lru_cache(maxsize=4096)
def month_days(month: int) -> tuple[date, date]:
    """First and last day of a month, given by its number (see `columns`)."""
    return _first_of(month), _last_of(month)


def whole_months(first: date, last: date) -> range | None:
    """The numbers of the months that lie between two days (inclusive) as a whole; None if there is none."""
    start = month_number(first) + (first.day > 1)
    end = month_number(last) - (last < _last_of(month_number(last)))
    return range(start, end + 1) if start <= end else None


def whole_years(months: range) -> range | None:
    """The years that lie in a range of months as a whole; None if there is none."""
    start, end = -(-months.start // 12), months.stop // 12
    return range(start, end) if start < end else None


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _last_of(month: int) -> date:
    return date.max if month + 1 > date.max.year * 12 + 11 else _first_of(month + 1) - timedelta(days=1)
