import numpy as np
import pytest

from kiosque.books.diversity import alike, spread
from kiosque.testing.books import BRIDGE, LINCOLN, PLAIN, TRUMAN


def test_a_book_is_most_like_itself_and_strangers_share_nothing():
    matrix = alike([TRUMAN, BRIDGE], np.eye(2, dtype=np.float32))
    assert matrix[0, 0] == pytest.approx(1.0)
    assert matrix[0, 1] == 0.0


def test_unknown_subjects_make_no_two_books_alike():
    assert alike([PLAIN, PLAIN], None)[0, 1] == pytest.approx(0.4)


def test_without_weight_the_order_is_that_of_the_scores():
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert spread([TRUMAN, TRUMAN, BRIDGE], scores, np.ones((3, 3)), 3, 0.0) == [0, 1, 2]


def test_a_twin_steps_back_behind_something_new():
    books = [TRUMAN, TRUMAN, LINCOLN]
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert spread(books, scores, alike(books, None), 3, 0.5) == [0, 2, 1]


def test_no_more_than_asked_for_and_no_more_than_there_are():
    scores = np.array([0.9, 0.8], np.float32)
    assert len(spread([TRUMAN, LINCOLN], scores, np.eye(2), 1, 0.3)) == 1
    assert len(spread([TRUMAN, LINCOLN], scores, np.eye(2), 9, 0.3)) == 2
