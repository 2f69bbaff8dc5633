"""API keys: their SHA-256 only. The key itself is made by the caller and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
    """`digest` is the SHA-256 of the key in hexadecimal; `owner` a user's name. Conflict if the digest is there."""
    raise NotImplementedError


def by_digest(tx: Tx, digest: str) -> ApiKey | None:
    """The key with this digest, revoked and expired ones included: see `ApiKey.usable_at`.

    None also where its owner is disabled.
    """
    raise NotImplementedError


def get(tx: Tx, key_id: int) -> ApiKey:
    """Raises NotFound."""
    raise NotImplementedError


def everything(tx: Tx, *, owner: str | None = None) -> tuple[ApiKey, ...]:
    """Keys, newest first; of one owner if given."""
    raise NotImplementedError


def record_use(tx: Tx, key_id: int, at: datetime) -> None:
    """Best called at most once a minute a key: it writes."""
    raise NotImplementedError


def revoke(tx: Tx, key_id: int, at: datetime) -> None:
    """Raises NotFound. Revoking again keeps the first time."""
    raise NotImplementedError


def count(tx: Tx) -> int:
    """Keys that are not revoked."""
    raise NotImplementedError
