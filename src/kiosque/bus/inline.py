"""The bus of one process: no broker, nothing on disk, the same promises.

`publish` returns when its messages have been settled by a consumer thread of this process. What a crash
takes away had therefore not been published, and the producer's cursor still stands before it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic

import structlog

from kiosque.bus.ledger import Batch, Entry, Ledger
from kiosque.bus.protocol import Delivery, Lag, Message
from kiosque.core.errors import BusUnavailable

log = structlog.get_logger(__name__)


class InlineBus:
    """Implements `Bus` in memory, for threads.

    `capacity` is how many messages may wait before `publish` blocks (back-pressure); after `ack_wait` seconds
    an unsettled delivery goes to another fetch; `publish` gives up when no message of anybody was settled for
    `stall_seconds`; `close` waits `drain_seconds` for what is in hand.
    """

    def __init__(
        self,
        *,
        capacity: int = 4096,
        ack_wait: float = 300.0,
        stall_seconds: float = 600.0,
        drain_seconds: float = 10.0,
    ) -> None:
        self._capacity = capacity
        self._ack_wait = ack_wait
        self._stall_seconds = stall_seconds
        self._drain_seconds = drain_seconds
        self._changed = threading.Condition()
        self._ledger = Ledger()
        self._closed = False
        self._drained = False

    def publish(self, messages: Sequence[Message]) -> None:
        """Blocks until every message was acknowledged or terminated.

        Raises BusUnavailable when the bus is closed or nothing moves; some of the messages may have been handled
        by then, and publishing all of them again is right.
        """
        batch = Batch(len(messages))
        with self._changed:
            self._refuse_if_closed()
            try:
                for message in messages:
                    self._wait_for(lambda: self._ledger.waiting < self._capacity)
                    self._ledger.add(message, batch)
                    self._changed.notify_all()
                self._wait_for(lambda: batch.unsettled == 0)
            except BusUnavailable:
                self._ledger.withdraw(batch)
                raise

    def fetch(self, limit: int, timeout: float) -> list[Delivery]:
        """See `Bus.fetch`. A fetch that waits while the bus is closed comes back empty."""
        deadline = monotonic() + timeout
        with self._changed:
            self._refuse_if_closed()
            while not self._closed:
                now = monotonic()
                if entries := self._ledger.take(limit, now=now, settle_by=now + self._ack_wait):
                    self._changed.notify_all()
                    return [_InlineDelivery(self, entry) for entry in entries]
                if now >= deadline:
                    break
                due = self._ledger.next_due()
                self._changed.wait((deadline if due is None else min(deadline, due)) - now)
        return []

    def lag(self) -> Lag:
        with self._changed:
            return Lag(pending=self._ledger.waiting, in_flight=self._ledger.in_hand + self._ledger.delayed)

    def check(self) -> None:
        with self._changed:
            self._refuse_if_closed()

    def close(self) -> None:
        """Hand nothing out any more, wait for what is in hand, then wake everyone who still waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._ledger.in_hand == 0, self._drain_seconds):
                log.warning("bus.closed_unsettled", in_flight=self._ledger.in_hand)
            self._drained = True
            self._changed.notify_all()

    def _wait_for(self, ready: Callable[[], bool]) -> None:
        """Until `ready`, as long as the bus is open and messages are being settled."""
        seen, stalled_at = self._ledger.settled, monotonic() + self._stall_seconds
        while not ready():
            if self._drained:
                raise BusUnavailable("The bus was closed before every message was handled.", hint=_HINT)
            if self._ledger.settled != seen:
                seen, stalled_at = self._ledger.settled, monotonic() + self._stall_seconds
            if (left := stalled_at - monotonic()) <= 0:
                raise BusUnavailable(f"No message was handled for {self._stall_seconds:g} s.", hint=_HINT)
            self._changed.wait(left)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise BusUnavailable("The bus is closed.", hint="It closes when the process stops.")

    def _change(self, change: Callable[[Ledger], None]) -> None:
        with self._changed:
            change(self._ledger)
            self._changed.notify_all()


_HINT = "Is the consumer running? What was not handled will be published again."


class _InlineDelivery:
    """One hand-out of an entry; settling it twice, or late, does no harm."""

    def __init__(self, bus: InlineBus, entry: Entry) -> None:
        self._bus = bus
        self._entry = entry
        self._attempt = entry.attempt

    @property
    def message(self) -> Message:
        return self._entry.message

    @property
    def attempt(self) -> int:
        return self._attempt

    @property
    def told_at(self) -> None:
        """Whoever publishes waits until the message is handled: nothing overtakes it."""
        return None

    def ack(self) -> None:
        self._bus._change(lambda ledger: ledger.settle(self._entry))  # noqa: SLF001  # two halves of one thing

    def nak(self, delay: float = 0.0) -> None:
        due = monotonic() + delay
        self._bus._change(lambda ledger: ledger.put_back(self._entry, self._attempt, due=due))  # noqa: SLF001

    def term(self, reason: str) -> None:
        log.info("bus.terminated", key=self.message.key, reason=reason)
        self.ack()

    def in_progress(self) -> None:
        settle_by = monotonic() + self._bus._ack_wait  # noqa: SLF001
        self._bus._change(  # noqa: SLF001
            lambda ledger: ledger.extend(self._entry, self._attempt, settle_by=settle_by)
        )
