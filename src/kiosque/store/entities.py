"""Who is watched: entities and their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, or_, select, update

from kiosque.core.entity import Alias, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.store import elections as election_store
from kiosque.store.columns import storable
from kiosque.store.elections import Election, candidacies, elections
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.search import contains, fold
from kiosque.store.statements import add_missing, bump, chunked, generation_of, upsert
from kiosque.store.tables import alias, entity, exclude, watchlist_entity
from kiosque.store.tables import watchlist as watchlist_table
from kiosque.store.tx import Tx

__all__ = [
    "Election",
    "WatchlistChange",
    "WatchlistSummary",
    "add_alias",
    "all_names",
    "candidacies",
    "count",
    "delete",
    "elections",
    "generation",
    "get",
    "load_all",
    "names",
    "of_ids",
    "page",
    "remove_alias",
    "save",
    "save_watchlist",
    "watchlists",
]

_GENERATION = "entities"
_MAX_NAME = 300


@dataclass(frozen=True, slots=True)
class WatchlistSummary:
    """One watch list and how many entities stand on it."""

    id: str
    name: str
    entities: int


@dataclass(frozen=True, slots=True)
class WatchlistChange:
    """What `save_watchlist` did."""

    added: int
    updated: int
    unchanged: int


def save_watchlist(tx: Tx, watchlist: Watchlist, at: datetime) -> WatchlistChange:
    """Add the list's entities, or make those that are there as the list says; its candidacies likewise.

    Entities that are on the list no more stay in the store. Saving the same list again changes nothing,
    the generation included.
    """
    added, updated = _save_all(tx, watchlist.entities, at)
    upsert(tx, watchlist_table, [{"id": watchlist.id, "name": watchlist.name}], ["id"])
    _set_members(tx, watchlist)
    election_store.save(tx, watchlist.candidacies)
    return WatchlistChange(added, updated, len(watchlist.entities) - added - updated)


def _set_members(tx: Tx, watchlist: Watchlist) -> None:
    list_pk = tx.scalar(select(watchlist_table.c.pk).where(watchlist_table.c.id == watchlist.id))
    members = watchlist_entity.c
    ids = [each.id for each in watchlist.entities]
    pks = set(tx.scalars(select(entity.c.pk).where(entity.c.id.in_(ids))))
    there = set(tx.scalars(select(members.entity_pk).where(members.watchlist_pk == list_pk)))
    if gone := there - pks:
        tx.execute(
            delete_from(watchlist_entity).where(members.watchlist_pk == list_pk, members.entity_pk.in_(gone))
        )
    rows = [{"watchlist_pk": list_pk, "entity_pk": pk} for pk in sorted(pks - there)]
    add_missing(tx, watchlist_entity, rows, ("watchlist_pk", "entity_pk"))


def save(tx: Tx, entity: Entity, at: datetime) -> bool:
    """Add `entity`, or make the one with its id as given. True if it was new."""
    added, _ = _save_all(tx, (entity,), at)
    return added == 1


def _save_all(tx: Tx, given: Iterable[Entity], at: datetime) -> tuple[int, int]:
    """Write what differs from what is there; how many were added and how many updated."""
    wanted = {each.id: _storable(each) for each in given}
    before = of_ids(tx, wanted)
    new = [each for name, each in wanted.items() if name not in before]
    changed = [each for name, each in wanted.items() if name in before and each != before[name]]
    if new:
        tx.execute(insert(entity), [_to_row(each, at) for each in new])
    for each in changed:
        tx.execute(update(entity).where(entity.c.id == each.id).values(_to_row(each, at)))
    renamed = [each for each in changed if _matching(each) != _matching(before[each.id])]
    _write_names(tx, [*new, *renamed])
    if new or renamed:
        bump(tx, _GENERATION)
    return len(new), len(changed)


def _matching(given: Entity) -> Entity:
    """The part on which matching and scoring depend."""
    return replace(given, description="")


def _storable(given: Entity) -> Entity:
    """`given` as it comes back out of the store. Raises InvalidInput without an id, name or with an empty alias."""
    texts = (given.id, given.name, *(each.text for each in given.aliases))
    if any(not text.strip() or len(text) > _MAX_NAME for text in texts):
        raise InvalidInput(
            f"Entity {given.id[:80]!r}: id, name and aliases have 1 to {_MAX_NAME} characters each."
        )
    return Entity(
        id=storable(given.id),
        name=storable(given.name),
        kind=given.kind,
        aliases=tuple(replace(each, text=storable(each.text)) for each in given.aliases),
        excludes=tuple(storable(each) for each in given.excludes),
        description=storable(given.description),
    )


def _to_row(given: Entity, at: datetime) -> dict[str, Any]:
    return {
        "id": given.id,
        "name": given.name,
        "sort_name": fold(given.name),
        "kind": given.kind.value,
        "description": given.description,
        "changed_at": at,
    }


def _write_names(tx: Tx, given: list[Entity]) -> None:
    """Make aliases and excludes of the entities exactly those given."""
    for chunk in chunked(given):
        ids = [each.id for each in chunk]
        pks = {
            row.id: row.pk for row in tx.execute(select(entity.c.id, entity.c.pk).where(entity.c.id.in_(ids)))
        }
        for table in (alias, exclude):
            tx.execute(delete_from(table).where(table.c.entity_pk.in_(pks.values())))
        aliases = [_alias_row(pks[each.id], name) for each in chunk for name in each.aliases]
        excludes = [{"entity_pk": pks[each.id], "text": text} for each in chunk for text in each.excludes]
        for table, rows in ((alias, aliases), (exclude, excludes)):
            if rows:
                tx.execute(insert(table), rows)


def _alias_row(entity_pk: int, name: Alias) -> dict[str, Any]:
    return {
        "entity_pk": entity_pk,
        "text": name.text,
        "folded": fold(name.text),
        "valid_from": name.valid_from,
        "valid_to": name.valid_to,
        "case_rule": name.case.value,
    }


def get(tx: Tx, entity_id: str) -> Entity:
    """Raises NotFound."""
    found = of_ids(tx, [entity_id]).get(entity_id)
    if found is None:
        raise NotFound(f"There is no entity {entity_id[:200]!r}.", hint="`kiosque entity list` shows all.")
    return found


def of_ids(tx: Tx, entity_ids: Iterable[str]) -> dict[str, Entity]:
    """Those of the ids that exist."""
    found: dict[str, Entity] = {}
    for chunk in chunked(entity_ids):
        rows = tx.execute(select(entity).where(entity.c.id.in_(chunk))).all()
        found.update({each.id: each for each in _with_names(tx, rows)})
    return found


def names(tx: Tx, entity_ids: Iterable[str]) -> dict[str, str]:
    """How those of the ids that exist are called."""
    found: dict[str, str] = {}
    for chunk in chunked(entity_ids):
        rows = tx.execute(select(entity.c.id, entity.c.name).where(entity.c.id.in_(chunk)))
        found.update({row.id: row.name for row in rows})
    return found


def all_names(tx: Tx, limit: int) -> list[str]:
    """The first names of all, as they are sorted in lists."""
    statement = select(entity.c.name).order_by(entity.c.sort_name, entity.c.pk).limit(limit)
    return list(tx.scalars(statement))


def load_all(tx: Tx) -> tuple[Entity, ...]:
    """Every entity with its aliases and excludes, for the matcher; read `generation` in the same transaction."""
    rows = tx.execute(select(entity).order_by(entity.c.id)).all()
    return tuple(each for chunk in chunked(rows) for each in _with_names(tx, chunk))


def _with_names(tx: Tx, rows: Iterable[Any]) -> list[Entity]:
    rows = list(rows)
    pks = [row.pk for row in rows]
    aliases: dict[int, list[Alias]] = {pk: [] for pk in pks}
    excludes: dict[int, list[str]] = {pk: [] for pk in pks}
    for row in tx.execute(select(alias).where(alias.c.entity_pk.in_(pks)).order_by(alias.c.pk)):
        aliases[row.entity_pk].append(Alias(row.text, row.valid_from, row.valid_to, CaseRule(row.case_rule)))
    for row in tx.execute(select(exclude).where(exclude.c.entity_pk.in_(pks)).order_by(exclude.c.pk)):
        excludes[row.entity_pk].append(row.text)
    return [
        Entity(
            id=row.id,
            name=row.name,
            kind=EntityKind(row.kind),
            aliases=tuple(aliases[row.pk]),
            excludes=tuple(excludes[row.pk]),
            description=row.description,
        )
        for row in rows
    ]


def page(
    tx: Tx,
    *,
    query: str = "",
    kind: EntityKind | None = None,
    watchlist: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Entity]:
    """Entities by name. `query` is looked for in names, ids and aliases, whatever the case."""
    statement = select(entity)
    if query.strip():
        by_alias = select(alias.c.entity_pk).where(contains((alias.c.folded,), query))
        statement = statement.where(
            or_(contains((entity.c.sort_name, entity.c.id), query), entity.c.pk.in_(by_alias))
        )
    if kind is not None:
        statement = statement.where(entity.c.kind == kind.value)
    if watchlist is not None:
        members = (
            select(watchlist_entity.c.entity_pk)
            .join(watchlist_table, watchlist_table.c.pk == watchlist_entity.c.watchlist_pk)
            .where(watchlist_table.c.id == watchlist)
        )
        statement = statement.where(entity.c.pk.in_(members))
    order = Order("name", (entity.c.sort_name, entity.c.pk))
    rows = fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=lambda row: row)
    return Page(tuple(_with_names(tx, rows.items)), rows.next)


def count(tx: Tx) -> int:
    """How many entities there are."""
    return tx.scalar(select(func.count()).select_from(entity)) or 0


def generation(tx: Tx) -> int:
    """A number that grows whenever anything changes on which matching depends."""
    return generation_of(tx, _GENERATION)


def add_alias(tx: Tx, entity_id: str, alias: Alias, at: datetime) -> None:
    """Give the entity another name. NotFound without the entity, Conflict if it has this very alias."""
    before = get(tx, entity_id)
    if alias in before.aliases:
        raise Conflict(f"{before.name} has the alias {alias.text!r} with these dates already.")
    save(tx, replace(before, aliases=(*before.aliases, alias)), at)


def remove_alias(tx: Tx, entity_id: str, text: str, at: datetime) -> int:
    """Take the name away, whatever its dates; how many aliases that were. NotFound if there was none."""
    before = get(tx, entity_id)
    left = tuple(each for each in before.aliases if each.text != text)
    if len(left) == len(before.aliases):
        raise NotFound(f"{before.name} has no alias {text[:200]!r}.")
    save(tx, replace(before, aliases=left), at)
    return len(before.aliases) - len(left)


def delete(tx: Tx, entity_id: str) -> None:
    """Delete the entity with its names, mentions and candidacies. NotFound if there is none."""
    if not tx.execute(delete_from(entity).where(entity.c.id == entity_id)).rowcount:
        raise NotFound(f"There is no entity {entity_id[:200]!r}.")
    bump(tx, _GENERATION)


def watchlists(tx: Tx) -> tuple[WatchlistSummary, ...]:
    """The watch lists by name."""
    lists, members = watchlist_table.c, watchlist_entity.c
    rows = tx.execute(
        select(lists.id, lists.name, func.count(members.entity_pk))
        .select_from(watchlist_table.outerjoin(watchlist_entity, members.watchlist_pk == lists.pk))
        .group_by(lists.pk, lists.id, lists.name)
        .order_by(lists.name, lists.id)
    )
    return tuple(WatchlistSummary(*row) for row in rows)
