"""Newly stored articles as they come in: one read of the database, however many listen."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import structlog
from starlette.concurrency import run_in_threadpool

from kiosque.api.schemas.articles import article_answers
from kiosque.core.errors import StoreUnavailable, TryAgain
from kiosque.store import articles
from kiosque.store.articles import StoredArticle
from kiosque.store.database import Database
from kiosque.store.tx import Tx

HEARTBEAT_SECONDS = 15.0
"""Proxies close connections that are silent for half a minute or more."""
BACKLOG = 500
"""Most articles given in one go, to one who comes back or while many are imported; the rest is left out."""
OVERLAP = 64
"""How far behind the newest article is looked again: on PostgreSQL one with a lower number
may be committed after one with a higher number."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One article on the stream. `id` is what `Last-Event-ID` sends back."""

    id: int
    entities: frozenset[str]
    json: str


class LiveArticles:
    """The articles of this installation as they are stored, by whatever process.

    There is no thread or task of its own: whoever finds that the last look is long enough ago looks for all.
    """

    def __init__(
        self, database: Database, *, poll_seconds: float, max_listeners: int, stopping: Callable[[], bool]
    ) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._max_listeners = max_listeners
        self._stopping = stopping
        self._looking = threading.Lock()
        self._looked_at = float("-inf")
        self._recent: deque[tuple[int, Arrival]] = deque(maxlen=2 * BACKLOG)
        self._arrived = 0
        self._seen: deque[int] = deque(maxlen=4 * BACKLOG)
        self._newest: int | None = None
        self.listeners = 0

    def check_room(self) -> None:
        """Raises TryAgain when there are as many listeners as allowed."""
        if self.listeners >= self._max_listeners:
            raise TryAgain(
                f"{self._max_listeners} streams are open already.",
                hint="Try again later, or poll GET /api/v1/articles/latest.",
                retry_after=30,
            )

    async def follow(self, after: int | None = None) -> AsyncIterator[Arrival | None]:
        """Articles stored after the one with the id `after` (None: from now on); None when long silent."""
        with self._listening():
            await run_in_threadpool(self.look)
            position = self._arrived
            given: set[int] = set()
            if after is not None:
                for arrival in await run_in_threadpool(self._stored_after, after):
                    given.add(arrival.id)
                    yield arrival
            heard_at = time.monotonic()
            while not self._stopping():
                fresh = [(n, arrival) for n, arrival in tuple(self._recent) if n > position]
                for number, arrival in fresh:
                    position = number
                    if arrival.id not in given:
                        yield arrival
                if fresh:
                    heard_at = time.monotonic()
                elif time.monotonic() - heard_at >= HEARTBEAT_SECONDS:
                    heard_at = time.monotonic()
                    yield None
                await asyncio.sleep(self._poll_seconds)
                await run_in_threadpool(self.look)

    def look(self) -> None:
        """Look for new articles, unless that was done just now or is being done."""
        if not self._due() or not self._looking.acquire(blocking=self._newest is None):
            return
        try:
            if self._due():  # another one may have looked while this one waited
                self._look()
                self._looked_at = time.monotonic()
        except StoreUnavailable as error:
            self._looked_at = time.monotonic()
            _log.warning("stream.cannot_look", reason=error.detail)
        finally:
            self._looking.release()

    def _due(self) -> bool:
        return self._newest is None or time.monotonic() - self._looked_at >= self._poll_seconds * 0.9

    def _look(self) -> None:
        with self._database.read() as tx:
            newest = _newest_pk(tx)
            if self._newest is None:
                start = max(newest - OVERLAP, 0)
                self._seen.extend(row.pk for row in _after(tx, start))
                self._newest = newest
                return
            start = max(self._newest - OVERLAP, newest - BACKLOG, 0)
            known = set(self._seen)
            fresh = [row for row in _after(tx, start) if row.pk not in known]
            for arrival in _arrivals(tx, fresh):
                self._arrived += 1
                self._seen.append(arrival.id)
                self._recent.append((self._arrived, arrival))
            self._newest = max([self._newest, newest, *(row.pk for row in fresh)])

    def _stored_after(self, after: int) -> tuple[Arrival, ...]:
        with self._database.read() as tx:
            start = max(after, _newest_pk(tx) - BACKLOG)
            return _arrivals(tx, list(_after(tx, start)))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self.check_room()
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1
            if self.listeners == 0:
                # The next listener begins at that time's newest article, not at this one.
                self._newest = None
                self._recent.clear()


def _newest_pk(tx: Tx) -> int:
    return max((row.pk for row in articles.latest(tx, 1)), default=0)


def _after(tx: Tx, pk: int) -> Iterator[StoredArticle]:
    return islice(articles.iterate(tx, after=pk, chunk=BACKLOG), BACKLOG + OVERLAP)


def _arrivals(tx: Tx, rows: list[StoredArticle]) -> tuple[Arrival, ...]:
    return tuple(
        Arrival(
            id=row.pk,
            entities=frozenset(mention.entity for mention in answer.mentions),
            json=answer.model_dump_json(),
        )
        for row, answer in zip(rows, article_answers(tx, rows), strict=True)
    )
