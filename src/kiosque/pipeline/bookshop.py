"""Keeping the recommender up to the catalogue: books are in the store, their index in the model store."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError
from kiosque.modelstore.aliases import CHAMPION
from kiosque.modelstore.store import ModelStore
from kiosque.pipeline.worker import Stop
from kiosque.predict.models import BOOKS
from kiosque.store import books, feedback, meta
from kiosque.store.database import Database
from kiosque.store.tx import Tx

if TYPE_CHECKING:
    from kiosque.books.priors import Votes

ENCODER = "encoder"
BUILT = "books.built"
"""In `meta`: the catalogue and the verdicts that the champion was built from, see `_state`."""
LOOK_SECONDS = 30.0
BUILDER = "kiosque books build"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. `new` is False when the same had been built before."""

    version: str
    books: int
    voted: int
    """Books whose score readers' verdicts move."""
    new: bool


class Bookshop:
    """Builds a version out of the catalogue and readers' verdicts, publishes it and makes it the champion."""

    def __init__(self, database: Database, store: ModelStore, shipped: Path, *, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._shipped = ModelStore(shipped)
        self._clock = clock

    def build(self, progress: Callable[[int, int], None] | None = None) -> Built:
        """Build the catalogue as it is. The same catalogue, with the same verdicts on its books as far as there are
        enough of them, gives the same version, and then nothing changes.
        """
        from kiosque.books.build import build

        with self._database.read() as tx:
            votes = _votes(tx)
            state = _state(tx, votes)
            catalogue = list(books.iterate(tx))
        with tempfile.TemporaryDirectory(prefix="kiosque-books-") as folder:
            fields = build(catalogue, Path(folder), encoder=self.encoder(), votes=votes, progress=progress)
            version = self._store.publish(BOOKS, Path(folder), fields=fields, clock=self._clock)
        before = self._store.aliases(BOOKS).get(CHAMPION)
        if before != version.id:
            self._store.move_alias(
                BOOKS, CHAMPION, version.id, who=BUILDER, why=f"{len(catalogue)} books", clock=self._clock
            )
        with self._database.write() as tx:
            meta.put(tx, BUILT, state)
        built = Built(version.id, len(catalogue), len(votes), before != version.id)
        _log.info("books.built", version=built.version, books=built.books, voted=built.voted, new=built.new)
        return built

    def is_stale(self) -> bool:
        """Whether there are books, and they or what readers' verdicts are worth have changed since the last build."""
        with self._database.read() as tx:
            if not books.count(tx):
                return False
            built = meta.get(tx, BUILT) == _state(tx, _votes(tx))
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


def _votes(tx: Tx) -> dict[str, Votes]:
    """Readers' verdicts by book key, where there are enough of them to change anything."""
    from kiosque.books.priors import Votes, shift

    found = {key: Votes(*counts) for key, counts in feedback.verdicts_by_book(tx).items()}
    return {key: votes for key, votes in found.items() if shift(votes)}


def _state(tx: Tx, votes: Mapping[str, Votes]) -> str:
    """What a build depends on. Verdicts count by what they are worth to a tenth, so that not each one is a build."""
    from kiosque.books.priors import shift

    generation = str(books.generation(tx))
    worth = " ".join(f"{key} {shift(each):.1f}" for key, each in sorted(votes.items()))
    return f"{generation}/{hashlib.sha256(worth.encode()).hexdigest()[:12]}" if worth else generation
