"""Polarities and spans as they stand in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.polarity import Polarity, Probabilities, SpanScore

_NUMBERS = {Polarity.NEGATIVE: -1, Polarity.NEUTRAL: 0, Polarity.POSITIVE: 1}
_POLARITIES = {number: polarity for polarity, number in _NUMBERS.items()}

UNSCORED = 2
"""Stands where a polarity does, for a name that got no score."""


def polarity_number(polarity: Polarity) -> int:
    """-1, 0 or 1."""
    return _NUMBERS[polarity]


def polarity_of(number: int) -> Polarity | None:
    """The inverse of `polarity_number`; None for UNSCORED."""
    return _POLARITIES.get(number)


def pack_spans(spans: Sequence[SpanScore]) -> list[list[Any]]:
    """Each span as [part, start, end, negative, neutral, positive]: short, since there are millions."""
    return [
        [
            score.span.part.value,
            score.span.start,
            score.span.end,
            *(round(p, 6) for p in _triple(score.probabilities)),
        ]
        for score in spans
    ]


def unpack_spans(packed: Sequence[Sequence[Any]]) -> tuple[SpanScore, ...]:
    """The inverse of `pack_spans`, up to the sixth decimal."""
    return tuple(
        SpanScore(Span(Field(part), start, end), Probabilities(negative, neutral, positive))
        for part, start, end, negative, neutral, positive in packed
    )


def polarity_of_part(spans: Sequence[SpanScore], part: Field) -> Polarity | None:
    """How one part speaks of the entity: the likeliest polarity of the mean over its spans; None without any."""
    triples = [_triple(score.probabilities) for score in spans if score.span.part is part]
    if not triples:
        return None
    negative, neutral, positive = (sum(values) / len(triples) for values in zip(*triples, strict=True))
    return Probabilities(negative, neutral, positive).polarity


def _triple(p: Probabilities) -> tuple[float, float, float]:
    return p.negative, p.neutral, p.positive
