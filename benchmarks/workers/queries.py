"""One way to ask the news questions: `queries.py kiosque URL|FILE`, `queries.py pandas|pandas-read|duckdb FOLDER`.

FOLDER has mentions.parquet and articles.parquet, written by `queries.py export FOLDER FILE` out of an SQLite file.
`ask` puts one question at most `times` times and gives the milliseconds of each and how
many mentions or rows came back.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol import serve

Question = Callable[[], int]
ENOUGH, LONG = 5, 1500.0
"""A question is put at least so often, and not again once it took so many milliseconds in all."""
MENTIONS = (
    "SELECT m.article_pk, e.id AS entity, m.polarity, m.day, m.month, m.net FROM mention m "
    "JOIN entity e ON e.pk = m.entity_pk"
)
ARTICLES = "SELECT pk, day, month, published_at, source, section, headline, abstract FROM article"


def kiosque(database: str, asked: dict[str, Any]) -> dict[str, Question]:
    """The store's own functions, as the API and the pages call them, each in a transaction."""
    from datetime import date

    from kiosque.core.polarity import Polarity
    from kiosque.store import article_list as articles
    from kiosque.store import mentions, stats
    from kiosque.store.article_list import ArticleFilter
    from kiosque.store.database import Database
    from kiosque.store.figures import Granularity

    db = Database(database if "://" in database else Path(database))
    top, six, last = asked["names"][0], asked["names"][:6], date.fromisoformat(asked["last"])
    some = asked["names"][-1]

    def timeline() -> int:
        with db.read() as tx:
            return sum(b.counts.total for b in stats.timeline(tx, top, granularity=Granularity.MONTH).buckets)

    def compare() -> int:
        with db.read() as tx:
            found = stats.compare(tx, six, granularity=Granularity.YEAR)
        return sum(bucket.counts.total for each in found for bucket in each.buckets)

    def elections() -> int:
        with db.read() as tx:
            return sum(each.counts.total for each in stats.aligned(tx, [(name, last) for name in six[:2]]))

    def page(where: ArticleFilter) -> int:
        with db.read() as tx:
            found = articles.page(tx, where)
            mentions.of_articles(tx, [each.pk for each in found.items])
        return len(found.items)

    def search() -> int:
        return page(ArticleFilter(query=asked["word"]))

    def article_list() -> int:
        return page(ArticleFilter(entities=(top,), polarity=Polarity.NEGATIVE))

    def export() -> int:
        with db.read() as tx:
            found = list(articles.iterate(tx, ArticleFilter(entities=(some,))))
            mentions.of_articles(tx, [each.pk for each in found])
        return len(found)

    return _by_name(timeline, compare, elections, search, article_list, export)


def pandas(folder: str, asked: dict[str, Any], *, read: bool = False) -> dict[str, Question]:
    """Whole tables in frames; with `read` they are read for every question, as the reference does."""
    import pandas as pd

    kept = {name: pd.read_parquet(Path(folder) / f"{name}.parquet") for name in ("mentions", "articles")}

    def table(name: str) -> Any:
        return pd.read_parquet(Path(folder) / f"{name}.parquet") if read else kept[name]

    top, six, some = asked["names"][0], asked["names"][:6], asked["names"][-1]
    last = asked["last_day"]

    def timeline() -> int:
        m, a = table("mentions"), table("articles")
        counts = m[m.entity == top].groupby(["month", "polarity"]).size().unstack(fill_value=0)
        whole = counts.join(a.groupby("month").size().rename("articles"), how="right").fillna(0)
        return int(whole.drop(columns="articles").to_numpy().sum())

    def compare() -> int:
        m, a = table("mentions"), table("articles")
        chosen = m[m.entity.isin(six)]
        counts = chosen.groupby(["entity", chosen.month // 12, "polarity"]).size()
        a.groupby(a.month // 12).size()
        return int(counts.sum())

    def elections() -> int:
        m, a = table("mentions"), table("articles")
        days = (m.day > last - 7 * 52) & (m.day <= last)
        chosen = m[days & m.entity.isin(six[:2])]
        a[(a.day > last - 7 * 52) & (a.day <= last)].groupby((last - a.day) // 7).size()
        return int(chosen.groupby(["entity", (last - chosen.day) // 7, "polarity"]).size().sum())

    def page(found: Any) -> int:
        first = found.nlargest(50, ["day", "pk"]).to_dict("records")
        m = table("mentions")
        m[m.article_pk.isin([row["pk"] for row in first])].to_dict("records")
        return len(first)

    def search() -> int:
        a = table("articles")
        pattern = rf"\b{asked['word']}\b"
        return page(
            a[a.headline.str.contains(pattern, case=False) | a.abstract.str.contains(pattern, case=False)]
        )

    def article_list() -> int:
        m, a = table("mentions"), table("articles")
        return page(a[a.pk.isin(m[(m.entity == top) & (m.polarity == -1)].article_pk)])

    def export() -> int:
        m, a = table("mentions"), table("articles")
        found = a[a.pk.isin(m[m.entity == some].article_pk)]
        m[m.article_pk.isin(found.pk)].to_dict("records")
        return len(found.to_dict("records"))

    return _by_name(timeline, compare, elections, search, article_list, export)


def duckdb(folder: str, asked: dict[str, Any]) -> dict[str, Question]:
    """SQL over the Parquet files, on one thread as the others."""
    import duckdb as library

    db = library.connect()
    db.execute("SET threads = 1")
    m, a = (f"'{folder}/{name}.parquet'" for name in ("mentions", "articles"))
    top, some = asked["names"][0], asked["names"][-1]
    six, two = (", ".join(f"'{name}'" for name in asked["names"][:n]) for n in (6, 2))
    first, last = asked["last_day"] - 7 * 52, asked["last_day"]

    def rows(statement: str) -> list[tuple[Any, ...]]:
        return db.execute(statement).fetchall()

    def timeline() -> int:
        rows(f"SELECT month, count(*) FROM {a} GROUP BY month")
        got = rows(f"SELECT month, polarity, count(*) FROM {m} WHERE entity = '{top}' GROUP BY ALL")
        return sum(row[-1] for row in got)

    def compare() -> int:
        rows(f"SELECT month // 12, count(*) FROM {a} GROUP BY ALL")
        got = rows(
            f"SELECT entity, month // 12, polarity, count(*) FROM {m} WHERE entity IN ({six}) GROUP BY ALL"
        )
        return sum(row[-1] for row in got)

    def elections() -> int:
        days = f"day > {first} AND day <= {last}"
        rows(f"SELECT ({last} - day) // 7, count(*) FROM {a} WHERE {days} GROUP BY ALL")
        chosen = f"{days} AND entity IN ({two})"
        got = rows(
            f"SELECT entity, ({last} - day) // 7, polarity, count(*) FROM {m} WHERE {chosen} GROUP BY ALL"
        )
        return sum(row[-1] for row in got)

    def page(where: str) -> int:
        found = rows(f"SELECT * FROM {a} WHERE {where} ORDER BY published_at DESC LIMIT 50")
        pks = ", ".join(str(row[0]) for row in found) or "0"
        rows(f"SELECT * FROM {m} WHERE article_pk IN ({pks})")
        return len(found)

    def search() -> int:
        pattern = rf"\b{asked['word']}\b"
        return page(" OR ".join(f"regexp_matches({c}, '{pattern}', 'i')" for c in ("headline", "abstract")))

    def article_list() -> int:
        chosen = f"SELECT article_pk FROM {m} WHERE entity = '{top}' AND polarity = -1"
        return page(f"pk IN ({chosen})")

    def export() -> int:
        chosen = f"(SELECT article_pk FROM {m} WHERE entity = '{some}')"
        rows(f"SELECT * FROM {m} WHERE article_pk IN {chosen}")
        return len(rows(f"SELECT * FROM {a} WHERE pk IN {chosen}"))

    return _by_name(timeline, compare, elections, search, article_list, export)


def _by_name(*questions: Question) -> dict[str, Question]:
    return {each.__name__.replace("_", " "): each for each in questions}


def export(folder: str, database: str) -> None:
    """Write the two tables of an SQLite file as Parquet."""
    import pandas as pd

    Path(folder).mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(database) as db:
        for name, statement in (("mentions", MENTIONS), ("articles", ARTICLES)):
            pd.read_sql(statement, db).to_parquet(Path(folder) / f"{name}.parquet", index=False)


KINDS: dict[str, Callable[[str, dict[str, Any]], dict[str, Question]]] = {
    "kiosque": kiosque,
    "pandas": pandas,
    "pandas-read": lambda folder, asked: pandas(folder, asked, read=True),
    "duckdb": duckdb,
}


def main() -> None:
    kind, place = sys.argv[1:3]
    if kind == "export":
        export(place, sys.argv[3])
        return
    questions: dict[str, Question] = {}

    def prepare(**asked: Any) -> list[str]:
        questions.update(KINDS[kind](place, asked))
        return list(questions)

    def ask(question: str, times: int) -> dict[str, Any]:
        answer, taken = questions[question](), []
        while len(taken) < times and (len(taken) < ENOUGH or sum(taken) < LONG):
            started = time.perf_counter()
            questions[question]()
            taken.append(1000 * (time.perf_counter() - started))
        return {"milliseconds": taken, "answer": answer}

    serve({"prepare": prepare, "ask": ask})


if __name__ == "__main__":
    main()
