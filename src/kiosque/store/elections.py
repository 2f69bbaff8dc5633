"""Elections and who stood in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from kiosque.core.entity import Candidacy
from kiosque.core.errors import NotFound
from kiosque.store.statements import chunked, upsert
from kiosque.store.tables import candidacy, election, entity
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Election:
    """One election that candidacies belong to."""

    year: int
    date: date
    candidates: int


def save(tx: Tx, given: Sequence[Candidacy]) -> None:
    """Keep the candidacies and their elections. Candidates who are no entities are left out."""
    dates = {each.election_year: each.election_date for each in given}
    upsert(tx, election, [{"year": year, "date": day} for year, day in sorted(dates.items())], ["year"])
    for chunk in chunked(given):
        ids = {each.entity_id for each in chunk}
        pks = {
            row.id: row.pk for row in tx.execute(select(entity.c.id, entity.c.pk).where(entity.c.id.in_(ids)))
        }
        rows = {
            (each.election_year, pks[each.entity_id]): {
                "election_year": each.election_year,
                "entity_pk": pks[each.entity_id],
                "party": each.party,
                "winner": each.winner,
                "popular_vote": each.popular_vote,
                "popular_share": each.popular_share,
                "electoral_votes": each.electoral_votes,
            }
            for each in chunk
            if each.entity_id in pks
        }
        upsert(tx, candidacy, list(rows.values()), ("election_year", "entity_pk"))


def date_of(tx: Tx, year: int) -> date:
    """Election day. Raises NotFound."""
    day: date | None = tx.scalar(select(election.c.date).where(election.c.year == year))
    if day is None:
        raise NotFound(f"There is no election of {year}.")
    return day


def dates_of(tx: Tx, years: Iterable[int]) -> dict[int, date]:
    """The election days of those of the years that had an election."""
    rows = tx.execute(select(election.c.year, election.c.date).where(election.c.year.in_(years)))
    return {row.year: row.date for row in rows}


def of_years(tx: Tx, years: Iterable[int]) -> tuple[Candidacy, ...]:
    """The candidacies of several elections, in the order of `candidacies`."""
    wanted = set(years)
    return tuple(each for each in candidacies(tx) if each.election_year in wanted)


def candidacies(tx: Tx, *, year: int | None = None, entity_id: str | None = None) -> tuple[Candidacy, ...]:
    """Candidacies by year, within it the winner first, then by electoral votes."""
    stood = candidacy.c
    statement = (
        select(candidacy, election.c.date, entity.c.id)
        .join(election, election.c.year == stood.election_year)
        .join(entity, entity.c.pk == stood.entity_pk)
        .order_by(
            stood.election_year,
            stood.winner.desc(),
            func.coalesce(stood.electoral_votes, -1).desc(),
            func.coalesce(stood.popular_share, -1.0).desc(),
            entity.c.id,
        )
    )
    if year is not None:
        statement = statement.where(stood.election_year == year)
    if entity_id is not None:
        statement = statement.where(entity.c.id == entity_id)
    return tuple(
        Candidacy(
            election_year=row.election_year,
            election_date=row.date,
            entity_id=row.id,
            party=row.party,
            winner=row.winner,
            popular_vote=row.popular_vote,
            popular_share=row.popular_share,
            electoral_votes=row.electoral_votes,
        )
        for row in tx.execute(statement)
    )


def elections(tx: Tx) -> tuple[Election, ...]:
    """The elections, newest first."""
    rows = tx.execute(
        select(election.c.year, election.c.date, func.count(candidacy.c.entity_pk))
        .select_from(election.outerjoin(candidacy, candidacy.c.election_year == election.c.year))
        .group_by(election.c.year, election.c.date)
        .order_by(election.c.year.desc())
    )
    return tuple(Election(*row) for row in rows)
