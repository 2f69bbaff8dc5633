"""Articles as they come in, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from kiosque.api.context import ApiDep
from kiosque.api.live import Arrival
from kiosque.api.route import NEEDS_READ, PREFIX, ApiRoute, problems, text_response
from kiosque.api.schemas.base import Slug

router = APIRouter(prefix=PREFIX, tags=["articles"], route_class=ApiRoute)

RETRY_MILLISECONDS = 3000
MAX_EVENT_ID = 2**63 - 1


@router.get(
    "/stream",
    summary="Articles as they come in",
    operation_id="stream_articles",
    dependencies=NEEDS_READ,
    response_class=StreamingResponse,
    responses=text_response(
        "Events named `article`, each an article as in `GET articles`.", "text/event-stream"
    )
    | problems(),
)
async def stream_articles(
    api: ApiDep,
    entity: Annotated[
        list[Slug], Query(max_length=20, description="Only articles that mention one of these entities.")
    ] = [],  # noqa: B006
    last_event_id: Annotated[
        str | None,
        Header(
            alias="Last-Event-ID",
            pattern=r"^[0-9]{1,19}$",
            description="The id of the last event that was received: what was missed since is sent first.",
        ),
    ] = None,
) -> StreamingResponse:
    """Server-sent events (`EventSource` in a browser). Silence is broken by comments, so that proxies keep the line.

    While many articles are imported at once only the newest 500 of each moment are sent.
    """
    api.live.check_room()
    after = min(int(last_event_id), MAX_EVENT_ID) if last_event_id is not None else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    arrivals = api.live.follow(after)
    return StreamingResponse(
        _events(arrivals, frozenset(entity)), media_type="text/event-stream", headers=headers
    )


async def _events(arrivals: AsyncIterator[Arrival | None], wanted: frozenset[str]) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    async for arrival in arrivals:
        if arrival is None:
            yield ": still here\n\n"
        elif not wanted or wanted & arrival.entities:
            yield f"id: {arrival.id}\nevent: article\ndata: {one_line(arrival.json)}\n\n"


def one_line(document: str) -> str:
    """JSON as one line; serialised JSON has no line ends of its own, but U+2028 and U+2029 may be."""
    return document if document.isascii() or document.isprintable() else json.dumps(json.loads(document))
