"""The numbers behind the pages: who is in the news, how they are spoken of, over time.

What is asked over long times comes out of the tallies (see `tallies`), which are counted when articles and mentions
come in: whole years and months out of the yearly and monthly ones, the days at both ends out of the daily ones or
from the mentions themselves. A timeline that is narrowed to a section, a source or a part is counted from the
mentions, by an index that holds all it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    Table,
    and_,
    case,
    cast,
    func,
    null,
    select,
    union_all,
)

from kiosque.core.article import Field
from kiosque.core.entity import Candidacy, EntityKind
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.polarity import Polarity
from kiosque.store import books, elections, entities, models
from kiosque.store.buckets import bucket_days, bucket_number, month_days, whole_months, whole_years
from kiosque.store.columns import day_number, month_number
from kiosque.store.figures import (
    Aligned,
    Breakdown,
    Bucket,
    Campaign,
    CampaignLine,
    CampaignWeek,
    Counts,
    Dimension,
    Gap,
    Granularity,
    Intake,
    Overview,
    Ranked,
    Timeline,
    Totals,
)
from kiosque.store.tables import (
    article,
    article_day,
    article_month,
    entity,
    mention,
    mention_day,
    mention_month,
    mention_place,
    mention_year,
    scoring_total,
    section_month,
)
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, polarity_number

__all__ = [
    "Aligned",
    "Breakdown",
    "Bucket",
    "Campaign",
    "CampaignLine",
    "CampaignWeek",
    "Counts",
    "Dimension",
    "Gap",
    "Granularity",
    "Intake",
    "Overview",
    "Ranked",
    "Timeline",
    "Totals",
    "aligned",
    "articles_between",
    "breakdown",
    "breakdowns",
    "campaign",
    "campaigns",
    "compare",
    "gaps",
    "intake",
    "newest_day",
    "overview",
    "period",
    "ranking",
    "spans",
    "timeline",
    "total_articles",
    "totals",
]

_FEW_MONTHS = 2
"""Periods with no more whole months than that are counted day by day."""
_ALL_MONTHS = range(month_number(date.min), month_number(date.max) + 1)
_FINE = (Granularity.DAY, Granularity.WEEK)
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
    all_time = totals(tx)
    by_day: dict[int, int] = {}
    if all_time.last_day is not None:
        first = max(1, day_number(all_time.last_day) - days + 1)
        by_day = _articles_by(tx, article_day, _Scope(date.fromordinal(first)), article_day.c.day)
    return Overview(
        **asdict(all_time),
        entities=entities.count(tx),
        books=books.count(tx),
        by_day=tuple((date.fromordinal(day), number) for day, number in sorted(by_day.items())),
    )


def totals(tx: Tx) -> Totals:
    """The counts of all time that pages open with."""
    version_pk = _version_pk(tx, None)
    by_source = _articles_by(tx, article_month, _Scope(), article_month.c.source)
    first, last = period(tx) or (None, None)
    scored = select(func.sum(scoring_total.c.articles)).where(scoring_total.c.version_pk == version_pk)
    mentioned = select(*(func.sum(mention_year.c[name]) for name in _COUNTED))
    numbers = tx.execute(mentioned.where(mention_year.c.version_pk == version_pk)).one()
    return Totals(
        articles=sum(by_source.values()),
        scored=int(tx.scalar(scored) or 0),
        mentions=sum(int(number or 0) for number in numbers),
        first_day=first,
        last_day=last,
        by_source=tuple(sorted(by_source.items(), key=lambda each: (-each[1], each[0]))),
    )


def total_articles(tx: Tx) -> int:
    """How many articles there are."""
    return int(tx.scalar(select(func.sum(article_month.c.articles))) or 0)


def period(tx: Tx) -> tuple[date, date] | None:
    """The days of the oldest and of the newest article; None without any."""
    # an end each: for both at once SQLite would look at every day
    ends = (select(end(article_day.c.day)).scalar_subquery() for end in (func.min, func.max))
    first, last = tx.execute(select(*ends)).one()
    return None if first is None else (date.fromordinal(first), date.fromordinal(last))


def newest_day(tx: Tx) -> date | None:
    """The day of the newest article; None without any."""
    last = tx.scalar(select(func.max(article_day.c.day)))
    return None if last is None else date.fromordinal(last)


def articles_between(tx: Tx, date_from: date, date_to: date) -> int:
    """How many articles two days and those between them have."""
    counted = _article_counts(_Scope(date_from, date_to), Granularity.MONTH)
    return int(tx.scalar(select(func.sum(counted.c.articles))) or 0)


def intake(
    tx: Tx, date_from: date, date_to: date, *, granularity: Granularity = Granularity.DAY
) -> tuple[Intake, ...]:
    """How many articles each source delivered, by stretch of time and, within it, by name."""
    days = _article_counts(_Scope(date_from, date_to), granularity)
    bucket = bucket_number(granularity, days).label("bucket")
    rows = tx.execute(
        select(bucket, days.c.source, func.sum(days.c.articles))
        .group_by(bucket, days.c.source)
        .order_by(bucket, days.c.source)
    ).all()
    return tuple(
        Intake(*bucket_days(granularity, int(number)), source, int(articles))
        for number, source, articles in rows
    )


def spans(
    tx: Tx,
    entity_ids: Sequence[str],
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    model_version: str | None = None,
) -> dict[str, tuple[date, date]]:
    """For each of the entities that is named at all the first and the last day on which it is. Raises NotFound."""
    pks = _entity_pks(tx, entity_ids)
    version_pk, scope = _version_pk(tx, model_version), _Scope(date_from, date_to).of(mention_day)

    def end(of: Any) -> ScalarSelect[int]:
        """The first or the last day, which the tally has at an end and need not be looked for among all."""
        here = (mention_day.c.version_pk == version_pk, mention_day.c.entity_pk == entity.c.pk)
        return select(of(mention_day.c.day)).where(*here, *scope).correlate(entity).scalar_subquery()

    rows = tx.execute(select(entity.c.pk, end(func.min), end(func.max)).where(entity.c.pk.in_(pks.values())))
    found = {pk: (date.fromordinal(first), date.fromordinal(last)) for pk, first, last in rows if last}
    return {name: found[pk] for name, pk in pks.items() if pk in found}


def aligned(
    tx: Tx, lines: Sequence[tuple[str, date]], *, weeks: int = 52, model_version: str | None = None
) -> tuple[Aligned, ...]:
    """Entities over the last `weeks` weeks before a day each, in the order asked. Raises NotFound."""
    pks = _entity_pks(tx, [name for name, _ in lines])
    version_pk = _version_pk(tx, model_version)
    articles = {
        last: _articles_by(tx, article_day, _before(last, weeks), _week_number(last, article_day))
        for last in dict.fromkeys(last for _, last in lines)
    }
    found = []
    for name, last in lines:
        counts = _of_weeks(tx, version_pk, [pks[name]], last, weeks).get(pks[name], {})
        found.append(Aligned(name, last, _weeks(last, counts, articles[last])))
    return tuple(found)


def _before(last: date, weeks: int) -> _Scope:
    return _Scope(date.fromordinal(max(1, day_number(last) - 7 * weeks + 1)), last)


def _articles_by(tx: Tx, table: FromClause, scope: _Scope, column: ColumnElement[Any]) -> dict[Any, int]:
    """How many articles the scope has, by a column of a table that counts them."""
    number = func.sum(table.c.articles)
    rows = tx.execute(select(column, number).where(*scope.of(table)).group_by(column))
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
    version_pk = _version_pk(tx, model_version)
    pieces = union_all(*_pieces(version_pk, _Scope(date_from, date_to))).subquery()
    sums = [func.sum(pieces.c[name]).label(name) for name in _COUNTED]
    counted = select(pieces.c.entity_pk, *sums).group_by(pieces.c.entity_pk).subquery()
    total = sum((counted.c[name] for name in _COUNTED[1:]), start=counted.c[_COUNTED[0]])
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
        before = _Scope(start, date_from - timedelta(1))
        previous = _sums_of(tx, version_pk, [row.entity_pk for row in rows], before)
    return tuple(
        Ranked(row.id, row.name, EntityKind(row.kind), _read(row, 1), previous.get(row.entity_pk, Counts()))
        for row in rows
    )


def _sums_of(tx: Tx, version_pk: int, pks: list[int], scope: _Scope) -> dict[int, Counts]:
    """All of the scope for each of a few entities that is named in it."""
    days = _mention_counts(version_pk, pks, scope, Granularity.YEAR, None)
    sums = (func.sum(days.c[name]) for name in _COUNTED)
    rows = tx.execute(select(days.c.entity_pk, *sums).group_by(days.c.entity_pk))
    return {row[0]: _read(row, 1) for row in rows}


def _pieces(version_pk: int, scope: _Scope) -> list[Select[Any]]:
    """What is to be added up to count the mentions of a period: its whole years, the months beside them, and the days
    beside these.
    """
    months, edges = _split(scope)
    if months is None or len(months) <= _FEW_MONTHS:
        return [_mentions_of_days(version_pk, scope)]
    years, ends = _years_and_ends(months)
    # the tally is in the order of entities: a few months of each are looked up instead of reading all of them
    of_each = mention_month.c.entity_pk.in_(select(entity.c.pk))
    whens = [and_(of_each, _within(mention_month, each)) for each in ends]
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
    numbers = (table.c[name] for name in _COUNTED)
    return select(table.c.entity_pk, *numbers).where(table.c.version_pk == version_pk, when)


def _split(scope: _Scope) -> tuple[range | None, list[_Scope]]:
    """The whole months of the scope, if it has any, and the days before and after them."""
    if scope.date_from is None and scope.date_to is None:
        return _ALL_MONTHS, []
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


def _within(table: FromClause, months: range) -> ColumnElement[bool]:
    return table.c.month.between(months[0], months[-1])


def _mentions_of_days(version_pk: int, scope: _Scope) -> Select[Any]:
    """A few days' mentions by the index of days: the tallies are in the order of entities.

    "+ 0" keeps SQLite from reading all mentions in the order of another index, because that is the one to group by.
    """
    of_scope = (mention.c.version_pk == version_pk, *scope.of(mention))
    return select((mention.c.entity_pk + 0).label("entity_pk"), *_flags()).where(*of_scope)


def _flags() -> list[ColumnElement[int]]:
    """For one mention 1 under its polarity and 0 under the others."""
    kinds = zip((*(polarity_number(each) for each in Polarity), UNSCORED), _COUNTED, strict=True)
    return [case((mention.c.polarity == number, 1), else_=0).label(name) for number, name in kinds]


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
    counts = _of_entities(tx, pks, scope, granularity, part, model_version)
    return _timelines([entity_id], granularity, counts, articles)[0]


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
    if not pks:
        return ()
    articles = _articles(tx, scope, granularity)
    counts = _of_entities(tx, pks, scope, granularity, None, model_version)
    return _timelines(entity_ids, granularity, counts, articles)


def _timelines(
    names: Sequence[str],
    granularity: Granularity,
    counts: Mapping[str, Mapping[int, Counts]],
    articles: Mapping[int, int],
) -> tuple[Timeline, ...]:
    stretches = [(number, *bucket_days(granularity, number), articles[number]) for number in sorted(articles)]
    none = Counts()
    found = []
    for name in names:
        named = counts.get(name, {})
        buckets = [
            Bucket(start, end, named.get(number, none), all_) for number, start, end, all_ in stretches
        ]
        found.append(Timeline(name, granularity, tuple(buckets)))
    return tuple(found)


def _articles(tx: Tx, scope: _Scope, granularity: Granularity) -> dict[int, int]:
    """The denominators: all articles of the scope by bucket."""
    days = _article_counts(scope, granularity)
    bucket = bucket_number(granularity, days).label("bucket")
    rows = tx.execute(select(bucket, func.sum(days.c.articles)).group_by(bucket)).all()
    return {int(number): int(articles) for number, articles in rows}


def _article_counts(scope: _Scope, granularity: Granularity) -> FromClause:
    """How many articles the scope has, by month where that is fine enough, else by day."""
    if scope.section is not None:
        columns = (article.c.day, article.c.month)
        counted = select(*columns, func.count().label("articles"))
        return counted.where(*scope.of(article)).group_by(*columns).subquery()
    if granularity in _FINE:
        return select(article_day).where(*scope.of(article_day)).subquery()

    def of(table: Table) -> list[ColumnElement[bool]]:
        return [] if scope.source is None else [table.c.source == scope.source]

    parts = _by_months(scope, article_month, article_day, ("month", "source", "articles"), of)
    return union_all(*parts).subquery()


def _by_months(
    scope: _Scope,
    monthly: Table,
    daily: Table,
    names: Sequence[str],
    condition: Callable[[Table], list[ColumnElement[bool]]],
) -> list[Select[Any]]:
    """The rows of the months that lie in the scope as a whole, and of the days beside them."""
    months, edges = _split(scope)
    parts = [select(*(daily.c[n] for n in names)).where(*condition(daily), *e.of(daily)) for e in edges]
    if months is not None:
        columns = (monthly.c[name] for name in names)
        parts.append(select(*columns).where(*condition(monthly), _within(monthly, months)))
    return parts


def _of_entities(
    tx: Tx,
    pks: Mapping[str, int],
    scope: _Scope,
    granularity: Granularity,
    part: Field | None,
    model_version: str | None,
) -> dict[str, dict[int, Counts]]:
    """For each of the entities the counts of its mentions by bucket."""
    version_pk = _version_pk(tx, model_version)
    days = _mention_counts(version_pk, list(pks.values()), scope, granularity, part)
    bucket = bucket_number(granularity, days).label("bucket")
    sums = (func.sum(days.c[name]).label(name) for name in _COUNTED)
    rows = tx.execute(select(days.c.entity_pk, bucket, *sums).group_by(days.c.entity_pk, bucket)).all()
    ids = {pk: name for name, pk in pks.items()}
    counts: dict[str, dict[int, Counts]] = {}
    for row in rows:
        counts.setdefault(ids[row[0]], {})[int(row[1])] = _read(row, 2)
    return counts


def _mention_counts(
    version_pk: int, pks: list[int], scope: _Scope, granularity: Granularity, part: Field | None
) -> FromClause:
    """The counts of the entities' mentions, by month where that is fine enough, else by day."""

    def of(table: Table) -> list[ColumnElement[bool]]:
        return [table.c.version_pk == version_pk, table.c.entity_pk.in_(pks)]

    if scope.section is not None or scope.source is not None or part is not None:
        columns = (mention.c.entity_pk, mention.c.day)
        month = func.min(mention.c.month).label("month")
        counted = select(*columns, month, *_counts(_polarity(part)))
        return counted.where(*of(mention), *scope.of(mention)).group_by(*columns).subquery()
    if granularity in _FINE:
        return select(mention_day).where(*of(mention_day), *scope.of(mention_day)).subquery()
    names = ("entity_pk", "month", *_COUNTED)
    if granularity is Granularity.YEAR:
        return union_all(*_by_years(scope, names, of)).subquery()
    return union_all(*_by_months(scope, mention_month, mention_day, names, of)).subquery()


def _by_years(
    scope: _Scope, names: Sequence[str], condition: Callable[[Table], list[ColumnElement[bool]]]
) -> list[Select[Any]]:
    """As `_by_months` of mentions; a whole year is one row, under the number of its January."""
    months, _ = _split(scope)
    years = None if months is None else whole_years(months)
    if years is None:
        return _by_months(scope, mention_month, mention_day, names, condition)
    t = mention_year.c
    columns = ((12 * t.year).label("month") if name == "month" else t[name] for name in names)
    parts = [select(*columns).where(*condition(mention_year), t.year.between(years[0], years[-1]))]
    for edge in _years(scope)[1]:
        parts += _by_months(edge, mention_month, mention_day, names, condition)
    return parts


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
    return breakdowns(
        tx, entity_id, (by,), date_from=date_from, date_to=date_to, model_version=model_version
    )[by]


def breakdowns(
    tx: Tx,
    entity_id: str,
    by: Sequence[Dimension] = tuple(Dimension),
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    model_version: str | None = None,
) -> dict[Dimension, tuple[Breakdown, ...]]:
    """As `breakdown` in several ways."""
    scope = _Scope(date_from, date_to)
    entity_pk = _entity_pks(tx, [entity_id])[entity_id]
    of_entity = (_version_pk(tx, model_version), entity_pk)
    years, edges = _years(scope)
    counts: dict[Dimension, dict[str, Counts]] = {dimension: {} for dimension in by}
    found = [] if years is None else _of_years(tx, *of_entity, by, years)
    for edge in edges:
        found += _of_days(tx, *of_entity, by, edge)
    for dimension, place, some in found:
        counts[dimension][place] = counts[dimension].get(place, Counts()) + some
    articles = _articles_of_places(tx, scope, by)
    return {dimension: _broken_down(counts[dimension], articles[dimension]) for dimension in by}


_Place = tuple[Dimension, str, Counts]


def _years(scope: _Scope) -> tuple[range | None, list[_Scope]]:
    """The whole years of the scope, if it has any, and the days before and after them."""
    months, _ = _split(scope)
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


def _of_years(tx: Tx, version_pk: int, entity_pk: int, by: Sequence[Dimension], years: range) -> list[_Place]:
    """What is tallied of whole years."""
    t = mention_place.c
    rows = tx.execute(
        select(t.kind, t.place, *(func.sum(t[name]).label(name) for name in _COUNTED))
        .where(
            t.version_pk == version_pk,
            t.entity_pk == entity_pk,
            t.kind.in_([dimension.value for dimension in by]),
            t.year.between(years[0], years[-1]),
        )
        .group_by(t.kind, t.place)
    )
    return [(Dimension(row.kind), row.place, _read(row, 2)) for row in rows]


def _of_days(tx: Tx, version_pk: int, entity_pk: int, by: Sequence[Dimension], scope: _Scope) -> list[_Place]:
    """What the mentions of a few days say, which are read once for all."""
    places = [column for dimension in by for column in _PLACES[dimension]]
    rows = tx.execute(
        select(*places, mention.c.polarity, func.count().label("number"))
        .where(mention.c.version_pk == version_pk, mention.c.entity_pk == entity_pk, *scope.of(mention))
        .group_by(*places, mention.c.polarity)
    ).all()
    return [
        (dimension, place, _counted(polarity, row.number))
        for row in rows
        for dimension in by
        for place, polarity in _places_of(row, dimension)
    ]


_PLACES: dict[Dimension, tuple[ColumnElement[Any], ...]] = {
    Dimension.SECTION: (mention.c.section,),
    Dimension.SOURCE: (mention.c.source,),
    Dimension.PART: tuple(mention.c[f"{part.value}_polarity"] for part in Field),
}


def _counted(polarity: int, number: int) -> Counts:
    kinds = (*map(polarity_number, Polarity), UNSCORED)
    return Counts(*(number if kind == polarity else 0 for kind in kinds))


def _broken_down(counts: Mapping[str, Counts], articles: Mapping[str, int]) -> tuple[Breakdown, ...]:
    found = (Breakdown(place, each, articles[place]) for place, each in counts.items() if each.total)
    return tuple(sorted(found, key=lambda each: (-each.counts.total, each.name)))


def _places_of(row: Any, by: Dimension) -> list[tuple[str, int]]:
    """Where a mention counts, with the polarity that it has there."""
    if by is not Dimension.PART:
        return [(getattr(row, by.value) or "", row.polarity)]
    polarities = ((part.value, getattr(row, f"{part.value}_polarity")) for part in Field)
    return [(part, polarity) for part, polarity in polarities if polarity is not None]


def _articles_of_places(
    tx: Tx, scope: _Scope, by: Collection[Dimension]
) -> dict[Dimension, Mapping[str, int]]:
    """The denominators of breakdowns."""
    found: dict[Dimension, Mapping[str, int]] = {}
    if Dimension.SECTION in by:
        found[Dimension.SECTION] = _articles_of_sections(tx, scope)
    if Dimension.SOURCE in by or Dimension.PART in by:
        counted = _article_counts(scope, Granularity.MONTH)
        rows = tx.execute(select(counted.c.source, func.sum(counted.c.articles)).group_by(counted.c.source))
        found[Dimension.SOURCE] = by_source = {source: int(number) for source, number in rows}
        found[Dimension.PART] = dict.fromkeys((part.value for part in Field), sum(by_source.values()))
    return found


def _articles_of_sections(tx: Tx, scope: _Scope) -> dict[str, int]:
    months, edges = _split(scope)
    found: Counter[str] = Counter()
    if months is not None:
        section = section_month.c.section
        tally = select(section, func.sum(section_month.c.articles)).where(_within(section_month, months))
        found.update({name: int(number) for name, number in tx.execute(tally.group_by(section))})
    for edge in edges:
        section = article.c.section
        rows = tx.execute(select(section, func.count()).where(*edge.of(article)).group_by(section))
        found.update({name or "": number for name, number in rows})
    return found


def campaign(tx: Tx, year: int, *, weeks: int = 52, model_version: str | None = None) -> Campaign:
    """The candidates of one election over the last `weeks` weeks before the vote. NotFound without the election."""
    elections.date_of(tx, year)
    return campaigns(tx, [year], weeks=weeks, model_version=model_version)[0]


def campaigns(
    tx: Tx, years: Sequence[int], *, weeks: int = 52, model_version: str | None = None
) -> tuple[Campaign, ...]:
    """Several elections at once, in the order asked; years without an election are left out."""
    stood = elections.of_years(tx, years)
    lasts = elections.dates_of(tx, years)
    ids = list({each.entity_id for each in stood})
    pks, names = _entity_pks(tx, ids), entities.names(tx, ids)
    version_pk = _version_pk(tx, model_version)
    found = []
    for year in dict.fromkeys(year for year in years if year in lasts):
        last, candidates = lasts[year], [each for each in stood if each.election_year == year]
        week = _week_number(last, article_day)
        articles = _articles_by(tx, article_day, _before(last, weeks), week)
        counted = _of_weeks(tx, version_pk, [pks[each.entity_id] for each in candidates], last, weeks)
        lines = (
            _campaign_line(each, names[each.entity_id], counted.get(pks[each.entity_id], {}), articles)
            for each in candidates
        )
        found.append(Campaign(year, last, tuple(lines)))
    return tuple(found)


def _campaign_line(
    stood: Candidacy, name: str, counts: Mapping[int, Counts], articles: Mapping[int, int]
) -> CampaignLine:
    total = sum(counts.values(), Counts())
    return CampaignLine(stood, name, total, _weeks(stood.election_date, counts, articles))


def _week_number(election_date: date, days: FromClause) -> ColumnElement[int]:
    return ((day_number(election_date) - days.c.day) // 7).label("week")


def _of_weeks(
    tx: Tx, version_pk: int, entity_pks: Collection[int], last: date, weeks: int
) -> dict[int, dict[int, Counts]]:
    """Entity → week before the day `last` → counts."""
    week = _week_number(last, mention_day)
    sums = (func.sum(mention_day.c[name]).label(name) for name in _COUNTED)
    rows = tx.execute(
        select(mention_day.c.entity_pk, week, *sums)
        .where(
            mention_day.c.version_pk == version_pk,
            mention_day.c.entity_pk.in_(entity_pks),
            *_before(last, weeks).of(mention_day),
        )
        .group_by(mention_day.c.entity_pk, week)
    )
    counted: dict[int, dict[int, Counts]] = {}
    for row in rows:
        counted.setdefault(row[0], {})[int(row[1])] = _read(row, 2)
    return counted


def _weeks(
    election_date: date, counts: Mapping[int, Counts], articles: Mapping[int, int]
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
    leaps = _leaps(min_days, _Scope(source=source).of(article_day))
    length = leaps.c.day - leaps.c.before - 1
    rows = tx.execute(
        select(leaps.c.before, leaps.c.day)
        .where(length >= min_days)
        .order_by(length.desc(), leaps.c.day)
        .limit(limit)
    )
    return tuple(Gap(date.fromordinal(before + 1), date.fromordinal(day - 1)) for before, day in rows)


def _leaps(longest: int, of_scope: list[ColumnElement[bool]]) -> CTE:
    """From day to day with an article, each as far away as can be without leaving `longest` days or more out: a leap
    that is longer goes over a gap. So not every day is looked at.
    """
    day = article_day.c.day
    start = select(cast(null(), Integer).label("before"), func.min(day).label("day")).where(*of_scope)
    leaps = start.cte("leaps", recursive=True)
    near = select(func.max(day)).where(*of_scope, day > leaps.c.day, day <= leaps.c.day + longest)
    next_one = select(func.min(day)).where(*of_scope, day > leaps.c.day)
    landing = func.coalesce(near.scalar_subquery(), next_one.scalar_subquery())
    return leaps.union_all(select(leaps.c.day, landing).where(leaps.c.day.is_not(None)))


def _polarity(part: Field | None) -> ColumnElement[int]:
    return mention.c.polarity if part is None else mention.c[f"{part.value}_polarity"]


def _counts(polarity: ColumnElement[int]) -> list[ColumnElement[int]]:
    """The columns that `_read` reads: how many mentions of each polarity."""
    numbers = (*(polarity_number(each) for each in Polarity), UNSCORED)
    return [
        func.count().filter(polarity == number).label(name)
        for number, name in zip(numbers, _COUNTED, strict=True)
    ]


def _read(row: Any, place: int) -> Counts:
    """The sums of a row in the order of _COUNTED, of which the first stands at `place`."""
    return Counts(*map(int, row[place : place + len(_COUNTED)]))


def _version_pk(tx: Tx, version: str | None) -> int:
    return models.version_pk(tx, models.POLARITY, version) or 0


def _entity_pks(tx: Tx, ids: Sequence[str]) -> dict[str, int]:
    rows = tx.execute(select(entity.c.id, entity.c.pk).where(entity.c.id.in_(ids)))
    pks: dict[str, int] = {row.id: row.pk for row in rows}
    for name in ids:
        if name not in pks:
            raise NotFound(f"There is no entity {name[:200]!r}.", hint="`kiosque entity list` shows all.")
    return pks
