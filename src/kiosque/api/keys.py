"""Opaque API keys: `kq_<prefix>_<secret>`. People know a key by its prefix; only a digest of the whole is kept."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

_KEY = re.compile(r"kq_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", re.ASCII)

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes, e.g. `secrets.token_bytes`."""


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key at the one moment at which it is known. Keep `prefix` and `digest`, show `text` once."""

    text: str = field(repr=False)
    prefix: str
    digest: str


def make_key(random_bytes: RandomBytes = secrets.token_bytes) -> NewKey:
    """A key with 256 bits of secret: too many to guess, so that a plain SHA-256 of it is safe to keep."""
    prefix = f"kq_{random_bytes(4).hex()}"
    secret = base64.urlsafe_b64encode(random_bytes(32)).rstrip(b"=").decode()
    text = f"{prefix}_{secret}"
    return NewKey(text=text, prefix=prefix, digest=digest_of(text))


def is_key(bearer: str) -> bool:
    """Whether this is a key of ours and not a token or anything else."""
    return _KEY.fullmatch(bearer) is not None


def digest_of(key: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()
