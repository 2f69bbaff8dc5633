"""Figures, checked against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from kiosque.polarity.metrics import (
    bootstrap,
    calibration_error,
    confusion_matrix,
    interval,
    macro_f1,
    reliability,
)

RNG = np.random.default_rng(5)
TRUTH = RNG.integers(0, 3, 400)
GUESS = np.where(RNG.random(400) < 0.7, TRUTH, RNG.integers(0, 3, 400))


def test_macro_f1_is_that_of_scikit_learn() -> None:
    assert macro_f1(TRUTH, GUESS) == pytest.approx(f1_score(TRUTH, GUESS, average="macro"))


def test_classes_that_never_occur_do_not_count() -> None:
    truth = np.array([0, 0, 2, 2])
    assert macro_f1(truth, truth) == 1
    assert macro_f1(truth, np.array([0, 1, 2, 2])) == pytest.approx((2 / 3 + 0 + 1) / 3)


def test_confusion_has_truth_in_rows() -> None:
    assert confusion_matrix(np.array([0, 0, 1]), np.array([0, 2, 1])).tolist() == [
        [1, 0, 1],
        [0, 1, 0],
        [0, 0, 0],
    ]


def test_the_bootstrap_interval_holds_the_figure_and_narrows_with_data() -> None:
    groups = np.arange(400)
    wide = interval(bootstrap(TRUTH[:100], [GUESS[:100]], groups[:100])[0])
    narrow = interval(bootstrap(TRUTH, [GUESS], groups)[0])
    assert narrow[0] < macro_f1(TRUTH, GUESS) < narrow[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_the_bootstrap_is_paired_and_repeatable() -> None:
    scores = bootstrap(TRUTH, [GUESS, GUESS], np.arange(400), rounds=50)
    assert (scores[0] == scores[1]).all()
    assert (scores == bootstrap(TRUTH, [GUESS, GUESS], np.arange(400), rounds=50)).all()


def test_examples_of_one_text_are_drawn_together() -> None:
    """Two texts, one all right and one all wrong: only three different draws exist."""
    truth, guess, groups = np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0]), np.array([0, 0, 1, 1])
    assert len(np.unique(bootstrap(truth, [guess], groups, rounds=200)[0])) == 3


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    sure = np.tile([0.9, 0.05, 0.05], (10, 1))
    assert calibration_error(sure, np.array([0] * 9 + [1])) == pytest.approx(0)
    assert calibration_error(sure, np.array([0] * 4 + [1] * 6)) == pytest.approx(0.5)


def test_bins_of_confidence_hold_everything_once_and_say_how_often_it_was_right() -> None:
    probabilities = np.array([[0.95, 0.03, 0.02], [0.91, 0.05, 0.04], [0.1, 0.5, 0.4], [0.0, 0.0, 1.0]])
    bins = reliability(probabilities, np.array([0, 1, 1, 2]))
    assert [(b["low"], b["n"]) for b in bins if b["n"]] == [(0.5, 1), (0.9, 3)]
    assert bins[9]["accuracy"] == pytest.approx(2 / 3, abs=1e-5)
    assert bins[9]["confidence"] == pytest.approx((0.95 + 0.91 + 1) / 3, abs=1e-5)
    assert bins[0] == {"low": 0.0, "high": 0.1, "n": 0, "confidence": None, "accuracy": None}
