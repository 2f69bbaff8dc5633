"""What a change of the watch list does to history: preview, then do it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Response

from kiosque.api.context import Api, ApiDep
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.rematch import PreviewAnswer, PreviewBody, RematchAnswer
from kiosque.pipeline.rematch import preview
from kiosque.store import entities, mentions, models

router = APIRouter(prefix=f"{PREFIX}/rematch", tags=["entities"], route_class=ApiRoute)

_PREVIEW = {
    "name": {
        "summary": "What one more name would find",
        "value": {
            "entity": {
                "id": "abraham-lincoln",
                "name": "Abraham Lincoln",
                "aliases": [{"text": "Lincoln"}, {"text": "the rail-splitter"}],
            }
        },
    },
    "saved": {"summary": "What the watch list, as it is saved, would change", "value": {}},
}


@router.get(
    "",
    summary="How far history is behind the watch list",
    operation_id="get_rematch",
    dependencies=NEEDS_READ,
    responses=problems(),
)
def get_rematch(api: ApiDep) -> RematchAnswer:
    """How many articles were matched against an older watch list, and how the last rematch fared."""
    return _answer(api)


@router.post(
    "/preview",
    summary="What a change of the watch list would do",
    operation_id="preview_rematch",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 413),
)
def preview_rematch(
    api: ApiDep, body: Annotated[PreviewBody, Body(openapi_examples=_PREVIEW)]
) -> PreviewAnswer:
    """Which articles would gain or lose a mention, if an entity were saved as given or deleted. Changes nothing.

    Without `entity` and `without`: what the watch list as it is saved would change in articles that were matched
    against an older one.
    """
    proposed = [body.entity.entity(body.entity.id)] if body.entity else []
    return PreviewAnswer.of(preview(api.database, proposed, without=frozenset(body.without)))


@router.post(
    "",
    summary="Match history anew",
    operation_id="start_rematch",
    dependencies=NEEDS_WRITE,
    status_code=202,
    responses=problems(409),
)
def start_rematch(api: ApiDep, response: Response) -> RematchAnswer:
    """In the background: match anew what was matched against an older watch list, and score what is new in it."""
    api.rematch.start()
    response.headers["Location"] = f"{PREFIX}/rematch"
    return _answer(api)


def _answer(api: Api) -> RematchAnswer:
    with api.database.read() as tx:
        version = models.current(tx, models.POLARITY)
        behind = mentions.count_missing(tx, version or "", generation=entities.generation(tx))
    return RematchAnswer.of(api.rematch.state, behind)
