"""Killed at any point and started again, nothing is lost and nothing is there twice."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.protocol import Lag
from kiosque.bus.stream import StreamSettings
from kiosque.core.article import Article
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.pipeline.produce import message_of
from kiosque.store import articles, dead_letters, jobs, mentions, sources
from kiosque.store.articles import ArticleFilter
from kiosque.store.database import Database, sqlite_database
from kiosque.testing.pipeline import score_of
from kiosque.testing.servers import NatsServer

PROCESS = Path(__file__).with_name("crash_process.py")
PEOPLE = ("Lane", "Reed", "Moss", "Finch")
KILLS = 8
STORIES = 1_500
CORRECTED = 200


@dataclass
class Expected:
    """What must be in the store at the end: headline by URL, and how many rows of each kind the file has."""

    headlines: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    rejected: int = 0
    repeated: int = 0

    def people(self, url: str) -> set[str]:
        words = self.headlines[url].split()
        return {name.lower() for name in PEOPLE if name in words}


def write_file(path: Path, chance: random.Random) -> Expected:
    """Stories, some without a date; then corrections of some, and some again unchanged."""
    expected = Expected()
    urls = [f"https://example.org/{n}" for n in range(STORIES)]
    lines: list[dict[str, str]] = []
    for n, url in enumerate(urls):
        named = chance.sample(PEOPLE, chance.randint(0, 3)) or ["Nobody"]
        expected.headlines[url] = f"Report {n}: {' '.join(named)} Speaks"
        lines.append({"url": url, "headline": expected.headlines[url], "date": "2024-11-06"})
        if n % 97 == 0:
            lines.append({"url": f"{url}/undated", "headline": "Nobody Knows When"})
            expected.rejected += 1
    # Corrections stand more than a page behind: of a key that comes twice on one page, a source keeps the first.
    for url in chance.sample(urls[:-100], CORRECTED):
        expected.headlines[url] = f"Correction: {' '.join(chance.sample(PEOPLE, 2))} Speaks of {url[-3:]}"
        lines.append({"url": url, "headline": expected.headlines[url], "date": "2024-11-06"})
    for url in chance.sample(urls, 100):
        lines.append({"url": url, "headline": expected.headlines[url], "date": "2024-11-06"})
        expected.repeated += 1
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    expected.rows = len(lines)
    return expected


class Process:
    """A `crash_process.py` that can be killed; what it says goes to a file, so that it never waits for us."""

    def __init__(self, folder: Path, mode: str, *arguments: str | Path) -> None:
        self._out = folder / "out"
        with self._out.open("wb") as out, (folder / "err").open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, str(PROCESS), mode, *map(str, arguments)], stdout=out, stderr=err
            )
        self._err = folder / "err"

    def steps(self) -> int:
        """What it has done so far: one for being ready, one for each article or transaction."""
        return sum(line.startswith(("at", "ready")) for line in self._out.read_text().splitlines())

    def kill_somewhere(self, chance: random.Random, *, most: int) -> bool:
        """Kill -9 after a random number of steps and a moment more; False if it had ended before.

        One that finds nothing to do is killed while it waits.
        """
        wanted, deadline = chance.randint(1, most), time.monotonic() + 20
        pause = threading.Event()
        while self._process.poll() is None and self.steps() < wanted and time.monotonic() < deadline:
            pause.wait(0.002)
        pause.wait(chance.random() * 0.03)
        alive = self._process.poll() is None
        self.kill()
        return alive

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(60)

    def stop(self) -> None:
        """End it as a shutdown would."""
        self._process.terminate()
        assert self._process.wait(60) == 0, self._err.read_text()[-3_000:]

    def finish(self) -> dict[str, int]:
        """Let it come to its end; the counters that it says last."""
        assert self._process.wait(240) == 0, self._err.read_text()[-3_000:]
        counters: dict[str, int] = json.loads(self._out.read_text().splitlines()[-1])
        return counters


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts processes; none of them outlives the test."""
    started: list[Process] = []

    def make(mode: str, *arguments: str | Path) -> Process:
        folder = tmp_path / f"process{len(started)}"
        folder.mkdir()
        started.append(Process(folder, mode, *arguments))
        return started[-1]

    yield make
    for process in started:
        process.kill()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Another course each time; what failed is repeated with `KIOSQUE_TEST_SEED`."""
    seed = os.environ.get("KIOSQUE_TEST_SEED") or str(random.SystemRandom().randrange(10**9))
    request.node.user_properties.append(("seed", seed))
    sys.stdout.write(f"KIOSQUE_TEST_SEED={seed}\n")
    return random.Random(seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    made.mkdir()
    return made


def check_file(path: Path) -> None:
    """The database as SQLite itself sees it."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    made = sqlite_database(folder / "kiosque.sqlite")
    yield made
    made.close()


def check_store(database: Database, expected: Expected) -> None:
    """Every article once with its last text; every mention, none twice, scored as its text says."""
    with database.read() as tx:
        given_up = dead_letters.page(tx, limit=3)
        assert given_up.items == (), "nothing here is beyond help"
        rows = {row.article.url: row for row in articles.iterate(tx)}
        assert articles.count(tx) == len(rows) == len(expected.headlines)
        assert mentions.count_missing(tx, "v1") == 0
        found = mentions.of_articles(tx, [row.pk for row in rows.values()])
        assert mentions.count(tx) == sum(map(len, found.values()))
        for url, headline in expected.headlines.items():
            row = rows[url]
            assert row.article.headline == headline
            assert {each.entity_id for each in found[row.pk]} == expected.people(url)
            for each in found[row.pk]:
                spans = tuple(score.span for score in each.mention.spans)
                assert [headline[s.start : s.end].lower() for s in spans] == [each.entity_id]
                asked = ScoringRequest(headline, targets=())
                wanted = score_of(asked, Target(each.entity_id, each.entity_name, spans))
                assert each.mention.probabilities == wanted.probabilities
        corrected = sum(h.startswith("Correction") for h in expected.headlines.values())
        assert articles.count(tx, ArticleFilter(query="correction")) == corrected


@pytest.mark.timeout(600)
def test_an_import_that_is_killed_again_and_again_ends_as_if_it_never_was(
    folder: Path, tmp_path: Path, database: Database, chance: random.Random, start: Start
) -> None:
    file = tmp_path / "news.jsonl"
    expected = write_file(file, chance)
    for kills in range(KILLS):
        assert start("import", folder, file).kill_somewhere(chance, most=9), f"it ended after {kills} kills"
        check_file(folder / "kiosque.sqlite")
    counters = start("import", folder, file).finish()
    check_file(folder / "kiosque.sqlite")
    assert counters["read"] == expected.rows
    assert counters["new"] == STORIES
    assert counters["updated"] == CORRECTED
    assert counters["duplicates"] == expected.repeated
    assert (
        counters["rejected"] == expected.rejected == len((folder / "rejects.jsonl").read_text().splitlines())
    )
    check_store(database, expected)
    with database.read() as tx:
        assert jobs.unfinished(tx) == ()


@pytest.mark.timeout(600)
def test_a_poll_that_is_killed_again_and_again_loses_nothing_on_the_inline_bus(
    folder: Path, tmp_path: Path, database: Database, chance: random.Random, start: Start
) -> None:
    file = tmp_path / "news.jsonl"
    expected = write_file(file, chance)
    for kills in range(KILLS):
        assert start("poll", folder, file).kill_somewhere(chance, most=150), f"it ended after {kills} kills"
        check_file(folder / "kiosque.sqlite")
    start("poll", folder, file).finish()
    check_file(folder / "kiosque.sqlite")
    check_store(database, expected)
    with database.read() as tx:
        state = sources.get(tx, "file")
    assert state.last_success_at is not None


@pytest.mark.timeout(600)
def test_consumers_that_are_killed_again_and_again_lose_nothing_of_a_broker(
    postgres_url: str,
    postgres_database: Database,
    nats: NatsServer,
    tmp_path: Path,
    chance: random.Random,
    start: Start,
) -> None:
    """Two consumer processes share a stream; now one, now the other is killed in the middle of its work."""
    expected = write_file(tmp_path / "news.jsonl", chance)
    stream = f"crash{chance.randrange(10**9)}"
    bus = JetStreamBus(nats.url, stream=StreamSettings(name=stream, ack_wait=1.0))

    def consumer() -> Process:
        return start("consume", postgres_url, nats.url, stream)

    first = {url: f"Report {n}: Nobody Speaks" for n, url in enumerate(expected.headlines)}
    for headlines in (first, expected.headlines):  # each story, and then a correction of it
        publish(bus, headlines)
        kill_consumers(consumer, chance)
        drain(bus, consumer())
    assert bus.lag() == Lag(pending=0, in_flight=0)
    bus.close()
    check_store(postgres_database, expected)


def publish(bus: JetStreamBus, headlines: dict[str, str]) -> None:
    day = datetime(2024, 11, 6, tzinfo=UTC)
    stories = [Article(url, "file", headline, day, url=url) for url, headline in headlines.items()]
    bus.publish([message_of(story) for story in stories])


def kill_consumers(consumer: Callable[[], Process], chance: random.Random) -> None:
    running = [consumer(), consumer()]
    for kills in range(KILLS // 2):
        running[kills % 2].kill_somewhere(chance, most=60)
        running[kills % 2] = consumer()
    for process in running:
        process.kill()


def drain(bus: JetStreamBus, consumer: Process) -> None:
    """Leave one consumer alone until nothing waits; what dead ones held comes back after up to ten seconds each."""
    deadline, pause = time.monotonic() + 200, threading.Event()
    while bus.lag() != Lag(pending=0, in_flight=0):
        assert time.monotonic() < deadline, bus.lag()
        pause.wait(0.1)
    consumer.stop()
