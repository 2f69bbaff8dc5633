"""The numbers behind the pages: who is in the news, how they are spoken of, over time.

Each is one GROUP BY over an index that holds all it reads. Where a stretch is longer than a day, days are
counted first, in the order of the index, and then added up: no sorting of millions of rows. The denominators
come out of `article_day`, which has been counted when the articles came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select

from kiosque.core.article import Field
from kiosque.core.entity import EntityKind
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import books, elections, entities, models
from kiosque.store.buckets import bucket_days, bucket_number
from kiosque.store.columns import day_number
from kiosque.store.figures import (
    Breakdown,
    Bucket,
    Campaign,
    CampaignLine,
    CampaignWeek,
    Counts,
    Dimension,
    Gap,
    Granularity,
    Overview,
    Ranked,
    Timeline,
)
from kiosque.store.tables import article, article_day, article_scoring, candidacy, entity, mention
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, polarity_number

__all__ = [
    "Breakdown",
    "Bucket",
    "Campaign",
    "CampaignLine",
    "CampaignWeek",
    "Counts",
    "Dimension",
    "Gap",
    "Granularity",
    "Overview",
    "Ranked",
    "Timeline",
    "breakdown",
    "campaign",
    "compare",
    "gaps",
    "overview",
    "ranking",
    "timeline",
]

_FEW_DAYS = 100
_COUNTED = ("negative", "neutral", "positive", "unscored")


@dataclass(frozen=True, slots=True)
class _Scope:
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


def overview(tx: Tx, *, days: int = 30) -> Overview:
    """Counts of everything; `by_day` for the last `days` days up to the newest article."""
    version_pk = models.version_pk(tx, models.POLARITY, None) or 0
    by_source = _articles_by(tx, _Scope(), article_day.c.source)
    first, last = tx.execute(select(func.min(article_day.c.day), func.max(article_day.c.day))).one()
    scope = _Scope() if last is None else _Scope(date.fromordinal(max(1, last - days + 1)))
    by_day = _articles_by(tx, scope, article_day.c.day)
    scored = select(func.count()).where(article_scoring.c.version_pk == version_pk)
    mentioned = select(func.count()).where(mention.c.version_pk == version_pk)
    return Overview(
        articles=sum(by_source.values()),
        scored=tx.scalar(scored) or 0,
        mentions=tx.scalar(mentioned) or 0,
        entities=entities.count(tx),
        books=books.count(tx),
        first_day=None if first is None else date.fromordinal(first),
        last_day=None if last is None else date.fromordinal(last),
        by_source=tuple(sorted(by_source.items(), key=lambda each: (-each[1], each[0]))),
        by_day=tuple((date.fromordinal(day), number) for day, number in sorted(by_day.items())),
    )


def _articles_by(tx: Tx, scope: _Scope, column: ColumnElement[Any]) -> dict[Any, int]:
    """How many articles the days of the scope have, by a column of `article_day`."""
    number = func.sum(article_day.c.articles)
    rows = tx.execute(select(column, number).where(*scope.of(article_day)).group_by(column))
    return {key: int(articles) for key, articles in rows}


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
    before = max(1, first - (last - first + 1))
    key, day = _ranked_by(tx, few=last - first < _FEW_DAYS)
    now, then = mention.c.day >= first, mention.c.day < first
    total = func.count().filter(now).label("total")
    counted = (
        select(key.label("entity_pk"), total, *_counts(when=now), *_counts(when=then, prefix="previous_"))
        .where(_of_version(tx, model_version), day.between(before, last))
        .group_by(key)
        .subquery()
    )
    statement = (
        select(counted, entity.c.id, entity.c.name, entity.c.kind)
        .join(entity, entity.c.pk == counted.c.entity_pk)
        .where(counted.c.total > 0)
        .order_by(counted.c.total.desc(), entity.c.sort_name, entity.c.id)
        .limit(limit)
    )
    if kind is not None:
        statement = statement.where(entity.c.kind == kind.value)
    return tuple(
        Ranked(row.id, row.name, EntityKind(row.kind), _read(row), _read(row, "previous_"))
        for row in tx.execute(statement)
    )


def _ranked_by(tx: Tx, *, few: bool) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The columns of entity and day by which a ranking reads the mentions of few or of many days.

    "+ 0" keeps SQLite from an index: for a few days it shall not read all mentions in the order of entities,
    and for many days not sort what that index has sorted. PostgreSQL finds out by itself.
    """
    key, day = mention.c.entity_pk, mention.c.day
    if tx.dialect.name != "sqlite":
        return key, day
    return (key + 0, day) if few else (key, day + 0)


def timeline(
    tx: Tx,
    entity_id: str,
    *,
    granularity: Granularity = Granularity.MONTH,
    date_from: date | None = None,
    date_to: date | None = None,
    section: str | None = None,
    source: str | None = None,
    part: Field | None = None,
    model_version: str | None = None,
) -> Timeline:
    """How one entity was spoken of over time. With `section` or `source` the denominator counts only these.

    With `part` only what is named there counts, with the polarity of that part. Raises NotFound without the entity.
    """
    scope = _Scope(date_from, date_to, section, source)
    pks = _entity_pks(tx, [entity_id])
    articles = _articles(tx, scope, granularity)
    counts = _of_entity(tx, pks[entity_id], scope, granularity, part, model_version)
    return _timeline(entity_id, granularity, counts, articles)


def compare(
    tx: Tx,
    entity_ids: Sequence[str],
    *,
    granularity: Granularity = Granularity.MONTH,
    date_from: date | None = None,
    date_to: date | None = None,
    section: str | None = None,
    source: str | None = None,
    model_version: str | None = None,
) -> tuple[Timeline, ...]:
    """Several entities over the same buckets, in the order asked. Raises NotFound naming the unknown one."""
    scope = _Scope(date_from, date_to, section, source)
    pks = _entity_pks(tx, entity_ids)
    articles = _articles(tx, scope, granularity)
    return tuple(
        _timeline(
            name, granularity, _of_entity(tx, pks[name], scope, granularity, None, model_version), articles
        )
        for name in entity_ids
    )


def _timeline(
    entity_id: str, granularity: Granularity, counts: dict[int, Counts], articles: dict[int, int]
) -> Timeline:
    buckets = tuple(
        Bucket(*bucket_days(granularity, number), counts.get(number, Counts()), articles[number])
        for number in sorted(articles)
    )
    return Timeline(entity_id, granularity, buckets)


def _articles(tx: Tx, scope: _Scope, granularity: Granularity) -> dict[int, int]:
    """The denominators: all articles of the scope by bucket."""
    days = _days(scope)
    bucket = bucket_number(granularity, days).label("bucket")
    rows = tx.execute(select(bucket, func.sum(days.c.articles)).group_by(bucket))
    return {int(number): int(articles) for number, articles in rows}


def _days(scope: _Scope) -> FromClause:
    """The days of the scope with their number of articles; sections are not counted beforehand."""
    if scope.section is None:
        return select(article_day).where(*scope.of(article_day)).subquery()
    columns = (article.c.day, article.c.month)
    counted = select(*columns, func.count().label("articles"))
    return counted.where(*scope.of(article)).group_by(*columns).subquery()


def _of_entity(
    tx: Tx,
    entity_pk: int,
    scope: _Scope,
    granularity: Granularity,
    part: Field | None,
    model_version: str | None,
) -> dict[int, Counts]:
    by_day = (
        select(mention.c.day, func.min(mention.c.month).label("month"), *_counts(_polarity(part)))
        .where(_of_version(tx, model_version), mention.c.entity_pk == entity_pk, *scope.of(mention))
        .group_by(mention.c.day)
    )
    days = by_day.subquery()
    bucket = bucket_number(granularity, days).label("bucket")
    sums = (func.sum(days.c[name]).label(name) for name in _COUNTED)
    rows = tx.execute(select(bucket, *sums).group_by(bucket))
    return {int(row.bucket): _read(row) for row in rows}


def breakdown(
    tx: Tx,
    entity_id: str,
    by: Dimension,
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    model_version: str | None = None,
) -> tuple[Breakdown, ...]:
    """The entity's mentions by section, source or part, most first. Raises NotFound."""
    scope = _Scope(date_from, date_to)
    entity_pk = _entity_pks(tx, [entity_id])[entity_id]
    conditions = [_of_version(tx, model_version), mention.c.entity_pk == entity_pk, *scope.of(mention)]
    found = _by_part(tx, scope, conditions) if by is Dimension.PART else _by_place(tx, scope, conditions, by)
    return tuple(sorted(found, key=lambda each: (-each.counts.total, each.name)))


def _by_place(tx: Tx, scope: _Scope, conditions: list[ColumnElement[bool]], by: Dimension) -> list[Breakdown]:
    column = mention.c[by.value]
    rows = tx.execute(select(column.label("place"), *_counts()).where(*conditions).group_by(column))
    counts = {row.place: _read(row) for row in rows}
    articles = _articles_of_places(tx, scope, by)
    return [Breakdown(place or "", each, articles[place]) for place, each in counts.items()]


def _articles_of_places(tx: Tx, scope: _Scope, by: Dimension) -> dict[str | None, int]:
    if by is Dimension.SOURCE:
        return _articles_by(tx, scope, article_day.c.source)
    section = article.c.section
    rows = tx.execute(select(section, func.count()).where(*scope.of(article)).group_by(section))
    return {row[0]: row[1] for row in rows}


def _by_part(tx: Tx, scope: _Scope, conditions: list[ColumnElement[bool]]) -> list[Breakdown]:
    total = sum(_articles_by(tx, scope, article_day.c.source).values())
    found = []
    for part in Field:
        row = tx.execute(select(*_counts(_polarity(part))).where(*conditions)).one()
        found.append(Breakdown(part.value, _read(row), total))
    return [each for each in found if each.counts.total]


def campaign(tx: Tx, year: int, *, weeks: int = 52, model_version: str | None = None) -> Campaign:
    """The candidates of one election over the last `weeks` weeks before the vote. NotFound without the election."""
    election_date = elections.date_of(tx, year)
    scope = _Scope(election_date - timedelta(days=7 * weeks - 1), election_date)
    articles = _articles_by(tx, scope, _week_number(election_date, article_day))
    counted = _candidates_by_week(tx, scope, year, election_date, model_version)
    stood = elections.candidacies(tx, year=year)
    names = entities.names(tx, [each.entity_id for each in stood])
    lines = []
    for each in stood:
        counts = counted.get(each.entity_id, {})
        total = sum(counts.values(), Counts())
        by_week = _weeks(election_date, counts, articles)
        lines.append(CampaignLine(each, names[each.entity_id], total, by_week))
    return Campaign(year, election_date, tuple(lines))


def _week_number(election_date: date, days: FromClause) -> ColumnElement[int]:
    return ((day_number(election_date) - days.c.day) // 7).label("week")


def _candidates_by_week(
    tx: Tx, scope: _Scope, year: int, election_date: date, model_version: str | None
) -> dict[str, dict[int, Counts]]:
    week = _week_number(election_date, mention)
    standing = select(candidacy.c.entity_pk).where(candidacy.c.election_year == year)
    rows = tx.execute(
        select(entity.c.id, week, *_counts())
        .join(entity, entity.c.pk == mention.c.entity_pk)
        .where(_of_version(tx, model_version), mention.c.entity_pk.in_(standing), *scope.of(mention))
        .group_by(entity.c.id, week)
    )
    counted: dict[str, dict[int, Counts]] = {}
    for row in rows:
        counted.setdefault(row.id, {})[int(row.week)] = _read(row)
    return counted


def _weeks(
    election_date: date, counts: dict[int, Counts], articles: dict[int, int]
) -> tuple[CampaignWeek, ...]:
    return tuple(
        CampaignWeek(
            week=week,
            start=election_date - timedelta(days=7 * week + 6),
            end=election_date - timedelta(days=7 * week),
            counts=counts.get(week, Counts()),
            articles=articles[week],
        )
        for week in sorted(articles, reverse=True)
    )


def gaps(tx: Tx, *, min_days: int = 7, source: str | None = None, limit: int = 100) -> tuple[Gap, ...]:
    """Stretches of at least `min_days` days without an article, longest first."""
    if min_days < 1:
        raise InvalidInput("A gap has at least one day.", hint="Give min_days of 1 or more.")
    days = select(article_day.c.day).where(*_Scope(source=source).of(article_day)).distinct().subquery()
    pairs = select(days.c.day, func.lag(days.c.day).over(order_by=days.c.day).label("before")).subquery()
    length = pairs.c.day - pairs.c.before - 1
    rows = tx.execute(
        select(pairs.c.before, pairs.c.day)
        .where(length >= min_days)
        .order_by(length.desc(), pairs.c.day)
        .limit(limit)
    )
    return tuple(Gap(date.fromordinal(before + 1), date.fromordinal(day - 1)) for before, day in rows)


def _polarity(part: Field | None) -> ColumnElement[int]:
    return mention.c.polarity if part is None else mention.c[f"{part.value}_polarity"]


def _counts(
    polarity: ColumnElement[int] = mention.c.polarity,
    when: ColumnElement[bool] | None = None,
    prefix: str = "",
) -> list[ColumnElement[int]]:
    """The columns that `_read` reads: how many mentions of each polarity, `when` that is asked for."""
    numbers = (*(polarity_number(each) for each in Polarity), UNSCORED)
    kinds = [polarity == number for number in numbers]
    return [
        func.count().filter(kind if when is None else kind & when).label(prefix + name)
        for kind, name in zip(kinds, _COUNTED, strict=True)
    ]


def _read(row: Any, prefix: str = "") -> Counts:
    return Counts(*(int(getattr(row, prefix + name)) for name in _COUNTED))


def _of_version(tx: Tx, version: str | None) -> ColumnElement[bool]:
    return mention.c.version_pk == (models.version_pk(tx, models.POLARITY, version) or 0)


def _entity_pks(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    rows = tx.execute(select(entity.c.id, entity.c.pk).where(entity.c.id.in_(ids)))
    pks: dict[str, int] = {row.id: row.pk for row in rows}
    for name in ids:
        if name not in pks:
            raise NotFound(f"There is no entity {name[:200]!r}.", hint="`kiosque entity list` shows all.")
    return pks
