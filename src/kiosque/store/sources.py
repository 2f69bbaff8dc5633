"""The sources: what they are, how far they were read, how they fare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class SourceState:
    """One source. `config` says where it is (label, address, …), `cursor` how far it was read."""

    id: str
    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    enabled: bool = True
    cursor: Mapping[str, Any] | None = None
    etag: str | None = None
    last_modified: str | None = None
    last_poll_at: datetime | None = None
    last_success_at: datetime | None = None
    next_poll_at: datetime | None = None
    consecutive_errors: int = 0
    last_error: str | None = None
    articles_read: int = 0
    articles_new: int = 0
    articles_skipped: int = 0


@dataclass(frozen=True, slots=True)
class PollCounts:
    """What one poll brought: documents read, articles not seen before, documents that cannot be articles."""

    read: int = 0
    new: int = 0
    skipped: int = 0


def save(tx: Tx, source_id: str, kind: str, config: Mapping[str, Any], *, enabled: bool = True) -> bool:
    """Add the source, or change kind, config and `enabled` of the one that is there; its state stays. True if new."""
    raise NotImplementedError


def get(tx: Tx, source_id: str) -> SourceState:
    """Raises NotFound."""
    raise NotImplementedError


def everything(tx: Tx, *, enabled: bool | None = None) -> tuple[SourceState, ...]:
    """The sources by id; only those switched on or off, if `enabled` says so."""
    raise NotImplementedError


def due(tx: Tx, now: datetime) -> tuple[SourceState, ...]:
    """Sources switched on whose next poll is not in the future, longest overdue first."""
    raise NotImplementedError


def set_enabled(tx: Tx, source_id: str, enabled: bool) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def delete(tx: Tx, source_id: str) -> None:
    """Forget the source; its articles stay. Raises NotFound."""
    raise NotImplementedError


def move_cursor(
    tx: Tx,
    source_id: str,
    cursor: Mapping[str, Any] | None,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
) -> None:
    """Remember how far the source was read, and what to ask it with next time. Raises NotFound."""
    raise NotImplementedError


def record_success(
    tx: Tx, source_id: str, counts: PollCounts, *, at: datetime, next_poll_at: datetime | None = None
) -> None:
    """A poll went well: errors are forgotten, counters grow. Raises NotFound."""
    raise NotImplementedError


def record_failure(
    tx: Tx, source_id: str, error: str, *, at: datetime, next_poll_at: datetime | None = None
) -> int:
    """A poll failed; returns how many have in a row. Raises NotFound."""
    raise NotImplementedError
