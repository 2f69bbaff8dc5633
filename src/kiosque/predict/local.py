"""The predictor of one process: models loaded from the store, followed as their aliases move."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import structlog

from kiosque.core.book import BookQuery, Shelf
from kiosque.core.errors import NoModel
from kiosque.core.polarity import ScoringRequest, Target, TargetScore, WordContribution
from kiosque.core.prediction import Answering, Replica, ScoredBatch
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.predict.loaded import ModelSlot
from kiosque.predict.models import BOOKS, POLARITY, Loaders, PolarityScorer, Recommender, default_loaders

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One model as its readers see it. `version` is None where nothing answers; `trouble` says why."""

    name: str
    version: str | None
    published_at: datetime | None
    fields: dict[str, Any]
    """What the publisher wrote into the manifest: metrics, data, recipe, contract."""
    trouble: str | None


class LocalPredictor:
    """Implements `Predictor` in memory; safe for any number of threads.

    Models load at the first call that needs one. `watch` follows the aliases in a thread of its own; without
    it `refresh` does so once.
    """

    def __init__(
        self,
        store: ModelStore,
        *,
        loaders: Loaders | None = None,
        metrics: Metrics | None = None,
        threads: int | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        chosen = loaders or default_loaders(threads)
        self._polarity: ModelSlot[PolarityScorer] = ModelSlot(
            store, POLARITY, chosen.polarity, metrics=self._metrics
        )
        self._books: ModelSlot[Recommender] = ModelSlot(store, BOOKS, chosen.books, metrics=self._metrics)
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None

    # Predictor

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        with self._polarity.lease() as loaded, self._timed(POLARITY):
            scores = tuple(loaded.model.score(requests, any_language=any_language))
        self._count(loaded.version.id, scores)
        return ScoredBatch(loaded.version.id, scores)

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        with self._polarity.lease() as loaded, self._timed("explain"):
            return loaded.model.explain(request, target)

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        with self._books.lease() as loaded, self._timed(BOOKS):
            return loaded.model.recommend(queries)

    def versions(self) -> dict[str, str]:
        return {slot.name: slot.version.id for slot in self._slots() if slot.version}

    # following the aliases

    def refresh(self) -> None:
        """Look once whether an alias has moved, and load what it names now."""
        for slot in self._slots():
            slot.refresh()

    def watch(self, seconds: float) -> None:
        """Refresh now and every `seconds`, in the background, until `close`."""
        if self._watcher is None:
            self._watcher = threading.Thread(
                target=self._keep_refreshing, args=(seconds,), name="kiosque-models", daemon=True
            )
            self._watcher.start()

    def close(self) -> None:
        """Stop watching. What is being loaded is finished first."""
        self._stopped.set()
        if self._watcher:
            self._watcher.join()

    # what is said about it

    def statuses(self) -> list[ModelStatus]:
        return [_status(slot) for slot in self._slots()]

    def replicas(self) -> tuple[Replica, ...]:
        """This process, as `HttpPredictor.replicas` says it of servers."""
        models = tuple(Answering(s.name, s.version, s.trouble) for s in self.statuses())
        return (Replica("", models),)

    def check(self, name: str) -> str | None:
        """Raises what keeps the model `name` from answering; gives back what is wrong although it answers.

        A recommender that nobody has built yet is no fault, and said, too.
        """
        slot = next(slot for slot in self._slots() if slot.name == name)
        if slot.version is None and not _is_unbuilt(slot):
            with slot.lease():
                pass
        return str(slot.trouble) if slot.trouble else None

    def _slots(self) -> tuple[ModelSlot[Any], ...]:
        return (self._polarity, self._books)

    def _keep_refreshing(self, seconds: float) -> None:
        while True:
            self.refresh()
            if self._stopped.wait(seconds):
                return

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self._metrics.predict_seconds.labels(name).observe(perf_counter() - started)

    def _count(self, version: str, scores: Sequence[Sequence[TargetScore]]) -> None:
        answers = Counter(
            score.polarity or score.outcome for request_scores in scores for score in request_scores
        )
        for answer, count in answers.items():
            self._metrics.predictions.labels(version, answer.value).inc(count)
        self._metrics.predict_batch.observe(answers.total())


def _status(slot: ModelSlot[Any]) -> ModelStatus:
    version, trouble = slot.version, slot.trouble
    return ModelStatus(
        name=slot.name,
        version=version.id if version else None,
        published_at=version.published_at if version else None,
        fields=dict(version.manifest.fields) if version else {},
        trouble=str(trouble) if trouble else None,
    )


def _is_unbuilt(slot: ModelSlot[Any]) -> bool:
    trouble = slot.trouble
    return slot.name == BOOKS and trouble is not None and isinstance(trouble.error, NoModel)
