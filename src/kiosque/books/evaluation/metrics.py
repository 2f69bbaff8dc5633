"""Measures of ranked lists, and the intervals that belong to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000
SEED = 20261125

Values = NDArray[np.float64]


def ndcg(ranked: Sequence[int], gains: Mapping[int, float], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k` (Järvelin and Kekäläinen 2002, discount log2(rank + 1)).

    `gains` are those of all items that have one; NaN where nothing has.
    """
    ideal = _discounted(sorted(gains.values(), reverse=True)[:k])
    return _discounted([gains.get(item, 0.0) for item in ranked[:k]]) / ideal if ideal else float("nan")


def graded(grades: Mapping[int, int]) -> dict[int, float]:
    """Grades as gains 2^grade - 1, so that one book that is exactly right outweighs two loosely related ones."""
    return {item: 2.0**grade - 1.0 for item, grade in grades.items() if grade > 0}


def recall(ranked: Sequence[int], relevant: frozenset[int], k: int) -> float:
    """Share of what could be found among the first `k` that was found; NaN where nothing is relevant."""
    return len(relevant & set(ranked[:k])) / min(k, len(relevant)) if relevant else float("nan")


def mean_interval(
    values: Values, *, resamples: int = RESAMPLES, seed: int = SEED
) -> tuple[float, tuple[float, float]]:
    """The mean of `values` without NaN, and its 95 % interval by the percentile bootstrap."""
    kept = values[~np.isnan(values)]
    if not kept.size:
        return float("nan"), (float("nan"), float("nan"))
    drawn = np.random.default_rng(seed).integers(0, kept.size, (resamples, kept.size))
    low, high = np.quantile(kept[drawn].mean(axis=1), [0.025, 0.975])
    return float(kept.mean()), (float(low), float(high))


def mean_known(values: Values) -> float:
    """The mean of `values` without NaN; 0 where nothing is left."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else 0.0


def rounded(value: float) -> float | None:
    """Four places, as a report has it; None for NaN, which JSON does not know."""
    return None if np.isnan(value) else round(float(value), 4)


def _discounted(gains: Sequence[float]) -> float:
    return float(sum(gain / np.log2(rank + 1) for rank, gain in enumerate(gains, 1)))
