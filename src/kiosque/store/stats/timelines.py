"""How entities were spoken of over time, and when they were named at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from kiosque.core.article import Field
from kiosque.store.buckets import bucket_days, bucket_number
from kiosque.store.figures import Bucket, Counts, Granularity, Timeline
from kiosque.store.stats.counting import (
    COUNTED,
    Scope,
    article_counts,
    mention_counts,
    pk_of_version,
    pks_of_entities,
    read_counts,
)
from kiosque.store.tables import entity, mention_day
from kiosque.store.tx import Tx


def spans(
    tx: Tx,
    entity_ids: Sequence[str],
    *,
    date_from: date | None = None,
    date_to: date | None = None,
    model_version: str | None = None,
) -> dict[str, tuple[date, date]]:
    """For each of the entities that is named at all the first and the last day on which it is. Raises NotFound."""
    pks = pks_of_entities(tx, entity_ids)
    version_pk, scope = pk_of_version(tx, model_version), Scope(date_from, date_to).of(mention_day)

    def end(of: Any) -> ScalarSelect[int]:
        """The first or the last day, which the tally has at an end and need not be looked for among all."""
        here = (mention_day.c.version_pk == version_pk, mention_day.c.entity_pk == entity.c.pk)
        return select(of(mention_day.c.day)).where(*here, *scope).correlate(entity).scalar_subquery()

    rows = tx.execute(select(entity.c.pk, end(func.min), end(func.max)).where(entity.c.pk.in_(pks.values())))
    found = {pk: (date.fromordinal(first), date.fromordinal(last)) for pk, first, last in rows if last}
    return {name: found[pk] for name, pk in pks.items() if pk in found}


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
    scope = Scope(date_from, date_to, section, source)
    pks = pks_of_entities(tx, [entity_id])
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
    scope = Scope(date_from, date_to, section, source)
    pks = pks_of_entities(tx, entity_ids)
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


def _articles(tx: Tx, scope: Scope, granularity: Granularity) -> dict[int, int]:
    """The denominators: all articles of the scope by bucket."""
    days = article_counts(scope, granularity)
    bucket = bucket_number(granularity, days).label("bucket")
    rows = tx.execute(select(bucket, func.sum(days.c.articles)).group_by(bucket)).all()
    return {int(number): int(articles) for number, articles in rows}


def _of_entities(
    tx: Tx,
    pks: Mapping[str, int],
    scope: Scope,
    granularity: Granularity,
    part: Field | None,
    model_version: str | None,
) -> dict[str, dict[int, Counts]]:
    """For each of the entities the counts of its mentions by bucket."""
    version_pk = pk_of_version(tx, model_version)
    days = mention_counts(version_pk, list(pks.values()), scope, granularity, part)
    bucket = bucket_number(granularity, days).label("bucket")
    sums = (func.sum(days.c[name]).label(name) for name in COUNTED)
    rows = tx.execute(select(days.c.entity_pk, bucket, *sums).group_by(days.c.entity_pk, bucket)).all()
    ids = {pk: name for name, pk in pks.items()}
    counts: dict[str, dict[int, Counts]] = {}
    for row in rows:
        counts.setdefault(ids[row[0]], {})[int(row[1])] = read_counts(row, 2)
    return counts
