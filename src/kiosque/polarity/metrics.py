"""Figures over labels and probabilities: macro-F1, bootstrap intervals, calibration error. Pure numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

IntArray = np.ndarray[Any, np.dtype[np.int64]]
FloatArray = np.ndarray[Any, np.dtype[np.float64]]
CLASSES = 3


def confusion_matrix(truth: IntArray, predicted: IntArray) -> IntArray:
    """Rows are true classes, columns predicted ones."""
    counts = np.bincount(truth * CLASSES + predicted, minlength=CLASSES * CLASSES)
    return counts.reshape(CLASSES, CLASSES).astype(np.int64)


def f1_scores(confusion: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Precision, recall and F1 of each class; 0 where undefined. Takes any leading dimensions."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    precision = _ratio(hits, confusion.sum(-2))
    recall = _ratio(hits, confusion.sum(-1))
    return precision, recall, _ratio(2 * precision * recall, precision + recall)


def macro_f1(truth: IntArray, predicted: IntArray) -> float:
    """Mean F1 over the classes that occur in `truth` or in `predicted`."""
    return float(macro_f1_of(confusion_matrix(truth, predicted)))


def macro_f1_of(confusion: IntArray) -> Any:
    """Macro-F1 of one confusion matrix, or of a stack of them."""
    _, _, f1 = f1_scores(confusion)
    present = (confusion.sum(-1) + confusion.sum(-2)) > 0
    return (f1 * present).sum(-1) / np.maximum(present.sum(-1), 1)


def _ratio(upper: Any, lower: Any) -> FloatArray:
    lower = np.asarray(lower, dtype=np.float64)
    result: FloatArray = np.divide(upper, lower, out=np.zeros_like(lower), where=lower > 0)
    return result


def bootstrap(
    truth: IntArray, predictions: list[IntArray], groups: IntArray, *, rounds: int = 1000, seed: int = 0
) -> FloatArray:
    """Macro-F1 of each prediction (rows) in each bootstrap round (columns).

    Whole texts are drawn (`groups` names the text of each example), because the targets of one text are not
    independent; all predictions see the same draws, so that differences between rows are paired.
    """
    rng = np.random.default_rng(seed)
    _, member = np.unique(groups, return_inverse=True)
    texts = int(member.max()) + 1
    scores = np.zeros((len(predictions), rounds))
    for column in range(rounds):
        weights = np.bincount(rng.integers(0, texts, texts), minlength=texts)[member]
        for row, predicted in enumerate(predictions):
            cells = np.bincount(truth * CLASSES + predicted, weights=weights, minlength=CLASSES * CLASSES)
            scores[row, column] = macro_f1_of(cells.reshape(CLASSES, CLASSES))
    return scores


def interval(values: FloatArray, level: float = 0.95) -> tuple[float, float]:
    """The central interval that holds `level` of `values`."""
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def reliability(
    probabilities: FloatArray, truth: IntArray, bins: int = 10
) -> list[dict[str, float | int | None]]:
    """How often the likeliest class is right, by how sure it is: equally wide bins, empty ones without figures."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    rows: list[dict[str, float | int | None]] = []
    for number in range(bins):
        inside = index == number
        n = int(inside.sum())
        rows.append(
            {
                "low": number / bins,
                "high": (number + 1) / bins,
                "n": n,
                "confidence": round(float(confidence[inside].mean()), 5) if n else None,
                "accuracy": round(float(right[inside].mean()), 5) if n else None,
            }
        )
    return rows


def calibration_error(probabilities: FloatArray, truth: IntArray, bins: int = 15) -> float:
    """Expected calibration error: |accuracy - confidence| over equally wide bins of confidence, by their share."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = np.bincount(index, weights=right - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))
