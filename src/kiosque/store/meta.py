"""Small facts about this installation: its id, whether it was seeded."""

from __future__ import annotations

from sqlalchemy import select

from kiosque.store.statements import add_missing, upsert
from kiosque.store.tables import meta
from kiosque.store.tx import Tx


def get(tx: Tx, name: str) -> str | None:
    """The value of `name`; None where it was never set."""
    return tx.scalar(select(meta.c.value).where(meta.c.name == name))


def put(tx: Tx, name: str, value: str) -> None:
    """Set `name` to `value`."""
    upsert(tx, meta, [{"name": name, "value": value}], ["name"])


def put_once(tx: Tx, name: str, value: str) -> str:
    """Set `name` unless it is set; returns what it is now. Safe when two processes start at once."""
    add_missing(tx, meta, [{"name": name, "value": value}], ["name"])
    now: str = tx.execute(select(meta.c.value).where(meta.c.name == name)).scalar_one()
    return now
