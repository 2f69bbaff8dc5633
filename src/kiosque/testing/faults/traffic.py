"""Requests at a given rate, whatever becomes of them: callers who do not wait for one another."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

BUCKETS = (1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
"""Upper ends of the histogram's classes, in milliseconds; what takes longer is the last class."""
PATIENCE = 30.0
_OPEN_AT_ONCE = 1_500
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_RETRY_AFTER = re.compile(rb"\r\nretry-after: *\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of 127.0.0.1, again and again."""

    port: int
    method: str
    path: str
    body: object = None
    token: str | None = None

    def encode(self) -> bytes:
        data = b"" if self.body is None else json.dumps(self.body).encode()
        head = [f"{self.method} {self.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        if self.token:
            head.append(f"Authorization: Bearer {self.token}")
        if data:
            head += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        return "\r\n".join([*head, "", ""]).encode() + data


@dataclass
class Answers:
    """What came of many requests. Status 0 is no answer: refused, reset or too late."""

    sent: int = 0
    left_out: int = 0
    """Not sent, because too many were open already."""
    statuses: Counter[int] = field(default_factory=Counter)
    milliseconds: dict[int, list[float]] = field(default_factory=dict)
    without_retry_after: int = 0
    """Refusals (429, 503) that did not say when to come again."""

    def note(self, status: int, seconds: float, *, says_when: bool) -> None:
        self.statuses[status] += 1
        self.milliseconds.setdefault(status, []).append(seconds * 1000)
        if status in (429, 503) and not says_when:
            self.without_retry_after += 1

    def summary(self) -> dict[str, object]:
        good = sorted(ms for status, times in self.milliseconds.items() if status == 200 for ms in times)
        return {
            "sent": self.sent,
            "left_out": self.left_out,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "without_retry_after": self.without_retry_after,
            "p50_ms": _percentile(good, 0.5),
            "p95_ms": _percentile(good, 0.95),
            "max_ms": _percentile(good, 1.0),
            "histogram": histogram(good),
            "refusal_p95_ms": _percentile(
                sorted(
                    ms for status, times in self.milliseconds.items() if status in (429, 503) for ms in times
                ),
                0.95,
            ),
        }


def histogram(milliseconds: Iterable[float]) -> list[int]:
    """How many lie in each class of BUCKETS, and above the last."""
    counts = [0] * (len(BUCKETS) + 1)
    for value in milliseconds:
        counts[next((n for n, end in enumerate(BUCKETS) if value <= end), len(BUCKETS))] += 1
    return counts


def _percentile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None


class Traffic:
    """Sends requests, `rates` a second by name, in a thread of its own; rates may be changed. Close it at the end."""

    def __init__(
        self, requests: Mapping[str, Request], rates: Mapping[str, float], *, at_once: int = _OPEN_AT_ONCE
    ) -> None:
        """`at_once`: what is due while so many are open is left out."""
        self._at_once = at_once
        self._requests = {name: (request.port, request.encode()) for name, request in requests.items()}
        self.rates = dict(rates)
        self._answers = {name: Answers() for name in requests}
        self._lock = threading.Lock()
        self.open = 0
        """Requests that are not answered yet."""
        self._loop = asyncio.new_event_loop()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._thread.start()

    def collect(self) -> dict[str, Answers]:
        """What has come since the last time."""
        with self._lock:
            taken, self._answers = self._answers, {name: Answers() for name in self._requests}
        return taken

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._work())

    async def _work(self) -> None:
        tasks: set[asyncio.Task[None]] = set()
        due = dict.fromkeys(self._requests, time.monotonic())
        while not self._closing:
            now = time.monotonic()
            for name in self._requests:
                while self.rates.get(name) and due[name] <= now:
                    due[name] = max(due[name] + 1.0 / self.rates[name], now - 1.0)
                    self._begin(name, tasks)
                if not self.rates.get(name):
                    due[name] = now
            await asyncio.sleep(0.005)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, name: str, tasks: set[asyncio.Task[None]]) -> None:
        with self._lock:
            self._answers[name].sent += 1
            if self.open >= self._at_once:
                self._answers[name].left_out += 1
                return
        self.open += 1
        task = self._loop.create_task(self._ask(name))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _ask(self, name: str) -> None:
        port, data = self._requests[name]
        began = time.monotonic()
        head = b""
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(data)
                head = await reader.readuntil(b"\r\n\r\n")
                while await reader.read(65_536):
                    pass
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.open -= 1
            if writer is not None:
                with suppress(Exception):
                    writer.transport.abort()
        found = _STATUS.match(head)
        with self._lock:
            self._answers[name].note(
                int(found[1]) if found else 0,
                time.monotonic() - began,
                says_when=_RETRY_AFTER.search(head) is not None,
            )
