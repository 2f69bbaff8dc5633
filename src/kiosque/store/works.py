"""Long work that people start from a page: who asked for what, how far it is, how it ended.

The rows are those of `job`. What reads an archive or a file keeps a job of its own beside it, which says where to go
on; this one says what a person wants to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, select, update

from kiosque.core.errors import Conflict, NotFound
from kiosque.store import meta as facts
from kiosque.store.statements import insert_into
from kiosque.store.tables import job, meta
from kiosque.store.tx import Tx

_PREFIX = "work:"
_STOP = "work.stop:"
SILENT = timedelta(seconds=60)
"""Work that has not moved for so long is no longer being done: its process has ended."""


class WorkState(StrEnum):
    """How a piece of work fares."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BROKEN_OFF = "broken_off"
    """Its process ended; asked for again, it goes on."""


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work. `done` of `total` is in its own terms; `total` 0 is not known."""

    id: str
    kind: str
    by: str
    parameters: Mapping[str, str]
    state: WorkState
    message: str
    done: int
    total: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    stopped_by: str | None = None
    """Who asked it to stop."""

    @property
    def share(self) -> float | None:
        return min(self.done / self.total, 1.0) if self.total else None

    @property
    def running(self) -> bool:
        return self.state is WorkState.RUNNING


def begin(tx: Tx, work_id: str, kind: str, *, by: str, parameters: Mapping[str, str], at: datetime) -> Work:
    """Add a piece of work. Raises Conflict while another one of its kind runs."""
    other = next((each for each in recent(tx, now=at) if each.kind == kind and each.running), None)
    if other is not None:
        raise Conflict(
            "This is being done already.", hint="Wait for it, or stop it first: see the page of jobs."
        )
    row = {
        "id": _PREFIX + work_id,
        "kind": kind,
        "position": {"by": by, "parameters": dict(parameters), "state": WorkState.RUNNING, "message": ""},
        "counters": {"done": 0, "total": 0},
        "started_at": at,
        "updated_at": at,
    }
    tx.execute(insert_into(tx, job).values(row))
    return get(tx, work_id, now=at)


def note(
    tx: Tx,
    work: Work,
    *,
    state: WorkState,
    done: int,
    total: int,
    message: str,
    at: datetime,
) -> None:
    """How far it is, or how it ended. Raises NotFound."""
    ended = state is not WorkState.RUNNING
    changed = tx.execute(
        update(job)
        .where(job.c.id == _PREFIX + work.id)
        .values(
            position={
                "by": work.by,
                "parameters": dict(work.parameters),
                "state": state,
                "message": message[:2000],
            },
            counters={"done": done, "total": total},
            updated_at=at,
            finished_at=at if ended else None,
        )
    )
    if not changed.rowcount:
        raise _unknown(work.id)


def ask_to_stop(tx: Tx, work_id: str, *, by: str, at: datetime) -> None:
    """Whoever does the work finds this and ends after its step. Raises NotFound, Conflict when it has ended."""
    if not get(tx, work_id, now=at).running:
        raise Conflict("This has ended already.", hint="There is nothing to stop.")
    facts.put(tx, _STOP + work_id, by)


def asked_to_stop(tx: Tx, work_id: str) -> str | None:
    """Who asked the work to stop; None where nobody did."""
    return facts.get(tx, _STOP + work_id)


def get(tx: Tx, work_id: str, *, now: datetime) -> Work:
    """Raises NotFound."""
    row = tx.execute(select(job).where(job.c.id == _PREFIX + work_id)).one_or_none()
    if row is None:
        raise _unknown(work_id)
    return _from_row(tx, row, now)


def recent(tx: Tx, *, now: datetime, limit: int = 30) -> tuple[Work, ...]:
    """Newest first."""
    statement = (
        select(job)
        .where(job.c.id.startswith(_PREFIX, autoescape=True))
        .order_by(job.c.started_at.desc(), job.c.id.desc())
        .limit(limit)
    )
    return tuple(_from_row(tx, row, now) for row in tx.execute(statement).all())


def is_work(job_id: str) -> bool:
    """Whether the job of this id is one that was started from a page."""
    return job_id.startswith(_PREFIX)


def forget(tx: Tx, *, before: datetime) -> None:
    """Delete what ended before then."""
    old = tx.scalars(
        select(job.c.id).where(job.c.id.startswith(_PREFIX, autoescape=True), job.c.updated_at < before)
    ).all()
    tx.execute(delete(meta).where(meta.c.name.in_([_STOP + each.removeprefix(_PREFIX) for each in old])))
    tx.execute(delete(job).where(job.c.id.in_(old)))


def _unknown(work_id: str) -> NotFound:
    return NotFound(f"There is no job {work_id[:200]!r}.", hint="The page of jobs lists those there are.")


def _from_row(tx: Tx, row: Row[Any], now: datetime) -> Work:
    work_id = row.id.removeprefix(_PREFIX)
    state = WorkState(row.position["state"])
    if state is WorkState.RUNNING and now - row.updated_at > SILENT:
        state = WorkState.BROKEN_OFF
    return Work(
        id=work_id,
        kind=row.kind,
        by=row.position["by"],
        parameters=row.position["parameters"],
        state=state,
        message=row.position["message"],
        done=row.counters["done"],
        total=row.counters["total"],
        started_at=row.started_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        stopped_by=asked_to_stop(tx, work_id),
    )
