"""Not being a burden: how long to wait before a host is asked again, and what its headers say about that."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kiosque.core.clock import to_utc
from kiosque.core.errors import RateLimited, TryAgain

Wait = Callable[[float], None]
"""Waits for so many seconds; `until_stopped` makes one that ends when the process does."""

_LONGEST = 86_400.0
"""Seconds; no server is believed beyond a day."""


def until_stopped(stop: threading.Event) -> Wait:
    """A `Wait` that gives up with TryAgain as soon as `stop` is set."""

    def wait(seconds: float) -> None:
        if stop.wait(seconds):
            raise TryAgain("Kiosque is stopping.")

    return wait


@dataclass(slots=True)
class Hosts:
    """When each host may be asked next."""

    pace: float
    monotonic: Callable[[], float]
    _next: dict[str, float] = field(default_factory=dict)
    _alone_until: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, host: str) -> None:
        """Raises RateLimited while `host` has asked to be left alone."""
        with self._lock:
            left = self._alone_until.get(host, 0.0) - self.monotonic()
        if left > 0:
            raise RateLimited(f"{host} asked to be left alone for {left:.0f} s more.", retry_after=left)

    def leave_alone(self, host: str, seconds: float) -> None:
        with self._lock:
            self._alone_until[host] = max(self._alone_until.get(host, 0.0), self.monotonic() + seconds)

    def reserve(self, host: str) -> float:
        """Takes the next free moment at `host` and returns the seconds until then."""
        with self._lock:
            now = self.monotonic()
            moment = max(now, self._next.get(host, now))
            self._next[host] = moment + self.pace
            return moment - now


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds to wait, out of a Retry-After header in seconds or as a date; None if there is none to be read."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (to_utc(parsedate_to_datetime(value)) - now.astimezone(UTC)).total_seconds()
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return min(seconds, _LONGEST) if seconds > 0 else None


def read_max_age(cache_control: str) -> float | None:
    """Seconds out of a Cache-Control header; None where it says nothing."""
    for directive in cache_control.split(","):
        name, _, value = directive.strip().partition("=")
        if name.lower() == "max-age" and value.strip('"').isdecimal():
            return min(float(value.strip('"')), _LONGEST)
    return None
