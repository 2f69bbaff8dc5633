import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.polarity import Polarity, Probabilities


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ((0.6, 0.3, 0.1), Polarity.NEGATIVE),
        ((0.1, 0.3, 0.6), Polarity.POSITIVE),
        ((0.2, 0.6, 0.2), Polarity.NEUTRAL),
        ((0.4, 0.4, 0.2), Polarity.NEUTRAL),
        ((0.45, 0.1, 0.45), Polarity.NEGATIVE),
    ],
)
def test_the_likeliest_polarity_is_taken_and_ties_are_settled(p, expected):
    assert Probabilities(*p).polarity is expected


@given(st.floats(0, 1), st.floats(0, 1))
def test_net_polarity_lies_between_minus_one_and_one(a, b):
    total = a + b + 1
    assert -1 <= Probabilities(a / total, 1 / total, b / total).net <= 1
