"""Work that goes on where it was broken off: imports, backfills, rescoring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
    raise NotImplementedError


def find(tx: Tx, job_id: str) -> Job | None:
    raise NotImplementedError


def advance(
    tx: Tx, job_id: str, position: Mapping[str, Any], counters: Mapping[str, int], at: datetime
) -> None:
    """Remember how far the job is: call it in the transaction that stores what was done. Raises NotFound."""
    raise NotImplementedError


def finish(tx: Tx, job_id: str, at: datetime) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def restart(tx: Tx, job_id: str, at: datetime) -> None:
    """Forget position, counters and end, so that the job begins anew. Raises NotFound."""
    raise NotImplementedError


def unfinished(tx: Tx, kind: str | None = None) -> tuple[Job, ...]:
    """Jobs that were begun and not finished, oldest first."""
    raise NotImplementedError


def recent(tx: Tx, limit: int = 20) -> tuple[Job, ...]:
    """Jobs by when they last moved, newest first."""
    raise NotImplementedError
