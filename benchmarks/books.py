"""How long the recommender takes to build and to answer, for catalogues of several sizes.

    python benchmarks/books.py                       # 1,000 and 10,000 books
    python benchmarks/books.py 1000 10000 100000 --folder FOLDER --json

The catalogues are made: sentences, subjects and names of the books that ship, put together anew. What is asked are
the demo articles, headline and abstract, one after the other on one processor with one thread. The wall is what a
reader waits; the processor's time is what it costs, whatever else the machine does meanwhile. `--folder` keeps what
was built, so that a second run asks it again without building it again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from kiosque.books.build import build
from kiosque.books.encoder import GRAPH
from kiosque.books.model import BooksModel, load
from kiosque.core.book import Book, BookQuery
from kiosque.modelstore.store import ModelStore
from kiosque.wiring import shipped_data

SEED = 1860
WARM = 50
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured with one catalogue. Times of the build are those of one thread a processor."""

    books: int
    build_seconds: float
    build_processor_seconds: float
    version_megabytes: float
    """On disk, without the encoder, which all versions share."""
    load_seconds: float
    queries: int
    words_a_query: float
    wall_ms_p50: float
    wall_ms_p95: float
    processor_ms_p50: float
    processor_ms_p95: float
    encoder_ms_p50: float
    """Of the wall, what turning the text into a vector takes."""


def measure(size: int, queries: Sequence[str], encoder: Path, out: Path) -> Figures:
    """Build a catalogue of `size` books in the folder `out` unless it is there, load it, ask it."""
    wall, processor = built(size, encoder, out)
    megabytes = sum(p.stat().st_size for p in out.rglob("*") if p.is_file() and p.name != GRAPH) / 1e6
    began = perf_counter()
    model = load(out, threads=1)
    loaded = perf_counter() - began
    with one_processor():
        asked = answer_times(model, queries)
        alone = encoder_times(model, queries)
    return Figures(
        books=size,
        build_seconds=round(wall, 1),
        build_processor_seconds=round(processor, 1),
        version_megabytes=round(megabytes, 1),
        load_seconds=round(loaded, 2),
        queries=len(queries),
        words_a_query=round(float(np.mean([len(text.split()) for text in queries])), 1),
        wall_ms_p50=_percentile(asked[0], 50),
        wall_ms_p95=_percentile(asked[0], 95),
        processor_ms_p50=_percentile(asked[1], 50),
        processor_ms_p95=_percentile(asked[1], 95),
        encoder_ms_p50=_percentile(alone, 50),
    )


def built(size: int, encoder: Path, out: Path) -> tuple[float, float]:
    """Seconds of wall and of all processors that the build took, now or when it was kept."""
    note = out / "benchmark.json"
    if not note.exists():
        wall, processor = perf_counter(), process_time()
        build(recombined(size), out, encoder=encoder)
        note.write_text(json.dumps([perf_counter() - wall, process_time() - processor]), encoding="utf-8")
    wall, processor = json.loads(note.read_text(encoding="utf-8"))
    return wall, processor


def answer_times(model: BooksModel, queries: Sequence[str]) -> tuple[list[float], list[float]]:
    """Seconds of wall and of processor for each query, after some that warm the caches."""
    for text in queries[:WARM]:
        model.recommend([BookQuery(text=text)])
    walls, processors = [], []
    for text in queries:
        wall, processor = perf_counter(), process_time()
        model.recommend([BookQuery(text=text)])
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    return walls, processors


def encoder_times(model: BooksModel, queries: Sequence[str]) -> list[float]:
    """Seconds that the encoder alone takes for each query."""
    encoder = model.index.encoder
    assert encoder is not None
    taken = []
    for text in queries:
        began = perf_counter()
        encoder.encode(text)
        taken.append(perf_counter() - began)
    return taken


class one_processor:  # noqa: N801 - reads as `with one_processor():`
    """Holds this process to one of its processors, where the system can."""

    def __enter__(self) -> None:
        self._before = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else None
        if self._before:
            os.sched_setaffinity(0, {max(self._before)})

    def __exit__(self, *_: object) -> None:
        if self._before:
            os.sched_setaffinity(0, self._before)


def recombined(size: int) -> Iterator[Book]:
    """Books that do not exist, of the length and with the words of those that ship; the same ones each time."""
    draw = random.Random(SEED)
    given = [json.loads(line) for line in _lines(shipped_data() / "demo" / "books.jsonl")]
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
    paths = sorted((shipped_data() / "demo").glob("articles*.jsonl"))
    rows = [json.loads(line) for path in paths for line in _lines(path)]
    return [f"{row['headline']}\n{row.get('abstract') or ''}" for row in rows]


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _percentile(seconds: Sequence[float], share: int) -> float:
    return round(float(np.percentile(np.array(seconds) * 1000, share)), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_000, 10_000], help="numbers of books")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--folder", type=Path, help="keep what is built here, and use what is there")
    parser.add_argument("--queries", type=int, default=1_000, help="how many articles to ask about at most")
    options = parser.parse_args()
    encoder = ModelStore(shipped_data() / "models").champion("encoder").folder
    queries = articles()[: options.queries]
    with tempfile.TemporaryDirectory(prefix="kiosque-bench-") as temporary:
        folder = options.folder or Path(temporary)
        found = [measure(size, queries, encoder, folder / f"{size}-books") for size in options.sizes]
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    if options.json:
        print(json.dumps({"machine": machine, "catalogues": [asdict(each) for each in found]}, indent=1))
        return
    print(machine)
    for name in asdict(found[0]):
        print(f"{name:26}" + "".join(f"{getattr(each, name):>14,}" for each in found))


if __name__ == "__main__":
    main()
