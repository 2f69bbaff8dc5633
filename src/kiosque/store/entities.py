"""Who is watched: watch lists, entities, their names, their candidacies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from kiosque.core.entity import Alias, Candidacy, Entity, EntityKind, Watchlist
from kiosque.store.paging import Page
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class WatchlistSummary:
    """One watch list and how many entities stand on it."""

    id: str
    name: str
    entities: int


@dataclass(frozen=True, slots=True)
class Election:
    """One election that candidacies belong to."""

    year: int
    date: date
    candidates: int


@dataclass(frozen=True, slots=True)
class WatchlistChange:
    """What `save_watchlist` did."""

    added: int
    updated: int
    unchanged: int


def save_watchlist(tx: Tx, watchlist: Watchlist, at: datetime) -> WatchlistChange:
    """Add the list's entities, or make those that are there as the list says; its candidacies likewise.

    Entities that are on no list any more stay. Saving the same list again changes nothing, the generation included.
    """
    raise NotImplementedError


def save(tx: Tx, entity: Entity, at: datetime) -> bool:
    """Add `entity`, or make the one with its id as given. True if it was new."""
    raise NotImplementedError


def get(tx: Tx, entity_id: str) -> Entity:
    """Raises NotFound."""
    raise NotImplementedError


def of_ids(tx: Tx, entity_ids: Iterable[str]) -> dict[str, Entity]:
    """Those of the ids that exist."""
    raise NotImplementedError


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
    raise NotImplementedError


def count(tx: Tx) -> int:
    raise NotImplementedError


def load_all(tx: Tx) -> tuple[Entity, ...]:
    """Every entity with its aliases and excludes, for the matcher; read `generation` in the same transaction."""
    raise NotImplementedError


def generation(tx: Tx) -> int:
    """A number that grows whenever anything changes on which matching depends."""
    raise NotImplementedError


def add_alias(tx: Tx, entity_id: str, alias: Alias, at: datetime) -> None:
    """Give the entity another name. NotFound without the entity, Conflict if it has this very alias."""
    raise NotImplementedError


def remove_alias(tx: Tx, entity_id: str, text: str, at: datetime) -> int:
    """Take the name away, whatever its dates; how many aliases that were. NotFound if there was none."""
    raise NotImplementedError


def delete(tx: Tx, entity_id: str, at: datetime) -> None:
    """Delete the entity with its names, mentions and candidacies. NotFound if there is none."""
    raise NotImplementedError


def watchlists(tx: Tx) -> tuple[WatchlistSummary, ...]:
    """The watch lists by name."""
    raise NotImplementedError


def candidacies(tx: Tx, *, year: int | None = None, entity_id: str | None = None) -> tuple[Candidacy, ...]:
    """Candidacies by year, within it the winner first, then by electoral votes."""
    raise NotImplementedError


def elections(tx: Tx) -> tuple[Election, ...]:
    """The elections, newest first."""
    raise NotImplementedError
