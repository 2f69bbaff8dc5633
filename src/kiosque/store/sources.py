"""The sources: what they are, how far they were read, how they fare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy import delete as delete_from

from kiosque.core.errors import InvalidInput, NotFound
from kiosque.store.statements import add_missing
from kiosque.store.tables import source
from kiosque.store.tx import Tx

_MAX_ID = 200
_MAX_ERROR = 2000


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
    if not source_id.strip() or len(source_id) > _MAX_ID:
        raise InvalidInput(f"A source's id has 1 to {_MAX_ID} characters: {source_id[:80]!r}.")
    values = {"kind": kind, "config": dict(config), "enabled": enabled}
    if find(tx, source_id) is not None:
        _change(tx, source_id, **values)
        return False
    counters = dict.fromkeys(("consecutive_errors", "articles_read", "articles_new", "articles_skipped"), 0)
    add_missing(tx, source, [{"id": source_id, **values, **counters}], ["id"])
    return True


def get(tx: Tx, source_id: str) -> SourceState:
    """Raises NotFound."""
    state = find(tx, source_id)
    if state is None:
        raise _unknown(source_id)
    return state


def find(tx: Tx, source_id: str) -> SourceState | None:
    """As `get`, None where there is none."""
    row = tx.execute(select(source).where(source.c.id == source_id)).one_or_none()
    return None if row is None else _from_row(row)


def everything(tx: Tx, *, enabled: bool | None = None) -> tuple[SourceState, ...]:
    """The sources by id; only those switched on or off, if `enabled` says so."""
    statement = select(source).order_by(source.c.id)
    if enabled is not None:
        statement = statement.where(source.c.enabled == enabled)
    return tuple(_from_row(row) for row in tx.execute(statement))


def due(tx: Tx, now: datetime) -> tuple[SourceState, ...]:
    """Sources switched on whose next poll is not in the future, longest overdue first.

    One that was polled in the future is due: the clock has been set back, and what it said then holds no more.
    """
    states = [state for state in everything(tx, enabled=True) if not _waits(state, now)]
    return tuple(sorted(states, key=lambda s: (s.next_poll_at is not None, s.next_poll_at or now, s.id)))


def _waits(state: SourceState, now: datetime) -> bool:
    if state.next_poll_at is None or state.next_poll_at <= now:
        return False
    return state.last_poll_at is None or state.last_poll_at <= now


def set_enabled(tx: Tx, source_id: str, enabled: bool) -> None:
    """Raises NotFound."""
    _change(tx, source_id, enabled=enabled)


def delete(tx: Tx, source_id: str) -> None:
    """Forget the source; its articles stay. Raises NotFound."""
    if not tx.execute(delete_from(source).where(source.c.id == source_id)).rowcount:
        raise _unknown(source_id)


def move_cursor(
    tx: Tx,
    source_id: str,
    cursor: Mapping[str, Any] | None,
    *,
    etag: str | None = None,
    last_modified: str | None = None,
) -> None:
    """Remember how far the source was read, and what to ask it with next time. Raises NotFound."""
    _change(
        tx,
        source_id,
        cursor=None if cursor is None else dict(cursor),
        etag=etag,
        last_modified=last_modified,
    )


def record_success(
    tx: Tx, source_id: str, counts: PollCounts, *, at: datetime, next_poll_at: datetime | None = None
) -> None:
    """A poll went well: errors are forgotten, counters grow. Raises NotFound."""
    _change(
        tx,
        source_id,
        last_poll_at=at,
        last_success_at=at,
        next_poll_at=next_poll_at,
        consecutive_errors=0,
        last_error=None,
        articles_read=source.c.articles_read + counts.read,
        articles_new=source.c.articles_new + counts.new,
        articles_skipped=source.c.articles_skipped + counts.skipped,
    )


def record_failure(
    tx: Tx, source_id: str, error: str, *, at: datetime, next_poll_at: datetime | None = None
) -> int:
    """A poll failed; returns how many have in a row. Raises NotFound."""
    _change(
        tx,
        source_id,
        last_poll_at=at,
        next_poll_at=next_poll_at,
        consecutive_errors=source.c.consecutive_errors + 1,
        last_error=error[:_MAX_ERROR],
    )
    return get(tx, source_id).consecutive_errors


def _change(tx: Tx, source_id: str, **values: Any) -> None:
    if not tx.execute(update(source).where(source.c.id == source_id).values(**values)).rowcount:
        raise _unknown(source_id)


def _unknown(source_id: str) -> NotFound:
    return NotFound(f"There is no source {source_id[:200]!r}.", hint="`kiosque source list` shows all.")


def _from_row(row: Row[Any]) -> SourceState:
    return SourceState(**row._asdict())
