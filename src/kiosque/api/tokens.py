"""Short-lived tokens: JWT, HS256 and nothing else, signed with a key derived for this purpose only."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from kiosque.core.clock import Clock
from kiosque.core.errors import Unauthenticated

_ALGORITHM = "HS256"
_ISSUER = "kiosque"
_AUDIENCE = "kiosque-api"
_REQUIRED = ["iss", "aud", "sub", "scope", "jti", "iat", "exp", "bnd"]
_LEEWAY = timedelta(seconds=30)
"""How far the clock of the machine that issued a token may be ahead."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    subject: str
    scopes: frozenset[str]
    token_id: str
    issued_at: datetime
    expires_at: datetime
    bound_to: str
    """What the subject must still have for the token to be good, e.g. a fingerprint of the password."""


class TokenIssuer:
    """Signs and reads tokens. `secret` is the installation's secret key; it is never used as it is."""

    def __init__(
        self,
        secret: str,
        *,
        lifetime: timedelta,
        clock: Clock,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._key = hmac.new(secret.encode(), b"kiosque/api/token/1", hashlib.sha256).digest()
        self._clock = clock
        self._new_id = new_id
        self.lifetime = lifetime

    def issue(self, subject: str, scopes: Iterable[str], *, bound_to: str = "") -> str:
        """A token for `subject`; `scopes` is what it may do at most."""
        now = self._clock()
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": subject,
            "scope": " ".join(sorted(scopes)),
            "jti": self._new_id(),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "bnd": bound_to,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str) -> Claims:
        """What `token` says. Raises Unauthenticated when it is not ours, changed, incomplete or expired."""
        try:
            payload = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=_AUDIENCE,
                # The times are compared below, with the clock that was handed in.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            claims = _claims(payload)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise Unauthenticated("The token is not valid.", hint="Ask for a new one.") from error
        self._check_times(claims)
        return claims

    def _check_times(self, claims: Claims) -> None:
        now = self._clock()
        if claims.expires_at <= now:
            raise Unauthenticated("The token has expired.", hint="Ask for a new one.")
        if claims.issued_at > now + _LEEWAY:
            raise Unauthenticated("The token is not valid yet.", hint="Check the clock of this machine.")


def _claims(payload: dict[str, object]) -> Claims:
    return Claims(
        subject=_text(payload["sub"]),
        scopes=frozenset(_text(payload["scope"]).split()),
        token_id=_text(payload["jti"]),
        bound_to=_text(payload["bnd"]),
        issued_at=_moment(payload["iat"]),
        expires_at=_moment(payload["exp"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("times are whole seconds")
    return datetime.fromtimestamp(value, UTC)
