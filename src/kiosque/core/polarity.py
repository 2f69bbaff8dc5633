"""What is asked of a polarity model and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kiosque.core.article import Field
from kiosque.core.entity import EntityKind, Span


class Polarity(StrEnum):
    """How a text portrays a target to a careful reader who takes no side."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Outcome(StrEnum):
    """Whether there is a score, and if not, why."""

    SCORED = "scored"
    NO_MENTION = "no_mention"
    NOT_ENGLISH = "not_english"
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Calibrated; they add up to 1."""

    negative: float
    neutral: float
    positive: float

    @property
    def polarity(self) -> Polarity:
        """The likeliest; on a tie neutral, then negative."""
        best = max(self.negative, self.neutral, self.positive)
        if self.neutral >= best:
            return Polarity.NEUTRAL
        return Polarity.NEGATIVE if self.negative >= best else Polarity.POSITIVE

    @property
    def net(self) -> float:
        """Positive minus negative, between -1 and 1."""
        return self.positive - self.negative


@dataclass(frozen=True, slots=True)
class Target:
    """One entity asked about: where the text names it. Without spans it is looked for by `name`."""

    id: str
    name: str
    spans: tuple[Span, ...] = ()
    kind: EntityKind = EntityKind.PERSON


@dataclass(frozen=True, slots=True)
class ScoringRequest:
    """One text (a headline, an abstract or both) and the targets to score in it."""

    headline: str
    abstract: str = ""
    targets: tuple[Target, ...] = ()
    language: str | None = None

    def text_of(self, part: Field) -> str:
        return self.headline if part is Field.HEADLINE else self.abstract


@dataclass(frozen=True, slots=True)
class SpanScore:
    """What one mention in one place got, before the mentions of the target were merged."""

    span: Span
    probabilities: Probabilities


@dataclass(frozen=True, slots=True)
class TargetScore:
    """The answer for one target. `probabilities` is None unless `outcome` is SCORED."""

    target_id: str
    outcome: Outcome
    probabilities: Probabilities | None = None
    spans: tuple[SpanScore, ...] = ()

    @property
    def polarity(self) -> Polarity | None:
        return self.probabilities.polarity if self.probabilities else None


@dataclass(frozen=True, slots=True)
class WordContribution:
    """How much a word pushed the net polarity: score with it minus score without it (occlusion)."""

    part: Field
    start: int
    end: int
    word: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Mention:
    """What is stored for (article, entity, model version)."""

    entity_id: str
    model_version: str
    outcome: Outcome
    probabilities: Probabilities | None
    spans: tuple[SpanScore, ...]

    @property
    def polarity(self) -> Polarity | None:
        return self.probabilities.polarity if self.probabilities else None
