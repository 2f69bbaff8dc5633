"""Long work that a page starts: done in a thread of this process, written down as it goes, ended when asked.

Any process may ask for an end: the wish lies in the database, and the one that does the work looks for it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError, NotFound
from kiosque.pipeline.worker import Stop
from kiosque.store import works
from kiosque.store.database import Database
from kiosque.store.works import Work, WorkState

TICK = 1.0
"""Seconds between two looks: how far it is, and whether it is to end."""
KEPT = timedelta(days=90)

_log = structlog.get_logger(__name__)

Report = Callable[[int, int, str], None]
"""Told by the work how far it is: done, of how many (0: not known), and in words."""
Run = Callable[[Mapping[str, str], Report, Stop], str]
"""Does the work with its parameters and says at the end what it did. Ends early when asked to."""


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of work that this process can do."""

    kind: str
    run: Run
    scope: str
    """Who may start it: the name of a scope."""
    check: Callable[[Mapping[str, str]], None] = lambda _: None
    """Raises InvalidInput or PreconditionFailed for what cannot be done, before it is begun."""


@dataclass(slots=True)
class _Place:
    """How far one piece of work is; written by its thread, read by the one that writes it down."""

    done: int = 0
    total: int = 0
    message: str = ""

    def tell(self, done: int, total: int, message: str) -> None:
        self.done, self.total, self.message = done, total, message


class Works:
    """The kinds of work of this process, and those pieces that are being done."""

    def __init__(
        self, database: Database, tasks: tuple[Task, ...], *, clock: Clock, tick: float = TICK
    ) -> None:
        self.tasks: Mapping[str, Task] = {task.kind: task for task in tasks}
        self._database = database
        self._clock = clock
        self._tick = tick
        self._stops: dict[str, Stop] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def task(self, kind: str) -> Task:
        """Raises NotFound for a kind that this process cannot do."""
        if kind not in self.tasks:
            known = ", ".join(self.tasks) or "nothing"
            raise NotFound(f"This process cannot do {kind[:80]!r}.", hint=f"It can do: {known}.")
        return self.tasks[kind]

    def start(self, kind: str, parameters: Mapping[str, str], *, by: str) -> Work:
        """Begin, in the background. Raises NotFound, Conflict while one of its kind runs, and what its check does."""
        task = self.task(kind)
        task.check(parameters)
        now = self._clock()
        with self._database.write() as tx:
            works.forget(tx, before=now - KEPT)
            work = works.begin(tx, uuid.uuid4().hex[:16], kind, by=by, parameters=parameters, at=now)
        stop = Stop()
        # Daemons: what is not done when the process ends is found broken off, and goes on when started again.
        thread = threading.Thread(target=self._do, args=(task, work, stop), name=f"work-{kind}", daemon=True)
        with self._lock:
            self._stops[work.id] = stop
            self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()
        return work

    def cancel(self, work_id: str, *, by: str) -> None:
        """Ask the work to end after its step, wherever it runs. Raises NotFound, or Conflict when it has ended."""
        with self._database.write() as tx:
            works.ask_to_stop(tx, work_id, by=by, at=self._clock())
        with self._lock:
            stop = self._stops.get(work_id)
        if stop is not None:
            stop.request()

    def close(self, timeout: float = 5.0) -> None:
        """The process ends: ask all to end, and wait for that."""
        with self._lock:
            stops, threads = list(self._stops.values()), list(self._threads)
        for stop in stops:
            stop.request()
        for thread in threads:
            thread.join(timeout)

    def _do(self, task: Task, work: Work, stop: Stop) -> None:
        place = _Place()
        ended = threading.Event()
        ticker = threading.Thread(target=self._keep, args=(work, place, stop, ended), daemon=True)
        ticker.start()
        try:
            state, message = self._run(task, work, place, stop)
        finally:
            ended.set()
            ticker.join()
        self._note(work, place, state, message)
        with self._lock:
            self._stops.pop(work.id, None)

    def _run(self, task: Task, work: Work, place: _Place, stop: Stop) -> tuple[WorkState, str]:
        try:
            message = task.run(work.parameters, place.tell, stop)
        except KiosqueError as error:
            return WorkState.FAILED, str(error)
        except Exception as error:  # noqa: BLE001 - nobody waits for this thread: it has to say what happened
            _log.error("work.crashed", kind=task.kind, exc_info=error)
            return WorkState.FAILED, "Something unexpected happened; the log says what."
        return (WorkState.CANCELLED if stop.requested() else WorkState.DONE), message

    def _keep(self, work: Work, place: _Place, stop: Stop, ended: threading.Event) -> None:
        """Write down how far it is, and pass on the wish that it ends."""
        while not ended.wait(self._tick):
            self._note(work, place, WorkState.RUNNING, place.message)
            if self._is_unwanted(work):
                stop.request()

    def _is_unwanted(self, work: Work) -> bool:
        try:
            with self._database.read() as tx:
                return works.asked_to_stop(tx, work.id) is not None
        except KiosqueError:
            return False

    def _note(self, work: Work, place: _Place, state: WorkState, message: str) -> None:
        at = self._clock()
        try:
            with self._database.write() as tx:
                works.note(tx, work, state=state, done=place.done, total=place.total, message=message, at=at)
        except KiosqueError as error:
            _log.warning("work.unsaid", work=work.id, state=state, error=str(error))
