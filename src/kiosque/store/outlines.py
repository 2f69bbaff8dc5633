"""Many campaigns at once, by month: one question for all of them, which reads a few rows a candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import CTE, Integer, Select, Table, column, func, or_, select, text, union_all

from kiosque.core.entity import Candidacy
from kiosque.store import elections, entities, models
from kiosque.store.buckets import month_days, whole_months
from kiosque.store.columns import day_number
from kiosque.store.figures import CampaignMonth, Counts, Outline, OutlineLine
from kiosque.store.tables import candidacy, entity, mention_day, mention_month
from kiosque.store.tx import Tx

_COUNTED = ("negative", "neutral", "positive", "unscored")
_ASKED = ("year", "first", "first_month", "last_month", "last")
"""Of an election the days of the campaign, and the months (see `columns`) that lie in it as a whole."""

_Months = dict[int, Counts]


def outlines(
    tx: Tx, years: Sequence[int], *, weeks: int = 52, model_version: str | None = None
) -> tuple[Outline, ...]:
    """The last `weeks` weeks before several elections, in the order asked; years without an election are left out."""
    stood = elections.of_years(tx, years)
    lasts = elections.dates_of(tx, years)
    ids = list({each.entity_id for each in stood})
    names = entities.names(tx, ids)
    counted = _counted(tx, stood, lasts, weeks, models.version_pk(tx, models.POLARITY, model_version) or 0)
    found = []
    for year in dict.fromkeys(year for year in years if year in lasts):
        first, last = _first_day(lasts[year], weeks), lasts[year]
        lines = (
            _line(each, names[each.entity_id], first, last, counted.get((year, each.entity_id), {}))
            for each in stood
            if each.election_year == year
        )
        found.append(Outline(year, last, tuple(lines)))
    return tuple(found)


def _first_day(last: date, weeks: int) -> date:
    return date.fromordinal(max(1, day_number(last) - 7 * weeks + 1))


def _line(stood: Candidacy, name: str, first: date, last: date, months: Mapping[int, Counts]) -> OutlineLine:
    pieces = []
    for month in sorted(months):
        start, end = month_days(month)
        pieces.append(CampaignMonth(max(start, first), min(end, last), months[month]))
    return OutlineLine(stood, name, sum(months.values(), Counts()), tuple(pieces))


def _counted(
    tx: Tx, stood: Sequence[Candidacy], lasts: Mapping[int, date], weeks: int, version_pk: int
) -> dict[tuple[int, str], _Months]:
    """Year and candidate → month → counts."""
    named = {each.entity_id for each in stood}
    of_named = select(entity.c.pk, entity.c.id).where(entity.c.id.in_(named))
    ids = {row.pk: row.id for row in tx.execute(of_named)}
    rows = [(year, *_stretch(last, weeks)) for year, last in lasts.items()]
    if not rows:
        return {}
    pieces = union_all(*_pieces(_asked(rows), version_pk)).subquery()
    key = (pieces.c.year, pieces.c.entity_pk, pieces.c.month)
    sums = (func.sum(pieces.c[name]) for name in _COUNTED)
    found: dict[tuple[int, str], _Months] = {}
    for year, pk, month, *numbers in tx.execute(select(*key, *sums).group_by(*key)):
        found.setdefault((year, ids[pk]), {})[month] = Counts(*map(int, numbers))
    return found


def _asked(rows: Sequence[tuple[int, ...]]) -> CTE:
    """The stretches as a table: text, which is compiled once, since votes do not move. VALUES would be each time."""
    lines = (", ".join(f"{int(n)} AS {name}" for n, name in zip(row, _ASKED, strict=True)) for row in rows)
    written = text(" UNION ALL ".join(f"SELECT {line}" for line in lines))
    return written.columns(*(column(name, Integer) for name in _ASKED)).cte("asked")


def _stretch(last: date, weeks: int) -> tuple[int, int, int, int]:
    """First day, first and last whole month, last day; where no month is whole, the last one is before the first."""
    first = _first_day(last, weeks)
    months = whole_months(first, last)
    whole = (months[0], months[-1]) if months else (1, 0)
    return day_number(first), *whole, day_number(last)


def _pieces(asked: CTE, version_pk: int) -> Iterator[Select[Any]]:
    """The months that are whole out of one tally, the days beside them out of the other."""

    def of(table: Table) -> Select[Any]:
        # "+ 0" has SQLite begin with the candidates, not with every row of the tally
        there = (table.c.version_pk == version_pk) & (table.c.entity_pk == candidacy.c.entity_pk + 0)
        numbers = (table.c[name] for name in _COUNTED)
        stood = asked.join(candidacy, candidacy.c.election_year == asked.c.year)
        return select(asked.c.year, table.c.entity_pk, table.c.month, *numbers).join_from(stood, table, there)

    yield of(mention_month).where(mention_month.c.month.between(asked.c.first_month, asked.c.last_month))
    yield of(mention_day).where(
        mention_day.c.day.between(asked.c.first, asked.c.last),
        or_(mention_day.c.month < asked.c.first_month, mention_day.c.month > asked.c.last_month),
    )
