"""Watch lists: named sets of entities."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response

from kiosque.api.context import ApiDep
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import ListQuery
from kiosque.api.schemas.entities import (
    WatchlistAnswer,
    WatchlistBody,
    WatchlistChangeAnswer,
    WatchlistListing,
)
from kiosque.store import entities
from kiosque.store.paging import Page

router = APIRouter(prefix=f"{PREFIX}/watchlists", tags=["entities"], route_class=ApiRoute)

_LIST = {
    "two": {
        "summary": "Two people and one candidacy",
        "value": {
            "id": "free-soil",
            "name": "Free Soil",
            "entities": [
                {"id": "john-p-hale", "name": "John P. Hale", "aliases": [{"text": "John P. Hale"}]},
                {"id": "salmon-p-chase", "name": "Salmon P. Chase", "aliases": [{"text": "Salmon P. Chase"}]},
            ],
            "candidacies": [
                {
                    "election_year": 1852,
                    "election_date": "1852-11-02",
                    "entity": "john-p-hale",
                    "party": "Free Soil",
                }
            ],
        },
    }
}


@router.get(
    "",
    summary="Watch lists",
    operation_id="list_watchlists",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(WatchlistListing) | problems(),
)
def list_watchlists(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """By name, with how many entities stand on each."""

    def fetch(limit: int, cursor: str | None) -> Page[WatchlistAnswer]:
        with api.database.read() as tx:
            found = entities.watchlists(tx)
        return map_page(slice_page(found, limit, cursor), WatchlistAnswer.of)

    return answer_list(request, query, fetch, WatchlistListing, WatchlistAnswer, "watchlists")


@router.post(
    "",
    summary="Import a watch list",
    operation_id="import_watchlist",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 413),
)
def import_watchlist(
    api: ApiDep, body: Annotated[WatchlistBody, Body(openapi_examples=_LIST)]
) -> WatchlistChangeAnswer:
    """Add its entities, or make those that are there as the list says. Entities that are on no list stay."""
    with api.database.write() as tx:
        change = entities.save_watchlist(tx, body.watchlist(), api.clock())
    return WatchlistChangeAnswer(added=change.added, updated=change.updated, unchanged=change.unchanged)
