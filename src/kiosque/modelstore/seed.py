"""What a new installation starts with: the versions that ship with Kiosque, copied into the store.

A shipped root has the layout of a store, and its champions are what Kiosque ships. For each of its models:

- a store without a champion gets the shipped one;
- a champion that was itself put there by seeding is replaced when Kiosque ships a version published later, so
  that an update of Kiosque brings its better model;
- a champion that anyone else chose stays, even where it is an older shipped version: that is a decision;
- a version published earlier never replaces a later one, so that an old and a new Kiosque on one volume do
  not move the alias to and fro.

"Put there by seeding" is what the history says of the last move of the alias. A shipped version that is
missing or damaged in the store while it is champion is put back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import Conflict, KiosqueError
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.store import ModelStore

log = structlog.get_logger(__name__)

SEEDER = "kiosque seed"
"""Who moved the alias, in the history, when seeding did."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was done for one model; `moved` is whether the champion is a new one."""

    name: str
    version: str
    moved: bool
    reason: str


def seed(store: ModelStore, shipped_root: Path, *, clock: Clock) -> list[Seeded]:
    """Bring `store` up to what `shipped_root` ships. Writes nothing, so works read-only, where nothing is to be done.

    Raises PreconditionFailed where something is to be done and the store cannot be written.
    """
    shipped = ModelStore(shipped_root)
    return [
        _seed_one(store, shipped.champion(name), clock)
        for name in shipped.names()
        if CHAMPION in shipped.aliases(name)
    ]


def _seed_one(store: ModelStore, shipped: Version, clock: Clock) -> Seeded:
    current = store.aliases(shipped.name).get(CHAMPION)
    reason = _why_keep(store, current, shipped)
    if reason is not None:
        _put_back(store, current, shipped)
        return Seeded(shipped.name, current or shipped.id, moved=False, reason=reason)
    store.adopt(shipped)
    why = "first version" if current is None else f"Kiosque ships a newer version than {current}"
    try:
        _move(store, shipped, current, why, clock)
    except Conflict:
        return _seed_one(store, shipped, clock)  # another process seeded at the same moment: look again
    log.info("modelstore.seeded", model=shipped.name, version=shipped.id, reason=why)
    return Seeded(shipped.name, shipped.id, moved=True, reason=why)


def _move(store: ModelStore, shipped: Version, current: str | None, why: str, clock: Clock) -> None:
    store.move_alias(shipped.name, CHAMPION, shipped.id, who=SEEDER, why=why, clock=clock, expected=current)


def _why_keep(store: ModelStore, current: str | None, shipped: Version) -> str | None:
    """Why the champion stays; None where it is to become the shipped version."""
    if current is None:
        return None
    if current == shipped.id:
        return "the champion is the shipped version"
    if not _chosen_by_seeding(store, shipped.name):
        return "somebody chose the champion"
    return None if _is_later(store, current, shipped) else "the champion was published later"


def _chosen_by_seeding(store: ModelStore, name: str) -> bool:
    moves = [move for move in store.history(name) if move.alias == CHAMPION]
    return bool(moves) and moves[-1].who == SEEDER


def _is_later(store: ModelStore, current: str, shipped: Version) -> bool:
    try:
        return shipped.published_at > store.get(shipped.name, current).published_at
    except KiosqueError:
        return True  # the champion cannot even be read: the shipped version is better than that


def _put_back(store: ModelStore, current: str | None, shipped: Version) -> None:
    if current != shipped.id:
        return
    try:
        store.verify(store.get(shipped.name, shipped.id))
    except KiosqueError:
        store.adopt(shipped)
