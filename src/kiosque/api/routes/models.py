"""Model versions: what they are, what they measured, which one answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import Api, ApiDep, CallerDep
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_ADMIN, NEEDS_READ, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import ListQuery
from kiosque.api.schemas.base import Version as VersionName
from kiosque.api.schemas.operations import (
    ModelListing,
    ModelListQuery,
    ModelVersionAnswer,
    ModelVersionDetail,
    MoveAnswer,
    MoveListing,
    PromoteBody,
    RollbackBody,
)
from kiosque.core.errors import NotFound, PreconditionFailed
from kiosque.modelstore.aliases import CHAMPION, Move
from kiosque.modelstore.manifest import Version
from kiosque.store import models
from kiosque.store.models import ModelUse
from kiosque.store.paging import Page

router = APIRouter(prefix=f"{PREFIX}/models", tags=["models"], route_class=ApiRoute)

ModelName = Annotated[VersionName, Path(description="Name of the model.", examples=["polarity"])]
VersionId = Annotated[VersionName, Path(description="Id of the version.", examples=["v1"])]

CARD_NAMES = ("card.md", "README.md", "CARD.md")
MAX_CARD_BYTES = 1_000_000
_PROMOTE = {
    "better": {"summary": "A better one", "value": {"version": "v2", "why": "Better on the frozen sets."}}
}
_ROLLBACK = {"worse": {"summary": "It was worse", "value": {"why": "Too many flips on name swaps."}}}


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is known of all versions of one model besides their manifests."""

    aliases: Mapping[str, str]
    serving: str | None
    uses: Mapping[str, ModelUse]


@router.get(
    "",
    summary="Model versions",
    operation_id="list_models",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(ModelListing) | problems(),
)
def list_models(request: Request, api: ApiDep, query: Annotated[ModelListQuery, Query()]) -> Response:
    """Newest first, with their metrics, and which one answers."""

    def fetch(limit: int, cursor: str | None) -> Page[ModelVersionAnswer]:
        names = [query.model] if query.model else api.context.modelstore.names()
        found = [answer for name in names for answer in _versions(api, name)]
        found.sort(key=lambda answer: (answer.published_at, answer.version), reverse=True)
        return slice_page(found, limit, cursor)

    return answer_list(request, query, fetch, ModelListing, ModelVersionAnswer, "models")


@router.get(
    "/{model}/history",
    summary="Which version answered when",
    operation_id="model_history",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(MoveListing) | problems(404),
)
def model_history(
    request: Request, api: ApiDep, model: ModelName, query: Annotated[ListQuery, Query()]
) -> Response:
    """Every move of an alias, newest first: who, when and why."""
    _check_known(api, model)

    def fetch(limit: int, cursor: str | None) -> Page[MoveAnswer]:
        moves = api.context.modelstore.history(model)[::-1]
        return map_page(slice_page(moves, limit, cursor), MoveAnswer.of)

    return answer_list(request, query, fetch, MoveListing, MoveAnswer, f"{model}-history")


@router.post(
    "/{model}/promote",
    summary="Let a version answer",
    operation_id="promote_model",
    dependencies=NEEDS_ADMIN,
    responses=problems(400, 404, 409, 412, 413),
)
def promote_model(
    api: ApiDep,
    caller: CallerDep,
    model: ModelName,
    body: Annotated[PromoteBody, Body(openapi_examples=_PROMOTE)],
) -> MoveAnswer:
    """Every byte of the version is verified first. Predict swaps to it within seconds, without a failed request."""
    expected = body.expected if body.expected is not None else ...
    store = api.context.modelstore
    move = store.move_alias(
        model, CHAMPION, body.version, who=caller.name, why=body.why, clock=api.clock, expected=expected
    )
    return MoveAnswer.of(move)


@router.post(
    "/{model}/rollback",
    summary="Let the version before answer again",
    operation_id="rollback_model",
    dependencies=NEEDS_ADMIN,
    responses=problems(400, 404, 409, 412, 413),
)
def rollback_model(
    api: ApiDep,
    caller: CallerDep,
    model: ModelName,
    body: Annotated[RollbackBody, Body(openapi_examples=_ROLLBACK)],
) -> MoveAnswer:
    """The one that answered before the last move."""
    _check_known(api, model)
    store = api.context.modelstore
    last = _last_promotion(store.history(model))
    if last is None or last.from_version is None:
        raise PreconditionFailed(
            f"No other version of {model!r} has answered before.", hint="Promote one by its id."
        )
    move = store.move_alias(
        model,
        CHAMPION,
        last.from_version,
        who=caller.name,
        why=body.why,
        clock=api.clock,
        expected=last.to_version,
    )
    return MoveAnswer.of(move)


@router.get(
    "/{model}/versions/{version}",
    summary="One model version",
    operation_id="get_model",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_model(api: ApiDep, model: ModelName, version: VersionId) -> ModelVersionDetail:
    """With its card and everything that its publisher says of it."""
    found = api.context.modelstore.get(model, version)
    answer = _answer(found, _standing(api, model))
    return ModelVersionDetail.model_validate(
        {
            **answer.model_dump(),
            "card": _card(found),
            "manifest": dict(found.manifest.fields),
            "files": {path: entry.size for path, entry in found.manifest.files.items()},
        }
    )


def _versions(api: Api, name: str) -> Iterable[ModelVersionAnswer]:
    standing = _standing(api, name)
    return [_answer(version, standing) for version in api.context.modelstore.versions(name)]


def _standing(api: Api, name: str) -> _Standing:
    with api.database.read() as tx:
        uses = {use.version: use for use in models.uses(tx, name)}
    return _Standing(
        aliases=api.context.modelstore.aliases(name),
        serving=api.predictor.versions().get(name),
        uses=uses,
    )


def _answer(version: Version, standing: _Standing) -> ModelVersionAnswer:
    use = standing.uses.get(version.id)
    manifest = version.manifest
    return ModelVersionAnswer(
        model=version.name,
        version=version.id,
        published_at=version.published_at,
        aliases=sorted(alias for alias, named in standing.aliases.items() if named == version.id),
        serving=standing.serving == version.id,
        shown=use.current if use else False,
        articles=use.articles if use else 0,
        digest=manifest.digest,
        size=sum(entry.size for entry in manifest.files.values()),
        metrics=_mapping(manifest.fields.get("metrics")),
    )


def _card(version: Version) -> str | None:
    for name in CARD_NAMES:
        entry = version.manifest.files.get(name)
        if entry and entry.size <= MAX_CARD_BYTES:
            return FilePath(version.folder, name).read_text(encoding="utf-8", errors="replace")
    return None


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _last_promotion(moves: Iterable[Move]) -> Move | None:
    promotions = [move for move in moves if move.alias == CHAMPION]
    return promotions[-1] if promotions else None


def _check_known(api: Api, model: str) -> None:
    if model not in api.context.modelstore.names():
        raise NotFound(f"There is no model {model!r}.", hint="GET models lists those there are.")
