"""Work that goes on where it was broken off: imports, backfills, rescoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from kiosque.core.errors import NotFound
from kiosque.store.statements import add_missing
from kiosque.store.tables import job
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Job:
    """`position` says where to go on, in the job's own terms; `counters` what was done so far."""

    id: str
    kind: str
    position: Mapping[str, Any] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None


def start(tx: Tx, job_id: str, kind: str, at: datetime) -> Job:
    """The job with this id, as it was left, or a new one. `job_id` is made by the caller out of what the job does."""
    row = {"id": job_id, "kind": kind, "position": {}, "counters": {}, "started_at": at, "updated_at": at}
    add_missing(tx, job, [row], ["id"])
    return _from_row(tx.execute(select(job).where(job.c.id == job_id)).one())


def find(tx: Tx, job_id: str) -> Job | None:
    """The job with this id, None where there is none."""
    row = tx.execute(select(job).where(job.c.id == job_id)).one_or_none()
    return None if row is None else _from_row(row)


def advance(
    tx: Tx, job_id: str, position: Mapping[str, Any], counters: Mapping[str, int], at: datetime
) -> None:
    """Remember how far the job is: call it in the transaction that stores what was done. Raises NotFound."""
    _change(tx, job_id, position=dict(position), counters=dict(counters), updated_at=at)


def finish(tx: Tx, job_id: str, at: datetime) -> None:
    """Raises NotFound."""
    _change(tx, job_id, updated_at=at, finished_at=at)


def restart(tx: Tx, job_id: str, at: datetime) -> None:
    """Forget position, counters and end, so that the job begins anew. Raises NotFound."""
    _change(tx, job_id, position={}, counters={}, started_at=at, updated_at=at, finished_at=None)


def unfinished(tx: Tx, kind: str | None = None) -> tuple[Job, ...]:
    """Jobs that were begun and not finished, oldest first."""
    statement = select(job).where(job.c.finished_at.is_(None)).order_by(job.c.started_at, job.c.id)
    if kind is not None:
        statement = statement.where(job.c.kind == kind)
    return tuple(_from_row(row) for row in tx.execute(statement))


def recent(tx: Tx, limit: int = 20) -> tuple[Job, ...]:
    """Jobs by when they last moved, newest first."""
    statement = select(job).order_by(job.c.updated_at.desc(), job.c.id).limit(limit)
    return tuple(_from_row(row) for row in tx.execute(statement))


def _change(tx: Tx, job_id: str, **values: Any) -> None:
    if not tx.execute(update(job).where(job.c.id == job_id).values(**values)).rowcount:
        raise NotFound(f"There is no job {job_id[:200]!r}.")


def _from_row(row: Row[Any]) -> Job:
    return Job(**row._asdict())
