from dataclasses import replace

import numpy as np
import pytest

from kiosque.books.asked import Passage
from kiosque.books.build import assemble
from kiosque.books.catalogue import arrange
from kiosque.books.evidence import MAX_TERMS, Evidence, merge, relative
from kiosque.books.model import BooksModel
from kiosque.books.recipe import Recipe
from kiosque.core.book import Book, BookQuery
from kiosque.testing.books import BOOKS, BRIDGE, TRUMAN, WordEncoder

INDEX = assemble(arrange(BOOKS), Recipe(), encoder=WordEncoder())


def score(index, text, book):
    return float(index.weigh(Passage(text)).score[index.catalogue.rows[book.key]])


def test_vectors_have_length_one():
    assert np.linalg.norm(INDEX.vectors, axis=1) == pytest.approx(np.ones(len(BOOKS)), abs=1e-6)


def test_scores_lie_between_zero_and_one_and_favour_the_right_book():
    evidence = INDEX.weigh(Passage("steel bridges riveted"))
    assert ((evidence.score > 0) & (evidence.score < 1)).all()
    assert int(evidence.score.argmax()) == INDEX.catalogue.rows[BRIDGE.key]


def test_more_threads_give_the_same_vectors():
    again = assemble(arrange(BOOKS), Recipe(), encoder=WordEncoder(), threads=3)
    assert (again.vectors == INDEX.vectors).all()


def test_the_same_author_counts_in_more_like_this_only():
    other = Book("x", "Mornings", "David McCullough", description="Of a boy and his ponies")
    stranger = Book("y", "Mornings", "Someone Else", description="Of a boy and his ponies")
    index = assemble(arrange((*BOOKS, other, stranger)), Recipe(), encoder=WordEncoder())
    rows = index.catalogue.rows
    like = index.weigh(Passage(TRUMAN.description), TRUMAN).score
    assert like[rows["x"]] > like[rows["y"]]
    text = index.weigh(Passage(TRUMAN.description)).score
    assert text[rows["x"]] == text[rows["y"]]


def test_of_a_long_text_the_rarest_terms_are_compared():
    text = " ".join(f"filler{n}" for n in range(2 * MAX_TERMS)) + " whistle-stop"
    assert INDEX.weigh(Passage(text)).lexical.argmax() == INDEX.catalogue.rows[TRUMAN.key]


def test_the_gate_asks_the_cosine():
    strict = BooksModel("v", replace(INDEX, recipe=Recipe(gate=0.99)))
    lax = BooksModel("v", replace(INDEX, recipe=Recipe(gate=0.1)))
    query = BookQuery(text="bridges of steel and of stone")
    assert strict.recommend([query])[0].note.startswith("No good match: the closest book, “Le Pont”")
    assert lax.recommend([query])[0].recommendations[0].book == BRIDGE


def test_merging_keeps_the_best_of_each_text():
    def one(score, strength):
        scores = np.array(score, np.float32)
        return Evidence(scores, scores[None], scores, strength, ())

    merged = merge([one([0.8, 0.0, 0.5], 0.2), one([0.0, 0.8, 0.5], 0.6)], [0.5, 0.5])
    assert merged.score == pytest.approx(np.array([0.6, 0.6, 0.5]))
    assert merged.strength == 0.6
    assert merged.towards.shape == (2, 3)


def test_nothing_is_a_share_of_nothing():
    assert relative(np.zeros(3, np.float32)).tolist() == [0.0, 0.0, 0.0]
    assert relative(np.array([1.0, 2.0], np.float32)).tolist() == [0.5, 1.0]
