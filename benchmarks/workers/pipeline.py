"""One way from a CSV file to stored mentions: `pipeline.py KIND FILE FOLDER [MODEL|PORT]`, KIND one of those below.

`run` goes through the first `count` rows of FILE once, keeps what it stores in FOLDER, and says how many seconds that
took, how many mentions there were, and the most memory that it ever needed.
"""

from __future__ import annotations

import csv
import json
import re
import sqlite3
import sys
import urllib.request
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from protocol import peak_megabytes, seconds, serve

Run = Callable[[Path, int], int]
"""Goes through the file and says how many mentions it stored."""


def kiosque(folder: Path, _: str) -> Run:
    """`kiosque import` on SQLite with everything in one process, books left out: matched, scored, stored."""
    from kiosque.processes import seed_models
    from kiosque.settings import Settings
    from kiosque.setup import install
    from kiosque.sources.files import ArticleFile
    from kiosque.wiring import House

    house = House(Settings(data_dir=folder, books_per_article=0))
    seed_models(house)
    install(house, lambda *_: None, news=False)
    house.local_predictor.refresh()

    def run(file: Path, _: int) -> int:
        return house.importer.run(ArticleFile(file), job_id=file.name).mentions

    return run


def scoring(_: Path, model_folder: str) -> Run:
    """The limit: the scorer on the same mentions, found beforehand."""
    from datetime import date

    from kiosque.core.polarity import ScoringRequest, Target
    from kiosque.entities.matcher import Matcher
    from kiosque.entities.watchlists import read_folder
    from kiosque.polarity.model import load
    from kiosque.wiring import shipped_data

    model = load(Path(model_folder))
    lists = read_folder(shipped_data() / "watchlists")
    matcher = Matcher(list({e.id: e for each in lists for e in each.entities}.values()))
    ready: list[Any] = []

    def run(file: Path, count: int) -> int:
        if not ready:
            for row in islice(_rows(file), count):
                day = date.fromisoformat(row["published_at"][:10])
                found = matcher.match_text(row["headline"], "", day).matches
                targets = tuple(Target(m.entity_id, m.entity_id, m.spans) for m in found)
                if targets:
                    ready.append(ScoringRequest(row["headline"], targets=targets))
            return 0
        for at in range(0, len(ready), 256):
            model.score(ready[at : at + 256])
        return sum(len(request.targets) for request in ready)

    return run


def script(folder: Path, model_folder: str) -> Run:
    """What one would write in an afternoon: csv, one regular expression, a transformers pipeline, sqlite3."""
    from scoring import transformers

    _, classify = transformers(Path(model_folder), 2)
    db = sqlite3.connect(folder / "script.sqlite")
    db.execute("CREATE TABLE mention (headline, published_at, name, label, score)")

    def run(file: Path, count: int) -> int:
        pattern = _names_beside(file)
        rows = [
            (row["headline"], row["published_at"], name)
            for row in islice(_rows(file), count)
            for name in set(pattern.findall(row["headline"]))
        ]
        for at in range(0, len(rows), 32):
            part = rows[at : at + 32]
            said: Any = classify([text.replace(name, "[TARGET]") for text, _, name in part])
            stored = [(*row, each["label"], each["score"]) for row, each in zip(part, said, strict=True)]
            db.executemany("INSERT INTO mention VALUES (?, ?, ?, ?, ?)", stored)
        db.commit()
        return len(rows)

    return run


def reference(folder: Path, port: str) -> Run:
    """As the reference goes: for each article one call over HTTP on a new connection, one find, one insert. In its
    favour the model behind it is ours, and there is one model to call instead of two."""
    db = sqlite3.connect(folder / "reference.sqlite")
    db.execute("CREATE TABLE article (headline PRIMARY KEY, published_at, mentions)")

    def ask(items: list[dict[str, str]]) -> object:
        body = json.dumps({"items": items}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{port}/score", body, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def run(file: Path, count: int) -> int:
        mentions, pattern = 0, _names_beside(file)
        for row in islice(_rows(file), count):
            text = row["headline"]
            items = [{"text": text, "target": name} for name in set(pattern.findall(text))]
            said = ask(items or [{"text": text, "target": text}])
            if not db.execute("SELECT 1 FROM article WHERE headline = ?", (text,)).fetchone():
                db.execute(
                    "INSERT INTO article VALUES (?, ?, ?)", (text, row["published_at"], json.dumps(said))
                )
                db.commit()
            mentions += len(items)
        return mentions

    return run


def _names_beside(file: Path) -> re.Pattern[str]:
    """The names of the shipped watch lists as one pattern, without any rule of when and how they count."""
    names = json.loads(file.with_suffix(".names").read_text(encoding="utf-8"))
    return re.compile("|".join(rf"\b{re.escape(name)}\b" for name in sorted(names, key=len, reverse=True)))


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def main() -> None:
    kinds = {"kiosque": kiosque, "scoring": scoring, "script": script, "reference": reference}
    kind, file, folder, extra = (*sys.argv[1:], "")[:4]
    go = kinds[kind](Path(folder), extra)

    def run(count: int) -> dict[str, float]:
        mentions: list[int] = []
        taken = seconds(lambda: mentions.append(go(Path(file), count)))
        return {"seconds": taken, "mentions": mentions[0], "peak": peak_megabytes()}

    serve({"run": run})


if __name__ == "__main__":
    main()
