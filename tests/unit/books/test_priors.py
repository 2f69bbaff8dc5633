import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.books.build import build
from kiosque.books.model import load
from kiosque.books.priors import LEAST_VOTES, MAX_SHIFT, Votes, read_votes, shift, write_votes
from kiosque.core.book import BookQuery
from kiosque.testing.books import BOOKS, TRUMAN

counts = st.integers(0, 10_000)


def test_a_few_verdicts_change_nothing():
    assert shift(Votes(LEAST_VOTES - 1, 0)) == 0.0
    assert shift(Votes(LEAST_VOTES, 0)) > 0.0


def test_an_even_verdict_changes_nothing():
    assert shift(Votes(50, 50)) == 0.0


@given(counts, counts)
def test_the_shift_is_bounded_and_fair_to_both_sides(useful, not_useful):
    moved = shift(Votes(useful, not_useful))
    assert abs(moved) <= MAX_SHIFT
    assert moved == pytest.approx(-shift(Votes(not_useful, useful)))


@given(counts, counts)
def test_one_more_useful_verdict_never_lowers_a_book(useful, not_useful):
    more, before = shift(Votes(useful + 1, not_useful)), shift(Votes(useful, not_useful))
    assert more >= before or useful + not_useful < LEAST_VOTES


def test_only_verdicts_that_count_are_kept(tmp_path):
    write_votes({"b": Votes(1, 0), "a": Votes(40, 2)}, tmp_path)
    assert read_votes(tmp_path) == {"a": Votes(40, 2)}


def test_verdicts_move_the_score_of_their_book_alone(tmp_path):
    build(BOOKS, tmp_path / "plain", encoder=None)
    build(BOOKS, tmp_path / "voted", encoder=None, votes={TRUMAN.key: Votes(0, 50)})
    query = BookQuery(text="Truman, Lincoln and bridges", min_score=0.0, k=4)
    plain, voted = (
        {r.book.key: r.score for r in load(tmp_path / name).recommend([query])[0].recommendations}
        for name in ("plain", "voted")
    )
    assert voted[TRUMAN.key] < plain[TRUMAN.key]
    assert {k: v for k, v in voted.items() if k != TRUMAN.key} == pytest.approx(
        {k: v for k, v in plain.items() if k != TRUMAN.key}, abs=1e-3
    )
    assert load(tmp_path / "voted").info.voted == 1
