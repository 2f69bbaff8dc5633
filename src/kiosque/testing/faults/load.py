"""News and readers at a given rate against a split installation: what it can do, and what comes of more.

What is told to the bus is kept, so that the oracle can say at the end whether all of it was stored once.
"""

from __future__ import annotations

import random
import re
import threading
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kiosque.core.errors import BusUnavailable, KiosqueError
from kiosque.pipeline.produce import message_of
from kiosque.store import articles
from kiosque.testing.faults.installation import TOKEN, Installation
from kiosque.testing.faults.news import WIRE, Story, Writer
from kiosque.testing.faults.oracle import Oracle
from kiosque.testing.faults.traffic import Request, Traffic

BURST = 1_000
"""Articles by which it is measured how many a second are stored, while readers ask as fast as they can."""
_CALLERS = 8
_DETAILS = 1_000
_TICK = 0.05
_FEED_EVERY = 2.0
"""Seconds between two stories of a feed: so little that the producers are never what limits."""
FEED_SHOWS = 40
_HELD = re.compile(rb"^kiosque_articles_held (\S+)$", re.MULTILINE)
WEB_LIMIT = 600
SETTINGS = {
    "KIOSQUE_RATE_LIMIT": f"{WEB_LIMIT}/minute",
    "KIOSQUE_NATS_ACK_WAIT": "30",
    "KIOSQUE_PREDICT_TIMEOUT": "30",
    "KIOSQUE_MODEL_POLL_SECONDS": "2",
    "KIOSQUE_BATCH_SIZE": "64",
    "KIOSQUE_NATS_MAX_PENDING": "5000",
}
"""As an installation has them, but for batches and a backlog that do not hold up a short run."""


def readers_of(site: Installation) -> dict[str, Request]:
    """What readers and programs ask: the web server's API, and a predict server."""
    text = {
        "headline": "Ada Lane wins praise for the new railway",
        "targets": [{"id": "ada-lane", "name": "Ada Lane"}],
    }
    return {
        "web": Request(site.ports["web-1"], "GET", "/api/v1/articles?limit=20"),
        "predict": Request(site.ports["predict-1"], "POST", "/v1/polarity", {"texts": [text]}, TOKEN),
    }


@dataclass
class Press:
    """Tells stories on the bus, `rate` a second, and a few by feeds; keeps all of them. Close it at the end."""

    site: Installation
    seed: str
    shown: int = FEED_SHOWS
    """How many of its latest stories a feed shows."""
    rate: float = 0.0
    stories: dict[str, Story] = field(default_factory=dict)
    refused: int = 0
    """Times that the broker did not take what was published; it was published again."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._writer = Writer(f"load-{self.seed}")
        self._bus = self.site.open_bus()
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._print_wire, self._print_feeds)
        ]
        for thread in self._threads:
            thread.start()

    def count(self) -> int:
        with self._lock:
            return len(self.stories)

    def rolled_off(self) -> set[str]:
        """Keys of what a feed no longer showed before anybody fetched it: nobody can have it."""
        return set().union(*(feed.rolled_off() for feed in self.site.feeds))

    def told(self) -> list[Story]:
        with self._lock:
            return list(self.stories.values())

    def burst(self, count: int) -> None:
        """So many stories at once."""
        self._publish(self._write(count, WIRE))

    def waiting(self) -> int:
        """Articles that the broker has and no consumer has settled."""
        lag = self._bus.lag()
        return lag.pending + lag.in_flight

    def close(self) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        self._bus.close()

    def _write(self, count: int, source: str) -> list[Story]:
        with self._lock:
            made = [self._writer.story(self._chance, source) for _ in range(count)]
            self.stories.update({story.key: story for story in made})
        return made

    def _publish(self, stories: Sequence[Story]) -> None:
        messages = [message_of(story.article) for story in stories]
        while messages:
            try:
                self._bus.publish(messages)
                return
            except BusUnavailable:
                self.refused += 1
                time.sleep(0.2)

    def _print_wire(self) -> None:
        """What is late is told together, as a wire does; a slow broker slows the telling: that is its pressure."""
        due = time.monotonic()
        while not self._done.wait(_TICK):
            now = time.monotonic()
            due = max(due, now - 1.0) if self.rate else now
            count = int((now - due) * self.rate)
            if count:
                due += count / self.rate
                self._publish(self._write(count, WIRE))

    def _print_feeds(self) -> None:
        while not self._done.wait(_FEED_EVERY):
            for feed in self.site.feeds if self.rate else ():
                feed.add([story.article for story in self._write(1, feed.id)])
                feed.put_aside(self.shown)


@dataclass(frozen=True, slots=True)
class Sustainable:
    """What this machine does for ever, all of it at once, a second: articles stored, requests answered by each."""

    articles: float
    requests: Mapping[str, float]


def measure(site: Installation, press: Press) -> Sustainable:
    """News and a predict server at the same time, each with more than it can do: they share the processors. Of the
    web server a reader is let have so many requests a minute (`KIOSQUE_RATE_LIMIT`): that is what it sustains for one
    address.
    """
    press.burst(BURST // 4)
    wait_until_stored(site, press, 120.0)
    asked = Traffic({"predict": readers_of(site)["predict"]}, {"predict": 400.0}, at_once=_CALLERS)
    began = time.monotonic()
    press.burst(BURST)
    wait_until_stored(site, press, 120.0)
    took = time.monotonic() - began
    answers = asked.collect()["predict"]
    asked.close()
    requests = {"web": WEB_LIMIT / 60.0, "predict": round(answers.statuses[200] / took, 1)}
    return Sustainable(round(BURST / took, 1), requests)


def wait_until_stored(site: Installation, press: Press, seconds: float) -> float | None:
    """Seconds until the broker has nothing left and the store all that could be had; None when it takes longer."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        try:
            if press.waiting() == 0 and stored(site) >= press.count() - len(press.rolled_off()):
                return time.monotonic() - began
        except KiosqueError:
            pass
        time.sleep(0.1)
    return None


def held(site: Installation) -> int:
    """Articles that the producers have fetched and the bus has not taken yet."""
    found = 0.0
    for producer in site.of_kind("producer"):
        address = f"http://127.0.0.1:{site.ports[producer.name]}/metrics"
        with urllib.request.urlopen(address, timeout=30) as answer:
            found += float(_HELD.findall(answer.read())[0])
    return int(found)


def stored(site: Installation) -> int:
    with site.database.read() as tx:
        return articles.count(tx)


def judged(site: Installation, press: Press) -> dict[str, object]:
    """The oracle's word over everything that was put on the bus or fetched; what each version said is looked at for
    _DETAILS of them. What rolled off its feed before anybody fetched it is counted apart, and must not be stored.
    """
    oracle = Oracle(site.database, (site.models.shipped,))
    rolled_off = press.rolled_off()
    stories = {story.key: story for story in press.told() if story.key not in rolled_off}
    details = random.Random(press.seed).sample(sorted(stories), min(_DETAILS, len(stories)))
    problems = oracle.judge(stories, {}, details=details)
    missing = oracle.missing(list(stories.values()))
    return {
        "articles": len(stories),
        "never_fetched": len(rolled_off),
        "lost": sum(problem.kind == "lost" for problem in problems),
        "duplicated": sum(problem.kind == "duplicated" for problem in problems),
        "problems": [str(problem) for problem in problems[:20]]
        + [f"{k}: {why}" for k, why in list(missing.items())[:20]],
    }
