"""Matching history anew, in the background: it may take minutes, and a request should not."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import Conflict, KiosqueError
from kiosque.pipeline.rescore import Rescored, Rescorer
from kiosque.pipeline.worker import Stop

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RematchState:
    """How the last rematch of this process fares or fared; all empty before the first."""

    running: bool = False
    looked_at: int = 0
    total: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: Rescored | None = None
    error: str | None = None


class Rematch:
    """One rematch at a time in this process. What is broken off goes on with the next one."""

    def __init__(self, rescorer: Rescorer, clock: Clock) -> None:
        self._rescorer = rescorer
        self._clock = clock
        self._lock = threading.Lock()
        self._state = RematchState()
        self._thread: threading.Thread | None = None
        self._stop = Stop()

    @property
    def state(self) -> RematchState:
        return self._state

    def start(self) -> RematchState:
        """Begin. Raises Conflict while one is running."""
        with self._lock:
            if self._state.running:
                raise Conflict(
                    "History is being matched anew already.", hint="GET rematch says how far it is."
                )
            self._state = RematchState(running=True, started_at=self._clock())
            self._stop = Stop()
            # A daemon: what is not done when the process ends is done next time.
            self._thread = threading.Thread(target=self._run, name="rematch", daemon=True)
            self._thread.start()
            return self._state

    def stop(self, timeout: float = 10.0) -> None:
        """Ask the rematch that is running to end after its chunk, and wait for that."""
        self._stop.request()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        result: Rescored | None = None
        problem: str | None = None
        try:
            result = self._rescorer.rematch(progress=self._progress, stop=self._stop)
        except KiosqueError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - nobody waits for this thread: it has to say what happened
            _log.error("rematch.crashed", exc_info=error)
            problem = "Something unexpected happened; the log says what."
        finally:
            self._state = replace(
                self._state, running=False, finished_at=self._clock(), result=result, error=problem
            )

    def _progress(self, looked_at: int, total: int) -> None:
        self._state = replace(self._state, looked_at=looked_at, total=total)
