"""One answer out of several windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Field
from kiosque.core.polarity import Probabilities
from kiosque.polarity.merge import HEADLINE_WEIGHT, WindowScore, merge, merge_weights

BAD = Probabilities(0.8, 0.1, 0.1)
GOOD = Probabilities(0.1, 0.1, 0.8)


def headline(p: Probabilities, mentions: int = 1) -> WindowScore:
    return WindowScore(Field.HEADLINE, mentions, p)


def abstract(p: Probabilities, mentions: int = 1) -> WindowScore:
    return WindowScore(Field.ABSTRACT, mentions, p)


def test_one_window_decides_alone() -> None:
    assert merge([abstract(BAD)]) == BAD


def test_windows_of_one_part_count_by_their_mentions() -> None:
    merged = merge([abstract(BAD, 3), abstract(GOOD, 1)])
    assert merged.negative == pytest.approx(0.75 * 0.8 + 0.25 * 0.1)


def test_many_mentions_in_the_abstract_do_not_drown_the_headline() -> None:
    weights = merge_weights([headline(GOOD), abstract(BAD, 5), abstract(BAD, 5)])
    assert weights[0] == pytest.approx(HEADLINE_WEIGHT)


@given(
    st.lists(
        st.tuples(st.sampled_from(Field), st.integers(1, 9), st.sampled_from([BAD, GOOD])),
        min_size=1,
        max_size=12,
    )
)
def test_the_merged_answer_is_a_distribution(raw: list[tuple[Field, int, Probabilities]]) -> None:
    scores = [WindowScore(*entry) for entry in raw]
    p = merge(scores)
    assert p.negative + p.neutral + p.positive == pytest.approx(1)
    assert sum(merge_weights(scores)) == pytest.approx(1)
