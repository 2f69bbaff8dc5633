"""Small facts about this installation: its id, whether it was seeded."""

from __future__ import annotations

from kiosque.store.tx import Tx


def get(tx: Tx, name: str) -> str | None:
    """The value of `name`; None where it was never set."""
    raise NotImplementedError


def put(tx: Tx, name: str, value: str) -> None:
    """Set `name` to `value`."""
    raise NotImplementedError


def put_once(tx: Tx, name: str, value: str) -> str:
    """Set `name` unless it is set; returns what it is now. Safe when two processes start at once."""
    raise NotImplementedError
