"""What speaks for each book of a catalogue, given a text: words, meaning, and the setting that the chronicle tells.

mixed = (1 - l) · cos(text, book) + l · BM25(text, book) / best BM25
        + confidence · (c · cos(notes, book) + p · BM25(persons of the notes, book) + s · BM25(their subjects, book))
score = logistic(slope · mixed / (1 + confidence · (c + p + s)) + offset + verdicts of readers)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosque.books.asked import Passage
from kiosque.books.catalogue import Catalogue
from kiosque.books.chronicle import Chronicle, Note, Setting
from kiosque.books.encoder import Encoder, Vector
from kiosque.books.lexical import LexicalIndex
from kiosque.books.recipe import Recipe
from kiosque.books.terms import name_terms, surfaces
from kiosque.core.book import Book

MAX_TERMS = 200
"""Of a long text the rarest terms count; a news article has fewer."""
_NO_TERM = 1e-9
_NEAREST = 500
"""Books among which the same author is looked for."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Evidence:
    """For each book of the catalogue, [books], what speaks for it; and how well the text fits the chronicle."""

    score: Scores
    """Between 0 and 1: what books are ranked by."""
    towards: NDArray[np.float32]
    """The vectors of the texts, [texts, width]; none without an encoder."""
    lexical: Scores
    """BM25 as a share of what the text could reach."""
    strength: float
    notes: tuple[Note, ...]
    """The notes that took part; none at confidence 0."""


@dataclass(frozen=True, slots=True)
class Index:
    """All that evidence is drawn from. Without an encoder there are neither vectors nor chronicle."""

    catalogue: Catalogue
    lexical: LexicalIndex
    recipe: Recipe
    encoder: Encoder | None = None
    vectors: NDArray[np.float32] | None = None
    """[books, width], each of length 1."""
    chronicle: Chronicle | None = None
    shifts: Scores | None = None
    """What readers' verdicts add to the log-odds of each book."""

    def weigh(self, passage: Passage, own: Book | None = None) -> Evidence:
        """The evidence of one text. With `own` the text is the description of that book: then the author counts, and
        the chronicle, which is for news, is not asked.
        """
        terms = self._terms(passage.text)
        words = self.lexical.scores(terms)
        reach = sum(self.lexical.rarity(term) for term in terms)
        share = np.minimum(words / max(reach, _NO_TERM), 1.0).astype(np.float32)
        if self.encoder is None or self.vectors is None:
            return Evidence(self._shifted(share), np.zeros((0, 0), np.float32), share, 0.0, ())
        vector = self.encoder.encode(passage.text)
        setting = self._place(passage.text, vector) if own is None else None
        mixed = self._mix(vector, words, setting)
        if own is not None:
            mixed = self._same_author(mixed, own)
        score = self._shifted(_logistic(self.recipe.slope * mixed + self.recipe.offset))
        if setting is None:
            return Evidence(score, vector[None], share, 0.0, ())
        return Evidence(
            score, vector[None], share, setting.strength, setting.notes if setting.confidence else ()
        )

    def top_cosine(self, evidence: Evidence, rows: NDArray[np.intp]) -> float:
        """The highest cosine of one of the texts with one of the books in `rows`."""
        if self.vectors is None or not len(rows):
            return 0.0
        return float((self.vectors[rows] @ evidence.towards.T).max())

    def _place(self, text: str, vector: Vector) -> Setting | None:
        return self.chronicle.place(text, vector, self.recipe) if self.chronicle else None

    def _mix(self, vector: Vector, words: Scores, setting: Setting | None) -> Scores:
        """The formula at the head of this module. A sum of cosines is the product with a sum of vectors, so that the
        books' vectors, most of what is read from memory, are read once.
        """
        assert self.vectors is not None
        recipe = self.recipe
        towards = (1.0 - recipe.lexical_weight) * vector
        mixed = recipe.lexical_weight * relative(words)
        extent = 0.0
        if setting is not None and setting.confidence:
            sure = setting.confidence
            extent = sure * (recipe.context_weight + recipe.person_weight + recipe.subject_weight)
            towards += sure * recipe.context_weight * setting.direction
            mixed += sure * recipe.person_weight * relative(self.lexical.scores(setting.persons))
            mixed += sure * recipe.subject_weight * relative(self.lexical.scores(setting.subjects))
        # row by row: the threads of a BLAS wait for one another, on a busy machine much longer than this takes
        mixed += np.vecdot(self.vectors, towards)
        return np.asarray(mixed / (1.0 + extent), np.float32)

    def _same_author(self, mixed: Scores, own: Book) -> Scores:
        """`mixed` plus the likeness of authors (Jaccard's coefficient of their names), for the nearest books."""
        names = frozenset(name_terms(own.author))
        added = mixed.copy()
        for row in np.argsort(-mixed)[:_NEAREST] if names else ():
            others = frozenset(name_terms(self.catalogue.books[row].author))
            added[row] += self.recipe.author_weight * len(names & others) / len(names | others)
        return added

    def _terms(self, text: str) -> Mapping[str, float]:
        terms = dict.fromkeys(surfaces(text), 1.0)
        if len(terms) <= MAX_TERMS:
            return terms
        return dict.fromkeys(
            sorted(terms, key=lambda term: (-self.lexical.rarity(term), term))[:MAX_TERMS], 1.0
        )

    def _shifted(self, score: Scores) -> Scores:
        if self.shifts is None:
            return score
        bounded = np.clip(score, 1e-6, 1.0 - 1e-6)
        return _logistic(np.log(bounded / (1.0 - bounded)) + self.shifts)


def merge(found: Sequence[Evidence], shares: Sequence[float]) -> Evidence:
    """The evidence of several texts: half the weighted mean, half the best single text, so that a reader of two
    fields gets the best books of each and not what lies between them.
    """
    if len(found) == 1:
        return found[0]
    weights = np.array(shares, np.float32)
    relative_weights = (weights / weights.max())[:, None]

    def both(kinds: list[Scores]) -> Scores:
        stacked = np.stack(kinds)
        return np.asarray(
            0.5 * (weights @ stacked) + 0.5 * (relative_weights * stacked).max(axis=0), np.float32
        )

    return Evidence(
        both([one.score for one in found]),
        np.concatenate([one.towards for one in found]),
        np.stack([one.lexical for one in found]).max(axis=0),
        max(one.strength for one in found),
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def relative(scores: Scores) -> Scores:
    """`scores` as a share of the largest; all 0 where nothing scores."""
    return np.asarray(scores / max(float(scores.max(initial=0.0)), _NO_TERM), np.float32)


def _logistic(x: NDArray[np.floating]) -> Scores:
    return np.asarray(1.0 / (1.0 + np.exp(-x)), np.float32)
