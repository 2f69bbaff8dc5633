"""How good a model is on labelled text, and whether one model may replace another."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Outcome, ScoringRequest, Target, TargetScore
from kiosque.polarity.examples import LABELS, Example
from kiosque.polarity.metrics import (
    FloatArray,
    IntArray,
    bootstrap,
    calibration_error,
    confusion_matrix,
    f1_scores,
    interval,
    macro_f1,
    reliability,
)
from kiosque.polarity.prepare import Offsets, spread_mentions

SWAP_NAMES = ("Smith", "Putin", "Angela Merkel", "Okonkwo", "Exxon Mobil")
"""Names that a target is renamed to when invariance is measured: plain, disliked, liked, foreign, a company."""
_LENGTHS = ((0, 60), (60, 120), (120, 240), (240, 1_000_000))
TOLERANCE = 0.01
"""Macro-F1 that a new version may lose on a frozen set before the gate refuses it, were the loss not significant."""


class Scores(Protocol):
    """What is measured: a model in memory, or anything that scores like one."""

    def score(
        self, requests: Sequence[ScoringRequest], *, any_language: bool = False
    ) -> list[tuple[TargetScore, ...]]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """One model on one set. Confusion: rows true, columns predicted, in the order negative, neutral, positive."""

    n: int
    skipped: int
    """Examples without an answer: the target is not in the text, or the text is too long."""
    macro_f1: float
    macro_f1_ci: tuple[float, float]
    accuracy: float
    per_class: dict[str, dict[str, float]]
    confusion: list[list[int]]
    ece: float
    reliability: list[dict[str, float | int | None]]
    """Ten bins of confidence: low, high, n, mean confidence, accuracy; see `metrics.reliability`."""
    name_swap_flips: float | None
    """Share of (example, other name) pairs whose label changes; None when it was not measured."""
    name_swap_items: float | None
    """Share of examples whose label changes for at least one of the names."""
    items_per_second: float
    slices: dict[str, dict[str, float]]
    """n and macro-F1 of texts with one target, with several, and by length in code points."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Comparison:
    """B minus A on the same examples; `p` is the share of bootstrap rounds in which B is not better."""

    n: int
    macro_f1_a: float
    macro_f1_b: float
    difference: float
    difference_ci: tuple[float, float]
    p: float
    changed: int
    """Examples that the two label differently."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a new version may take over, and why or why not, one sentence a set."""

    passed: bool
    reasons: tuple[str, ...]
    comparisons: dict[str, Comparison]


def evaluate(model: Scores, examples: Sequence[Example], *, swap_names: Sequence[str] = SWAP_NAMES) -> Report:
    """Everything that is measured about `model` on `examples`. Without `swap_names` name swaps are not measured.

    Raises InvalidInput when no example could be scored.
    """
    started = time.perf_counter()
    probabilities, scored = predict(model, examples)
    seconds = time.perf_counter() - started
    kept = [examples[i] for i in scored]
    truth = np.array([e.label for e in kept], dtype=np.int64)
    predicted = decide(probabilities)
    groups = _groups(kept)
    confusion = confusion_matrix(truth, predicted)
    flips, items = _name_swaps(model, kept, predicted, swap_names) if swap_names else (None, None)
    return Report(
        n=len(kept),
        skipped=len(examples) - len(kept),
        macro_f1=macro_f1(truth, predicted),
        macro_f1_ci=interval(bootstrap(truth, [predicted], groups)[0]),
        accuracy=float((truth == predicted).mean()),
        per_class=_per_class(confusion),
        confusion=confusion.tolist(),
        ece=calibration_error(probabilities, truth),
        reliability=reliability(probabilities, truth),
        name_swap_flips=flips,
        name_swap_items=items,
        items_per_second=len(examples) / seconds,
        slices=_slices(kept, truth, predicted),
    )


def compare(a: Scores, b: Scores, examples: Sequence[Example]) -> Comparison:
    """A paired bootstrap of B against A over the examples that both can score."""
    found = [
        dict(zip(scored, decide(p), strict=True)) for p, scored in (predict(m, examples) for m in (a, b))
    ]
    both = sorted(set(found[0]) & set(found[1]))
    if not both:
        raise InvalidInput("No example that both models can score.")
    kept = [examples[i] for i in both]
    truth = np.array([e.label for e in kept], dtype=np.int64)
    old, new = (np.array([f[i] for i in both], dtype=np.int64) for f in found)
    scores = bootstrap(truth, [old, new], _groups(kept))
    difference = scores[1] - scores[0]
    first, second = macro_f1(truth, old), macro_f1(truth, new)
    return Comparison(
        n=len(kept),
        macro_f1_a=first,
        macro_f1_b=second,
        difference=second - first,
        difference_ci=interval(difference),
        p=float((difference <= 0).mean()),
        changed=int((old != new).sum()),
    )


def gate(new: Scores, old: Scores, sets: Mapping[str, Sequence[Example]]) -> Verdict:
    """Whether `new` may replace `old`: on no frozen set may it be worse.

    Worse is: the whole interval of the paired difference lies below zero, or macro-F1 falls by more than
    `TOLERANCE`. Without any set nothing is known, so `old` stays.
    """
    if not sets:
        return Verdict(
            passed=False,
            reasons=("Nothing was compared: none of the recipe's tests is here.",),
            comparisons={},
        )
    comparisons = {name: compare(old, new, examples) for name, examples in sets.items()}
    reasons, passed = [], True
    for name, c in comparisons.items():
        worse = c.difference_ci[1] < 0 or c.difference < -TOLERANCE
        passed = passed and not worse
        reasons.append(
            f"{name}: {'worse' if worse else 'not worse'}, macro-F1 {c.macro_f1_a:.3f} → {c.macro_f1_b:.3f} "
            f"({c.difference:+.3f}, 95 % interval {c.difference_ci[0]:+.3f} to {c.difference_ci[1]:+.3f}, n = {c.n})"
        )
    return Verdict(passed, tuple(reasons), comparisons)


def predict(model: Scores, examples: Sequence[Example]) -> tuple[FloatArray, list[int]]:
    """Probabilities of the examples that could be scored, and their indices. Language is not asked: it is given."""
    answers = model.score([request_of(e.text, e.mentions) for e in examples], any_language=True)
    rows, scored = [], []
    for index, (answer,) in enumerate(answers):
        p = answer.probabilities
        if answer.outcome is Outcome.SCORED and p:
            rows.append((p.negative, p.neutral, p.positive))
            scored.append(index)
    if not rows:
        raise InvalidInput("No example could be scored.", hint="Do the texts name their targets?")
    return np.array(rows, dtype=np.float64), scored


def decide(probabilities: FloatArray) -> IntArray:
    """The likeliest class of each row."""
    result: IntArray = probabilities.argmax(axis=1).astype(np.int64)
    return result


def request_of(text: str, mentions: Sequence[Offsets]) -> ScoringRequest:
    """A text and the places of its one target, as a model is asked. A target without places is not looked for."""
    spans = tuple(Span(Field.HEADLINE, start, end) for start, end in mentions)
    return ScoringRequest(text, targets=(Target("target", "", spans),))


def rename(example: Example, name: str) -> ScoringRequest:
    """The example with its target called `name` wherever the text names it; possessive endings stay."""
    text, moved, shift = example.text, [], 0
    for start, end in spread_mentions(example.text, example.mentions):
        first = start + shift
        text = text[:first] + name + text[end + shift :]
        moved.append((first, first + len(name)))
        shift += len(name) - (end - start)
    return request_of(text, moved)


def _name_swaps(
    model: Scores, examples: Sequence[Example], predicted: IntArray, names: Sequence[str]
) -> tuple[float | None, float | None]:
    """Only names are swapped: pronouns and descriptions ("the mayor") are left out."""
    named = [i for i, e in enumerate(examples) if e.target[:1].isupper() and len(e.target) > 3]
    if not named:
        return None, None
    # One call for all names: a model that never sees the name runs each text once.
    answers = model.score([rename(examples[i], name) for name in names for i in named], any_language=True)
    labels = np.array([LABELS.index(a.polarity) if a.polarity else -1 for (a,) in answers])
    changed = predicted[named][:, None] != labels.reshape(len(names), len(named)).T
    return float(changed.mean()), float(changed.any(axis=1).mean())


def _per_class(confusion: IntArray) -> dict[str, dict[str, float]]:
    precision, recall, f1 = f1_scores(confusion)
    return {
        label.value: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "n": int(confusion[i].sum()),
        }
        for i, label in enumerate(LABELS)
    }


def _slices(examples: Sequence[Example], truth: IntArray, predicted: IntArray) -> dict[str, dict[str, float]]:
    targets = Counter(e.text for e in examples)
    several = np.array([targets[e.text] > 1 for e in examples])
    lengths = np.array([len(e.text) for e in examples])
    chosen = {"one target": ~several, "several targets": several}
    for low, high in _LENGTHS:
        name = f"{low} to {high - 1} characters" if high < 1_000_000 else f"{low} characters and more"
        chosen[name] = (lengths >= low) & (lengths < high)
    return {
        name: {"n": int(mask.sum()), "macro_f1": macro_f1(truth[mask], predicted[mask])}
        for name, mask in chosen.items()
        if mask.any()
    }


def _groups(examples: Sequence[Example]) -> IntArray:
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(e.text, len(numbers)) for e in examples], dtype=np.int64)
