"""From the bus into the store: fetch a batch, take it, acknowledge after the commit.

Delivery is at least once and taking is idempotent, so the effect is exactly once. An outage (no
predict server, no database) makes the whole batch wait, for as long as it lasts; an article that
fails by itself is found by halving the batch, retried with growing pauses, and kept among the dead
letters after `max_deliveries` failures of its own. Where every article of a batch fails by itself, the
fault is the program's, and that too is an outage.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

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
    """How a consumer works. Times are seconds; for `heartbeat` see `decide.heartbeat`."""

    batch_size: int = 256
    fetch_timeout: float = 1.0
    heartbeat: float = 10.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class _Held:
    """A delivery and the article in it."""

    delivery: Delivery
    article: Article


@dataclass(frozen=True, slots=True)
class _Failure:
    """An article that could not be stored. `own`: because of itself, as far as can be told from one batch."""

    held: _Held
    error: Exception
    own: bool


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
        """How many batches in a row met an outage."""
        self._stalled = False
        """Whether the last batch did."""
        self._hobbling = False
        """Whether this batch met an outage that did not hit all of it: the next may well meet it again."""

    def run(self, stop: Stop) -> None:
        """Consume until asked to stop; the batch in hand is finished first. Raises BusUnavailable."""
        while not stop.requested():
            self.step()
            if self._stalled:
                stop.wait(self._policy.retry.backoff.delay(self._outages))

    def step(self) -> int:
        """Fetch one batch and settle it; returns how many messages it had."""
        deliveries = self._bus.fetch(self._policy.batch_size, self._policy.fetch_timeout)
        if not deliveries:
            return 0
        with self._metrics.consume_seconds.time(), _heartbeat(deliveries, self._policy.heartbeat):
            held = [each for each in map(self._read, deliveries) if each is not None]
            self._hobbling = False
            self._settle(self._take(held), of=len(held))
        return len(deliveries)

    def _read(self, delivery: Delivery) -> _Held | None:
        article = decide.read_message(delivery.message.data)
        if isinstance(article, Rejected):
            verdict = GiveUp(DeadReason.NOT_OURS, article.detail)
            key = decide.plain_key(delivery.message.key)
            self._give_up(delivery, verdict, key=key, attempts=delivery.attempt)
            return None
        return _Held(delivery, replace(article, told_at=delivery.told_at))

    def _take(self, held: Sequence[_Held], *, partial: bool = False) -> list[_Failure]:
        """Take all of `held` in one transaction, else in halves; acknowledge what is stored, return the rest.

        `partial`: what looks like an outage is known not to hit every article.
        """
        if not held:
            return []
        try:
            self._intake.take([each.article for each in held])
        except Exception as error:  # noqa: BLE001 - one odd article must not stop the others, whatever it raises
            return self._take_apart(held, error, partial=partial)
        for each in held:
            self._failures.forget(each.delivery.message.key)
            each.delivery.ack()
        return []

    def _take_apart(self, held: Sequence[_Held], error: Exception, *, partial: bool) -> list[_Failure]:
        halves = decide.split(held, error, partial=partial)
        if halves is not None:
            return [failure for half in halves for failure in self._take(half, partial=partial)]
        outage = decide.is_outage(error) and not partial
        if outage and len(held) > 1 and self._outages >= decide.PROBE_FROM:
            for probe, rest in ((held[:1], held[1:]), (held[-1:], held[:-1])):
                if not self._take(probe):
                    self._hobbling = True
                    return self._take(rest, partial=True)
        return [_Failure(each, error, own=not outage) for each in held]

    def _settle(self, failures: Sequence[_Failure], of: int) -> None:
        """Decide what becomes of what could not be stored, of so many articles."""
        systemic = decide.is_systemic(sum(failure.own for failure in failures), of)
        outage = next((f.error for f in failures if systemic or not f.own), None)
        if outage is not None:
            self._outages += 1
            _log.warning(
                "consume.outage", error=decide.describe(outage), articles=len(failures), systemic=systemic
            )
        elif of and not self._hobbling:
            self._outages = 0
        self._stalled = outage is not None
        for failure in failures:
            self._settle_one(failure, own=failure.own and not systemic)

    def _settle_one(self, failure: _Failure, *, own: bool) -> None:
        delivery, error = failure.held.delivery, failure.error
        failures = self._failures.add(delivery.message.key) if own else self._outages
        verdict = decide.after_failure(error, failures, self._policy.retry, own=own)
        if isinstance(verdict, GiveUp):
            self._give_up(delivery, verdict, key=failure.held.article.key, attempts=failures)
            return
        if own:
            what = decide.describe(error)
            _log.warning(
                "consume.failed", key=failure.held.article.key, failures=failures, error=what, exc_info=error
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
