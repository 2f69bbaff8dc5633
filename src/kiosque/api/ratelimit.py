"""How many requests one key, user or address may make, and how often one may try a password."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from kiosque.core.errors import InvalidSettings, RateLimited


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: `reset` is in how many seconds at least one more request is allowed."""

    limit: int
    window: int
    remaining: int
    reset: int
    allowed: bool

    def headers(self) -> Mapping[str, str]:
        """`RateLimit-*` as clients know them."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={self.window}",
        }


class RateLimiter:
    """Counts requests in this process's memory. `rule` is like `600/minute`; empty means no limit."""

    def __init__(self, rule: str) -> None:
        self._item = _parse(rule) if rule.strip() else None
        self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, who: str) -> Allowance | None:
        """Count one request of `who`; None when there is no limit."""
        if self._item is None:
            return None
        allowed = self._strategy.hit(self._item, who)
        stats = self._strategy.get_window_stats(self._item, who)
        return Allowance(
            limit=self._item.amount,
            window=self._item.get_expiry(),
            remaining=stats.remaining if allowed else 0,
            reset=max(1, math.ceil(stats.reset_time - time.time())),
            allowed=allowed,
        )

    def give_back(self, who: str) -> None:
        """Forget what was counted for `who`."""
        if self._item is not None:
            self._strategy.clear(self._item, who)


class LoginThrottle:
    """Slows down guessing of passwords: by user and address together, by address, and by user.

    The last one is wide, so that a stranger cannot easily lock a user out, and still bounds
    what many addresses together can try.
    """

    def __init__(
        self, *, pair: str = "5/5minutes", address: str = "30/5minutes", user: str = "100/hour"
    ) -> None:
        self._pair = RateLimiter(pair)
        self._address = RateLimiter(address)
        self._user = RateLimiter(user)

    def check(self, username: str, address: str) -> None:
        """Count one attempt. Raises RateLimited, saying when to come back."""
        user = _digest(username)
        for limiter, who in (
            (self._pair, f"{user} {address}"),
            (self._address, address),
            (self._user, user),
        ):
            allowance = limiter.take(who)
            if allowance and not allowance.allowed:
                raise RateLimited(
                    "Too many attempts to log in.",
                    hint="Wait, then try again.",
                    retry_after=allowance.reset,
                )

    def succeeded(self, username: str, address: str) -> None:
        """A right password clears what was counted for this user from this address."""
        self._pair.give_back(f"{_digest(username)} {address}")


def client_of(host: str | None) -> str:
    """One client as limits see it: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return host or "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def _digest(username: str) -> str:
    """Bounds the memory that a made-up name takes."""
    folded = username.casefold().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(folded, digest_size=12).hexdigest()


def _parse(rule: str) -> RateLimitItem:
    try:
        return parse(rule)
    except ValueError as error:
        raise InvalidSettings(
            f"KIOSQUE_RATE_LIMIT: {rule!r} is no limit.", hint="Write it like 600/minute; empty for none."
        ) from error
