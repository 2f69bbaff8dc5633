"""Who is asking: by API key, by token, or nobody. Nothing is cached, so that taking a right away works at once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from kiosque.api.keys import digest_of, is_key
from kiosque.api.passwords import Passwords
from kiosque.api.ratelimit import LoginThrottle
from kiosque.api.scopes import Caller, Scope, Via, granted, parse_scopes
from kiosque.api.tokens import TokenIssuer
from kiosque.core.clock import Clock
from kiosque.core.errors import StoreUnavailable, Unauthenticated
from kiosque.store import keys as stored_keys
from kiosque.store import users
from kiosque.store.database import Database
from kiosque.store.users import User

_USE_IS_RECORDED_EVERY = timedelta(minutes=1)
_log = structlog.get_logger(__name__)

AfterwardsTask = Callable[[], None]
"""Work that need not keep the caller waiting."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The caller, and what is to be written down once they have been answered."""

    caller: Caller
    afterwards: AfterwardsTask | None = None


class Authenticator:
    """Tells who is asking. Also used by the pages, so that a password is checked in one place."""

    def __init__(
        self,
        database: Database,
        *,
        tokens: TokenIssuer,
        passwords: Passwords,
        throttle: LoginThrottle,
        clock: Clock,
        open_reading: bool,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._passwords = passwords
        self._throttle = throttle
        self._clock = clock
        self._open_reading = open_reading

    def nobody(self, address: str) -> Caller:
        """Someone who has not said who they are: may read where reading is open, else nothing."""
        scopes = frozenset({Scope.READ}) if self._open_reading else frozenset[Scope]()
        return Caller(id=f"address:{address}", name="anonymous", scopes=scopes, via=Via.NOTHING)

    def identify(self, bearer: str) -> Identified:
        """The caller with this key or token. Raises Unauthenticated without saying why a key is refused."""
        if is_key(bearer):
            return self._by_key(bearer)
        return Identified(self._by_token(bearer))

    def log_in(self, username: str, password: str, address: str) -> User:
        """The user with this name and password. Unknown, disabled and wrong give the same answer after the same work.

        Raises Unauthenticated, or RateLimited after too many attempts.
        """
        self._throttle.check(username, address)
        with self._database.read() as tx:
            user = users.find(tx, username)
        right = self._passwords.is_right(password, user.password_hash if user else None)
        if user is None or not right or user.disabled:
            _log.warning("login.refused", address=address)
            raise Unauthenticated("Wrong user name or password.")
        self._throttle.succeeded(username, address)
        with self._database.write() as tx:
            users.record_login(tx, user.name, self._clock())
        return user

    def issue_token(self, user: User, scopes: frozenset[Scope]) -> str:
        """A token for `user` with those of `scopes` that the user has. It is good until the password changes."""
        return self._tokens.issue(user.name, scopes & user_scopes(user), bound_to=_fingerprint(user))

    def user_caller(self, name: str, via: Via) -> Caller:
        """The caller that a user is. Raises Unauthenticated when the user is gone or disabled."""
        return _caller(self._enabled_user(name), user_scopes, via)

    def hash_password(self, password: str) -> str:
        return self._passwords.hash(password)

    def _by_key(self, bearer: str) -> Identified:
        digest = digest_of(bearer)
        now = self._clock()
        with self._database.read() as tx:
            key = stored_keys.by_digest(tx, digest)
        if key is None or not hmac.compare_digest(key.digest, digest) or not key.usable_at(now):
            raise Unauthenticated(
                "The key is not valid.", hint="It may have been revoked or have expired; ask for a new one."
            )
        caller = Caller(
            id=f"key:{key.id}", name=key.name, scopes=granted(parse_scopes(key.scopes)), via=Via.KEY
        )
        due = key.last_used_at is None or now - key.last_used_at >= _USE_IS_RECORDED_EVERY
        return Identified(caller, (lambda: self._record_use(key.id, now)) if due else None)

    def _by_token(self, bearer: str) -> Caller:
        claims = self._tokens.read(bearer)
        user = self._enabled_user(claims.subject)
        if not hmac.compare_digest(claims.bound_to, _fingerprint(user)):
            raise Unauthenticated("The password was changed.", hint="Ask for a new token.")
        allowed = parse_scopes(claims.scopes)
        return _caller(user, lambda user: granted(allowed) & user_scopes(user), Via.TOKEN)

    def _enabled_user(self, name: str) -> User:
        with self._database.read() as tx:
            user = users.find(tx, name)
        if user is None or user.disabled:
            raise Unauthenticated("This user may not log in.", hint="Ask an administrator.")
        return user

    def _record_use(self, key_id: int, at: datetime) -> None:
        try:
            with self._database.write() as tx:
                stored_keys.record_use(tx, key_id, at)
        except StoreUnavailable as error:
            # Busy with an import, say: the next use is recorded instead.
            _log.info("key.use_not_recorded", key=key_id, reason=error.detail)


def user_scopes(user: User) -> frozenset[Scope]:
    """What `user` may do."""
    return granted(parse_scopes(user.scopes))


def _caller(user: User, scopes: Callable[[User], frozenset[Scope]], via: Via) -> Caller:
    return Caller(id=f"user:{user.name}", name=user.name, scopes=scopes(user), via=via)


def _fingerprint(user: User) -> str:
    """Changes with the password and says nothing of it."""
    return hashlib.sha256(b"kiosque/api/password/1\0" + user.password_hash.encode()).hexdigest()[:24]
