"""Which model versions have left traces in the store, and which one readers see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosque.store.tx import Tx

POLARITY = "polarity"
BOOKS = "books"


@dataclass(frozen=True, slots=True)
class ModelUse:
    """One version with what is stored of it."""

    name: str
    version: str
    current: bool
    first_used_at: datetime
    articles: int
    """Articles scored (polarity) or given a shelf (books)."""


def set_current(tx: Tx, name: str, version: str, at: datetime) -> None:
    """From now on readers see what `version` of the model `name` said. It need not have said anything yet."""
    raise NotImplementedError


def current(tx: Tx, name: str = POLARITY) -> str | None:
    """The version that readers see; None before the first `set_current`."""
    raise NotImplementedError


def uses(tx: Tx, name: str | None = None) -> tuple[ModelUse, ...]:
    """Every version that is in the store, newest first."""
    raise NotImplementedError
