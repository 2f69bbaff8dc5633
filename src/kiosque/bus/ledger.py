"""Who has which message: the bookkeeping of the inline bus, without locks, waiting or a clock."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from kiosque.bus.protocol import Message


class State(Enum):
    WAITING = auto()
    """In the queue."""
    IN_HAND = auto()
    """Delivered, not settled."""
    DELAYED = auto()
    """Given back, to be delivered again later."""
    SETTLED = auto()


@dataclass(slots=True)
class Batch:
    """The messages of one publication, as far as they are not settled."""

    unsettled: int


@dataclass(slots=True, eq=False)
class Entry:
    """One message on its way. `ticket` is its valid place in the heap of due times, 0 without one."""

    message: Message
    batch: Batch
    state: State = State.WAITING
    attempt: int = 0
    ticket: int = 0


class Ledger:
    """Entries in the order in which they are to be delivered. Times are seconds on any one clock."""

    def __init__(self) -> None:
        self.settled = 0
        self._queue: deque[Entry] = deque()
        self._due: list[tuple[float, int, Entry]] = []
        self._tickets = itertools.count(1)
        self._counts: Counter[State] = Counter()

    @property
    def waiting(self) -> int:
        return self._counts[State.WAITING]

    @property
    def in_hand(self) -> int:
        return self._counts[State.IN_HAND]

    @property
    def delayed(self) -> int:
        return self._counts[State.DELAYED]

    def add(self, message: Message, batch: Batch) -> Entry:
        entry = Entry(message, batch)
        self._counts[State.WAITING] += 1
        self._queue.append(entry)
        return entry

    def take(self, limit: int, *, now: float, settle_by: float) -> list[Entry]:
        """Up to `limit` entries, now in hand; they come back at `settle_by` unless they are settled before."""
        self._requeue_due(now)
        taken: list[Entry] = []
        while self._queue and len(taken) < limit:
            entry = self._queue.popleft()
            if entry.state is State.WAITING:
                entry.attempt += 1
                self._hold(entry, State.IN_HAND, settle_by)
                taken.append(entry)
        return taken

    def next_due(self) -> float | None:
        """When the next entry comes back to the queue; None where none is out."""
        while self._due and self._is_stale(self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def settle(self, entry: Entry) -> None:
        """Done with, wherever it is: a late settlement counts for an entry that went back to the queue, too."""
        if entry.state is not State.SETTLED:
            self._move(entry, State.SETTLED)
            entry.batch.unsettled -= 1
            self.settled += 1

    def put_back(self, entry: Entry, attempt: int, *, due: float) -> None:
        """Deliver again at `due`. Without effect for a delivery that is no longer the current one."""
        if entry.state is State.IN_HAND and entry.attempt == attempt:
            self._hold(entry, State.DELAYED, due)

    def extend(self, entry: Entry, attempt: int, *, settle_by: float) -> None:
        if entry.state is State.IN_HAND and entry.attempt == attempt:
            self._hold(entry, State.IN_HAND, settle_by)

    def withdraw(self, batch: Batch) -> None:
        """Forget what of `batch` is not in a consumer's hands."""
        self._drop(entry for entry in self._queue if entry.batch is batch)
        self._drop(entry for _, _, entry in self._due if entry.batch is batch)

    def _drop(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if entry.state in (State.WAITING, State.DELAYED):
                self._move(entry, State.SETTLED)

    def _requeue_due(self, now: float) -> None:
        while (due := self.next_due()) is not None and due <= now:
            _, _, entry = heapq.heappop(self._due)
            self._move(entry, State.WAITING)
            self._queue.append(entry)

    def _hold(self, entry: Entry, state: State, due: float) -> None:
        self._move(entry, state)
        entry.ticket = next(self._tickets)
        heapq.heappush(self._due, (due, entry.ticket, entry))

    def _move(self, entry: Entry, state: State) -> None:
        self._counts[entry.state] -= 1
        self._counts[state] += 1
        entry.state, entry.ticket = state, 0

    def _is_stale(self, due: tuple[float, int, Entry]) -> bool:
        return due[1] != due[2].ticket
