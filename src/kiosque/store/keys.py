"""API keys: their SHA-256 only. The key itself is made by the caller and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update

from kiosque.core.errors import Conflict, NotFound
from kiosque.store.search import fold
from kiosque.store.statements import insert_into
from kiosque.store.tables import account, api_key
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`prefix` is the start of the key, by which people recognise it; `id` names it in addresses."""

    id: int
    name: str
    prefix: str
    digest: str
    scopes: tuple[str, ...]
    created_at: datetime
    owner: str | None = None
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def usable_at(self, now: datetime) -> bool:
        """Whether it opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def add(
    tx: Tx,
    *,
    name: str,
    prefix: str,
    digest: str,
    scopes: tuple[str, ...],
    at: datetime,
    owner: str | None = None,
    expires_at: datetime | None = None,
) -> ApiKey:
    """`digest` is the SHA-256 of the key in hexadecimal; `owner` a user's name.

    Raises NotFound without that user, Conflict if the digest is there.
    """
    row = {
        "name": name,
        "prefix": prefix,
        "digest": digest,
        "scopes": scopes,
        "account_pk": None if owner is None else _account_pk(tx, owner),
        "created_at": at,
        "expires_at": expires_at,
    }
    statement = insert_into(tx, api_key).values(row).on_conflict_do_nothing(index_elements=["digest"])
    if tx.scalar(statement.returning(api_key.c.pk)) is None:
        raise Conflict("This key is there already.")
    return _from_row(tx.execute(_select(api_key.c.digest == digest)).one())


def _account_pk(tx: Tx, owner: str) -> int:
    pk: int | None = tx.scalar(select(account.c.pk).where(account.c.folded_name == fold(owner)))
    if pk is None:
        raise NotFound(f"There is no user {owner[:200]!r}.", hint="`kiosque user list` shows all.")
    return pk


def by_digest(tx: Tx, digest: str) -> ApiKey | None:
    """The key with this digest, revoked and expired ones included: see `ApiKey.usable_at`.

    None also where its owner is disabled.
    """
    enabled = account.c.pk.is_(None) | account.c.disabled.is_(False)
    row = tx.execute(_select(api_key.c.digest == digest, enabled)).one_or_none()
    return None if row is None else _from_row(row)


def get(tx: Tx, key_id: int) -> ApiKey:
    """Raises NotFound."""
    row = tx.execute(_select(api_key.c.pk == key_id)).one_or_none()
    if row is None:
        raise _unknown(key_id)
    return _from_row(row)


def everything(tx: Tx, *, owner: str | None = None) -> tuple[ApiKey, ...]:
    """Keys, newest first; of one owner if given."""
    conditions = () if owner is None else (account.c.folded_name == fold(owner),)
    statement = _select(*conditions).order_by(api_key.c.created_at.desc(), api_key.c.pk.desc())
    return tuple(_from_row(row) for row in tx.execute(statement))


def record_use(tx: Tx, key_id: int, at: datetime) -> None:
    """Best called at most once a minute a key: it writes."""
    tx.execute(update(api_key).where(api_key.c.pk == key_id).values(last_used_at=at))


def revoke(tx: Tx, key_id: int, at: datetime) -> None:
    """Raises NotFound. Revoking again keeps the first time."""
    if get(tx, key_id).revoked_at is None:
        tx.execute(update(api_key).where(api_key.c.pk == key_id).values(revoked_at=at))


def count(tx: Tx) -> int:
    """Keys that are not revoked."""
    return tx.scalar(select(func.count()).where(api_key.c.revoked_at.is_(None))) or 0


def _select(*conditions: ColumnElement[bool]) -> Select[Any]:
    joined = api_key.outerjoin(account, account.c.pk == api_key.c.account_pk)
    return select(api_key, account.c.name.label("owner")).select_from(joined).where(*conditions)


def _unknown(key_id: int) -> NotFound:
    return NotFound(f"There is no key {key_id}.", hint="`kiosque key list` shows all.")


def _from_row(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.pk,
        name=row.name,
        prefix=row.prefix,
        digest=row.digest,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        owner=row.owner,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
