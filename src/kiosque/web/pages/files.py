"""The numbers behind the charts, as CSV, at the addresses of the pages."""

from __future__ import annotations

from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from kiosque.store import entities, stats
from kiosque.store.stats import Dimension, Granularity
from kiosque.web.numbers import (
    AlignedRow,
    BucketRow,
    IntakeRow,
    MoveRow,
    PlaceRow,
    WeekRow,
    aligned_rows,
    bucket_rows,
    csv_file,
    intake_rows,
    move_rows,
    place_rows,
    week_rows,
)
from kiosque.web.pages.elections import FIRST_YEAR, WEEKS, chosen_years
from kiosque.web.pages.people import Asked, chosen_ends, chosen_people, within
from kiosque.web.pages.today import GRAINS, LOOKED_AT, PERIODS, USUAL, move_of
from kiosque.web.render import house

router = APIRouter()


@router.get("/people/{entity_id}/timeline.csv")
def timeline_file(
    request: Request,
    entity_id: str,
    by: Granularity = Granularity.MONTH,
    since: date | None = None,
    until: date | None = None,
) -> Response:
    with house(request).database.read() as tx:
        line = stats.timeline(tx, entity_id, granularity=by, date_from=since, date_to=until)
    return csv_file([*bucket_rows([line])], BucketRow, f"{entity_id}-by-{by}")


@router.get("/people/{entity_id}/breakdown.csv")
def breakdown_file(
    request: Request,
    entity_id: str,
    by: Dimension = Dimension.SECTION,
    since: date | None = None,
    until: date | None = None,
) -> Response:
    with house(request).database.read() as tx:
        found = stats.breakdown(tx, entity_id, by, date_from=since, date_to=until)
    return csv_file([*place_rows(found)], PlaceRow, f"{entity_id}-by-{by}")


@router.get("/intake.csv")
def intake_file(request: Request, period: str = USUAL) -> Response:
    """Every source by itself, also those that share a shade in the chart."""
    chosen = period if period in PERIODS else USUAL
    with house(request).database.read() as tx:
        known = stats.period(tx)
        since = known[1] - timedelta(days=PERIODS[chosen] - 1) if known else None
        rows = stats.intake(tx, since, known[1], granularity=GRAINS[chosen]) if since and known else ()
    return csv_file([*intake_rows(rows)], IntakeRow, f"intake-{chosen}")


@router.get("/moves.csv")
def moves_file(request: Request, period: str = USUAL) -> Response:
    """Everybody with enough articles in both periods, also where the change may be chance."""
    chosen = period if period in PERIODS else USUAL
    with house(request).database.read() as tx:
        known = stats.period(tx)
        since = known[1] - timedelta(days=PERIODS[chosen] - 1) if known else None
        ranking = stats.ranking(tx, since, known[1], limit=LOOKED_AT) if since and known else ()
    moves = [move for ranked in ranking if (move := move_of(ranked)) is not None]
    return csv_file([*move_rows(moves)], MoveRow, f"moves-{chosen}")


@router.get("/compare.csv")
def comparison_file(
    request: Request,
    entities: Asked = [],  # noqa: B006
    by: Granularity = Granularity.YEAR,
    since: date | None = None,
    until: date | None = None,
    ends: Asked = [],  # noqa: B006
    weeks: int = WEEKS,
) -> Response:
    with house(request).database.read() as tx:
        ids = [entity.id for entity in chosen_people(tx, entities)]
        last_days, _ = chosen_ends(tx, ends)
        if last_days:
            lines = stats.aligned(
                tx, [(name, last) for name in ids for last in last_days], weeks=within(weeks)
            )
            return csv_file([*aligned_rows(lines)], AlignedRow, "comparison-by-weeks-before")
        found = stats.compare(tx, ids, granularity=by, date_from=since, date_to=until) if ids else ()
    return csv_file([*bucket_rows(found)], BucketRow, f"comparison-by-{by}")


@router.get("/elections.csv")
def campaigns_file(
    request: Request,
    years: Asked = [],  # noqa: B006
    weeks: int = WEEKS,
) -> Response:
    with house(request).database.read() as tx:
        known = [e.year for e in entities.elections(tx) if e.year >= FIRST_YEAR]
        wanted = chosen_years(years, known) or known
        found = stats.campaigns(tx, wanted, weeks=within(weeks))
    return csv_file([*week_rows(found)], WeekRow, "elections")


@router.get("/elections/{year}.csv")
def campaign_file(request: Request, year: int, weeks: int = WEEKS) -> Response:
    with house(request).database.read() as tx:
        found = stats.campaign(tx, year, weeks=within(weeks))
    return csv_file([*week_rows([found])], WeekRow, f"election-{year}")
