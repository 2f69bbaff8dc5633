"""Named loops in threads: started together, restarted when they crash, stopped within ten seconds."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import structlog

from kiosque.core.clock import Clock, system_clock
from kiosque.core.errors import TryAgain
from kiosque.pipeline.decide import Backoff, describe

DRAIN_SECONDS = 9.0
"""How long after the first word of it `stop` waits for the loops; container engines kill after ten seconds."""
HEALTHY_SECONDS = 60.0
"""A loop that ran this long before it crashed is restarted as if it had never crashed."""
STUCK_SECONDS = 900.0
"""A loop that has not looked for so long whether to stop is reported as stuck; a build of the books takes minutes."""
RESTART_BACKOFF = Backoff(first=1.0, cap=60.0)

_log = structlog.get_logger(__name__)


class Stop:
    """What a loop is given: whether to end, and a way to wait that ends early. Using it is its pulse."""

    def __init__(self, event: threading.Event | None = None) -> None:
        self._event = event or threading.Event()
        self.last_pulse = time.monotonic()

    def requested(self) -> bool:
        """Whether the loop is to end."""
        self.last_pulse = time.monotonic()
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`; True, at once, when the loop is to end."""
        self.last_pulse = time.monotonic()
        return self._event.wait(max(seconds, 0.0))

    def request(self) -> None:
        """Ask the loop to end."""
        self._event.set()


Loop = Callable[[Stop], None]
"""Runs until its `Stop` asks it to end. Returning earlier means that it is done for good."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """How one loop fares. `seconds_since_pulse` is how long ago it last looked whether to stop."""

    name: str
    running: bool
    crashes: int
    last_error: str | None
    last_crash_at: str | None
    seconds_since_pulse: float


class Worker:
    """One loop in one thread. A crash is logged; the loop starts again after a growing pause."""

    def __init__(self, name: str, loop: Loop, *, last: bool, clock: Clock, backoff: Backoff) -> None:
        self.name = name
        self._loop = loop
        self.last = last
        self.stop = Stop()
        self._clock = clock
        self._backoff = backoff
        self._in_loop = False
        self._crashes = 0
        self._streak = 0
        self._last_error: str | None = None
        self._last_crash_at: str | None = None
        # A daemon, so that a loop stuck in a library call cannot keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def state(self) -> WorkerState:
        return WorkerState(
            self.name,
            self._in_loop,
            self._crashes,
            self._last_error,
            self._last_crash_at,
            max(0.0, time.monotonic() - self.stop.last_pulse),
        )

    def _run(self) -> None:
        structlog.contextvars.bind_contextvars(worker=self.name)
        while not self.stop.requested():
            pause = self._run_once()
            if pause is None or self.stop.wait(pause):
                return

    def _run_once(self) -> float | None:
        """Run the loop; None when it ended by itself, else the seconds to pause after its crash."""
        started = time.monotonic()
        self._in_loop = True
        try:
            self._loop(self.stop)
        except Exception as error:  # noqa: BLE001 - a loop that dies silently is worse than any error in it
            if self.stop.requested() and isinstance(error, TryAgain):
                return None  # what it needs was closed while it was ending
            return self._note_crash(error, time.monotonic() - started)
        finally:
            self._in_loop = False
        return None

    def _note_crash(self, error: Exception, ran: float) -> float:
        self._crashes += 1
        self._streak = 1 if ran >= HEALTHY_SECONDS else self._streak + 1
        self._last_error = describe(error)
        self._last_crash_at = self._clock().isoformat()
        pause = self._backoff.delay(self._streak)
        if isinstance(error, TryAgain):
            _log.warning("worker.interrupted", error=self._last_error, restart_in=pause)
        else:
            _log.error("worker.crashed", error=self._last_error, restart_in=pause, exc_info=error)
        return pause


class Workers:
    """The loops of one process.

    workers = Workers()
    workers.add("consumer", consumer.run)
    workers.start()
    …
    workers.stop()
    """

    def __init__(self, *, clock: Clock = system_clock, backoff: Backoff = RESTART_BACKOFF) -> None:
        self._clock = clock
        self._backoff = backoff
        self.stopping = threading.Event()
        """Set as soon as the end is announced; for what waits deep inside a loop, e.g. between two requests."""
        self._announced_at: float | None = None
        self._workers: list[Worker] = []

    def add(self, name: str, loop: Loop, *, last: bool = False) -> None:
        """Take on a loop; it runs from `start` on.

        Those added with `last` are stopped after the others have ended: a consumer goes on while
        the producer waits for what it has just published to be handled.
        """
        self._workers.append(Worker(name, loop, last=last, clock=self._clock, backoff=self._backoff))

    def start(self) -> None:
        for worker in self._workers:
            worker.thread.start()

    def announce_stop(self) -> None:
        """Ask all loops but the last to end, without waiting. The time that `stop` gives is counted from here."""
        if self._announced_at is None:
            self._announced_at = time.monotonic()
        self.stopping.set()
        for worker in self._workers:
            if not worker.last:
                worker.stop.request()

    def stop(self, timeout: float = DRAIN_SECONDS) -> tuple[str, ...]:
        """Ask every loop to end and wait for all, up to `timeout` seconds. Returns who did not make it.

        Where some are to be last, the others get at most half of the time.
        """
        self.announce_stop()
        begun = time.monotonic() if self._announced_at is None else self._announced_at
        last = [w for w in self._workers if w.last]
        _stop_group([w for w in self._workers if not w.last], begun + (timeout / 2 if last else timeout))
        _stop_group(last, begun + timeout)
        late = tuple(w.name for w in self._workers if w.thread.is_alive())
        if late:
            _log.warning("worker.late", workers=late, waited=timeout)
        return late

    def states(self) -> tuple[WorkerState, ...]:
        return tuple(worker.state() for worker in self._workers)

    def check(self) -> None:
        """For `/readyz`: raises TryAgain naming the loops that are down or have not moved for long."""
        if self.stopping.is_set():
            return
        troubles = [trouble for state in self.states() if (trouble := _trouble(state))]
        if troubles:
            raise TryAgain(f"Not running: {'; '.join(troubles)}.", hint="The log says more.")


def _trouble(state: WorkerState) -> str | None:
    if not state.running:
        return f"{state.name} ({state.last_error})" if state.last_error else None
    if state.seconds_since_pulse > STUCK_SECONDS:
        return f"{state.name} (has not moved for {state.seconds_since_pulse:.0f} s)"
    return None


def _stop_group(workers: Sequence[Worker], deadline: float) -> None:
    for worker in workers:
        worker.stop.request()
    for worker in workers:
        if worker.thread.ident is not None:
            worker.thread.join(max(0.0, deadline - time.monotonic()))


@contextmanager
def stop_on_signals(stop: Stop) -> Iterator[Stop]:
    """SIGTERM and the first Ctrl-C ask `stop` to end; a second Ctrl-C interrupts. For the main thread."""

    def on_signal(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and stop.requested():
            raise KeyboardInterrupt
        stop.request()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
