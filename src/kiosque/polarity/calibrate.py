"""From logits to probabilities that mean what they say: temperature scaling (Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from kiosque.core.errors import CorruptModel

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probabilities are softmax(logits / temperature + bias).

    `bias` (one number a class, in the order of the labels) moves decisions toward rare classes; zeros leave them.
    """

    temperature: float = 1.0
    bias: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def apply(self, logits: Any) -> Array:
        """Rows of probabilities for rows of logits; each row adds up to 1."""
        scaled = np.asarray(logits, dtype=np.float64) / self.temperature + np.asarray(self.bias)
        raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        result: Array = raised / raised.sum(axis=-1, keepdims=True)
        return result


def calibration_from(raw: dict[str, Any]) -> Calibration:
    """The inverse of `dataclasses.asdict`. Raises CorruptModel on anything that is not one."""
    try:
        bias = [float(b) for b in raw["bias"]]
        temperature = float(raw["temperature"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"The calibration is malformed: {error}.") from error
    if len(bias) != 3 or not temperature > 0:
        raise CorruptModel("The calibration needs a temperature above 0 and three numbers as bias.")
    return Calibration(temperature, (bias[0], bias[1], bias[2]))


def fit_temperature(logits: Any, labels: Any, weights: Any = None) -> Calibration:
    """The temperature between 0.3 and 5 with the least negative log-likelihood on a held-out part.

    `weights` say how much each row counts, all the same without. A golden-section search: the likelihood has one
    minimum in the temperature.
    """
    low, high = np.log(0.3), np.log(5.0)
    ratio = (np.sqrt(5.0) - 1) / 2

    def loss(exponent: float) -> float:
        return _nll(logits, labels, float(np.exp(exponent)), weights)

    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return Calibration(round(float(np.exp((low + high) / 2)), 4))


def _nll(logits: Any, labels: Any, temperature: float, weights: Any) -> float:
    probabilities = Calibration(temperature).apply(logits)
    rows = np.arange(len(labels))
    return float(-np.average(np.log(np.clip(probabilities[rows, labels], 1e-12, None)), weights=weights))
