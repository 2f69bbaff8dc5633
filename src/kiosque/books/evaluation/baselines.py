"""What the recommender must beat: single methods, written down compactly, over the same books and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from kiosque.books.build import lexical_text
from kiosque.books.evaluation.judged import Collection
from kiosque.books.evidence import Index, Scores
from kiosque.books.lexical import LexicalIndex
from kiosque.books.terms import STOP_WORDS, index_terms, words

Scorer = Callable[[str], NDArray[np.floating]]
"""A text → one score a book."""

RRF_CONSTANT = 60
"""Cormack, Clarke and Büttcher (2009)."""


def scorers(collection: Collection, index: Index, *, seed: int) -> dict[str, Scorer]:
    """The baselines by name. `index` is that of the same books; without an encoder two of them are absent."""
    stemmer = snowballstemmer.stemmer("porter")
    found: dict[str, Scorer] = {
        "tfidf_stemmed": tfidf_scorer(collection, stemmer.stemWord),
        "tfidf": tfidf_scorer(collection, lambda word: word),
        "bm25": lambda text: index.lexical.scores(dict.fromkeys(index_terms(text), 1.0)),
        "popularity": lambda _: np.asarray(collection.weeks, np.float32),
        "random": _random_scorer(len(collection.books), seed),
    }
    if index.encoder is not None and index.vectors is not None:
        encode, vectors = index.encoder, index.vectors
        found["encoder"] = lambda text: vectors @ encode.encode(text)
        found["rrf"] = lambda text: fused((found["bm25"](text), found["encoder"](text)))
    return found


def tfidf_scorer(collection: Collection, stem: Callable[[str], str]) -> Scorer:
    """Cosine of TF-IDF vectors, by default as in scikit-learn's TfidfVectorizer (idf = ln((1 + n) / (1 + df)) + 1,
    rows of length 1), over stemmed or plain words without stop words. With Porter's stems: the reference's way.
    """

    def terms(text: str) -> list[str]:
        return [stem(word.lower()) for word in words(text) if word.lower() not in STOP_WORDS]

    index, rarity = tfidf_index([terms(lexical_text(book)) for book in collection.books])

    def score(text: str) -> Scores:
        return index.scores(_unit({t: n * rarity[t] for t, n in Counter(terms(text)).items() if t in rarity}))

    return score


def tfidf_index(documents: Sequence[Sequence[str]]) -> tuple[LexicalIndex, Mapping[str, float]]:
    """An index whose columns hold TF-IDF weights of unit rows, and the idf of each term."""
    counts = [Counter(terms) for terms in documents]
    frequency = Counter(term for count in counts for term in count)
    size = len(documents)
    rarity = {term: float(np.log((1 + size) / (1 + df)) + 1.0) for term, df in frequency.items()}
    columns: dict[str, list[tuple[int, float]]] = {term: [] for term in sorted(frequency)}
    for row, count in enumerate(counts):
        for term, weight in _unit({term: n * rarity[term] for term, n in count.items()}).items():
            columns[term].append((row, weight))
    cells = [cell for column in columns.values() for cell in column]
    index = LexicalIndex(
        {term: number for number, term in enumerate(columns)},
        np.array([weight for _, weight in cells], np.float32),
        np.array([row for row, _ in cells], np.int32),
        np.cumsum([0, *(len(column) for column in columns.values())]).astype(np.int64),
        size,
    )
    return index, rarity


def fused(scores: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Reciprocal rank fusion: the sum of 1 / (60 + rank)."""
    total = np.zeros(len(scores[0]))
    for one in scores:
        ranks = np.empty(len(one), np.int64)
        ranks[np.argsort(-one, kind="stable")] = np.arange(1, len(one) + 1)
        total += 1.0 / (RRF_CONSTANT + ranks)
    return total


def _unit(weights: Mapping[str, float]) -> dict[str, float]:
    length = float(np.sqrt(sum(w * w for w in weights.values()))) or 1.0
    return {term: weight / length for term, weight in weights.items()}


def _random_scorer(size: int, seed: int) -> Scorer:
    generator = np.random.default_rng(seed)
    return lambda _: generator.random(size)
