"""How mentions and articles are counted: what each figure of the other modules is added up from.

What is asked over long times comes out of the tallies (see `store.tallies`), which are counted when articles and
mentions come in: whole years and months out of the yearly and monthly ones, the days at both ends out of the daily
ones or from the mentions themselves. A timeline that is narrowed to a section, a source or a part is counted from the
mentions, by an index that holds all it reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, func, select, union_all

from kiosque.core.article import Field
from kiosque.core.errors import NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import models
from kiosque.store.buckets import month_days, whole_months, whole_years
from kiosque.store.columns import day_number, month_number
from kiosque.store.figures import Counts, Granularity
from kiosque.store.tables import (
    article,
    article_day,
    article_month,
    entity,
    mention,
    mention_day,
    mention_month,
    mention_year,
)
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, polarity_number

ALL_MONTHS = range(month_number(date.min), month_number(date.max) + 1)
FINE = (Granularity.DAY, Granularity.WEEK)
COUNTED = ("negative", "neutral", "positive", "unscored")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which articles count: between two days (inclusive), of one section, of one source."""

    date_from: date | None = None
    date_to: date | None = None
    section: str | None = None
    source: str | None = None

    def of(self, table: FromClause) -> list[ColumnElement[bool]]:
        """The conditions on `article`, or on `mention` or `article_day`, which repeat what is asked."""
        pairs = (("section", self.section), ("source", self.source))
        conditions = [table.c[name] == value for name, value in pairs if value is not None]
        if self.date_from is not None:
            conditions.append(table.c.day >= day_number(self.date_from))
        if self.date_to is not None:
            conditions.append(table.c.day <= day_number(self.date_to))
        return conditions


def articles_by(tx: Tx, table: FromClause, scope: Scope, column: ColumnElement[Any]) -> dict[Any, int]:
    """How many articles the scope has, by a column of a table that counts them."""
    number = func.sum(table.c.articles)
    rows = tx.execute(select(column, number).where(*scope.of(table)).group_by(column))
    return {key: int(articles) for key, articles in rows}


def split_months(scope: Scope) -> tuple[range | None, list[Scope]]:
    """The whole months of the scope, if it has any, and the days before and after them."""
    if scope.date_from is None and scope.date_to is None:
        return ALL_MONTHS, []
    first, last = scope.date_from or date.min, scope.date_to or date.max
    months = whole_months(first, last)
    if months is None:
        return None, [scope]
    start, end = month_days(months[0])[0], month_days(months[-1])[1]
    edges = []
    if first < start:
        edges.append(replace(scope, date_from=first, date_to=start - timedelta(1)))
    if last > end:
        edges.append(replace(scope, date_from=end + timedelta(1), date_to=last))
    return months, edges


def within_months(table: FromClause, months: range) -> ColumnElement[bool]:
    """The condition that a row of a monthly tally is of one of `months`, numbered as `month_number` does."""
    return table.c.month.between(months[0], months[-1])


def article_counts(scope: Scope, granularity: Granularity) -> FromClause:
    """How many articles the scope has, by month where that is fine enough, else by day."""
    if scope.section is not None:
        columns = (article.c.day, article.c.month)
        counted = select(*columns, func.count().label("articles"))
        return counted.where(*scope.of(article)).group_by(*columns).subquery()
    if granularity in FINE:
        return select(article_day).where(*scope.of(article_day)).subquery()

    def of(table: Table) -> list[ColumnElement[bool]]:
        return [] if scope.source is None else [table.c.source == scope.source]

    parts = by_months(scope, article_month, article_day, ("month", "source", "articles"), of)
    return union_all(*parts).subquery()


def by_months(
    scope: Scope,
    monthly: Table,
    daily: Table,
    names: Sequence[str],
    condition: Callable[[Table], list[ColumnElement[bool]]],
) -> list[Select[Any]]:
    """The rows of the months that lie in the scope as a whole, and of the days beside them."""
    months, edges = split_months(scope)
    parts = [select(*(daily.c[n] for n in names)).where(*condition(daily), *e.of(daily)) for e in edges]
    if months is not None:
        columns = (monthly.c[name] for name in names)
        parts.append(select(*columns).where(*condition(monthly), within_months(monthly, months)))
    return parts


def mention_counts(
    version_pk: int, pks: list[int], scope: Scope, granularity: Granularity, part: Field | None
) -> FromClause:
    """The counts of the entities' mentions, by month where that is fine enough, else by day."""

    def of(table: Table) -> list[ColumnElement[bool]]:
        return [table.c.version_pk == version_pk, table.c.entity_pk.in_(pks)]

    if scope.section is not None or scope.source is not None or part is not None:
        columns = (mention.c.entity_pk, mention.c.day)
        month = func.min(mention.c.month).label("month")
        counted = select(*columns, month, *counts_of(polarity_of(part)))
        return counted.where(*of(mention), *scope.of(mention)).group_by(*columns).subquery()
    if granularity in FINE:
        return select(mention_day).where(*of(mention_day), *scope.of(mention_day)).subquery()
    names = ("entity_pk", "month", *COUNTED)
    if granularity is Granularity.YEAR:
        return union_all(*by_years(scope, names, of)).subquery()
    return union_all(*by_months(scope, mention_month, mention_day, names, of)).subquery()


def by_years(
    scope: Scope, names: Sequence[str], condition: Callable[[Table], list[ColumnElement[bool]]]
) -> list[Select[Any]]:
    """As `by_months` of mentions; a whole year is one row, under the number of its January."""
    months, _ = split_months(scope)
    years = None if months is None else whole_years(months)
    if years is None:
        return by_months(scope, mention_month, mention_day, names, condition)
    t = mention_year.c
    columns = ((12 * t.year).label("month") if name == "month" else t[name] for name in names)
    parts = [select(*columns).where(*condition(mention_year), t.year.between(years[0], years[-1]))]
    for edge in split_years(scope)[1]:
        parts += by_months(edge, mention_month, mention_day, names, condition)
    return parts


def split_years(scope: Scope) -> tuple[range | None, list[Scope]]:
    """The whole years of the scope, if it has any, and the days before and after them."""
    months, _ = split_months(scope)
    years = None if months is None else whole_years(months)
    if years is None:
        return None, [scope]
    first, last = month_days(12 * years[0])[0], month_days(12 * years[-1] + 11)[1]
    edges = []
    if (scope.date_from or date.min) < first:
        edges.append(replace(scope, date_to=first - timedelta(1)))
    if (scope.date_to or date.max) > last:
        edges.append(replace(scope, date_from=last + timedelta(1)))
    return years, edges


def polarity_of(part: Field | None) -> ColumnElement[int]:
    """The column with a mention's polarity in one part of the article, or with None in the whole of it."""
    return mention.c.polarity if part is None else mention.c[f"{part.value}_polarity"]


def counts_of(polarity: ColumnElement[int]) -> list[ColumnElement[int]]:
    """The columns that `read_counts` reads: how many mentions of each polarity."""
    numbers = (*(polarity_number(each) for each in Polarity), UNSCORED)
    return [
        func.count().filter(polarity == number).label(name)
        for number, name in zip(numbers, COUNTED, strict=True)
    ]


def read_counts(row: Any, place: int) -> Counts:
    """The sums of a row in the order of COUNTED, of which the first stands at `place`."""
    return Counts(*map(int, row[place : place + len(COUNTED)]))


def pk_of_version(tx: Tx, version: str | None) -> int:
    """The row of a version of the polarity model (None: the one that readers see); 0, which has none, without any."""
    return models.version_pk(tx, models.POLARITY, version) or 0


def pks_of_entities(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    """Id → row of each of the entities. Raises NotFound for one that there is not."""
    rows = tx.execute(select(entity.c.id, entity.c.pk).where(entity.c.id.in_(ids)))
    pks: dict[str, int] = {row.id: row.pk for row in rows}
    for name in ids:
        if name not in pks:
            raise NotFound(f"There is no entity {name[:200]!r}.", hint="`kiosque entity list` shows all.")
    return pks
