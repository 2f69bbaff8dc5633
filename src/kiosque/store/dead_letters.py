"""Messages that could not be handled, kept with the reason until someone replays or deletes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, true, update
from sqlalchemy import delete as delete_from

from kiosque.core.errors import NotFound
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import upsert
from kiosque.store.tables import dead_letter
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was given up. `data` is what stood on the bus, byte for byte."""

    id: int
    key: str
    subject: str
    data: bytes
    reason: str
    attempts: int
    at: datetime
    replayed_at: datetime | None = None


def add(tx: Tx, *, key: str, subject: str, data: bytes, reason: str, attempts: int, at: datetime) -> int:
    """Keep a message; returns its id. The same message (key and data) again renews the row that is there."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass") + b"\0" + data).hexdigest()
    row = {
        "key": key,
        "subject": subject,
        "digest": digest,
        "data": data,
        "reason": reason,
        "attempts": attempts,
        "at": at,
        "replayed_at": None,
    }
    upsert(tx, dead_letter, [row], ["digest"])
    pk: int = tx.execute(select(dead_letter.c.pk).where(dead_letter.c.digest == digest)).scalar_one()
    return pk


def page(
    tx: Tx, *, replayed: bool | None = None, limit: int = 50, cursor: str | None = None
) -> Page[DeadLetter]:
    """Newest first; `replayed` picks those that were, or were not."""
    order = Order("dead", (dead_letter.c.at, dead_letter.c.pk), descending=True)
    statement = select(dead_letter).where(_replayed(replayed))
    return fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=_from_row)


def get(tx: Tx, letter_id: int) -> DeadLetter:
    """Raises NotFound."""
    row = tx.execute(select(dead_letter).where(dead_letter.c.pk == letter_id)).one_or_none()
    if row is None:
        raise _unknown(letter_id)
    return _from_row(row)


def mark_replayed(tx: Tx, letter_id: int, at: datetime) -> None:
    """Raises NotFound."""
    changed = tx.execute(update(dead_letter).where(dead_letter.c.pk == letter_id).values(replayed_at=at))
    if not changed.rowcount:
        raise _unknown(letter_id)


def delete(tx: Tx, letter_id: int) -> None:
    """Raises NotFound."""
    if not tx.execute(delete_from(dead_letter).where(dead_letter.c.pk == letter_id)).rowcount:
        raise _unknown(letter_id)


def count(tx: Tx, *, replayed: bool | None = False) -> int:
    """How many wait (False), were replayed (True), or both (None)."""
    return tx.scalar(select(func.count()).select_from(dead_letter).where(_replayed(replayed))) or 0


def _replayed(replayed: bool | None) -> ColumnElement[bool]:
    if replayed is None:
        return true()
    column = dead_letter.c.replayed_at
    return column.is_not(None) if replayed else column.is_(None)


def _unknown(letter_id: int) -> NotFound:
    return NotFound(f"There is no dead letter {letter_id}.")


def _from_row(row: Row[Any]) -> DeadLetter:
    return DeadLetter(
        id=row.pk,
        key=row.key,
        subject=row.subject,
        data=bytes(row.data),
        reason=row.reason,
        attempts=row.attempts,
        at=row.at,
        replayed_at=row.replayed_at,
    )
