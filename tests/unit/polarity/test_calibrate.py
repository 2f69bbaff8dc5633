"""Temperature scaling."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from kiosque.core.errors import CorruptModel
from kiosque.polarity.calibrate import Calibration, calibration_from, fit_temperature
from kiosque.polarity.metrics import calibration_error


def drawn(temperature: float, n: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too sure by `temperature`, and labels drawn from what they ought to say."""
    rng = np.random.default_rng(3)
    honest = rng.normal(0, 1.5, (n, 3))
    labels = np.array([rng.choice(3, p=row) for row in Calibration().apply(honest)])
    return honest * temperature, labels


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.5])
def test_the_fitted_temperature_undoes_what_makes_logits_too_sure(temperature: float) -> None:
    logits, labels = drawn(temperature)
    fitted = fit_temperature(logits, labels)
    assert fitted.temperature == pytest.approx(temperature, rel=0.08)
    assert calibration_error(fitted.apply(logits), labels) < 0.02


def test_rows_count_by_their_weight() -> None:
    (sure, one), (unsure, two) = drawn(2.5), drawn(1.0)
    logits, labels = np.concatenate([sure, unsure]), np.concatenate([one, two])
    weights = np.repeat([1.0, 0.0], [len(one), len(two)])
    assert fit_temperature(logits, labels, weights) == fit_temperature(sure, one)
    assert fit_temperature(logits, labels).temperature < fit_temperature(sure, one).temperature


def test_rows_add_up_to_one_even_for_extreme_logits() -> None:
    rows = Calibration(0.5).apply([[1000.0, -1000.0, 0.0], [0.0, 0.0, 0.0]])
    assert rows.sum(axis=1) == pytest.approx([1, 1])
    assert rows[1] == pytest.approx([1 / 3] * 3)


def test_the_bias_moves_decisions_toward_its_class() -> None:
    assert Calibration(bias=(0.0, 0.0, 1.0)).apply([[0.5, 0.5, 0.0]]).argmax() == 2


def test_survives_json() -> None:
    calibration = Calibration(1.25, (0.1, 0.0, -0.1))
    assert calibration_from(asdict(calibration)) == calibration


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"temperature": 0, "bias": [0, 0, 0]},
        {"temperature": 1, "bias": [0]},
        {"temperature": "hot", "bias": [0, 0, 0]},
    ],
)
def test_refuses_what_is_no_calibration(raw: dict[str, object]) -> None:
    with pytest.raises(CorruptModel):
        calibration_from(raw)
