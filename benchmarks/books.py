"""Books: milliseconds for one recommendation among 1,000 to 100,000 books, on one processor.

Peers: the reference, which fits TF-IDF on the whole catalogue for every request; the same TF-IDF kept; sentence-
transformers with exact search; bm25s, the library inside Kiosque, alone, which is the limit for words. Only Kiosque
says why. Catalogues are made: sentences, subjects and names of the books that ship, put together anew. What is asked
are the demo articles, headline and abstract.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmarks.corpus import DATA
from benchmarks.harness import CACHE, KIOSQUE, Bench, Side
from benchmarks.peers import OWN, PeerMissing, Worker
from kiosque.books.build import build
from kiosque.core.book import Book
from kiosque.modelstore.store import ModelStore

UNIT, P95 = "ms a recommendation", "ms, 95 % of the recommendations"
BUILD, SIZE = "s of processor time to build", "MB of a version"
REFERENCE = "the reference, fitted anew"
SIDES = {
    KIOSQUE: (OWN, "kiosque", 40),
    REFERENCE: ("shelf", "reference", 1),
    "TF-IDF kept": ("shelf", "sklearn", 40),
    "sentence-transformers": ("shelf", "sentence-transformers", 40),
    "bm25s alone": ("shelf", "bm25s", 40),
}
"""Environment, kind of worker, and how many recommendations a round asks for."""
SEED = 1860
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def measure(bench: Bench) -> None:
    for size in bench.choose((10_000,), (1_000, 10_000, 100_000)):
        _measure_with(bench, size)
    got = bench.found.ratio(_name(10_000), UNIT, REFERENCE)
    bench.goal("books: 10,000 books, ≥ 1,000 × the reference", got, 1_000)
    slow = bench.found.case(_name(10_000), P95)
    p95 = median(slow.values[KIOSQUE]) if slow and slow.values.get(KIOSQUE) else None
    bench.goal("books: 10,000 books, 95 % within 10 ms, encoder included", p95, 10, at_least=False)
    units = [UNIT, P95, BUILD, SIZE]
    bench.found.cases.sort(key=lambda case: units.index(case.unit))


def _measure_with(bench: Bench, size: int) -> None:
    folder = catalogue(size)
    queries = articles()[:200]
    slow: dict[str, list[float]] = {}

    def side(name: str, worker: Worker, count: int) -> float:
        taken = worker.ask("milliseconds", count=count)
        if count > 1:
            slow.setdefault(name, []).append(quantiles(taken, n=20, method="inclusive")[18])
        return median(taken)

    with ExitStack() as stack:
        sides: dict[str, Side] = {}
        for name, (env, kind, count) in SIDES.items():
            try:
                worker = stack.enter_context(Worker(env, "books.py", kind, processors={0}))
                where = folder / ("version" if name == KIOSQUE else "texts.jsonl")
                worker.ask("prepare", catalogue=str(where), queries=queries)
                sides[name] = partial(side, name, worker, count)
            except (PeerMissing, RuntimeError) as error:
                bench.missing(name, str(error))
        bench.compare(_name(size), UNIT, sides, more_is_better=False, x=size)
    bench.record(_name(size), P95, slow, more_is_better=False)
    built = json.loads((folder / "built").read_text())
    for unit in (BUILD, SIZE):
        bench.record(_name(size), unit, {KIOSQUE: [built[unit]]}, more_is_better=False)


def _name(size: int) -> str:
    return f"{size:,} books"


def catalogue(size: int) -> Path:
    """The folder with a catalogue of `size` books: their texts, and the version that Kiosque builds. Kept."""
    encoder = ModelStore(DATA / "models").champion("encoder")
    folder = CACHE / "books" / f"{size}-{encoder.id}"
    if not (folder / "built").exists():
        version = folder / "version"
        version.mkdir(parents=True, exist_ok=True)
        started = time.process_time()
        build(recombined(size), version, encoder=encoder.folder)
        measured = {
            BUILD: time.process_time() - started,
            SIZE: sum(file.stat().st_size for file in version.rglob("*") if file.is_file()) / 1e6,
        }
        texts = (f"{b.title} {b.author} {' '.join(b.subjects)} {b.description}" for b in recombined(size))
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        (folder / "texts.jsonl").write_text(lines, encoding="utf-8")
        (folder / "built").write_text(json.dumps(measured))
    return folder


def recombined(size: int) -> Iterator[Book]:
    """Books that do not exist, of the length and with the words of those that ship; the same ones each time."""
    draw = random.Random(SEED)
    given = [json.loads(line) for line in _lines(DATA / "demo" / "books.jsonl")]
    sentences = [s for row in given for s in _SENTENCE.split(row.get("description") or "") if s]
    subjects = sorted({subject for row in given for subject in row.get("subjects") or ()})
    titles = [word for row in given for word in row["title"].split()]
    first, last = (sorted({row["author"].split()[n] for row in given}) for n in (0, -1))
    for number in range(size):
        author = f"{draw.choice(first)} {draw.choice(last)}"
        yield Book(
            f"work:{number:06d}",
            " ".join(draw.sample(titles, draw.randint(2, 6))),
            author,
            year=draw.randint(1800, 2024),
            subjects=tuple(draw.sample(subjects, draw.randint(3, 6))),
            language="en",
            fiction=draw.random() < 0.3,
            description=" ".join(draw.sample(sentences, draw.randint(1, 2))),
        )


def articles() -> list[str]:
    """The demo articles as the model is asked about them."""
    paths = sorted((DATA / "demo").glob("articles*.jsonl"))
    rows = [json.loads(line) for path in paths for line in _lines(path)]
    return [f"{row['headline']}\n{row.get('abstract') or ''}" for row in rows]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
