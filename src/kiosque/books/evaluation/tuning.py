"""Choosing the recipe by nested cross-validation over queries: what is reported was never seen by what was chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosque.books.asked import Passage
from kiosque.books.evaluation.judged import Collection
from kiosque.books.evaluation.metrics import SEED, graded, mean_interval, mean_known, ndcg, rounded
from kiosque.books.evidence import Index
from kiosque.books.recipe import Recipe

FOLDS = 10
GRID: Mapping[str, tuple[float, ...]] = {
    "context_weight": (0.5, 1.0, 1.5),
    "person_weight": (0.0, 0.1, 0.2, 0.3),
    "subject_weight": (0.0, 0.1, 0.2, 0.3),
    "lexical_weight": (0.05, 0.15, 0.25),
}
"""The weights of fusion. Few and coarse: sixty queries do not carry more."""
_DEPTH = 10


def recipes(base: Recipe, grid: Mapping[str, Sequence[float]] = GRID) -> Iterator[Recipe]:
    """`base` with every combination of the values of `grid`."""
    for values in product(*grid.values()):
        yield replace(base, **dict(zip(grid, values, strict=True)))  # type: ignore[arg-type]  # all of GRID are floats


def crossvalidate(
    indexes: Sequence[tuple[Collection, Index]],
    candidates: Sequence[Recipe],
    *,
    folds: int = FOLDS,
    seed: int = SEED,
) -> dict[str, Any]:
    """For each fold of queries, take the recipe with the best mean nDCG@10 of all catalogues on the other folds, and
    measure it on this one. Returns the measures by catalogue and how often which values were chosen.
    """
    table = np.stack([_measure(indexes, recipe) for recipe in candidates])
    nested = np.full(table.shape[1:], np.nan)
    chosen: list[Recipe] = []
    for fold in np.array_split(np.random.default_rng(seed).permutation(table.shape[2]), folds):
        rest = np.setdiff1d(np.arange(table.shape[2]), fold)
        best = choose(table[:, :, rest])
        nested[:, fold] = table[best][:, fold]
        chosen.append(candidates[best])
    report: dict[str, Any] = {"folds": folds, "candidates": len(candidates), "chosen": _tally(chosen)}
    for (collection, _), values in zip(indexes, nested, strict=True):
        mean, (low, high) = mean_interval(values)
        report[collection.name] = {"ndcg@10": rounded(mean), "ndcg@10_ci": [rounded(low), rounded(high)]}
    return report


def choose(table: NDArray[np.float64]) -> int:
    """The candidate with the highest mean of means. `table` is [candidates, catalogues, queries], with NaN where a
    catalogue has no book for a query.
    """
    means = [np.mean([mean_known(values) for values in catalogues]) for catalogues in table]
    return int(np.argmax(means))


def _measure(indexes: Sequence[tuple[Collection, Index]], recipe: Recipe) -> NDArray[np.float64]:
    """nDCG@10 of the ranking, without threshold and diversity, [catalogues, queries]."""
    return np.array(
        [
            [
                ndcg(_ranking(replace(index, recipe=recipe), query.text), graded(grades), _DEPTH)
                for query, grades in zip(collection.queries, collection.grades, strict=True)
            ]
            for collection, index in indexes
        ]
    )


def _ranking(index: Index, text: str) -> list[int]:
    return [int(row) for row in np.argsort(-index.weigh(Passage(text)).score, kind="stable")[:_DEPTH]]


def _tally(chosen: Sequence[Recipe]) -> dict[str, dict[str, int]]:
    return {
        name: {
            f"{value:g}": count for value, count in sorted(Counter(getattr(r, name) for r in chosen).items())
        }
        for name in GRID
    }
