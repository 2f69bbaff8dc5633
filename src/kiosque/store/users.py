"""People who log in. The password hash is made and checked by the caller; here it is only kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy import delete as delete_from

from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.store.search import fold
from kiosque.store.statements import insert_into
from kiosque.store.tables import account
from kiosque.store.tx import Tx

_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class User:
    """One person; `scopes` are those that a token of theirs gets."""

    name: str
    password_hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    disabled: bool = False
    last_login_at: datetime | None = None


def add(tx: Tx, name: str, *, password_hash: str, scopes: tuple[str, ...], at: datetime) -> User:
    """Names are told apart without regard to case. Raises Conflict if there is one of this name."""
    if not fold(name) or len(name) > _MAX_NAME:
        raise InvalidInput(f"A user's name has 1 to {_MAX_NAME} characters.")
    row = {
        "name": name,
        "folded_name": fold(name),
        "password_hash": password_hash,
        "scopes": scopes,
        "created_at": at,
        "disabled": False,
    }
    statement = insert_into(tx, account).values(row).on_conflict_do_nothing(index_elements=["folded_name"])
    if tx.scalar(statement.returning(account.c.pk)) is None:
        raise Conflict(f"There is a user {name!r} already.")
    return get(tx, name)


def get(tx: Tx, name: str) -> User:
    """Raises NotFound."""
    user = find(tx, name)
    if user is None:
        raise _unknown(name)
    return user


def find(tx: Tx, name: str) -> User | None:
    """As `get`, None where there is none."""
    row = tx.execute(select(account).where(account.c.folded_name == fold(name))).one_or_none()
    return None if row is None else _from_row(row)


def everyone(tx: Tx) -> tuple[User, ...]:
    """All users by name."""
    return tuple(_from_row(row) for row in tx.execute(select(account).order_by(account.c.folded_name)))


def set_password(tx: Tx, name: str, password_hash: str) -> None:
    """Raises NotFound."""
    _change(tx, name, password_hash=password_hash)


def set_scopes(tx: Tx, name: str, scopes: tuple[str, ...]) -> None:
    """Raises NotFound."""
    _change(tx, name, scopes=scopes)


def set_disabled(tx: Tx, name: str, disabled: bool) -> None:
    """Raises NotFound."""
    _change(tx, name, disabled=disabled)


def record_login(tx: Tx, name: str, at: datetime) -> None:
    """Raises NotFound."""
    _change(tx, name, last_login_at=at)


def delete(tx: Tx, name: str) -> None:
    """Delete the user and the keys they own. Raises NotFound."""
    if not tx.execute(delete_from(account).where(account.c.folded_name == fold(name))).rowcount:
        raise _unknown(name)


def count(tx: Tx) -> int:
    """How many users there are."""
    return tx.scalar(select(func.count()).select_from(account)) or 0


def _change(tx: Tx, name: str, **values: Any) -> None:
    changed = tx.execute(update(account).where(account.c.folded_name == fold(name)).values(**values))
    if not changed.rowcount:
        raise _unknown(name)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no user {name[:200]!r}.", hint="`kiosque user list` shows all.")


def _from_row(row: Row[Any]) -> User:
    return User(
        name=row.name,
        password_hash=row.password_hash,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        disabled=row.disabled,
        last_login_at=row.last_login_at,
    )
