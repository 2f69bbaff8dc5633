"""Measure how long the server works at each page.

    python benchmarks/page_times.py FOLDER [--rounds 3] [--requests 25] [--only people]

Starts `kiosque web` on the folder (see million_mentions.py) and asks for every page one request at a time, all pages
once a round. What counts is how long the process worked in that time (all its threads, from the kernel's scheduler
statistics), which stays true on a machine that does other things besides. Writes a Markdown table to stdout: the
median of the rounds' medians, the 95th percentile of the quietest and of the noisiest round.
"""

from __future__ import annotations

import argparse
import http.client
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import quote, urlsplit

from kiosque.testing.processes import Running, running


@dataclass(frozen=True, slots=True)
class Round:
    """Milliseconds that the process worked at each request; bytes of one answer."""

    worked: list[float]
    size: int


def row(name: str, rounds: list[Round]) -> str:
    slow = [_p95(each.worked) for each in rounds]
    middle = median(_median(each.worked) for each in rounds)
    return f"| {name} | {middle:.0f} | {min(slow):.0f} | {max(slow):.0f} | {rounds[-1].size / 1000:.0f} |"


def _median(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[9]


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[18]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=25)
    parser.add_argument("--only", default="", help="pages whose name has this in it")
    asked = parser.parse_args()
    chosen = {
        name: path for name, path in pages(asked.folder / "kiosque.sqlite").items() if asked.only in name
    }
    found: dict[str, list[Round]] = {name: [] for name in chosen}
    settings = {"KIOSQUE_LOG_LEVEL": "warning", "KIOSQUE_RATE_LIMIT": ""}
    with running("web", data_dir=asked.folder.absolute(), timeout=600, **settings) as server:
        for number in range(asked.rounds):
            print(f"round {number + 1}", file=sys.stderr, flush=True)
            for name, path in chosen.items():
                found[name].append(measure(server, path, asked.requests))
        server.stop()
    print("| page | median | p95, quietest round | p95, noisiest round | kB |\n|---|--:|--:|--:|--:|")
    for name, rounds in found.items():
        print(row(name, rounds))
    return 0


def pages(database: Path) -> dict[str, str]:
    """Name → address of every page with numbers on it, for the entities that have most of them: the worst cases."""
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
    year = "since=2016-01-01&until=2016-12-31"
    return {
        "overview of a year": "/",
        "overview of a week": "/?period=week",
        "overview of a month": "/?period=month",
        "overview of a decade": "/?period=decade",
        "people": "/people",
        "people, searched": "/people?q=john",
        "the person named most": f"/people/{top[0]}",
        "the same, a year by week": f"/people/{top[0]}?by=week&{year}",
        "the same by month, 620 stretches": f"/people/{top[0]}?by=month",
        "two people compared": f"/compare?entities={top[0]},{top[1]}",
        "six people compared": f"/compare?entities={','.join(top)}",
        "six people compared by month": f"/compare?entities={','.join(top)}&by=month",
        "all 44 campaigns": "/elections",
        "three campaigns": "/elections?years=1860,1948,2016",
        "one campaign, 2016": "/elections/2016",
        "one campaign, 1860": "/elections/1860",
        "articles, newest first": "/articles",
        "articles about the person named most": f"/articles?entity={top[0]}",
        "negative ones of a year about them": f"/articles?entity={top[0]}&polarity=negative&{year}",
        "negative articles": "/articles?polarity=negative",
        "most negative first": "/articles?sort=negative",
        "articles of a section": "/articles?section=Politics",
        "articles of a source": "/articles?source=archive",
        "the commonest word, newest first": f"/articles?q={quote(common)}",
        "the commonest word, best fit first": f"/articles?q={quote(common)}&sort=relevance",
        "the commonest word and a person": f"/articles?q={quote(common)}&entity={top[0]}",
        "a rare word": f"/articles?q={quote(rare)}",
        "a common and a rare word": f"/articles?q={quote(common + ' ' + rare)}",
        "an article": f"/articles/{story}",
        "books": "/books",
        "books, searched": "/books?q=lincoln",
        "a book": f"/books/{quote(book)}",
        "books for you, nothing ticked": "/for-you",
        "models": "/models",
        "one model with its drift": "/models/polarity",
        "saved searches": "/searches",
        "alerts": "/alerts",
        "operations": "/operations",
        "API": "/api",
        "about": "/about",
    }


def _words(headlines: list[str]) -> tuple[str, str]:
    """The word that most of the headlines have, and one that few have."""
    numbers: dict[str, int] = {}
    for headline in headlines:
        for word in set(headline.lower().split()):
            numbers[word] = numbers.get(word, 0) + 1
    ordered = sorted(numbers, key=lambda word: (-numbers[word], word))
    return ordered[0], ordered[-1]


def measure(server: Running, path: str, requests: int) -> Round:
    """Ask `requests` times, after two that warm up."""
    worked, size = [], 0
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=600)
    for number in range(requests + 2):
        before = _worked(server)
        connection.request("GET", path)
        answer = connection.getresponse()
        size = len(answer.read())
        busy = _worked(server) - before
        if answer.status != 200:
            raise SystemExit(f"{path}: status {answer.status}")
        if number >= 2:
            worked.append(1000 * busy)
    connection.close()
    return Round(worked, size)


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
