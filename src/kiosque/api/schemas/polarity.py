"""Asking the polarity model about a text."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, StringConstraints, Tag, model_validator

from kiosque.api.schemas.articles import ContributionAnswer, ProbabilitiesAnswer, SpanAnswer
from kiosque.api.schemas.base import NUMBER, Answer, Ask, Flag, Name, Prose
from kiosque.core.article import Field as Part
from kiosque.core.entity import EntityKind, Span
from kiosque.core.polarity import Outcome, Polarity, ScoringRequest, Target, TargetScore

MAX_ITEMS = 256
MAX_TARGETS = 64
MAX_TARGETS_IN_ALL = 2048
MAX_HEADLINE = 2_000
MAX_ABSTRACT = 20_000

_TargetId = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SpanBody(Ask):
    """Where a target is named: code-point offsets, end exclusive."""

    part: Part = Part.HEADLINE
    start: Annotated[int, Field(ge=0, le=MAX_ABSTRACT), NUMBER]
    end: Annotated[int, Field(ge=1, le=MAX_ABSTRACT), NUMBER]


class TargetBody(Ask):
    """Whom the text is asked about. Without `spans` the name is looked for in the text."""

    name: Name
    id: Annotated[Prose, _TargetId] | None = Field(
        default=None, description="What the answer calls it; the name if not given."
    )
    kind: EntityKind = EntityKind.PERSON
    spans: list[SpanBody] = Field(default=[], max_length=MAX_TARGETS)


_SOMEBODY: dict[str, Any] = {
    "anyOf": [
        {"required": ["targets"], "properties": {"targets": {"minItems": 1}}},
        {"required": ["entities"], "properties": {"entities": {"const": "watched"}}},
    ]
}


class TextBody(Ask):
    """One text and whom it is asked about."""

    model_config = ConfigDict(json_schema_extra=_SOMEBODY)

    headline: Annotated[Prose, StringConstraints(max_length=MAX_HEADLINE)] = Field(
        description="The text; of an article its headline."
    )
    abstract: Annotated[Prose, StringConstraints(max_length=MAX_ABSTRACT)] = Field(
        default="", description="More text, e.g. the article's abstract."
    )
    targets: list[Name | TargetBody] = Field(
        default=[], max_length=MAX_TARGETS, description="Names, or names with where they stand."
    )
    entities: Literal["watched"] | None = Field(
        default=None,
        description="`watched`: look for those on the watch list, instead of or beside `targets`.",
    )
    language: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z-]{2,20}$")] | None = Field(
        default=None, description="Of the text, e.g. `en`; found out if not given."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.targets and self.entities is None:
            raise ValueError('give targets, or "entities": "watched"')
        for target in self.targets:
            if isinstance(target, TargetBody):
                _check_spans(target, self.headline, self.abstract)
        return self

    def request(self, watched: tuple[Target, ...]) -> ScoringRequest:
        """What the model is asked: the targets given, then those of the watch list."""
        given = tuple(_target(target) for target in self.targets)
        return ScoringRequest(
            headline=self.headline, abstract=self.abstract, targets=(*given, *watched), language=self.language
        )


class OneTextBody(TextBody):
    """One text."""

    any_language: Flag = Field(default=False, description="Score text that is not English, too.")


class ManyTextsBody(Ask):
    """Up to 256 texts at once, which is much faster than one after the other."""

    items: list[TextBody] = Field(min_length=1, max_length=MAX_ITEMS)
    any_language: Flag = Field(default=False, description="Score text that is not English, too.")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(item.targets) for item in self.items) > MAX_TARGETS_IN_ALL:
            raise ValueError(f"at most {MAX_TARGETS_IN_ALL} targets in all items together")
        return self


def _one_or_many(body: Any) -> str:
    return "many" if isinstance(body, dict) and "items" in body else "one"


PolarityBody = Annotated[
    Annotated[OneTextBody, Tag("one")] | Annotated[ManyTextsBody, Tag("many")], Discriminator(_one_or_many)
]


class ExplainBody(Ask):
    """One text and one target in it."""

    headline: Annotated[Prose, StringConstraints(max_length=MAX_HEADLINE)]
    abstract: Annotated[Prose, StringConstraints(max_length=MAX_ABSTRACT)] = ""
    target: Name | TargetBody
    language: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z-]{2,20}$")] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if isinstance(self.target, TargetBody):
            _check_spans(self.target, self.headline, self.abstract)
        return self

    def request(self) -> tuple[ScoringRequest, Target]:
        target = _target(self.target)
        text = ScoringRequest(
            headline=self.headline, abstract=self.abstract, targets=(target,), language=self.language
        )
        return text, target


class TargetAnswer(Answer):
    """What one text says of one target. `polarity` is null unless `outcome` is `scored`."""

    id: str
    name: str
    outcome: Outcome
    polarity: Polarity | None
    net: float | None = Field(description="Probability of positive minus that of negative, -1 to 1.")
    probabilities: ProbabilitiesAnswer | None
    spans: list[SpanAnswer]

    @classmethod
    def of(cls, target: Target, score: TargetScore) -> TargetAnswer:
        probabilities = score.probabilities
        return cls(
            id=target.id,
            name=target.name,
            outcome=score.outcome,
            polarity=score.polarity,
            net=probabilities.net if probabilities else None,
            probabilities=ProbabilitiesAnswer.of(probabilities) if probabilities else None,
            spans=[SpanAnswer.of(span) for span in score.spans],
        )


class ScoredTextAnswer(Answer):
    """The targets of one text, in the order asked, then those found on the watch list."""

    targets: list[TargetAnswer]


class PolarityAnswer(Answer):
    """One item for each text, in the order given; all by one model version."""

    model_version: str
    items: list[ScoredTextAnswer]


class WordsAnswer(Answer):
    """The words of the text, in order, with what each contributed to the net polarity toward the target."""

    target: str
    words: list[ContributionAnswer]


def _target(given: str | TargetBody) -> Target:
    if isinstance(given, str):
        return Target(id=given, name=given)
    spans = tuple(Span(part=span.part, start=span.start, end=span.end) for span in given.spans)
    return Target(id=given.id or given.name, name=given.name, spans=spans, kind=given.kind)


def _check_spans(target: TargetBody, headline: str, abstract: str) -> None:
    for span in target.spans:
        length = len(headline if span.part is Part.HEADLINE else abstract)
        if not span.start < span.end <= length:
            raise ValueError(f"the span {span.start}-{span.end} is not inside the {span.part.value}")
