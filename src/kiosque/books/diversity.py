"""A shelf on which no two books say the same: maximal marginal relevance over author, subjects and vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kiosque.books.terms import name_terms
from kiosque.core.book import Book

_AUTHOR, _SUBJECTS, _VECTOR = 0.4, 0.3, 0.3
"""Parts of likeness; Carbonell and Goldstein (1998) leave it open what makes two documents alike."""

Matrix = NDArray[np.float64]


def spread(
    books: Sequence[Book], scores: NDArray[np.float32], likeness: Matrix, k: int, weight: float
) -> list[int]:
    """Places (in `books`, best first) of up to `k` books: each time the one with the highest score × (1 − `weight` ×
    likeness to the most alike that was taken).
    """
    worth = scores.astype(np.float64)
    taken: list[int] = []
    worst = np.zeros(len(books))
    while len(taken) < min(k, len(books)):
        best = int(np.argmax(worth * (1.0 - weight * worst)))
        taken.append(best)
        worth[best] = -np.inf
        worst = np.maximum(worst, likeness[best])
    return taken


def alike(books: Sequence[Book], vectors: NDArray[np.float32] | None) -> Matrix:
    """How alike the books are, [n, n], between 0 and 1."""
    authors = [frozenset(name_terms(book.author)) for book in books]
    subjects = [frozenset(subject.casefold() for subject in book.subjects) for book in books]
    total = _AUTHOR * _overlaps(authors) + _SUBJECTS * _overlaps(subjects)
    if vectors is not None:
        total += _VECTOR * np.clip(vectors @ vectors.T, 0.0, 1.0)
    return total


def _overlaps(sets: Sequence[frozenset[str]]) -> Matrix:
    """Jaccard's coefficient of each pair; 0 where one is empty."""
    matrix = np.zeros((len(sets), len(sets)))
    for row, one in enumerate(sets):
        for column, other in enumerate(sets[: row + 1]):
            if not one.isdisjoint(other):
                matrix[row, column] = matrix[column, row] = len(one & other) / len(one | other)
    return matrix
