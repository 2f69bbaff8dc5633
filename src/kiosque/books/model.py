"""A loaded version of the recommender: books in, shelves out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosque.books import asked
from kiosque.books.catalogue import Catalogue, Mask, read_rows
from kiosque.books.encoder import GRAPH, Encoder, Vector
from kiosque.books.lexical import LexicalIndex, load_index
from kiosque.books.reasons import Wording, explain, take_apart
from kiosque.books.recipe import Recipe, read_recipe
from kiosque.books.terms import index_terms
from kiosque.core.book import Book, BookQuery, Recommendation, Shelf
from kiosque.core.errors import CorruptModel, NoModel, NotFound

VECTORS = "vectors.npy"
CANARY = "canary.json"
TOLERANCE = 0.03
"""How far a score may be from the recorded one: int8 kernels of different processors round differently."""
_POOL = 5
"""Books looked at by the diversity step, as a multiple of k."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Info:
    """What a loaded version says of itself."""

    version: str
    books: int
    encoder: bool
    """Whether texts are compared by meaning, too, or by words alone."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for each book of the catalogue, all [books]."""

    score: Scores
    """Between 0 and 1: what books are ranked by."""
    cosine: Scores
    lexical: Scores
    """BM25 as a share of what the text could reach."""


class BooksModel:
    """Immutable after loading; every method may be called from any thread."""

    def __init__(
        self,
        version: str,
        catalogue: Catalogue,
        lexical: LexicalIndex,
        vectors: NDArray[np.float32] | None,
        encoder: Encoder | None,
        recipe: Recipe,
        canary: Sequence[dict[str, object]] = (),
    ) -> None:
        self._version = version
        self._catalogue = catalogue
        self._lexical = lexical
        self._vectors = vectors
        self._encoder = encoder
        self._recipe = recipe
        self._canary = canary

    @property
    def info(self) -> Info:
        return Info(self._version, len(self._catalogue), self._encoder is not None)

    def warm(self) -> None:
        """Answer one query, so that the first reader does not wait for lazy set-up."""
        if len(self._catalogue):
            self.recommend([BookQuery(text="The president spoke to Congress about the war.", k=1)])

    def check(self) -> None:
        """Raises CorruptModel when this version does not give the answers that were recorded when it was built."""
        for case in self._canary:
            evidence = self._evidence(asked.Passage(str(case["text"])))
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
        return [self._shelf(query) for query in queries]

    def _shelf(self, query: BookQuery) -> Shelf:
        own = self._book(query.book_key) if query.book_key is not None else None
        passages = asked.passages(query, own)
        allowed = self._catalogue.allowed(query)
        if own is not None:
            allowed &= self._not_the_work(own)
        if not allowed.any():
            return Shelf((), self._version, self._nothing_left())
        evidence = self._combine(passages)
        least = self._recipe.gate if query.min_score is None else query.min_score
        best = int(np.argmax(np.where(allowed, evidence.score, -1.0)))
        if query.min_score is None and not self._fits(evidence, allowed):
            return Shelf((), self._version, self._no_match(best))
        rows = self._choose(evidence, allowed, query.k)
        if query.min_score is not None:
            rows = [row for row in rows if evidence.score[row] >= least]
            if not rows:
                return Shelf((), self._version, self._below(evidence, best, least))
        wording = take_apart(" ".join(passage.text for passage in passages))
        return Shelf(tuple(self._say(wording, evidence, rows)), self._version)

    def _say(self, wording: Wording, evidence: Evidence, rows: list[int]) -> list[Recommendation]:
        return [
            Recommendation(
                self._catalogue.books[row],
                rank,
                round(float(evidence.score[row]), 4),
                explain(wording, self._catalogue.books[row], self._lexical.rarity),
            )
            for rank, row in enumerate(rows, 1)
        ]

    def _combine(self, passages: Sequence[asked.Passage]) -> Evidence:
        """The evidence of several texts: of each kind the weighted mean and the best single text, half and half."""
        found = [self._evidence(passage) for passage in passages]
        if len(found) == 1:
            return found[0]
        shares = np.array([p.share for p in passages], np.float32)
        relative = shares / shares.max()

        def merge(kinds: list[Scores]) -> Scores:
            stacked = np.stack(kinds)
            return np.asarray(
                0.5 * (shares @ stacked) + 0.5 * (relative[:, None] * stacked).max(axis=0), np.float32
            )

        return Evidence(
            merge([e.score for e in found]),
            merge([e.cosine for e in found]),
            merge([e.lexical for e in found]),
        )

    def _evidence(self, passage: asked.Passage) -> Evidence:
        terms = dict.fromkeys(index_terms(passage.text), 1.0)
        reach = sum(self._lexical.rarity(term) for term in terms) or 1.0
        lexical = np.minimum(self._lexical.scores(terms) / np.float32(reach), 1.0)
        if self._encoder is None or self._vectors is None:
            return Evidence(lexical, np.zeros_like(lexical), lexical)
        cosine = self._vectors @ self._encode(passage.text)
        recipe = self._recipe
        top = float(lexical.max(initial=0.0)) or 1.0
        mixed = recipe.cosine_weight * cosine + recipe.lexical_weight * lexical / top * float(
            cosine.max(initial=0.0)
        )
        return Evidence(np.clip(mixed, 0.0, 1.0).astype(np.float32), cosine, lexical)

    def _encode(self, text: str) -> Vector:
        assert self._encoder is not None
        return self._encoder.encode(text)

    def _fits(self, evidence: Evidence, allowed: Mask) -> bool:
        if self._encoder is None:
            return bool(evidence.lexical[allowed].max() >= self._recipe.lexical_gate)
        return bool(evidence.cosine[allowed].max() >= self._recipe.gate)

    def _choose(self, evidence: Evidence, allowed: Mask, k: int) -> list[int]:
        order = np.argsort(-np.where(allowed, evidence.score, -1.0), kind="stable")[: k * _POOL]
        pool = [int(row) for row in order if allowed[row]]
        return pool[:k]

    def _book(self, key: str) -> Book:
        row = self._catalogue.rows.get(key)
        if row is None:
            raise NotFound(f"There is no book {key[:120]!r}.", hint="`kiosque books list` names the keys.")
        return self._catalogue.books[row]

    def _not_the_work(self, own: Book) -> Mask:
        same = (own.title.casefold(), own.author.casefold())
        return np.array(
            [(b.title.casefold(), b.author.casefold()) != same for b in self._catalogue.books], np.bool_
        )

    def _nothing_left(self) -> str:
        if not len(self._catalogue):
            return "There are no books in the catalogue yet."
        return f"None of the {len(self._catalogue)} books passes the filters."

    def _no_match(self, best: int) -> str:
        return f"No good match: the closest book, “{self._catalogue.books[best].title}”, is too far from this text."

    def _below(self, evidence: Evidence, best: int, least: float) -> str:
        title, score = self._catalogue.books[best].title, float(evidence.score[best])
        return f"No book reaches the score {least:g}: the closest, “{title}”, has {score:.2f}."


def load(folder: Path, *, threads: int | None = None) -> BooksModel:
    """Load the version in `folder`, named after the folder. `threads` for the encoder.

    Raises NoModel where there is no such folder, CorruptModel where its files are missing or damaged.
    """
    if not folder.is_dir():
        raise NoModel(f"There is no books version in {folder}.", hint="Build one with `kiosque books build`.")
    try:
        return _read(folder, threads)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptModel(
            f"Books version {folder.name} cannot be read: {error}",
            hint="Build it again with `kiosque books build`.",
        ) from error


def _read(folder: Path, threads: int | None) -> BooksModel:
    catalogue, lexical, recipe = read_rows(folder), load_index(folder), read_recipe(folder)
    canary = json.loads((folder / CANARY).read_text(encoding="utf-8"))
    encoder = Encoder(folder, threads=threads) if (folder / GRAPH).exists() else None
    vectors = np.load(folder / VECTORS, allow_pickle=False).astype(np.float32) if encoder else None
    if lexical.size != len(catalogue) or (vectors is not None and len(vectors) != len(catalogue)):
        raise ValueError("books, index and vectors differ in number")
    return BooksModel(folder.name, catalogue, lexical, vectors, encoder, recipe, canary)
