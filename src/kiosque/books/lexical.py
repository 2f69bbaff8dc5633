"""BM25 over the catalogue: bm25s computes what each term is worth in each book, a query adds columns up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VOCABULARY = "lexical.vocabulary.json"
_ARRAYS = ("worth", "books", "starts")


@dataclass(frozen=True, slots=True)
class LexicalIndex:
    """A sparse matrix of terms × books in columns: term t is worth `worth[i]` in book `books[i]`,
    for i from `starts[t]` to `starts[t + 1]`.
    """

    vocabulary: Mapping[str, int]
    worth: NDArray[np.float32]
    books: NDArray[np.integer]
    starts: NDArray[np.int64]
    size: int
    """Number of books."""

    def scores(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        """BM25 of each book, [size], for terms (stems) with their weights."""
        total = np.zeros(self.size, dtype=np.float32)
        for term, weight in terms.items():
            column = self.vocabulary.get(term)
            if column is not None:
                span = slice(self.starts[column], self.starts[column + 1])
                total[self.books[span]] += np.float32(weight) * self.worth[span]
        return total

    def frequency(self, term: str) -> int:
        """In how many books `term` (a stem) stands."""
        column = self.vocabulary.get(term)
        return 0 if column is None else int(self.starts[column + 1] - self.starts[column])

    def rarity(self, term: str) -> float:
        """Inverse document frequency as BM25 has it (Lucene's form); 0 for a term of no book."""
        count = self.frequency(term)
        return math.log1p((self.size - count + 0.5) / (count + 0.5)) if count else 0.0


def build_index(documents: Sequence[Sequence[str]], *, k1: float, b: float) -> LexicalIndex:
    """Index `documents`, each a list of stems. The same documents give the same arrays, bit for bit."""
    import bm25s

    vocabulary = {term: n for n, term in enumerate(sorted({t for terms in documents for t in terms}))}
    if not vocabulary:
        empty = np.zeros(0, np.float32)
        return LexicalIndex({}, empty, empty.astype(np.int32), np.zeros(1, np.int64), len(documents))
    numbers = [[vocabulary[term] for term in terms] for terms in documents]
    engine = bm25s.BM25(k1=k1, b=b, method="lucene", backend="numpy")
    engine.index((numbers, vocabulary), show_progress=False, create_empty_token=False)
    matrix = engine.scores
    return LexicalIndex(
        vocabulary,
        np.asarray(matrix["data"], np.float32),
        np.asarray(matrix["indices"], np.int32),
        np.asarray(matrix["indptr"], np.int64),
        len(documents),
    )


def save_index(index: LexicalIndex, folder: Path) -> None:
    """Write `index` as one JSON file and three arrays without pickle."""
    terms = sorted(index.vocabulary, key=index.vocabulary.__getitem__)
    text = json.dumps({"size": index.size, "terms": terms}, ensure_ascii=False, separators=(",", ":"))
    (folder / VOCABULARY).write_text(text, encoding="utf-8")
    for name in _ARRAYS:
        np.save(folder / f"lexical.{name}.npy", getattr(index, name), allow_pickle=False)


def load_index(folder: Path) -> LexicalIndex:
    """The inverse of `save_index`. Raises OSError, ValueError or KeyError on a damaged folder."""
    head = json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))
    worth, books, starts = (np.load(folder / f"lexical.{n}.npy", allow_pickle=False) for n in _ARRAYS)
    books = books.astype(np.intp)  # what numpy indexes by; anything else it converts each time
    return LexicalIndex({t: n for n, t in enumerate(head["terms"])}, worth, books, starts, int(head["size"]))
