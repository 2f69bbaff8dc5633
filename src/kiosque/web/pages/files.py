"""The numbers behind the charts, as CSV, at the addresses of the pages."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from kiosque.store import entities, stats
from kiosque.store.stats import Granularity
from kiosque.web.numbers import BucketRow, WeekRow, bucket_rows, csv_file, week_rows
from kiosque.web.pages.elections import FIRST_YEAR, WEEKS, chosen_years, within
from kiosque.web.pages.people import Asked, chosen_people
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


@router.get("/compare.csv")
def comparison_file(
    request: Request,
    entities: Asked = [],  # noqa: B006
    by: Granularity = Granularity.YEAR,
) -> Response:
    with house(request).database.read() as tx:
        ids = [entity.id for entity in chosen_people(tx, entities)]
        lines = stats.compare(tx, ids, granularity=by) if ids else ()
    return csv_file([*bucket_rows(lines)], BucketRow, f"comparison-by-{by}")


@router.get("/elections.csv")
def campaigns_file(
    request: Request,
    years: Asked = [],  # noqa: B006
    weeks: int = WEEKS,
) -> Response:
    with house(request).database.read() as tx:
        known = [e.year for e in entities.elections(tx) if e.year >= FIRST_YEAR]
        wanted = chosen_years(years, known) or known
        found = [stats.campaign(tx, year, weeks=within(weeks)) for year in wanted]
    return csv_file([*week_rows(found)], WeekRow, "elections")


@router.get("/elections/{year}.csv")
def campaign_file(request: Request, year: int, weeks: int = WEEKS) -> Response:
    with house(request).database.read() as tx:
        found = stats.campaign(tx, year, weeks=within(weeks))
    return csv_file([*week_rows([found])], WeekRow, f"election-{year}")
