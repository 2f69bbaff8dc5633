"""Articles and what they say of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kiosque.api.exports import Cell
from kiosque.api.schemas.base import Answer, Ask, Day, Listing, ListQuery, Prose, Share, Slug, Version
from kiosque.api.schemas.books import ShelfAnswer
from kiosque.core.article import Field as Part
from kiosque.core.entity import EntityKind
from kiosque.core.polarity import Mention, Outcome, Polarity, Probabilities, SpanScore, WordContribution
from kiosque.store import mentions
from kiosque.store.articles import ArticleFilter, Sighting, Sort, StoredArticle
from kiosque.store.feedback import Correction
from kiosque.store.mentions import StoredMention
from kiosque.store.tx import Tx


class ProbabilitiesAnswer(Answer):
    """Calibrated; they add up to 1."""

    negative: float = Field(examples=[0.08])
    neutral: float = Field(examples=[0.3])
    positive: float = Field(examples=[0.62])

    @classmethod
    def of(cls, probabilities: Probabilities) -> ProbabilitiesAnswer:
        return cls(
            negative=probabilities.negative, neutral=probabilities.neutral, positive=probabilities.positive
        )


class SpanAnswer(Answer):
    """Where a name stands: code-point offsets into headline or abstract, end exclusive, and how it scored there."""

    part: Part
    start: int
    end: int
    probabilities: ProbabilitiesAnswer

    @classmethod
    def of(cls, score: SpanScore) -> SpanAnswer:
        return cls(
            part=score.span.part,
            start=score.span.start,
            end=score.span.end,
            probabilities=ProbabilitiesAnswer.of(score.probabilities),
        )


class MentionAnswer(Answer):
    """One entity in one article. `polarity` is null unless `outcome` is `scored`."""

    entity: str = Field(description="Id of the entity.", examples=["abraham-lincoln"])
    name: str = Field(examples=["Abraham Lincoln"])
    kind: EntityKind
    outcome: Outcome
    polarity: Polarity | None
    net: float | None = Field(description="Probability of positive minus that of negative, -1 to 1.")
    probabilities: ProbabilitiesAnswer | None
    spans: list[SpanAnswer]
    model_version: str

    @classmethod
    def of(cls, stored: StoredMention) -> MentionAnswer:
        mention: Mention = stored.mention
        probabilities = mention.probabilities
        return cls(
            entity=mention.entity_id,
            name=stored.entity_name,
            kind=stored.entity_kind,
            outcome=mention.outcome,
            polarity=mention.polarity,
            net=probabilities.net if probabilities else None,
            probabilities=ProbabilitiesAnswer.of(probabilities) if probabilities else None,
            spans=[SpanAnswer.of(span) for span in mention.spans],
            model_version=mention.model_version,
        )


class ArticleAnswer(Answer):
    """One story, with whom it mentions."""

    id: str = Field(description="16 hexadecimal digits.", examples=["3f1c0a9be2d47c55"])
    key: str = Field(description="What identifies the story for ever: the source's URI, else its address.")
    source: str
    headline: str
    abstract: str
    published_at: datetime
    url: str | None
    section: str | None
    byline: list[str]
    keywords: list[str]
    language: str | None
    kind: str
    first_seen_at: datetime
    mentions: list[MentionAnswer]

    @classmethod
    def of(cls, stored: StoredArticle, found: Sequence[StoredMention]) -> ArticleAnswer:
        return cls.model_validate(article_fields(stored, found))

    @classmethod
    def columns(cls) -> list[str]:
        plain = [name for name in ArticleAnswer.model_fields if name != "mentions"]
        return [*plain, "entities", "polarities", "model_version"]

    def cells(self) -> list[Cell]:
        return [*super().cells()[: len(ArticleAnswer.model_fields) - 1], *_mention_cells(self.mentions)]


class ArticleListing(Listing[ArticleAnswer]):
    """One page of articles."""


class SightingAnswer(Answer):
    """Another source that delivered the same story."""

    source: str
    seen_at: datetime
    url: str | None

    @classmethod
    def of(cls, sighting: Sighting) -> SightingAnswer:
        return cls(source=sighting.source, seen_at=sighting.seen_at, url=sighting.url)


class ScoringAnswer(Answer):
    """What one model version said of an article."""

    model_version: str
    mentions: list[MentionAnswer]


class CorrectionAnswer(Answer):
    """A person's correction. `polarity` null: the entity is not meant there at all."""

    article: str
    entity: str
    polarity: Polarity | None
    by: str
    at: datetime
    note: str
    model_version: str | None = Field(description="The version that was corrected.")
    model_polarity: Polarity | None = Field(description="What it had said.")

    @classmethod
    def of(cls, correction: Correction) -> CorrectionAnswer:
        return cls(
            article=correction.article_id,
            entity=correction.entity_id,
            polarity=correction.polarity,
            by=correction.by,
            at=correction.at,
            note=correction.note,
            model_version=correction.model_version,
            model_polarity=correction.model_polarity,
        )


class ArticleDetail(ArticleAnswer):
    """Everything that is known of one story."""

    updated_at: datetime | None = Field(description="When its text last changed, if it ever did.")
    extra: dict[str, str] = Field(description="What else the source says.")
    sightings: list[SightingAnswer]
    books: ShelfAnswer | None = Field(description="Null where no books were looked for; see POST books.")
    history: list[ScoringAnswer] = Field(description="By model version, oldest first.")
    corrections: list[CorrectionAnswer]


class ArticleQuery(ListQuery):
    """Which articles, in which order. What is given must all hold."""

    entity: list[Slug] = Field(
        default=[],
        max_length=20,
        description="Ids of entities, any of which is mentioned; may be given several times.",
        examples=[["abraham-lincoln"]],
    )
    polarity: Polarity | None = Field(
        default=None,
        description="How an entity (one of those asked for) is spoken of.",
        examples=["positive"],
    )
    min_confidence: Share | None = Field(
        default=None, description="Least probability of that polarity.", examples=[0.5]
    )
    source: Annotated[Prose, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Id of the source.", examples=["demo"]
    )
    section: Annotated[Prose, StringConstraints(max_length=200)] | None = Field(
        default=None, examples=["Politics"]
    )
    date_from: Day | None = Field(
        default=None, alias="from", description="First day of publication, in UTC.", examples=["1860-01-01"]
    )
    date_to: Day | None = Field(
        default=None, alias="to", description="Last day of publication, in UTC.", examples=["1860-12-31"]
    )
    q: Annotated[Prose, StringConstraints(max_length=500)] = Field(
        default="",
        description='Words to find: all of them; `"quoted phrases"`, `-not`, `prefix*`.',
        examples=["lincoln"],
    )
    model_version: Version | None = Field(
        default=None, description="Mentions by this version; without it, by the current one."
    )
    has_mentions: bool | None = Field(default=None, description="Only articles with, or without, mentions.")
    kind: Annotated[Prose, StringConstraints(max_length=100)] | None = Field(
        default=None, description="What the source calls it: article, blogpost, …"
    )
    sort: Sort | None = Field(
        default=None,
        description="Without it the newest first. `relevance` needs `q` and, where nothing else is asked, ranks the "
        "10,000 that came in last; of words that more than 50,000 have, those with them in the headline come first "
        "(SQLite). `negative` and `positive` put the most extreme mention first.",
        examples=["newest"],
    )

    def filter(self) -> ArticleFilter:
        return ArticleFilter(
            entities=tuple(dict.fromkeys(self.entity)),
            polarity=self.polarity,
            min_confidence=self.min_confidence,
            model_version=self.model_version,
            has_mentions=self.has_mentions,
            source=self.source,
            section=self.section,
            kind=self.kind,
            date_from=self.date_from,
            date_to=self.date_to,
            query=self.q,
        )


class LatestQuery(Ask):
    """How many of those that came in last."""

    limit: Annotated[int, Field(ge=1, le=100)] = Field(default=20, examples=[5])
    source: Annotated[Prose, StringConstraints(max_length=200)] | None = Field(
        default=None, description="Id of the source.", examples=["demo"]
    )


class ContributionAnswer(Answer):
    """How much one word pushed the net polarity (score with it minus score without it)."""

    part: Part
    start: int
    end: int
    word: str
    contribution: float

    @classmethod
    def of(cls, word: WordContribution) -> ContributionAnswer:
        return cls(
            part=word.part, start=word.start, end=word.end, word=word.word, contribution=word.contribution
        )


class ExplanationAnswer(Answer):
    """The words of a text, in order, with what each contributed toward one target."""

    target: str
    words: list[ContributionAnswer]


def article_fields(stored: StoredArticle, found: Sequence[StoredMention]) -> dict[str, object]:
    """The fields of `ArticleAnswer`."""
    article = stored.article
    return {
        "id": article.id,
        "key": article.key,
        "source": article.source,
        "headline": article.headline,
        "abstract": article.abstract,
        "published_at": article.published_at,
        "url": article.url,
        "section": article.section,
        "byline": list(article.byline),
        "keywords": list(article.keywords),
        "language": article.language,
        "kind": article.kind,
        "first_seen_at": stored.first_seen_at,
        "mentions": [MentionAnswer.of(mention) for mention in found],
    }


def article_answers(
    tx: Tx, stored: Sequence[StoredArticle], *, model_version: str | None = None
) -> tuple[ArticleAnswer, ...]:
    """The articles with their mentions, which are read in one query."""
    found: Mapping[int, Sequence[StoredMention]] = mentions.of_articles(
        tx, [article.pk for article in stored], model_version=model_version
    )
    return tuple(ArticleAnswer.of(article, found.get(article.pk, ())) for article in stored)


def _mention_cells(found: Sequence[MentionAnswer]) -> list[Cell]:
    return [
        "; ".join(mention.entity for mention in found),
        "; ".join(mention.polarity.value if mention.polarity else mention.outcome.value for mention in found),
        found[0].model_version if found else None,
    ]
