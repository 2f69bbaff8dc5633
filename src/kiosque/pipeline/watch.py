"""Who is watched at the moment, with the matcher for it: rebuilt when the store's entities have changed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from kiosque.core.entity import Entity
from kiosque.entities.matcher import Matcher
from kiosque.store import entities
from kiosque.store.tx import Tx

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """The entities of one generation, by id, and the matcher that finds them."""

    entities: Mapping[str, Entity]
    matcher: Matcher
    generation: int


def watched(everyone: Iterable[Entity], generation: int) -> Watched:
    """A `Watched` of these entities."""
    by_id = {entity.id: entity for entity in everyone}
    return Watched(by_id, Matcher(tuple(by_id.values())), generation)


class Watch:
    """Keeps the matcher between batches. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: Watched | None = None

    def current(self, tx: Tx) -> Watched:
        """The entities as `tx` sees them. Building the matcher takes about a second for 10,000 aliases."""
        generation = entities.generation(tx)
        with self._lock:
            if self._current is None or self._current.generation != generation:
                self._current = watched(entities.load_all(tx), generation)
                _log.info("watch.rebuilt", generation=generation, entities=len(self._current.entities))
            return self._current
