"""Fill a data folder with made-up news: a million mentions by default, for measuring pages and questions.

    python benchmarks/million_mentions.py FOLDER [--mentions 1000000]

The folder gets what a new installation has (watch lists, books, demo news, models), then articles from 1852 on whose
words are drawn from the project's own list of headline words. More news in late years and in campaigns, few people
named often and many seldom, two thirds of all mentions neutral. A year is one transaction; broken off anywhere, the
next run goes on where this one stopped. The same seed makes the same news. A name drawn twice for one article counts
once, so that some four in a hundred fewer come out than were asked for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, insert, select

from kiosque.core.article import Article
from kiosque.store import meta, models
from kiosque.store.article_rows import to_row
from kiosque.store.articles import count_days
from kiosque.store.database import Database, sqlite_database
from kiosque.store.statements import chunked
from kiosque.store.tables import alias, article, article_scoring, candidacy, entity, mention
from kiosque.store.values import UNSCORED
from kiosque.testing.processes import running

FIRST_YEAR, LAST_DAY = 1852, date(2024, 11, 30)
SEEN = datetime(2026, 1, 1, tzinfo=UTC)
NAMED = ((0, 25), (1, 40), (2, 22), (3, 9), (4, 4))
"""How many watched names an article has, and the weight of that number."""
A_MEAN_OF = sum(number * weight for number, weight in NAMED) / sum(weight for _, weight in NAMED)
POLARITIES = ((-1, 22), (0, 63), (1, 12), (UNSCORED, 3))
SECTIONS = (
    "U.S.", "World", "Business", "Politics", "New York", "Opinion", "Arts", "Sports", "Books", "Science",
    "Health", "Technology", "Education", "Obituaries", "Magazine", "Travel", "Style", "Archives", None,
)  # fmt: skip
FEEDS = (("archive", 0, 60), ("feed:morning", 1981, 14), ("feed:evening", 1996, 12), ("feed:wire", 2005, 14))
"""Sources with the year of their first article and their weight."""
MARK = "benchmark.year"
STATEMENT = 2_000
"""Rows in one statement."""


@dataclass(frozen=True, slots=True)
class Person:
    """An entity with the years in which it is in the news, how often, and how it is spoken of."""

    pk: int
    first: int
    last: int
    weight: float
    campaigns: frozenset[int]
    leaning: float


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--mentions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1852)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    path = asked.folder / "kiosque.sqlite"
    if not path.exists():
        print("a new installation …", file=sys.stderr)
        with running("up", data_dir=asked.folder.absolute(), KIOSQUE_LOG_LEVEL="warning") as server:
            server.stop()
    database = sqlite_database(path)
    database.migrate()
    fill(database, mentions=asked.mentions, seed=asked.seed)
    database.close()
    return 0


def fill(database: Database, *, mentions: int, seed: int) -> None:
    """Every year that is not there yet."""
    with database.read() as tx:
        people = _people(tx, Random(seed))
        done = set((meta.get(tx, MARK) or "").split())
        version = models.version_pk(tx, models.POLARITY, None)
    if version is None:
        raise SystemExit("there is no current polarity model in this database")
    shares = _articles_by_year(int(mentions / A_MEAN_OF))
    started, total = time.monotonic(), 0
    for year in _mixed(list(shares), seed):
        if str(year) in done:
            continue
        news = Year(year, shares[year], people, Random(f"{seed}:{year}"))
        total += _write(database, news, version)
        with database.read() as tx:
            there = tx.scalar(select(func.count()).select_from(mention)) if year % 20 == 0 else None
        if there:
            print(
                f"{there:,} mentions, {total / (time.monotonic() - started):,.0f} articles a second",
                file=sys.stderr,
            )


def _mixed(years: list[int], seed: int) -> list[int]:
    """An archive does not come in the order of its days."""
    Random(seed).shuffle(years)
    return years


def _articles_by_year(articles: int) -> dict[int, int]:
    """Four times as many today as at the beginning, and three times as many in a campaign."""
    years = range(FIRST_YEAR, LAST_DAY.year + 1)
    weights = {
        year: (1 + 3 * (year - FIRST_YEAR) / len(years)) * (3 if year % 4 == 0 else 1) for year in years
    }
    whole = sum(weights.values())
    return {year: round(articles * weight / whole) for year, weight in weights.items()}


def _people(tx: Any, random: Random) -> list[Person]:
    stood: dict[int, set[int]] = {}
    for row in tx.execute(select(candidacy.c.entity_pk, candidacy.c.election_year)):
        stood.setdefault(row.entity_pk, set()).add(row.election_year)
    validity = select(alias.c.entity_pk, func.min(alias.c.valid_from), func.max(alias.c.valid_to))
    known = {row[0]: (row[1], row[2]) for row in tx.execute(validity.group_by(alias.c.entity_pk))}
    people = []
    by_id = dict(tuple(row) for row in tx.execute(select(entity.c.id, entity.c.pk)))
    # in the order of the ids, which unlike keys are the same on every database
    for rank, name in enumerate(random.sample(sorted(by_id), len(by_id)), start=1):
        pk = by_id[name]
        years = stood.get(pk, set())
        since, until = known.get(pk, (None, None))
        first = min(years) - 8 if years else since.year if since else FIRST_YEAR
        last = max(years) + 6 if years else until.year if until else LAST_DAY.year
        people.append(Person(pk, first, last, 1 / rank**0.8, frozenset(years), random.uniform(-0.5, 0.5)))
    return people


class Year:
    """The articles of one year as rows, month by month."""

    def __init__(self, year: int, articles: int, people: Sequence[Person], random: Random) -> None:
        self.year, self.articles, self._random = year, articles, random
        self._there = [each for each in people if each.first <= year <= each.last] or list(people)
        self._weights = list(
            accumulate(each.weight * (12 if year in each.campaigns else 1) for each in self._there)
        )
        self._words = _words()
        self._word_weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        last = min(date(year, 12, 31), LAST_DAY)
        self._days = [date(year, 1, 1) + timedelta(days=n) for n in range((last - date(year, 1, 1)).days + 1)]
        # towards a vote there is more to tell
        campaign = year % 4 == 0
        self._day_weights = list(
            accumulate(1 + 2 * (campaign and 6 <= day.month <= 11) for day in self._days)
        )

    def rows(self) -> Iterator[tuple[Article, list[dict[str, Any]]]]:
        """Every article with its mentions, oldest first."""
        random = self._random
        days = sorted(random.choices(self._days, cum_weights=self._day_weights, k=self.articles))
        numbers = random.choices([n for n, _ in NAMED], [w for _, w in NAMED], k=self.articles)
        for place, (day, number) in enumerate(zip(days, numbers, strict=True)):
            yield self._article(place, day), [self._mention(each) for each in self._named(number)]

    def _article(self, place: int, day: date) -> Article:
        random = self._random
        there = [(name, weight) for name, first, weight in FEEDS if first <= self.year]
        source = random.choices([name for name, _ in there], [weight for _, weight in there])[0]
        words = random.choices(self._words, cum_weights=self._word_weights, k=8 + random.randrange(24))
        return Article(
            key=f"benchmark:{self.year}-{place}",
            source=source,
            headline=" ".join(words[:8]).capitalize(),
            abstract=" ".join(words[8:]).capitalize(),
            published_at=datetime(day.year, day.month, day.day, place % 24, place % 60, tzinfo=UTC),
            section=SECTIONS[min(int(random.expovariate(0.22)), len(SECTIONS) - 1)],
            language="en",
        )

    def _named(self, number: int) -> list[Person]:
        found = self._random.choices(self._there, cum_weights=self._weights, k=number)
        return list({each.pk: each for each in found}.values())

    def _mention(self, person: Person) -> dict[str, Any]:
        random = self._random
        polarity = random.choices([p for p, _ in POLARITIES], [w for _, w in POLARITIES])[0]
        if polarity == 0 and random.random() < abs(person.leaning) / 2:
            polarity = 1 if person.leaning > 0 else -1
        in_headline = random.random() < 0.6
        row: dict[str, Any] = {
            "entity_pk": person.pk,
            "outcome": "scored",
            "polarity": polarity,
            "headline_polarity": polarity if in_headline else None,
            "abstract_polarity": None if in_headline else polarity,
        }
        if polarity == UNSCORED:
            unknown = ("negative", "neutral", "positive", "net", "confidence")
            return row | {"outcome": "not_english", "spans": [], **dict.fromkeys(unknown)}
        top = round(random.uniform(0.5, 0.98), 4)
        rest = round(1 - top, 4)
        share = round(rest * random.random(), 4)
        values = {
            -1: (top, share, rest - share),
            0: (share, top, rest - share),
            1: (rest - share, share, top),
        }
        negative, neutral, positive = values[polarity]
        span = ["headline" if in_headline else "abstract", 0, 5, negative, neutral, positive]
        scores = {"negative": negative, "neutral": neutral, "positive": positive}
        return row | {**scores, "net": positive - negative, "confidence": top, "spans": [span]}


def _words() -> list[str]:
    text = (files("kiosque.entities") / "headline_words.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    words = [word for line in lines for word in line.split()]
    Random(0).shuffle(words)
    return words


def _write(database: Database, news: Year, version: int) -> int:
    with database.write() as tx:
        pk = (tx.scalar(select(func.max(article.c.pk))) or 0) + 1
        mark = " ".join(filter(None, (meta.get(tx, MARK), str(news.year))))
        written: list[Article] = []
        for chunk in chunked(news.rows(), STATEMENT):
            _insert(tx, chunk, pk + len(written), version)
            written += [each for each, _ in chunk]
        count_days(tx, written)
        meta.put(tx, MARK, mark)
    return len(written)


def _insert(tx: Any, chunk: list[tuple[Article, list[dict[str, Any]]]], pk: int, version: int) -> None:
    rows = [{"pk": pk + place, **to_row(each, SEEN)} for place, (each, _) in enumerate(chunk)]
    tx.execute(insert(article), rows)
    repeated = ("published_at", "day", "month", "source", "section")
    mentions = [
        {"article_pk": row["pk"], "version_pk": version, **found, **{name: row[name] for name in repeated}}
        for row, (_, named) in zip(rows, chunk, strict=True)
        for found in named
    ]
    tx.execute(insert(mention), mentions)
    scored = {"version_pk": version, "generation": 1, "ambiguous": 0, "scored_at": SEEN}
    tx.execute(insert(article_scoring), [{"article_pk": row["pk"], **scored} for row in rows])


if __name__ == "__main__":
    sys.exit(main())
