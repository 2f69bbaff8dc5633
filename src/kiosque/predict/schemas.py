"""What predict takes and gives over HTTP, with its limits; both the server and the client use these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from kiosque.core.article import Field as Part
from kiosque.core.book import Book, BookQuery, ReadItem, Reasons, Recommendation, Shelf
from kiosque.core.entity import EntityKind, Span
from kiosque.core.polarity import (
    Outcome,
    Polarity,
    Probabilities,
    ScoringRequest,
    SpanScore,
    Target,
    TargetScore,
    WordContribution,
)

MAX_TEXTS = 256
MAX_TARGETS = 4096
"""Of one text; of one request the texts and the size of the body set the bound."""
MAX_SPANS = 1000
MAX_CHARACTERS = 100_000
"""Of a headline or abstract. Far above what is scored, which answers `too_long`."""
MAX_QUERIES = 64
MAX_READ = 1000
MAX_NAME = 500

Text = Annotated[str, Field(max_length=MAX_CHARACTERS)]
Name = Annotated[str, Field(max_length=MAX_NAME)]


class Ask(BaseModel):
    """Something asked: what is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """Something answered: a newer server may say more than this client knows."""

    model_config = ConfigDict(frozen=True)


class SpanBody(Ask):
    """Code points of the text as it was given, end exclusive."""

    part: Part = Part.HEADLINE
    start: int = Field(ge=0, le=MAX_CHARACTERS)
    end: int = Field(ge=0, le=MAX_CHARACTERS)

    @classmethod
    def of(cls, span: Span) -> SpanBody:
        return cls(part=span.part, start=span.start, end=span.end)

    def to_core(self) -> Span:
        return Span(self.part, self.start, self.end)


class TargetBody(Ask):
    """Whom to score: with the spans that name it, or without any to be looked for by name."""

    id: Name
    name: Name
    kind: EntityKind = EntityKind.PERSON
    spans: Annotated[tuple[SpanBody, ...], Field(max_length=MAX_SPANS)] = ()

    @classmethod
    def of(cls, target: Target) -> TargetBody:
        return cls(
            id=target.id,
            name=target.name,
            kind=target.kind,
            spans=tuple(SpanBody.of(span) for span in target.spans),
        )

    def to_core(self) -> Target:
        return Target(self.id, self.name, tuple(span.to_core() for span in self.spans), self.kind)


class TextBody(Ask):
    """A headline, an abstract or both, and the targets in it."""

    headline: Text = ""
    abstract: Text = ""
    language: Annotated[str, Field(max_length=35)] | None = None
    targets: Annotated[tuple[TargetBody, ...], Field(max_length=MAX_TARGETS)] = ()

    @classmethod
    def of(cls, request: ScoringRequest) -> TextBody:
        return cls(
            headline=request.headline,
            abstract=request.abstract,
            language=request.language,
            targets=tuple(TargetBody.of(target) for target in request.targets),
        )

    def to_core(self) -> ScoringRequest:
        return ScoringRequest(
            self.headline, self.abstract, tuple(target.to_core() for target in self.targets), self.language
        )


_EXAMPLE_TEXT: dict[str, Any] = {
    "headline": "Voters cheer Ada Bell as rival Tom Reed stumbles",
    "targets": [
        {"id": "ada-bell", "name": "Ada Bell"},
        {"id": "tom-reed", "name": "Tom Reed", "spans": [{"part": "headline", "start": 31, "end": 39}]},
    ],
}


class PolarityBody(Ask):
    """One text, or many. `any_language` scores text that is not English, too."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": [_EXAMPLE_TEXT]}]})

    texts: Annotated[tuple[TextBody, ...], Field(min_length=1, max_length=MAX_TEXTS)]
    any_language: bool = False


class ExplainBody(Ask):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"text": {"headline": _EXAMPLE_TEXT["headline"]}, "target": _EXAMPLE_TEXT["targets"][0]}
            ]
        },
    )

    text: TextBody
    target: TargetBody


class ReadBody(Ask):
    """One article that a reader has read."""

    text: Text
    read_at: datetime | None = None
    weight: float = Field(default=1.0, ge=0, le=1e6)


class QueryBody(Ask):
    """What to find books for: exactly one of `text`, `reader` and `book_key`."""

    text: Text = ""
    reader: Annotated[tuple[ReadBody, ...], Field(max_length=MAX_READ)] = ()
    book_key: Name | None = None
    k: int = 5
    exclude: Annotated[frozenset[Name], Field(max_length=10_000)] = frozenset()
    language: Annotated[str, Field(max_length=35)] | None = None
    fiction: bool | None = None
    published_from: int | None = None
    published_to: int | None = None
    contemporary_on: Annotated[str, Field(max_length=35)] | None = Field(
        default=None, description="ISO date: only books that existed on that day."
    )
    min_score: float | None = None

    @classmethod
    def of(cls, query: BookQuery) -> QueryBody:
        return cls(
            text=query.text,
            reader=tuple(
                ReadBody(text=item.text, read_at=item.read_at, weight=item.weight) for item in query.reader
            ),
            book_key=query.book_key,
            k=query.k,
            exclude=query.exclude,
            language=query.language,
            fiction=query.fiction,
            published_from=query.published_from,
            published_to=query.published_to,
            contemporary_on=query.contemporary_on,
            min_score=query.min_score,
        )

    def to_core(self) -> BookQuery:
        reader = tuple(ReadItem(item.text, item.read_at, item.weight) for item in self.reader)
        return BookQuery(**{**dict(self), "reader": reader})


class BooksBody(Ask):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"queries": [{"text": "The railway strike and the election", "k": 3}]}]
        },
    )

    queries: Annotated[tuple[QueryBody, ...], Field(min_length=1, max_length=MAX_QUERIES)]


class ProbabilitiesAnswer(Answer):
    negative: float
    neutral: float
    positive: float

    @classmethod
    def of(cls, probabilities: Probabilities) -> ProbabilitiesAnswer:
        return cls(
            negative=probabilities.negative, neutral=probabilities.neutral, positive=probabilities.positive
        )

    def to_core(self) -> Probabilities:
        return Probabilities(self.negative, self.neutral, self.positive)


class SpanAnswer(Answer):
    part: Part
    start: int
    end: int
    probabilities: ProbabilitiesAnswer

    @classmethod
    def of(cls, score: SpanScore) -> SpanAnswer:
        span = score.span
        return cls(
            part=span.part,
            start=span.start,
            end=span.end,
            probabilities=ProbabilitiesAnswer.of(score.probabilities),
        )

    def to_core(self) -> SpanScore:
        return SpanScore(Span(self.part, self.start, self.end), self.probabilities.to_core())


class ScoreAnswer(Answer):
    """The answer for one target. Without `outcome` = `scored` there is neither polarity nor probability."""

    target_id: str
    outcome: Outcome
    polarity: Polarity | None
    probabilities: ProbabilitiesAnswer | None
    spans: tuple[SpanAnswer, ...]

    @classmethod
    def of(cls, score: TargetScore) -> ScoreAnswer:
        return cls(
            target_id=score.target_id,
            outcome=score.outcome,
            polarity=score.polarity,
            probabilities=ProbabilitiesAnswer.of(score.probabilities) if score.probabilities else None,
            spans=tuple(SpanAnswer.of(span) for span in score.spans),
        )

    def to_core(self) -> TargetScore:
        return TargetScore(
            self.target_id,
            self.outcome,
            self.probabilities.to_core() if self.probabilities else None,
            tuple(span.to_core() for span in self.spans),
        )


class PolarityAnswer(Answer):
    """`scores` in the order of the texts, each in the order of its targets, all by `model_version`."""

    model_version: str
    scores: tuple[tuple[ScoreAnswer, ...], ...]


class WordAnswer(Answer):
    """`contribution`: net polarity with the word minus without it."""

    part: Part
    start: int
    end: int
    word: str
    contribution: float

    @classmethod
    def of(cls, word: WordContribution) -> WordAnswer:
        return cls(
            part=word.part, start=word.start, end=word.end, word=word.word, contribution=word.contribution
        )

    def to_core(self) -> WordContribution:
        return WordContribution(self.part, self.start, self.end, self.word, self.contribution)


class ExplainAnswer(Answer):
    words: tuple[WordAnswer, ...]


class BookAnswer(Answer):
    key: str
    title: str
    author: str
    year: int | None = None
    isbn13: str | None = None
    publisher: str | None = None
    subjects: tuple[str, ...] = ()
    language: str | None = None
    fiction: bool | None = None
    description: str = ""
    published_on: str | None = None

    @classmethod
    def of(cls, book: Book) -> BookAnswer:
        return cls(**{name: getattr(book, name) for name in cls.model_fields})

    def to_core(self) -> Book:
        return Book(**dict(self))


class RecommendationAnswer(Answer):
    rank: int
    score: float
    book: BookAnswer
    terms: tuple[str, ...]
    subjects: tuple[str, ...]
    persons: tuple[str, ...]
    sentence: str

    @classmethod
    def of(cls, recommendation: Recommendation) -> RecommendationAnswer:
        reasons = recommendation.reasons
        return cls(
            rank=recommendation.rank,
            score=recommendation.score,
            book=BookAnswer.of(recommendation.book),
            terms=reasons.terms,
            subjects=reasons.subjects,
            persons=reasons.persons,
            sentence=reasons.sentence,
        )

    def to_core(self) -> Recommendation:
        reasons = Reasons(self.terms, self.subjects, self.persons, self.sentence)
        return Recommendation(self.book.to_core(), self.rank, self.score, reasons)


class ShelfAnswer(Answer):
    """`note` says why a shelf is empty."""

    model_version: str
    recommendations: tuple[RecommendationAnswer, ...]
    note: str

    @classmethod
    def of(cls, shelf: Shelf) -> ShelfAnswer:
        return cls(
            model_version=shelf.model_version,
            recommendations=tuple(RecommendationAnswer.of(each) for each in shelf.recommendations),
            note=shelf.note,
        )

    def to_core(self) -> Shelf:
        return Shelf(tuple(each.to_core() for each in self.recommendations), self.model_version, self.note)


class BooksAnswer(Answer):
    shelves: tuple[ShelfAnswer, ...]


class ModelAnswer(Answer):
    """`version` is null where nothing answers; `trouble` says why, or why a newer version was refused."""

    name: str
    version: str | None
    published_at: datetime | None
    fields: dict[str, Any] = Field(description="What was published with it: metrics, data, recipe, contract.")
    trouble: str | None


class ModelsAnswer(Answer):
    models: tuple[ModelAnswer, ...]
