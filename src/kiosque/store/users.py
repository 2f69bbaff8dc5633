"""People who log in. The password hash is made and checked by the caller; here it is only kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class User:
    name: str
    password_hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    disabled: bool = False
    last_login_at: datetime | None = None


def add(tx: Tx, name: str, *, password_hash: str, scopes: tuple[str, ...], at: datetime) -> User:
    """Names are told apart without regard to case. Raises Conflict if there is one of this name."""
    raise NotImplementedError


def get(tx: Tx, name: str) -> User:
    """Raises NotFound."""
    raise NotImplementedError


def find(tx: Tx, name: str) -> User | None:
    """As `get`, None where there is none."""
    raise NotImplementedError


def everyone(tx: Tx) -> tuple[User, ...]:
    """All users by name."""
    raise NotImplementedError


def set_password(tx: Tx, name: str, password_hash: str) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def set_scopes(tx: Tx, name: str, scopes: tuple[str, ...]) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def set_disabled(tx: Tx, name: str, disabled: bool) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def record_login(tx: Tx, name: str, at: datetime) -> None:
    """Raises NotFound."""
    raise NotImplementedError


def delete(tx: Tx, name: str) -> None:
    """Delete the user and the keys they own. Raises NotFound."""
    raise NotImplementedError


def count(tx: Tx) -> int:
    raise NotImplementedError
