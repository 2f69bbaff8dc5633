"""Measure how long the server works at each page.

    python benchmarks/page_times.py FOLDER [--requests 25] [--only /people]

Starts `kiosque web` on the folder (see million_mentions.py) and asks for every page one request at a time. Two
clocks: what somebody waits, and what the process worked in that time (all its threads, from the kernel's scheduler
statistics), which stays true on a machine that does other things besides. Writes a Markdown table to stdout.
"""

from __future__ import annotations

import argparse
import http.client
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote, urlsplit

from kiosque.testing.processes import Running, running


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of every request, waited and worked; bytes of one answer."""

    path: str
    waited: list[float]
    worked: list[float]
    size: int

    def row(self) -> str:
        numbers = [f(each) for each in (self.worked, self.waited) for f in (_median, _p95)]
        return (
            f"| `{self.path}` | " + " | ".join(f"{n:.0f}" for n in numbers) + f" | {self.size / 1000:.0f} |"
        )


def _median(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[9]


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[18]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=25)
    parser.add_argument("--only", default="", help="pages whose address has this in it")
    asked = parser.parse_args()
    paths = [path for path in pages(asked.folder / "kiosque.sqlite") if asked.only in path]
    settings = {"KIOSQUE_LOG_LEVEL": "warning", "KIOSQUE_RATE_LIMIT": ""}
    with running("web", data_dir=asked.folder.absolute(), timeout=600, **settings) as server:
        print("| page | worked p50 | p95 | waited p50 | p95 | kB |\n|---|--:|--:|--:|--:|--:|")
        for path in paths:
            print(measure(server, path, asked.requests).row(), flush=True)
        server.stop()
    return 0


def pages(database: Path) -> list[str]:
    """Every page with numbers on it, for the names that have most of them: the worst case of each."""
    with closing(sqlite3.connect(database)) as db:
        top = [
            row[0]
            for row in db.execute(
                "SELECT e.id FROM mention m JOIN entity e ON e.pk = m.entity_pk "
                "GROUP BY e.pk ORDER BY count(*) DESC LIMIT 6"
            )
        ]
        (story,) = db.execute(
            "SELECT id FROM article WHERE pk = (SELECT article_pk FROM mention GROUP BY article_pk "
            "ORDER BY count(*) DESC, article_pk DESC LIMIT 1)"
        ).fetchone()
        (book,) = db.execute("SELECT key FROM book ORDER BY pk LIMIT 1").fetchone()
        words = [row[0] for row in db.execute("SELECT headline FROM article ORDER BY pk DESC LIMIT 400")]
    common, rare = _words(words)
    return [
        "/",
        "/?period=week",
        "/?period=month",
        "/?period=decade",
        "/people",
        "/people?q=john",
        f"/people/{top[0]}",
        f"/people/{top[0]}?by=week&since=2016-01-01&until=2016-12-31",
        f"/people/{top[0]}?by=month",
        f"/compare?entities={top[0]},{top[1]}",
        f"/compare?entities={','.join(top)}",
        f"/compare?entities={','.join(top)}&by=month",
        "/elections",
        "/elections?years=1860,1948,2016",
        "/elections/2016",
        "/elections/1860",
        "/articles",
        f"/articles?entity={top[0]}",
        f"/articles?entity={top[0]}&polarity=negative&since=2016-01-01&until=2016-12-31",
        "/articles?polarity=negative",
        "/articles?sort=negative",
        "/articles?section=Politics",
        "/articles?source=archive",
        f"/articles?q={quote(common)}",
        f"/articles?q={quote(common)}&sort=relevance",
        f"/articles?q={quote(common)}&entity={top[0]}",
        f"/articles?q={quote(rare)}",
        f"/articles?q={quote(common + ' ' + rare)}",
        f"/articles/{story}",
        "/books",
        "/books?q=lincoln",
        f"/books/{quote(book)}",
        "/for-you",
        "/models",
        "/models/polarity",
        "/searches",
        "/alerts",
        "/operations",
        "/api",
        "/about",
    ]


def _words(headlines: list[str]) -> tuple[str, str]:
    """The word that most of the headlines have, and one that few have."""
    numbers: dict[str, int] = {}
    for headline in headlines:
        for word in set(headline.lower().split()):
            numbers[word] = numbers.get(word, 0) + 1
    ordered = sorted(numbers, key=lambda word: (-numbers[word], word))
    return ordered[0], ordered[-1]


def measure(server: Running, path: str, requests: int) -> Measured:
    """Ask `requests` times, after two that warm up."""
    waited, worked, size = [], [], 0
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=600)
    for number in range(requests + 2):
        before, started = _worked(server), time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        seconds, busy = time.perf_counter() - started, _worked(server) - before
        if answer.status != 200:
            raise SystemExit(f"{path}: status {answer.status}")
        if number >= 2:
            waited.append(1000 * seconds)
            worked.append(1000 * busy)
    connection.close()
    return Measured(path, waited, worked, size)


def _worked(server: Running) -> float:
    """Seconds that the process's threads ran on a processor so far."""
    total = 0
    for thread in Path(f"/proc/{server.process.pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # it has just ended
            continue
    return total / 1e9


if __name__ == "__main__":
    sys.exit(main())
