"""Whether what a model meets lately is what it was measured on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.drift import (
    ENOUGH,
    Observed,
    Reference,
    Tokens,
    Verdict,
    compare,
    parse_reference,
    stability,
    wilson,
)

DOCUMENT = {
    "n": 1000,
    "class_shares": {"negative": 0.2, "neutral": 0.6, "positive": 0.2},
    "confidence_mean": 0.75,
    "confidence_edges": [0.0, 0.7, 1.0001],
    "confidence_shares": [0.4, 0.6],
    "unknown_token_share": 0.001,
    "no_mention_share": 0.01,
}


def reference() -> Reference:
    found = parse_reference(DOCUMENT)
    assert found
    return found


def seen(negative: int, neutral: int, positive: int, *, mean: float = 0.75, not_named: int = 0) -> Observed:
    n = negative + neutral + positive
    low = round(0.4 * n)
    return Observed(
        articles=n,
        asked=n + not_named,
        not_named=not_named,
        classes=(negative, neutral, positive),
        confidence_sum=mean * n,
        confidence_squares=(mean**2 + 0.01) * n,
        confidence_counts=(low, n - low),
    )


def verdicts(found: Observed, tokens: Tokens | None = None) -> dict[str, Verdict]:
    return {signal.name: signal.verdict for signal in compare(reference(), found, tokens).signals}


def test_the_same_shares_are_steady():
    drift = compare(reference(), seen(200, 600, 200, not_named=10))
    assert drift.moved == ()
    assert drift.enough
    assert drift.class_stability == pytest.approx(0, abs=1e-9)
    assert drift.confidence_stability == pytest.approx(0, abs=1e-9)
    assert [signal.name for signal in drift.signals] == [
        "negative",
        "neutral",
        "positive",
        "confidence",
        "no_mention",
    ]


def test_another_mix_has_moved():
    drift = compare(reference(), seen(500, 400, 100, mean=0.6, not_named=200))
    assert {signal.name for signal in drift.moved} == {
        "negative",
        "neutral",
        "positive",
        "confidence",
        "no_mention",
    }
    assert drift.class_stability is not None
    assert drift.class_stability > 0.25
    assert drift.signals[0].change == pytest.approx(0.3)


def test_a_little_more_than_chance_with_very_many_is_no_move():
    assert verdicts(seen(230_000, 570_000, 200_000))["negative"] is Verdict.STEADY


def test_few_answers_say_nothing():
    drift = compare(reference(), seen(40, 20, 10))
    assert {signal.verdict for signal in drift.signals} == {Verdict.TOO_FEW}
    assert (drift.enough, drift.class_stability) == (False, None)
    assert drift.signals[0].low is None
    assert compare(reference(), seen(0, 0, 0)).signals[0].now is None
    assert verdicts(seen(ENOUGH, 0, 0))["negative"] is Verdict.MOVED


def test_word_pieces_are_told_where_they_were_counted():
    assert "unknown_tokens" not in verdicts(seen(200, 600, 200))
    found = verdicts(seen(200, 600, 200), Tokens(500, 10_000, 10))
    assert found["unknown_tokens"] is Verdict.STEADY
    assert verdicts(seen(200, 600, 200), Tokens(500, 10_000, 400))["unknown_tokens"] is Verdict.MOVED


@pytest.mark.parametrize(
    "changes",
    [
        {"class_shares": None},
        {"class_shares": {"negative": 1}},
        {"n": "many"},
        {"n": 0},
        {"confidence_edges": [0, 1]},
        {"confidence_shares": 3},
        {"unknown_token_share": "x"},
    ],
)
def test_what_is_no_reference_is_none(changes):
    assert parse_reference({**DOCUMENT, **changes}) is None
    assert parse_reference({}) is None


def test_shares_that_were_not_kept_are_left_out():
    bare = parse_reference({k: v for k, v in DOCUMENT.items() if "share" not in k or k.endswith("shares")})
    assert bare
    assert bare.no_mention_share is None
    assert [s.name for s in compare(bare, seen(200, 600, 200), Tokens(1, 900, 1)).signals][-1] == "confidence"


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_its_share(count, n):
    count = min(count, n)
    low, high = wilson(count, n)
    assert 0 <= low <= count / n + 1e-9
    assert count / n - 1e-9 <= high <= 1


def test_an_interval_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)
    # Newcombe (1998), Statistics in Medicine 17: 81 of 263
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
def test_an_index_is_nought_for_the_same_and_never_less(shares):
    total = sum(shares)
    shares = [share / total for share in shares]
    assert stability(shares, shares) == 0
    assert stability(shares, shares[::-1]) >= 0
