"""Who is watched, under which names, and how they are spoken of over time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response

from kiosque.api.context import ApiDep
from kiosque.api.lists import (
    answer_list,
    answer_table,
    list_responses,
    map_page,
    slice_page,
    table_responses,
)
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import Name, Slug
from kiosque.api.schemas.entities import (
    AliasBody,
    EntityAnswer,
    EntityBody,
    EntityDetail,
    EntityListing,
    EntityListQuery,
    NewEntityBody,
    candidacies_of,
)
from kiosque.api.schemas.stats import (
    BreakdownAnswer,
    BreakdownListing,
    BreakdownQuery,
    BucketRow,
    TimelineAnswer,
    TimelineQuery,
    bucket_rows,
)
from kiosque.core.errors import Conflict, InvalidInput
from kiosque.entities.documents import slug
from kiosque.store import entities, stats
from kiosque.store.paging import Page

router = APIRouter(prefix=f"{PREFIX}/entities", tags=["entities"], route_class=ApiRoute)

EntityId = Annotated[Slug, Path(description="Id of the entity.", examples=["abraham-lincoln"])]

_NEW = {
    "person": {
        "summary": "A person with a name for a time",
        "value": {
            "name": "John C. Frémont",
            "kind": "person",
            "aliases": [
                {"text": "John C. Frémont"},
                {"text": "Fremont", "valid_from": "1846-01-01", "valid_to": "1890-12-31"},
            ],
            "excludes": ["Fremont Street"],
        },
    }
}
_CHANGED = {
    "person": {
        "summary": "The same person with one more name",
        "value": {
            "name": "Abraham Lincoln",
            "kind": "person",
            "aliases": [
                {"text": "Abraham Lincoln"},
                {"text": "Lincoln", "valid_from": "1846-01-01", "valid_to": "1900-12-31"},
                {"text": "Honest Abe"},
            ],
        },
    }
}
_ALIAS = {"nickname": {"summary": "A nickname", "value": {"text": "Honest Abe", "case": "name"}}}


@router.get(
    "",
    summary="Entities by name",
    operation_id="list_entities",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(EntityListing) | problems(),
)
def list_entities(request: Request, api: ApiDep, query: Annotated[EntityListQuery, Query()]) -> Response:
    """With their names and when these are valid."""

    def fetch(limit: int, cursor: str | None) -> Page[EntityAnswer]:
        with api.database.read() as tx:
            page = entities.page(
                tx, query=query.q, kind=query.kind, watchlist=query.watchlist, limit=limit, cursor=cursor
            )
        return map_page(page, EntityAnswer.of)

    return answer_list(request, query, fetch, EntityListing, EntityAnswer, "entities")


@router.post(
    "",
    summary="Watch an entity",
    operation_id="create_entity",
    dependencies=NEEDS_WRITE,
    status_code=201,
    responses=problems(400, 409, 413),
)
def create_entity(
    api: ApiDep, response: Response, body: Annotated[NewEntityBody, Body(openapi_examples=_NEW)]
) -> EntityAnswer:
    """Articles that come from now on are matched against it; for those that are there see `POST rematch`."""
    entity = body.entity(body.id or _id_for(body.name))
    with api.database.write() as tx:
        if entities.of_ids(tx, [entity.id]):
            raise Conflict(
                f"There is an entity {entity.id!r} already.",
                hint="PUT it to change it, or choose another id.",
            )
        entities.save(tx, entity, api.clock())
    response.headers["Location"] = f"{PREFIX}/entities/{entity.id}"
    return EntityAnswer.of(entity)


@router.get(
    "/{entity}",
    summary="One entity",
    operation_id="get_entity",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_entity(api: ApiDep, entity: EntityId) -> EntityDetail:
    """With its names and the elections it stood in."""
    with api.database.read() as tx:
        found = entities.get(tx, entity)
        candidacies = entities.candidacies(tx, entity_id=entity)
    return EntityDetail.model_validate(
        {**EntityAnswer.of(found).model_dump(), "candidacies": candidacies_of(candidacies)}
    )


@router.put(
    "/{entity}",
    summary="Change an entity",
    operation_id="replace_entity",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 413),
)
def replace_entity(
    api: ApiDep, entity: EntityId, body: Annotated[EntityBody, Body(openapi_examples=_CHANGED)]
) -> EntityAnswer:
    """Make it as given, names included. Its mentions stay until history is matched anew: see `POST rematch`."""
    changed = body.entity(entity)
    with api.database.write() as tx:
        entities.get(tx, entity)
        entities.save(tx, changed, api.clock())
    return EntityAnswer.of(changed)


@router.delete(
    "/{entity}",
    summary="Stop watching an entity",
    operation_id="delete_entity",
    dependencies=NEEDS_WRITE,
    status_code=204,
    response_class=Response,
    responses=problems(404),
)
def delete_entity(api: ApiDep, entity: EntityId) -> None:
    """Its names, mentions and candidacies are deleted, too."""
    with api.database.write() as tx:
        entities.delete(tx, entity)


@router.post(
    "/{entity}/aliases",
    summary="Give an entity another name",
    operation_id="add_alias",
    dependencies=NEEDS_WRITE,
    status_code=201,
    responses=problems(400, 404, 409, 413),
)
def add_alias(
    api: ApiDep, entity: EntityId, body: Annotated[AliasBody, Body(openapi_examples=_ALIAS)]
) -> EntityAnswer:
    """Answers with the entity as it is then."""
    with api.database.write() as tx:
        entities.add_alias(tx, entity, body.alias(), api.clock())
        return EntityAnswer.of(entities.get(tx, entity))


@router.delete(
    "/{entity}/aliases",
    summary="Take a name away from an entity",
    operation_id="remove_alias",
    dependencies=NEEDS_WRITE,
    responses=problems(404),
)
def remove_alias(
    api: ApiDep, entity: EntityId, text: Annotated[Name, Query(description="The name.", examples=["Lincoln"])]
) -> EntityAnswer:
    """Whatever its dates. Answers with the entity as it is then."""
    with api.database.write() as tx:
        entities.remove_alias(tx, entity, text, api.clock())
        return EntityAnswer.of(entities.get(tx, entity))


@router.get(
    "/{entity}/timeline",
    summary="How an entity is spoken of over time",
    operation_id="entity_timeline",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=table_responses(TimelineAnswer) | problems(404),
)
def entity_timeline(
    request: Request, api: ApiDep, entity: EntityId, query: Annotated[TimelineQuery, Query()]
) -> Response:
    """Counts by polarity for each stretch of time, with the number of all articles of that stretch."""
    with api.database.read() as tx:
        timeline = stats.timeline(
            tx,
            entity,
            granularity=query.granularity,
            date_from=query.date_from,
            date_to=query.date_to,
            section=query.section,
            source=query.source,
            part=query.part,
            model_version=query.model_version,
        )
    answer = TimelineAnswer.of(timeline)
    rows = bucket_rows([answer])
    return answer_table(request, query.format, answer, rows, BucketRow, f"{entity}-by-{query.granularity}")


@router.get(
    "/{entity}/breakdown",
    summary="Where an entity is spoken of",
    operation_id="entity_breakdown",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(BreakdownListing) | problems(404),
)
def entity_breakdown(
    request: Request, api: ApiDep, entity: EntityId, query: Annotated[BreakdownQuery, Query()]
) -> Response:
    """Its mentions by section, by source, or in headlines against abstracts."""

    def fetch(limit: int, cursor: str | None) -> Page[BreakdownAnswer]:
        with api.database.read() as tx:
            found = stats.breakdown(
                tx,
                entity,
                query.by,
                date_from=query.date_from,
                date_to=query.date_to,
                model_version=query.model_version,
            )
        return map_page(slice_page(found, limit, cursor), BreakdownAnswer.of)

    return answer_list(request, query, fetch, BreakdownListing, BreakdownAnswer, f"{entity}-by-{query.by}")


def _id_for(name: str) -> str:
    made = slug(name)
    if not made:
        raise InvalidInput(
            f"No id can be made out of {name!r}.", hint="Give an `id`, e.g. `abraham-lincoln`."
        )
    return made
