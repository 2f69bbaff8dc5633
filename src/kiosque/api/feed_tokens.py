"""Secrets in the addresses of feeds, for feed readers that cannot log in where reading is closed.

Each is derived from the installation's secret key and a nonce that is kept with the search or alert: the database
holds no secret, and a new nonce makes the old address good for nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from enum import StrEnum


class FeedOf(StrEnum):
    """What a feed is of."""

    SEARCH = "search"
    ALERT = "alert"


def new_nonce() -> str:
    """For a feed, or for the signature of a webhook."""
    return secrets.token_hex(16)


def feed_token(secret_key: str, of: FeedOf, number: int, nonce: str) -> str:
    """What opens one feed, and nothing else: 43 characters of an address."""
    key = hmac.new(secret_key.encode(), b"kiosque/feed/1", hashlib.sha256).digest()
    digest = hmac.new(key, f"{of.value}:{number}:{nonce}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_right(given: str, secret_key: str, of: FeedOf, number: int, nonce: str) -> bool:
    """Whether `given` opens the feed, compared in constant time."""
    return hmac.compare_digest(given.encode(), feed_token(secret_key, of, number, nonce).encode())


def feed_path(of: FeedOf, number: int, token: str | None = None) -> str:
    """Where the feed is."""
    folder = "searches" if of is FeedOf.SEARCH else "alerts"
    return f"/{folder}/{number}.rss" + (f"?token={token}" if token else "")
