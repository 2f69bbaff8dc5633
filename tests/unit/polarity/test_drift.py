"""The drift reference and the distance from it."""

from __future__ import annotations

import numpy as np
import pytest

from kiosque.modelstore.store import ModelStore
from kiosque.polarity.drift import (
    CONFIDENCE_EDGES,
    TOKEN_EDGES,
    count_tokens,
    population_stability,
    summarise,
)
from kiosque.wiring import shipped_data

ROWS = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])


def test_summarises_classes_confidence_length_and_unknown_words() -> None:
    summary = summarise(ROWS, [(8, 0), (12, 1), (12, 0), (60, 3)], asked=5)
    assert summary["n"] == 4
    assert summary["class_shares"] == {"negative": 0.25, "neutral": 0.5, "positive": 0.25}
    assert summary["confidence_mean"] == pytest.approx(0.675)
    assert summary["token_shares"][0] == 0.25
    assert summary["unknown_token_share"] == pytest.approx(4 / 92, abs=1e-6)
    assert summary["no_mention_share"] == pytest.approx(0.2)
    assert sum(summary["confidence_shares"]) == sum(summary["token_shares"]) == 1
    assert len(summary["token_shares"]) == len(TOKEN_EDGES) - 1
    assert len(summary["confidence_shares"]) == len(CONFIDENCE_EDGES) - 1


def test_nothing_moved_is_zero_and_a_shift_is_large() -> None:
    assert population_stability([0.2, 0.5, 0.3], [0.2, 0.5, 0.3]) == 0
    assert population_stability([0.2, 0.5, 0.3], [0.7, 0.2, 0.1]) > 0.25
    assert population_stability([1.0, 0.0], [0.0, 1.0]) > 1


def test_word_pieces_that_a_shipped_version_does_not_know_are_counted() -> None:
    store = ModelStore(shipped_data() / "models")
    folder = store.champion("polarity").folder
    plain = count_tokens(folder, ["Lincoln Elected President", "Cotton Falls"])
    assert (plain.texts, plain.unknown) == (2, 0)
    assert plain.tokens >= 5
    assert count_tokens(folder, ["\u16a0\u16a2\u16a6"]).unknown >= 1
