"""Who was most in the news in a period."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, select, union_all

from kiosque.core.entity import EntityKind
from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.store.buckets import whole_years
from kiosque.store.columns import day_number
from kiosque.store.figures import Counts, Granularity, Ranked
from kiosque.store.stats.counting import (
    COUNTED,
    Scope,
    mention_counts,
    pk_of_version,
    read_counts,
    split_months,
    within_months,
)
from kiosque.store.tables import entity, mention, mention_month, mention_year
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, polarity_number

_FEW_MONTHS = 2
"""Periods with no more whole months than that are counted day by day."""


def ranking(
    tx: Tx,
    date_from: date,
    date_to: date,
    *,
    kind: EntityKind | None = None,
    limit: int = 20,
    model_version: str | None = None,
) -> tuple[Ranked, ...]:
    """Who was most in the news between two days (inclusive), most mentions first."""
    first, last = day_number(date_from), day_number(date_to)
    if last < first:
        raise InvalidInput("The period ends before it begins.", hint="Swap the two days.")
    version_pk = pk_of_version(tx, model_version)
    pieces = union_all(*_pieces(version_pk, Scope(date_from, date_to))).subquery()
    sums = [func.sum(pieces.c[name]).label(name) for name in COUNTED]
    counted = select(pieces.c.entity_pk, *sums).group_by(pieces.c.entity_pk).subquery()
    total = sum((counted.c[name] for name in COUNTED[1:]), start=counted.c[COUNTED[0]])
    statement = (
        select(counted, entity.c.id, entity.c.name, entity.c.kind)
        .join(entity, entity.c.pk == counted.c.entity_pk)
        .where(total > 0)
        .order_by(total.desc(), entity.c.sort_name, entity.c.id)
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(entity.c.kind == kind.value)
    rows = tx.execute(statement).all()
    previous: dict[int, Counts] = {}
    if first > 1:
        start = date.fromordinal(max(1, first - (last - first + 1)))
        before = Scope(start, date_from - timedelta(1))
        previous = _sums_of(tx, version_pk, [row.entity_pk for row in rows], before)
    return tuple(
        Ranked(
            row.id, row.name, EntityKind(row.kind), read_counts(row, 1), previous.get(row.entity_pk, Counts())
        )
        for row in rows
    )


def _sums_of(tx: Tx, version_pk: int, pks: list[int], scope: Scope) -> dict[int, Counts]:
    """All of the scope for each of a few entities that is named in it."""
    days = mention_counts(version_pk, pks, scope, Granularity.YEAR, None)
    sums = (func.sum(days.c[name]) for name in COUNTED)
    rows = tx.execute(select(days.c.entity_pk, *sums).group_by(days.c.entity_pk))
    return {row[0]: read_counts(row, 1) for row in rows}


def _pieces(version_pk: int, scope: Scope) -> list[Select[Any]]:
    """What is to be added up to count the mentions of a period: its whole years, the months beside them, and the days
    beside these.
    """
    months, edges = split_months(scope)
    if months is None or len(months) <= _FEW_MONTHS:
        return [_mentions_of_days(version_pk, scope)]
    years, ends = _years_and_ends(months)
    # the tally is in the order of entities: a few months of each are looked up instead of reading all of them
    of_each = mention_month.c.entity_pk.in_(select(entity.c.pk))
    whens = [and_(of_each, within_months(mention_month, each)) for each in ends]
    middle = [_tallied(mention_month, version_pk, when) for when in whens]
    if years is not None:
        middle.append(_tallied(mention_year, version_pk, mention_year.c.year.between(years[0], years[-1])))
    return [*middle, *(_mentions_of_days(version_pk, edge) for edge in edges)]


def _years_and_ends(months: range) -> tuple[range | None, list[range]]:
    """The years that lie in the months as a whole, if there are any, and the months beside them."""
    years = whole_years(months)
    if years is None:
        return None, [months]
    ends = (range(months.start, 12 * years.start), range(12 * years.stop, months.stop))
    return years, [each for each in ends if each]


def _tallied(table: Table, version_pk: int, when: ColumnElement[bool]) -> Select[Any]:
    numbers = (table.c[name] for name in COUNTED)
    return select(table.c.entity_pk, *numbers).where(table.c.version_pk == version_pk, when)


def _mentions_of_days(version_pk: int, scope: Scope) -> Select[Any]:
    """A few days' mentions by the index of days: the tallies are in the order of entities.

    "+ 0" keeps SQLite from reading all mentions in the order of another index, because that is the one to group by.
    """
    of_scope = (mention.c.version_pk == version_pk, *scope.of(mention))
    return select((mention.c.entity_pk + 0).label("entity_pk"), *_flags()).where(*of_scope)


def _flags() -> list[ColumnElement[int]]:
    """For one mention 1 under its polarity and 0 under the others."""
    kinds = zip((*(polarity_number(each) for each in Polarity), UNSCORED), COUNTED, strict=True)
    return [case((mention.c.polarity == number, 1), else_=0).label(name) for number, name in kinds]
