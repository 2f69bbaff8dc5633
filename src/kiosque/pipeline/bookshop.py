"""Keeping the recommender up to the catalogue: books are in the store, their index in the model store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline.worker import Stop
from kiosque.predict.models import BOOKS
from kiosque.store import books, meta
from kiosque.store.database import Database

ENCODER = "encoder"
BUILT = "books.built"
"""In `meta`: the generation of the catalogue that the champion was built from."""
LOOK_SECONDS = 30.0
BUILDER = "kiosque books build"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. `new` is False when the catalogue had been built before."""

    version: str
    books: int
    new: bool


class Bookshop:
    """Builds a version out of the catalogue, publishes it and makes it the champion."""

    def __init__(self, database: Database, store: ModelStore, shipped: Path, *, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._shipped = ModelStore(shipped)
        self._clock = clock

    def build(self, progress: Callable[[int, int], None] | None = None) -> Built:
        """Build the catalogue as it is. The same catalogue gives the same version, and then nothing changes."""
        from kiosque.books.build import build

        with self._database.read() as tx:
            generation = books.generation(tx)
            catalogue = list(books.iterate(tx))
        with tempfile.TemporaryDirectory(prefix="kiosque-books-") as folder:
            fields = build(catalogue, Path(folder), encoder=self.encoder(), progress=progress)
            version = self._store.publish(BOOKS, Path(folder), fields=fields, clock=self._clock)
        before = self._store.aliases(BOOKS).get(CHAMPION)
        if before != version.id:
            self._store.move_alias(
                BOOKS, CHAMPION, version.id, who=BUILDER, why=f"{len(catalogue)} books", clock=self._clock
            )
        with self._database.write() as tx:
            meta.put(tx, BUILT, str(generation))
        _log.info("books.built", version=version.id, books=len(catalogue), new=before != version.id)
        return Built(version.id, len(catalogue), before != version.id)

    def is_stale(self) -> bool:
        """Whether the catalogue has books and has changed since it was built last."""
        with self._database.read() as tx:
            if not books.count(tx):
                return False
            built = meta.get(tx, BUILT) == str(books.generation(tx))
        return not built or CHAMPION not in self._store.aliases(BOOKS)

    def run(self, stop: Stop) -> None:
        """Build whenever the catalogue has changed, until asked to stop. A failed build is tried again."""
        while not stop.requested():
            if self.is_stale():
                try:
                    self.build()
                except KiosqueError as error:
                    _log.warning("books.build_failed", error=str(error))
            stop.wait(LOOK_SECONDS)

    def encoder(self) -> Path | None:
        """The sentence encoder: of the model store, else the one that ships; None where there is neither."""
        for store in (self._store, self._shipped):
            if CHAMPION in store.aliases(ENCODER):
                return store.champion(ENCODER).folder
        return None
