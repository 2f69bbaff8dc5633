"""What must not be shown: names that stand for secrets, and addresses that carry some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

HIDDEN = "***"
_WORDS = ("password", "passwd", "secret", "token", "api_key", "api-key", "apikey", "authorization", "cookie")
_PARAMETERS = (*_WORDS, "key", "auth", "sig", "signature", "credential", "session", "code", "pass", "pwd")


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret wherever it stands. (`key` alone is not: articles have keys.)"""
    return any(word in name.lower() for word in _WORDS)


def mask_address(address: str) -> str:
    """`address` without what gives access: the password before its host, and parameters named like secrets."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    if not parts.netloc:
        return address
    login, at, host = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    netloc = f"{user}{colon}{HIDDEN if colon else ''}{at}{host}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if not any(_is_secret_parameter(name) for name, _ in pairs):
        return urlunsplit(parts._replace(netloc=netloc))
    shown = [f"{quote(n)}={HIDDEN if _is_secret_parameter(n) else quote(v)}" for n, v in pairs]
    return urlunsplit(parts._replace(netloc=netloc, query="&".join(shown)))


def mask_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """A source's configuration as it may be shown: no secret field, addresses masked."""
    return {
        name: mask_address(value) if isinstance(value, str) and "://" in value else value
        for name, value in values.items()
        if not (is_secret_name(name) or _is_secret_parameter(name))
    }


def _is_secret_parameter(name: str) -> bool:
    lowered = name.lower()
    return any(lowered == word or lowered.endswith(("_" + word, "-" + word)) for word in _PARAMETERS)
