"""One model in service, replaced while it answers: load the new version, verify, warm, check, swap, drain, unload.

Whatever goes wrong with a new version, the old one goes on, and the reason is kept for `/readyz`, the log and
the metrics. A version that was refused is looked at again after a while, because on a network volume its files
may show later than its alias, and because publishing it again repairs it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter
from typing import Generic, TypeVar

import structlog

from kiosque.core.errors import KiosqueError, NoModel
from kiosque.modelstore.aliases import WatchToken
from kiosque.modelstore.manifest import Version
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.predict.models import Servable

log = structlog.get_logger(__name__)
M = TypeVar("M", bound=Servable)

FIRST_RETRY = 2.0
LONGEST_RETRY = 60.0
"""Seconds until a refused version is tried again, doubling from the one to the other."""


@dataclass(slots=True)
class Loaded(Generic[M]):
    """A version in service. `users` are the calls that it is answering."""

    version: Version
    model: M
    users: int = 0
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the version that the alias names does not answer.

    `version` is None where not even that is known, `serving` where nothing answers in its place.
    """

    version: str | None
    serving: str | None
    error: KiosqueError

    def __str__(self) -> str:
        about = f"Version {self.version} was refused: " if self.version else ""
        instead = f" Version {self.serving} goes on answering." if self.serving else ""
        return f"{about}{self.error}{instead}"


class ModelSlot(Generic[M]):
    """The version of `name` that answers now. Loads at the first look; `refresh` follows the alias."""

    def __init__(
        self,
        store: ModelStore,
        name: str,
        load: Callable[[Path], M],
        *,
        metrics: Metrics,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self._store = store
        self._load = load
        self._metrics = metrics
        self._clock = clock
        self._refreshing = threading.Lock()
        self._swapping = threading.Lock()
        self._current: Loaded[M] | None = None
        self._trouble: Trouble | None = None
        self._seen: WatchToken | None = None
        self._retry_after = FIRST_RETRY
        self._retry_at = 0.0

    @property
    def version(self) -> Version | None:
        """What answers now; looks for the first version if nobody has looked yet."""
        self._look_first()
        current = self._current
        return current.version if current else None

    @property
    def trouble(self) -> Trouble | None:
        """Why the champion is not what answers; None when it is."""
        self._look_first()
        return self._trouble

    @contextmanager
    def lease(self) -> Iterator[Loaded[M]]:
        """The version in service, which stays loaded for as long as the block lasts. Raises NoModel without one."""
        self._look_first()
        with self._swapping:
            current = self._current
            if current is None:
                raise self._no_model()
            current.users += 1
        try:
            yield current
        finally:
            with self._swapping:
                current.users -= 1
                unused = current.retired and current.users == 0
            if unused:
                self._unload(current)

    def refresh(self) -> None:
        """Follow the alias. Returns at once where it has not moved; never raises: see `trouble`."""
        with self._refreshing:
            try:
                token = self._store.watch_token(self.name)
                if token == self._seen and not self._is_time_to_retry():
                    return
                if token != self._seen:
                    self._retry_after = FIRST_RETRY
                self._seen = token
                champion = self._store.champion(self.name)
            except (KiosqueError, OSError) as error:
                self._refuse(None, error)
            else:
                self._follow(champion)

    def _look_first(self) -> None:
        if self._current is None and self._trouble is None:
            self.refresh()

    def _is_time_to_retry(self) -> bool:
        return self._trouble is not None and self._clock() >= self._retry_at

    def _follow(self, champion: Version) -> None:
        current = self._current
        if current and current.version == champion:
            self._trouble = None
            return
        started = perf_counter()
        try:
            model = self._prepare(champion)
        except Exception as error:  # noqa: BLE001  # a runtime raises what it likes; the old version must go on
            self._refuse(champion.id, error)
            return
        self._swap(Loaded(champion, model))
        log.info(
            "model.swapped",
            model=self.name,
            version=champion.id,
            previous=current.version.id if current else None,
            seconds=round(perf_counter() - started, 3),
        )

    def _prepare(self, champion: Version) -> M:
        self._store.verify(champion)
        model = self._load(champion.folder)
        model.warm()
        model.check()
        return model

    def _swap(self, new: Loaded[M]) -> None:
        with self._swapping:
            old, self._current, self._trouble = self._current, new, None
            if old:
                old.retired = True
            unused = old is not None and old.users == 0
        self._metrics.model_swaps.labels(self.name, "swapped").inc()
        self._metrics.model_info.labels(self.name, new.version.id).set(1)
        if old and old.version.id != new.version.id:
            self._metrics.model_info.remove(self.name, old.version.id)
        if old and unused:
            self._unload(old)

    def _unload(self, old: Loaded[M]) -> None:
        """The last call that it answered has ended: let go of its memory."""
        del old.model
        log.info("model.unloaded", model=self.name, version=old.version.id)

    def _refuse(self, version: str | None, error: Exception) -> None:
        known = error if isinstance(error, KiosqueError) else KiosqueError(f"{type(error).__name__}: {error}")
        self._retry_at = self._clock() + self._retry_after
        self._retry_after = min(2 * self._retry_after, LONGEST_RETRY)
        before, serving = self._trouble, self._current.version.id if self._current else None
        self._trouble = Trouble(version, serving, known)
        if before is None or str(before) != str(self._trouble):
            log.warning("model.refused", model=self.name, version=version, reason=str(known), serving=serving)
            self._metrics.model_swaps.labels(self.name, "refused").inc()

    def _no_model(self) -> NoModel:
        trouble = self._trouble
        if trouble is None or isinstance(trouble.error, NoModel):
            return NoModel(
                trouble.error.detail if trouble else f"The model {self.name!r} is not loaded.",
                hint=trouble.error.hint if trouble else None,
            )
        return NoModel(
            f"No version of {self.name!r} can be used: {trouble.error.detail}", hint=trouble.error.hint
        )
