"""What everything here is fed with: pairs of the corpus that ships, and real headlines where a data set lies."""

from __future__ import annotations

import csv
import gzip
import os
import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.harness import CHECKOUT
from kiosque.entities.watchlists import read_folder
from kiosque.modelstore.store import ModelStore
from kiosque.polarity.examples import read_examples

DATA = CHECKOUT / "data"
HEADLINES = Path("headlines") / "nyt_headlines_1996-2021.csv.gz"


class DataMissing(Exception):
    """A data set is not here; the message says which, and where it is looked for."""


def polarity_model() -> Path:
    """The folder of the polarity model that ships."""
    return ModelStore(DATA / "models").champion("polarity").folder


def pairs(count: int, *, words: range = range(15, 32), seed: int = 1) -> list[dict[str, str]]:
    """(text, target) of the corpus that ships, of 20 to 40 tokens, drawn by `seed`."""
    usable = [
        {"text": e.text, "target": e.target}
        for e in read_examples(DATA / "corpus" / "polarity")
        if e.mentions and len(e.text.split()) in words
    ]
    return random.Random(seed).sample(usable, count)


def watched_names() -> list[str]:
    """Every alias of the watch lists that ship, each once."""
    lists = read_folder(DATA / "watchlists")
    return sorted({alias.text for each in lists for entity in each.entities for alias in entity.aliases})


def headlines(count: int, *, first_day: str = "2015-01-01") -> Iterator[dict[str, str]]:
    """Real headlines from `first_day` on, as (headline, published_at). Raises DataMissing."""
    folder = Path(os.environ.get("KIOSQUE_DATASETS") or CHECKOUT.parent / "shared" / "datasets")
    path = folder / HEADLINES
    if not path.exists():
        raise DataMissing(f"{HEADLINES} is not in {folder} (KIOSQUE_DATASETS names another folder)")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = (row for row in csv.DictReader(file) if row["headline"] and row["date"] >= first_day)
        for row in islice(rows, count):
            yield {"headline": row["headline"], "published_at": row["date"]}
