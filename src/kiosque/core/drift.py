"""Whether what a model meets and answers lately still looks like the texts that it was measured on.

The reference lies in each version (`drift.json`, written by `polarity.drift`); what was observed comes out of the
store. Everything here is arithmetic on the two, so that pages and metrics say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import log, sqrt
from typing import Any

from kiosque.core.polarity import Polarity

FILE_NAME = "drift.json"
ENOUGH = 100
"""Answers without which nothing is said: the interval of a share is wider than 20 points below that."""
Z95 = 1.959964
MATERIAL = {"unknown_tokens": 0.01}
"""How far a signal must be from its reference to have moved, where that is not `USUAL`: with many answers a tenth
of a point is more than chance, and still nothing to act upon."""
USUAL = 0.05
LOOK, MOVED = 0.1, 0.25
"""Where a population stability index becomes worth a look, and where the population is another one (the customary
limits of credit scoring)."""
_LEAST_SHARE = 1e-4


class Verdict(StrEnum):
    """What a signal says."""

    TOO_FEW = "too_few"
    STEADY = "steady"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Reference:
    """What the answers looked like when the version was measured. Shares are 0 to 1 and in the order of Polarity."""

    n: int
    class_shares: tuple[float, ...]
    confidence_mean: float
    confidence_edges: tuple[float, ...]
    confidence_shares: tuple[float, ...]
    unknown_token_share: float | None
    no_mention_share: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """What was asked and answered lately, out of the store. `asked` counts names that got no answer, too."""

    articles: int
    asked: int
    not_named: int
    """Names that were asked about and not found in the text."""
    classes: tuple[int, ...]
    """Answers by polarity, in the order of Polarity."""
    confidence_sum: float
    confidence_squares: float
    confidence_counts: tuple[int, ...]
    """Answers by the reference's edges."""
    first_day: date | None = None
    last_day: date | None = None

    @property
    def answered(self) -> int:
        return sum(self.classes)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Word pieces of some texts, and how many of them the vocabulary lacks."""

    texts: int
    tokens: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Signal:
    """One figure against its reference, with the 95 % interval of what was observed. `n` is its denominator."""

    name: str
    reference: float
    now: float | None
    low: float | None
    high: float | None
    n: int
    verdict: Verdict

    @property
    def change(self) -> float | None:
        return None if self.now is None else self.now - self.reference


@dataclass(frozen=True, slots=True)
class Drift:
    """All signals, and the stability index of the classes and of the confidence; None with too few answers."""

    signals: tuple[Signal, ...]
    class_stability: float | None
    confidence_stability: float | None

    @property
    def moved(self) -> tuple[Signal, ...]:
        return tuple(signal for signal in self.signals if signal.verdict is Verdict.MOVED)

    @property
    def enough(self) -> bool:
        return self.class_stability is not None


def parse_reference(document: Mapping[str, Any]) -> Reference | None:
    """The reference in `drift.json`; None where it is not one, as in versions of other makes."""
    try:
        shares = document["class_shares"]
        edges = tuple(float(edge) for edge in document["confidence_edges"])
        confidence = tuple(float(share) for share in document["confidence_shares"])
        reference = Reference(
            n=int(document["n"]),
            class_shares=tuple(float(shares[polarity.value]) for polarity in Polarity),
            confidence_mean=float(document["confidence_mean"]),
            confidence_edges=edges,
            confidence_shares=confidence,
            unknown_token_share=_optional(document.get("unknown_token_share")),
            no_mention_share=_optional(document.get("no_mention_share")),
        )
    except (KeyError, TypeError, ValueError):
        return None
    fits = len(edges) == len(confidence) + 1 and reference.n > 0
    return reference if fits else None


def compare(reference: Reference, seen: Observed, tokens: Tokens | None = None) -> Drift:
    """Each signal with its interval. Below `ENOUGH` answers they say nothing."""
    signals = [
        _share(polarity.value, reference.class_shares[place], seen.classes[place], seen.answered, reference.n)
        for place, polarity in enumerate(Polarity)
    ]
    signals.append(_confidence(reference, seen))
    if reference.no_mention_share is not None:
        signals.append(
            _share("no_mention", reference.no_mention_share, seen.not_named, seen.asked, reference.n)
        )
    if reference.unknown_token_share is not None and tokens is not None:
        # how many word pieces the reference counted is not kept; texts have about twenty
        pieces = 20 * reference.n
        signals.append(
            _share("unknown_tokens", reference.unknown_token_share, tokens.unknown, tokens.tokens, pieces)
        )
    if seen.answered < ENOUGH:
        return Drift(tuple(signals), None, None)
    return Drift(
        tuple(signals),
        stability(reference.class_shares, _shares(seen.classes)),
        stability(reference.confidence_shares, _shares(seen.confidence_counts)),
    )


def wilson(count: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson's score: right for small numbers and for shares near 0 and 1."""
    if n == 0:
        return 0.0, 1.0
    share, square = count / n, Z95**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = Z95 / (1 + square / n) * sqrt(share * (1 - share) / n + square / (4 * n**2))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def stability(reference: Sequence[float], now: Sequence[float]) -> float:
    """The population stability index of two histograms: the sum of (b - a) * ln(b / a)."""
    pairs = [(max(a, _LEAST_SHARE), max(b, _LEAST_SHARE)) for a, b in zip(reference, now, strict=True)]
    return sum((b - a) * log(b / a) for a, b in pairs)


def _share(name: str, reference: float, count: int, n: int, reference_n: int) -> Signal:
    if n < ENOUGH:
        return Signal(name, reference, count / n if n else None, None, None, n, Verdict.TOO_FEW)
    now = count / n
    # both shares are estimates; one counted as none of few has an error, too
    error = sqrt(_variance(now, n) + _variance(reference, reference_n))
    low, high = wilson(count, n)
    return Signal(name, reference, now, low, high, n, _verdict(name, now - reference, error))


def _variance(share: float, n: int) -> float:
    smoothed = (share * n + 1) / (n + 2)
    return smoothed * (1 - smoothed) / n


def _confidence(reference: Reference, seen: Observed) -> Signal:
    n = seen.answered
    mean = seen.confidence_sum / n if n else None
    if mean is None or n < ENOUGH:
        return Signal("confidence", reference.confidence_mean, mean, None, None, n, Verdict.TOO_FEW)
    variance = max(seen.confidence_squares / n - mean**2, 0.0)
    reach = Z95 * sqrt(variance / n)
    error = sqrt(variance / n + variance / reference.n)
    verdict = _verdict("confidence", mean - reference.confidence_mean, error)
    return Signal("confidence", reference.confidence_mean, mean, mean - reach, mean + reach, n, verdict)


def _verdict(name: str, change: float, error: float) -> Verdict:
    beyond_chance = abs(change) > Z95 * error
    return Verdict.MOVED if beyond_chance and abs(change) >= MATERIAL.get(name, USUAL) else Verdict.STEADY


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts) or 1
    return [count / total for count in counts]


def _optional(value: Any) -> float | None:
    return None if value is None else float(value)
