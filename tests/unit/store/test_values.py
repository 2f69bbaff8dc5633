from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.polarity import Polarity, Probabilities, SpanScore
from kiosque.store.values import (
    UNSCORED,
    pack_spans,
    polarity_number,
    polarity_of,
    polarity_of_part,
    unpack_spans,
)

probabilities = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(
    lambda pair: Probabilities(min(pair) / 1000, abs(pair[0] - pair[1]) / 1000, (1000 - max(pair)) / 1000)
)
spans = st.lists(
    st.builds(
        SpanScore,
        st.builds(Span, st.sampled_from(Field), st.integers(0, 10_000), st.integers(0, 10_000)),
        probabilities,
    ),
    max_size=5,
).map(tuple)


@given(spans)
def test_spans_survive_packing(given_):
    assert unpack_spans(pack_spans(given_)) == given_


@pytest.mark.parametrize("polarity", Polarity)
def test_a_polarity_survives_as_a_number(polarity):
    assert polarity_of(polarity_number(polarity)) is polarity


def test_what_has_no_score_has_no_polarity():
    assert polarity_of(UNSCORED) is None
    assert UNSCORED not in {polarity_number(each) for each in Polarity}


def test_the_polarity_of_a_part_is_that_of_the_mean():
    headline = Span(Field.HEADLINE, 0, 1)
    scores = [
        SpanScore(headline, Probabilities(0.6, 0.3, 0.1)),
        SpanScore(headline, Probabilities(0.1, 0.1, 0.8)),
    ]
    assert polarity_of_part(scores, Field.HEADLINE) is Polarity.POSITIVE
    assert polarity_of_part(scores, Field.ABSTRACT) is None
