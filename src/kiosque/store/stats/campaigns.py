"""Entities over the weeks before a day: the candidates of an election, or any that are laid over one another."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, FromClause, func, select

from kiosque.core.entity import Candidacy
from kiosque.store import elections, entities
from kiosque.store.columns import day_number
from kiosque.store.figures import Aligned, Campaign, CampaignLine, CampaignWeek, Counts
from kiosque.store.stats.counting import (
    COUNTED,
    Scope,
    articles_by,
    pk_of_version,
    pks_of_entities,
    read_counts,
)
from kiosque.store.tables import article_day, mention_day
from kiosque.store.tx import Tx


def aligned(
    tx: Tx, lines: Sequence[tuple[str, date]], *, weeks: int = 52, model_version: str | None = None
) -> tuple[Aligned, ...]:
    """Entities over the last `weeks` weeks before a day each, in the order asked. Raises NotFound."""
    pks = pks_of_entities(tx, [name for name, _ in lines])
    version_pk = pk_of_version(tx, model_version)
    articles = {
        last: articles_by(tx, article_day, _before(last, weeks), _week_number(last, article_day))
        for last in dict.fromkeys(last for _, last in lines)
    }
    found = []
    for name, last in lines:
        counts = _of_weeks(tx, version_pk, [pks[name]], last, weeks).get(pks[name], {})
        found.append(Aligned(name, last, _weeks(last, counts, articles[last])))
    return tuple(found)


def _before(last: date, weeks: int) -> Scope:
    return Scope(date.fromordinal(max(1, day_number(last) - 7 * weeks + 1)), last)


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
    pks, names = pks_of_entities(tx, ids), entities.names(tx, ids)
    version_pk = pk_of_version(tx, model_version)
    found = []
    for year in dict.fromkeys(year for year in years if year in lasts):
        last, candidates = lasts[year], [each for each in stood if each.election_year == year]
        week = _week_number(last, article_day)
        articles = articles_by(tx, article_day, _before(last, weeks), week)
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
    sums = (func.sum(mention_day.c[name]).label(name) for name in COUNTED)
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
        counted.setdefault(row[0], {})[int(row[1])] = read_counts(row, 2)
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
