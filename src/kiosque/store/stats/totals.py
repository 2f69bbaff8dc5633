"""The counts of everything: articles, sources, days with news and days without."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from sqlalchemy import CTE, ColumnElement, Integer, cast, func, null, select

from kiosque.core.errors import InvalidInput
from kiosque.store import books, entities
from kiosque.store.buckets import bucket_days, bucket_number
from kiosque.store.columns import day_number
from kiosque.store.figures import Gap, Granularity, Intake, Overview, Totals
from kiosque.store.stats.counting import COUNTED, Scope, article_counts, articles_by, pk_of_version
from kiosque.store.tables import article_day, article_month, mention_year, scoring_total
from kiosque.store.tx import Tx


def overview(tx: Tx, *, days: int = 30) -> Overview:
    """Counts of everything; `by_day` for the last `days` days up to the newest article."""
    all_time = totals(tx)
    by_day: dict[int, int] = {}
    if all_time.last_day is not None:
        first = max(1, day_number(all_time.last_day) - days + 1)
        by_day = articles_by(tx, article_day, Scope(date.fromordinal(first)), article_day.c.day)
    return Overview(
        **asdict(all_time),
        entities=entities.count(tx),
        books=books.count(tx),
        by_day=tuple((date.fromordinal(day), number) for day, number in sorted(by_day.items())),
    )


def totals(tx: Tx) -> Totals:
    """The counts of all time that pages open with."""
    version_pk = pk_of_version(tx, None)
    by_source = articles_by(tx, article_month, Scope(), article_month.c.source)
    first, last = period(tx) or (None, None)
    scored = select(func.sum(scoring_total.c.articles)).where(scoring_total.c.version_pk == version_pk)
    mentioned = select(*(func.sum(mention_year.c[name]) for name in COUNTED))
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
    counted = article_counts(Scope(date_from, date_to), Granularity.MONTH)
    return int(tx.scalar(select(func.sum(counted.c.articles))) or 0)


def intake(
    tx: Tx, date_from: date, date_to: date, *, granularity: Granularity = Granularity.DAY
) -> tuple[Intake, ...]:
    """How many articles each source delivered, by stretch of time and, within it, by name."""
    days = article_counts(Scope(date_from, date_to), granularity)
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


def gaps(tx: Tx, *, min_days: int = 7, source: str | None = None, limit: int = 100) -> tuple[Gap, ...]:
    """Stretches of at least `min_days` days without an article, longest first."""
    if min_days < 1:
        raise InvalidInput("A gap has at least one day.", hint="Give min_days of 1 or more.")
    leaps = _leaps(min_days, Scope(source=source).of(article_day))
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
