"""Where an entity is named: by section, by source, in headline or abstract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select

from kiosque.core.article import Field
from kiosque.core.polarity import Polarity
from kiosque.store.figures import Breakdown, Counts, Dimension, Granularity
from kiosque.store.stats.counting import (
    COUNTED,
    Scope,
    article_counts,
    pk_of_version,
    pks_of_entities,
    read_counts,
    split_months,
    split_years,
    within_months,
)
from kiosque.store.tables import article, mention, mention_place, section_month
from kiosque.store.tx import Tx
from kiosque.store.values import UNSCORED, polarity_number


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
    scope = Scope(date_from, date_to)
    entity_pk = pks_of_entities(tx, [entity_id])[entity_id]
    of_entity = (pk_of_version(tx, model_version), entity_pk)
    years, edges = split_years(scope)
    counts: dict[Dimension, dict[str, Counts]] = {dimension: {} for dimension in by}
    found = [] if years is None else _of_years(tx, *of_entity, by, years)
    for edge in edges:
        found += _of_days(tx, *of_entity, by, edge)
    for dimension, place, some in found:
        counts[dimension][place] = counts[dimension].get(place, Counts()) + some
    articles = _articles_of_places(tx, scope, by)
    return {dimension: _broken_down(counts[dimension], articles[dimension]) for dimension in by}


_Place = tuple[Dimension, str, Counts]


def _of_years(tx: Tx, version_pk: int, entity_pk: int, by: Sequence[Dimension], years: range) -> list[_Place]:
    """What is tallied of whole years."""
    t = mention_place.c
    rows = tx.execute(
        select(t.kind, t.place, *(func.sum(t[name]).label(name) for name in COUNTED))
        .where(
            t.version_pk == version_pk,
            t.entity_pk == entity_pk,
            t.kind.in_([dimension.value for dimension in by]),
            t.year.between(years[0], years[-1]),
        )
        .group_by(t.kind, t.place)
    )
    return [(Dimension(row.kind), row.place, read_counts(row, 2)) for row in rows]


def _of_days(tx: Tx, version_pk: int, entity_pk: int, by: Sequence[Dimension], scope: Scope) -> list[_Place]:
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
    tx: Tx, scope: Scope, by: Collection[Dimension]
) -> dict[Dimension, Mapping[str, int]]:
    """The denominators of breakdowns."""
    found: dict[Dimension, Mapping[str, int]] = {}
    if Dimension.SECTION in by:
        found[Dimension.SECTION] = _articles_of_sections(tx, scope)
    if Dimension.SOURCE in by or Dimension.PART in by:
        counted = article_counts(scope, Granularity.MONTH)
        rows = tx.execute(select(counted.c.source, func.sum(counted.c.articles)).group_by(counted.c.source))
        found[Dimension.SOURCE] = by_source = {source: int(number) for source, number in rows}
        found[Dimension.PART] = dict.fromkeys((part.value for part in Field), sum(by_source.values()))
    return found


def _articles_of_sections(tx: Tx, scope: Scope) -> dict[str, int]:
    months, edges = split_months(scope)
    found: Counter[str] = Counter()
    if months is not None:
        section = section_month.c.section
        tally = select(section, func.sum(section_month.c.articles)).where(
            within_months(section_month, months)
        )
        found.update({name: int(number) for name, number in tx.execute(tally.group_by(section))})
    for edge in edges:
        section = article.c.section
        rows = tx.execute(select(section, func.count()).where(*edge.of(article)).group_by(section))
        found.update({name or "": number for name, number in rows})
    return found
