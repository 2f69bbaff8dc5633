"""Saved searches: kept under a name, with a feed each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import ApiDep, CallerDep
from kiosque.api.feed_tokens import FeedOf, feed_path, feed_token, new_nonce
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import ListQuery
from kiosque.api.schemas.searches import FeedAnswer, RenameBody, SearchAnswer, SearchBody, SearchListing
from kiosque.core.errors import InvalidInput
from kiosque.store import saved_searches
from kiosque.store.articles import Sort
from kiosque.store.paging import Page

router = APIRouter(prefix=f"{PREFIX}/searches", tags=["searches"], route_class=ApiRoute)

SearchId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the search.", examples=[1])]
_SEARCH = {
    "negative": {
        "summary": "What speaks badly of Douglas in 1860",
        "value": {
            "name": "Douglas, badly",
            "entity": ["stephen-a-douglas"],
            "polarity": "negative",
            "min_confidence": 0.6,
            "from": "1860-01-01",
            "to": "1860-12-31",
        },
    }
}
_NAME = {"other": {"summary": "Another name", "value": {"name": "Cabinet of rivals"}}}


@router.get(
    "",
    summary="Saved searches",
    operation_id="list_searches",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(SearchListing) | problems(),
)
def list_searches(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """By name. Everybody who may read sees them."""

    def fetch(limit: int, cursor: str | None) -> Page[SearchAnswer]:
        with api.database.read() as tx:
            found = saved_searches.everything(tx)
        return map_page(slice_page(found, limit, cursor), SearchAnswer.of)

    return answer_list(request, query, fetch, SearchListing, SearchAnswer, "searches")


@router.post(
    "",
    summary="Save a search",
    operation_id="save_search",
    dependencies=NEEDS_WRITE,
    status_code=201,
    responses=problems(400, 409, 413),
)
def save_search(
    api: ApiDep, caller: CallerDep, body: Annotated[SearchBody, Body(openapi_examples=_SEARCH)]
) -> SearchAnswer:
    """Kept as it is asked: what it finds is what there is when it is opened."""
    if body.sort is Sort.RELEVANCE and not body.q.strip():
        raise InvalidInput("sort=relevance needs q.", hint="Give words to look for, or another order.")
    with api.database.write() as tx:
        kept = saved_searches.add(
            tx,
            name=body.name,
            where=body.filter(),
            sort=body.sort,
            by=caller.name,
            at=api.clock(),
            feed_nonce=new_nonce(),
        )
    return SearchAnswer.of(kept)


@router.patch(
    "/{search}",
    summary="Rename a saved search",
    operation_id="rename_search",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 409, 413),
)
def rename_search(
    api: ApiDep, search: SearchId, body: Annotated[RenameBody, Body(openapi_examples=_NAME)]
) -> SearchAnswer:
    """Its feed stays where it is."""
    with api.database.write() as tx:
        return SearchAnswer.of(saved_searches.rename(tx, search, body.name))


@router.delete(
    "/{search}",
    summary="Delete a saved search",
    operation_id="delete_search",
    dependencies=NEEDS_WRITE,
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
def delete_search(api: ApiDep, search: SearchId) -> None:
    """Its feed is gone with it."""
    with api.database.write() as tx:
        saved_searches.delete(tx, search)


@router.post(
    "/{search}/feed",
    summary="A new secret for the feed of a search",
    operation_id="renew_search_feed",
    dependencies=NEEDS_WRITE,
    responses=problems(404),
)
def renew_search_feed(api: ApiDep, response: Response, search: SearchId) -> FeedAnswer:
    """For feed readers where reading is closed. Addresses given out before open nothing any more."""
    with api.database.write() as tx:
        kept = saved_searches.renew_feed(tx, search, new_nonce())
    token = feed_token(api.context.secret_key, FeedOf.SEARCH, kept.id, kept.feed_nonce)
    response.headers["Cache-Control"] = "no-store"
    return FeedAnswer(feed=feed_path(FeedOf.SEARCH, kept.id, token))
