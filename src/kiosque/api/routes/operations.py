"""Running the installation: sources and dead letters."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from kiosque.api.context import ApiDep, unable
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import Key
from kiosque.api.schemas.operations import (
    DeadLetterAnswer,
    DeadLetterListing,
    DeadLetterQuery,
    PolledAnswer,
    SourceAnswer,
    SourceBody,
    SourceListing,
    SourceListQuery,
)
from kiosque.store import dead_letters, sources
from kiosque.store.paging import Page

router = APIRouter(prefix=PREFIX, tags=["operations"], route_class=ApiRoute)

SourceId = Annotated[Key, Path(description="Id of the source.", examples=["demo"])]
LetterId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the dead letter.", examples=[1])]
_OFF = {"off": {"summary": "Stop polling it", "value": {"enabled": False}}}


@router.get(
    "/sources",
    summary="Sources and how they fare",
    operation_id="list_sources",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(SourceListing) | problems(),
)
def list_sources(request: Request, api: ApiDep, query: Annotated[SourceListQuery, Query()]) -> Response:
    """Last poll, last success, next poll, errors, and what they brought."""

    def fetch(limit: int, cursor: str | None) -> Page[SourceAnswer]:
        with api.database.read() as tx:
            found = sources.everything(tx, enabled=query.enabled)
        return map_page(slice_page(found, limit, cursor), SourceAnswer.of)

    return answer_list(request, query, fetch, SourceListing, SourceAnswer, "sources")


@router.get(
    "/sources/{source}",
    summary="One source",
    operation_id="get_source",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_source(api: ApiDep, source: SourceId) -> SourceAnswer:
    """What it is and how it fares."""
    with api.database.read() as tx:
        return SourceAnswer.of(sources.get(tx, source))


@router.patch(
    "/sources/{source}",
    summary="Switch a source on or off",
    operation_id="change_source",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 413),
)
def change_source(
    api: ApiDep, source: SourceId, body: Annotated[SourceBody, Body(openapi_examples=_OFF)]
) -> SourceAnswer:
    """One that is off is not polled; its articles stay."""
    with api.database.write() as tx:
        sources.set_enabled(tx, source, body.enabled)
        return SourceAnswer.of(sources.get(tx, source))


@router.post(
    "/sources/{source}/poll",
    summary="Poll a source now",
    operation_id="poll_source",
    dependencies=NEEDS_WRITE,
    responses=problems(404, 409, 412, 502),
)
def poll_source(api: ApiDep, source: SourceId) -> PolledAnswer:
    """Without waiting for its time. Answers when that is done."""
    poll = api.context.hooks.poll
    if poll is None:
        raise unable("poll sources", f"The producer does. Or run: kiosque source poll {source}")
    polled = poll(source)
    return PolledAnswer.of(polled)


@router.get(
    "/dead-letters",
    summary="Messages that were given up",
    operation_id="list_dead_letters",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(DeadLetterListing) | problems(),
)
def list_dead_letters(request: Request, api: ApiDep, query: Annotated[DeadLetterQuery, Query()]) -> Response:
    """Newest first, each with the reason."""

    def fetch(limit: int, cursor: str | None) -> Page[DeadLetterAnswer]:
        with api.database.read() as tx:
            page = dead_letters.page(tx, replayed=query.replayed, limit=limit, cursor=cursor)
        return map_page(page, DeadLetterAnswer.of)

    return answer_list(request, query, fetch, DeadLetterListing, DeadLetterAnswer, "dead-letters")


@router.get(
    "/dead-letters/{letter}",
    summary="One dead letter",
    operation_id="get_dead_letter",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_dead_letter(api: ApiDep, letter: LetterId) -> DeadLetterAnswer:
    """With the start of the message."""
    with api.database.read() as tx:
        return DeadLetterAnswer.of(dead_letters.get(tx, letter))


@router.post(
    "/dead-letters/{letter}/replay",
    summary="Try a dead letter again",
    operation_id="replay_dead_letter",
    dependencies=NEEDS_WRITE,
    responses=problems(404, 412),
)
def replay_dead_letter(api: ApiDep, letter: LetterId) -> DeadLetterAnswer:
    """Puts its message on the bus again. Should it fail again it comes back."""
    replay = api.context.hooks.replay
    if replay is None:
        raise unable("put messages on the bus", f"Run: kiosque dead-letter replay {letter}")
    return DeadLetterAnswer.of(replay(letter))


@router.delete(
    "/dead-letters/{letter}",
    summary="Throw a dead letter away",
    operation_id="delete_dead_letter",
    dependencies=NEEDS_WRITE,
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
def delete_dead_letter(api: ApiDep, letter: LetterId) -> None:
    """For good: the message is lost."""
    with api.database.write() as tx:
        dead_letters.delete(tx, letter)
