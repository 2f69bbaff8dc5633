"""From the bus into the store: fetch a batch, take it, acknowledge after the commit.

Delivery is at least once and taking is idempotent, so the effect is exactly once. An outage (no
predict server, no database) makes the whole batch wait, for as long as it lasts; an article that
fails by itself is found by halving the batch, retried with growing pauses, and kept among the dead
letters after `max_deliveries` failures of its own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from kiosque.bus.protocol import Bus, Delivery
from kiosque.core.article import Article
from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError
from kiosque.ops.metrics import Metrics
from kiosque.pipeline import decide
from kiosque.pipeline.decide import DeadReason, GiveUp, Rejected, RetryPolicy
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.worker import Stop
from kiosque.store import dead_letters
from kiosque.store.database import Database

REMEMBERED_FAILURES = 10_000
"""Of how many articles the number of failures is remembered; the oldest are forgotten first."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsumerPolicy:
    """How a consumer works. Times are seconds; `heartbeat` must be well below the bus's time for settling."""

    batch_size: int = 256
    fetch_timeout: float = 1.0
    heartbeat: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class _Held:
    """A delivery and the article in it."""

    delivery: Delivery
    article: Article


class Consumer:
    """One consumer; several threads or processes may consume the same bus."""

    def __init__(
        self,
        bus: Bus,
        intake: Intake,
        database: Database,
        *,
        clock: Clock,
        metrics: Metrics,
        policy: ConsumerPolicy | None = None,
    ) -> None:
        self._bus = bus
        self._intake = intake
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._policy = policy or ConsumerPolicy()
        self._failures = _Failures(REMEMBERED_FAILURES)
        self._outages = 0

    def run(self, stop: Stop) -> None:
        """Consume until asked to stop; the batch in hand is finished first. Raises BusUnavailable."""
        while not stop.requested():
            self.step()
            if self._outages:
                stop.wait(self._policy.retry.backoff.delay(self._outages))

    def step(self) -> int:
        """Fetch one batch and settle it; returns how many messages it had."""
        deliveries = self._bus.fetch(self._policy.batch_size, self._policy.fetch_timeout)
        if not deliveries:
            return 0
        with self._metrics.consume_seconds.time(), _heartbeat(deliveries, self._policy.heartbeat):
            held = [each for each in map(self._read, deliveries) if each is not None]
            self._take(held)
        return len(deliveries)

    def _read(self, delivery: Delivery) -> _Held | None:
        article = decide.read_message(delivery.message.data)
        if isinstance(article, Rejected):
            verdict = GiveUp(DeadReason.NOT_OURS, article.detail)
            self._give_up(
                delivery, verdict, key=decide.plain_key(delivery.message.key), attempts=delivery.attempt
            )
            return None
        return _Held(delivery, article)

    def _take(self, held: Sequence[_Held]) -> None:
        """Take all of `held` in one transaction, else in halves, and settle each."""
        if not held:
            return
        try:
            self._intake.take([each.article for each in held])
        except Exception as error:  # noqa: BLE001 - one odd article must not stop the others, whatever it raises
            self._failed(held, error)
            return
        self._outages = 0
        for each in held:
            self._failures.forget(each.delivery.message.key)
            each.delivery.ack()

    def _failed(self, held: Sequence[_Held], error: Exception) -> None:
        halves = decide.split(held, error)
        if halves is not None:
            for half in halves:
                self._take(half)
        elif decide.is_outage(error):
            self._wait_out(held, error)
        else:
            self._blame(held[0], error)

    def _wait_out(self, held: Sequence[_Held], error: Exception) -> None:
        self._outages += 1
        delay = decide.retry_delay(error, self._outages, self._policy.retry.backoff)
        _log.warning("consume.outage", error=decide.describe(error), articles=len(held), retry_in=delay)
        for each in held:
            each.delivery.nak(delay)

    def _blame(self, held: _Held, error: Exception) -> None:
        delivery = held.delivery
        failures = self._failures.add(delivery.message.key)
        verdict = decide.after_failure(error, failures, self._policy.retry)
        if isinstance(verdict, GiveUp):
            self._give_up(delivery, verdict, key=held.article.key, attempts=failures)
            return
        _log.warning(
            "consume.failed",
            key=delivery.message.key,
            failures=failures,
            error=decide.describe(error),
            exc_info=error,
        )
        delivery.nak(verdict.delay)

    def _give_up(self, delivery: Delivery, verdict: GiveUp, *, key: str, attempts: int) -> None:
        """Keep the message among the dead letters, then tell the bus; without a database it comes again."""
        message = delivery.message
        try:
            with self._database.write() as tx:
                dead_letters.add(
                    tx,
                    key=key,
                    subject=message.subject,
                    data=message.data,
                    reason=f"{verdict.reason.value}: {verdict.detail}",
                    attempts=attempts,
                    at=self._clock(),
                )
        except KiosqueError as error:
            self._outages += 1
            _log.warning("consume.outage", error=decide.describe(error), key=key)
            delivery.nak(decide.retry_delay(error, self._outages, self._policy.retry.backoff))
            return
        self._metrics.dead_letters.labels(verdict.reason.value).inc()
        _log.error("consume.gave_up", key=key, reason=verdict.reason.value, detail=verdict.detail)
        self._failures.forget(message.key)
        delivery.term(verdict.reason.value)


class _Failures:
    """How often each article failed by itself. What a restart forgets costs only more tries."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: OrderedDict[str, int] = OrderedDict()

    def add(self, key: str) -> int:
        """Count one more; returns how many it are now."""
        count = self._counts.pop(key, 0) + 1
        self._counts[key] = count
        if len(self._counts) > self._limit:
            self._counts.popitem(last=False)
        return count

    def forget(self, key: str) -> None:
        self._counts.pop(key, None)


@contextmanager
def _heartbeat(deliveries: Sequence[Delivery], every: float) -> Iterator[None]:
    """Tell the bus every so many seconds that `deliveries` are still being worked on."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every):
            try:
                for delivery in deliveries:
                    delivery.in_progress()
            except KiosqueError as error:
                _log.warning("consume.heartbeat_failed", error=decide.describe(error))

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
