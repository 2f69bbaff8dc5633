"""How many requests an API allows: counted in a small file that all sources and processes share and restarts keep.

A request is counted before it goes out, in a window that slides: in any 60 seconds and in any 24 hours no more than
the limit are used. SQLite's write lock makes counting and taking one step, however many processes ask at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import RateLimited, StoreUnavailable
from kiosque.sources.politeness import Wait

log = structlog.get_logger(__name__)

_MINUTE = 60.0
_DAY = 86_400.0
_TRIES = 20
_MARGIN = 0.05
"""Seconds added to a wait, so that the oldest request has certainly left the window."""
_TABLES = (
    "CREATE TABLE IF NOT EXISTS request (name TEXT NOT NULL, at REAL NOT NULL)",
    "CREATE INDEX IF NOT EXISTS request_at ON request (name, at)",
    "CREATE TABLE IF NOT EXISTS closed (name TEXT PRIMARY KEY, until REAL NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Window:
    """One limit: `used` of `limit` requests in the last `seconds`; the oldest leaves the window at `resets_at`."""

    seconds: float
    limit: int
    used: int
    resets_at: datetime | None

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class QuotaState:
    minute: Window
    day: Window
    closed_until: datetime | None = None
    """Set after the server itself said "too many requests"."""


class Quota:
    """The allowance of one API, kept in `path` under `name`.

    `take` waits for the next free moment through `wait` if that is at most `longest_wait` seconds away.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        wait: Wait,
        per_minute: int = 5,
        per_day: int = 500,
        name: str = "nyt",
        longest_wait: float = 75.0,
    ) -> None:
        self.name = name
        self._path = path
        self._clock = clock
        self._wait = wait
        self._limits = ((_MINUTE, per_minute), (_DAY, per_day))
        self._longest_wait = longest_wait

    def take(self) -> None:
        """Counts one request, waiting for a free moment if one is near. Raises RateLimited if none is.

        Gives up as well when waiting does not help: when others are always faster, or when `wait` returns early
        because the process stops.
        """
        for _ in range(_TRIES):
            delay = self._try()
            if not delay:
                return
            if delay > self._longest_wait:
                break
            log.debug("quota.wait", name=self.name, seconds=round(delay, 1))
            self._wait(delay)
        raise RateLimited(
            f"The quota of {self.name} is used up for {_spell(delay)}.",
            hint="See `kiosque source quota`; raise KIOSQUE_NYT_PER_DAY only if your key allows more.",
            retry_after=delay,
        )

    def close_for(self, seconds: float) -> None:
        """No request for so long: the server counted more than we did."""
        until = self._now() + seconds
        with self._transaction() as db:
            db.execute(
                "INSERT INTO closed VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET until = max(until, excluded.until)",
                (self.name, until),
            )

    def state(self) -> QuotaState:
        """What is used and left, for showing; counts nothing."""
        now = self._now()
        with self._transaction() as db:
            minute, day = (self._window(db, now, seconds, limit) for seconds, limit in self._limits)
            closed = self._closed_until(db)
        return QuotaState(minute, day, _moment(closed) if closed > now else None)

    def _try(self) -> float:
        """Counts a request and returns 0, or counts none and returns the seconds until one is free."""
        now = self._now()
        with self._transaction() as db:
            # What lies further ahead than a day was counted while the clock was wrong.
            db.execute(
                "DELETE FROM request WHERE name = ? AND (at <= ? OR at > ?)",
                (self.name, now - _DAY, now + _DAY),
            )
            free_at = max(self._free_at(db, now), self._closed_until(db))
            if free_at <= now:
                db.execute("INSERT INTO request VALUES (?, ?)", (self.name, now))
                return 0.0
        return min(free_at - now, _DAY) + _MARGIN

    def _free_at(self, db: sqlite3.Connection, now: float) -> float:
        """When the request that fills each window leaves it."""
        moments = [now]
        for seconds, limit in self._limits:
            row = db.execute(
                "SELECT at FROM request WHERE name = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
                (self.name, now - seconds, limit - 1),
            ).fetchone()
            moments.append(row[0] + seconds if row else now)
        return max(moments)

    def _window(self, db: sqlite3.Connection, now: float, seconds: float, limit: int) -> Window:
        used, oldest = db.execute(
            "SELECT count(*), min(at) FROM request WHERE name = ? AND at > ?", (self.name, now - seconds)
        ).fetchone()
        return Window(seconds, limit, used, _moment(oldest + seconds) if used else None)

    def _closed_until(self, db: sqlite3.Connection) -> float:
        row = db.execute("SELECT until FROM closed WHERE name = ?", (self.name,)).fetchone()
        return float(row[0]) if row else 0.0

    def _now(self) -> float:
        return self._clock().timestamp()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """A short transaction on a connection of its own: requests are seconds apart, threads many."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
                for statement in _TABLES:
                    db.execute(statement)
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(
                f"The quota file {self._path} cannot be used: {error}.",
                hint="Check that the data folder exists and is writable; if the file is damaged, delete it.",
            ) from error


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _spell(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
