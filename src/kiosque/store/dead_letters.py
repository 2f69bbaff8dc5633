"""Messages that could not be handled, kept with the reason until someone replays or deletes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosque.store.paging import Page
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
    raise NotImplementedError


def page(
    tx: Tx, *, replayed: bool | None = None, limit: int = 50, cursor: str | None = None
) -> Page[DeadLetter]:
    """Newest first; `replayed` picks those that were, or were not."""
    raise NotImplementedError


def get(tx: Tx, letter_id: int) -> DeadLetter:
    """Raises NotFound."""
    raise NotImplementedError


def mark_replayed(tx: Tx, letter_id: int, at: datetime) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def delete(tx: Tx, letter_id: int) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def count(tx: Tx, *, replayed: bool | None = False) -> int:
    """How many wait (False), were replayed (True), or both (None)."""
    raise NotImplementedError
