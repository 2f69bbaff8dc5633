"""A loaded version of the recommender: queries in, shelves out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosque.books import asked
from kiosque.books.catalogue import Catalogue, Mask, read_rows
from kiosque.books.chronicle import FOLDER, load_chronicle
from kiosque.books.diversity import alike, spread
from kiosque.books.encoder import GRAPH, Encoder
from kiosque.books.evidence import Evidence, Index, Scores, merge
from kiosque.books.lexical import load_index
from kiosque.books.priors import Votes, read_votes, shift
from kiosque.books.reasons import explain, take_apart
from kiosque.books.recipe import read_recipe
from kiosque.core.book import Book, BookQuery, Recommendation, Shelf
from kiosque.core.cpus import count_cpus
from kiosque.core.errors import CorruptModel, NoModel, NotFound

VECTORS = "vectors.npy"
CANARY = "canary.json"
TOLERANCE = 0.05
"""How far a score may be from the recorded one: int8 kernels of different processors round differently."""
_POOL = 3
"""Books looked at by the diversity step, as a multiple of k."""
_NEAREST = 200
"""Books, by score, among which one must be near enough to the text."""
Rows = NDArray[np.intp]
_NONE_YET = "There are no books in the catalogue yet."


@dataclass(frozen=True, slots=True)
class Info:
    """What a loaded version says of itself."""

    version: str
    books: int
    encoder: bool
    """Whether texts are compared by meaning, too, or by words alone."""
    notes: int
    """Notes of the chronicle that texts are placed by."""
    voted: int
    """Books whose score readers' verdicts move."""


class BooksModel:
    """Immutable after loading; every method may be called from any thread."""

    def __init__(
        self, version: str, index: Index, canary: Sequence[dict[str, object]] = (), *, threads: int = 1
    ) -> None:
        """`threads` answer the queries that are asked together."""
        self._version = version
        self._threads = threads
        self._index = index
        self._catalogue = index.catalogue
        self._recipe = index.recipe
        self._canary = canary

    @property
    def info(self) -> Info:
        index = self._index
        return Info(
            self._version,
            len(self._catalogue),
            index.encoder is not None,
            len(index.chronicle.notes) if index.chronicle else 0,
            int(np.count_nonzero(index.shifts)) if index.shifts is not None else 0,
        )

    @property
    def index(self) -> Index:
        """What this version draws its evidence from; for the evaluation."""
        return self._index

    def warm(self) -> None:
        """Answer one query, so that the first reader does not wait for lazy set-up."""
        if len(self._catalogue):
            self.recommend([BookQuery(text="The president spoke to Congress about the war.", k=1)])

    def check(self) -> None:
        """Raises CorruptModel when this version does not give the answers that were recorded when it was built."""
        for case in self._canary:
            evidence = self._index.weigh(asked.Passage(str(case["text"])))
            row = self._catalogue.rows.get(str(case["key"]))
            if row is None or abs(float(evidence.score[row]) - float(str(case["score"]))) > TOLERANCE:
                raise CorruptModel(
                    f"Books version {self._version} does not reproduce its recorded answers.",
                    hint="Build it again with `kiosque books build`.",
                )

    def recommend(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        """A shelf for each query. Raises InvalidInput on a malformed query, NotFound on an unknown book."""
        for query in queries:
            asked.check(query)
        if self._threads == 1 or len(queries) <= 1:
            return [self._shelf(query) for query in queries]
        return list(self._pool.map(self._shelf, queries))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="books")

    def _shelf(self, query: BookQuery) -> Shelf:
        own = self._book(query.book_key) if query.book_key is not None else None
        passages = asked.passages(query, own)
        allowed = self._catalogue.allowed(query)
        if own is not None:
            allowed &= ~self._catalogue.editions(own)
        if not allowed.any():
            return Shelf((), self._version, self._nothing_left())
        evidence = merge(
            [self._index.weigh(passage, own) for passage in passages],
            [passage.share for passage in passages],
        )
        rows, note = self._choose(query, evidence, allowed, like=own is not None)
        text = " ".join(passage.text for passage in passages)
        return Shelf(tuple(self._say(text, evidence, rows)), self._version, note)

    def _choose(
        self, query: BookQuery, evidence: Evidence, allowed: Mask, *, like: bool
    ) -> tuple[list[int], str]:
        """The rows to show, best first, and, where there are none, why."""
        score = np.where(allowed, evidence.score, np.float32(-1.0))
        wanted = query.k * _POOL
        order = _highest(score, max(wanted, _NEAREST))
        order = order[score[order] >= 0]
        best = int(order[0])
        if query.min_score is None and not self._fits(evidence, order, like=like):
            return [], self._no_match(best)
        least = self._recipe.floor if query.min_score is None else query.min_score
        pool = order[:wanted][score[order[:wanted]] >= least]
        if not pool.size:
            return [], self._below(best, float(score[best]), least)
        return self._spread(pool.tolist(), evidence.score, query.k), ""

    def _fits(self, evidence: Evidence, order: Rows, *, like: bool) -> bool:
        """Whether there is a good match among the first books of `order`. The cosine tells whether a text is of this
        catalogue's world at all, and so does the chronicle; BM25 and the rank do not.
        """
        recipe = self._recipe
        if self._index.encoder is None:
            return float(evidence.lexical[order].max()) >= recipe.lexical_gate
        top = self._index.top_cosine(evidence, order[:_NEAREST])
        if like:
            return top >= recipe.likeness_gate
        return top + recipe.gate_setting * evidence.strength >= recipe.gate

    def _spread(self, pool: list[int], score: Scores, k: int) -> list[int]:
        if not self._recipe.diversity:
            return pool[:k]
        books = [self._catalogue.books[row] for row in pool]
        vectors = self._index.vectors[pool] if self._index.vectors is not None else None
        likeness = alike(books, vectors)
        return [pool[place] for place in spread(books, score[pool], likeness, k, self._recipe.diversity)]

    def _say(self, text: str, evidence: Evidence, rows: list[int]) -> list[Recommendation]:
        if not rows:
            return []
        wording = take_apart(text)
        return [
            Recommendation(
                self._catalogue.books[row],
                rank,
                round(float(evidence.score[row]), 4),
                explain(wording, self._catalogue.books[row], self._index.lexical.rarity, evidence.notes),
            )
            for rank, row in enumerate(rows, 1)
        ]

    def _book(self, key: str) -> Book:
        row = self._catalogue.rows.get(key)
        if row is None:
            raise NotFound(f"There is no book {key[:120]!r}.", hint="`kiosque books list` names the keys.")
        return self._catalogue.books[row]

    def _nothing_left(self) -> str:
        count = len(self._catalogue)
        return f"None of the {count} books passes the filters." if count else _NONE_YET

    def _no_match(self, best: int) -> str:
        title = self._catalogue.books[best].title
        return f"No good match: the closest book, “{title}”, is too far from what was asked."

    def _below(self, best: int, score: float, least: float) -> str:
        title = self._catalogue.books[best].title
        return f"No good match: no book reaches the score {least:g}; the closest, “{title}”, has {score:.2f}."


def _highest(score: Scores, count: int) -> Rows:
    """The rows of the `count` highest scores, best first; of equal ones the lower row first."""
    if len(score) > count:
        # all that reach the least score still wanted, so that ties at the edge do not fall by chance
        edge = np.partition(score, -count)[-count]
        rows = np.nonzero(score >= edge)[0]
    else:
        rows = np.arange(len(score))
    return rows[np.argsort(-score[rows], kind="stable")][:count]


def load(folder: Path, *, threads: int | None = None) -> BooksModel:
    """Load the version in `folder`, named after the folder. `threads` for queries that are asked together; without it
    what affinity and cgroup allow.

    Raises NoModel where there is no such folder, CorruptModel where its files are missing or damaged.
    """
    if not folder.is_dir():
        raise NoModel(f"There is no books version in {folder}.", hint="Build one with `kiosque books build`.")
    try:
        index = _read(folder)
        canary = json.loads((folder / CANARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptModel(
            f"Books version {folder.name} cannot be read: {error}",
            hint="Build it again with `kiosque books build`.",
        ) from error
    return BooksModel(folder.name, index, canary, threads=threads or count_cpus())


def _read(folder: Path) -> Index:
    catalogue, lexical, recipe = read_rows(folder), load_index(folder), read_recipe(folder)
    shifts = _shifts(catalogue, read_votes(folder))
    if not (folder / GRAPH).exists():
        encoder = vectors = chronicle = None
    else:
        encoder = Encoder(folder)
        vectors = np.load(folder / VECTORS, allow_pickle=False).astype(np.float32)
        chronicle = load_chronicle(folder / FOLDER)
    if lexical.size != len(catalogue) or (vectors is not None and len(vectors) != len(catalogue)):
        raise ValueError("books, index and vectors differ in number")
    return Index(catalogue, lexical, recipe, encoder, vectors, chronicle, shifts)


def _shifts(catalogue: Catalogue, votes: dict[str, Votes]) -> Scores | None:
    if not votes:
        return None
    none = Votes(0, 0)
    return np.array([shift(votes.get(book.key, none)) for book in catalogue.books], np.float32)
