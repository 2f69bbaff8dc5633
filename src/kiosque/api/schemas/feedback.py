"""What people say of the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from kiosque.api.schemas.articles import CorrectionAnswer
from kiosque.api.schemas.base import Answer, Ask, Key, Listing, Prose, Slug, exactly_one
from kiosque.core.polarity import Polarity
from kiosque.store.feedback import BookThumb, BookVerdict


class CorrectionBody(Ask):
    """An article speaks of an entity in another way than the model found."""

    article: Key = Field(description="Id or key of the article.")
    entity: Slug
    polarity: Polarity | None = Field(description="What it should be; null: the entity is not meant there.")
    note: Annotated[Prose, StringConstraints(max_length=2000)] = ""


class CorrectionListing(Listing[CorrectionAnswer]):
    """One page of corrections, oldest first."""


class ThumbBody(Ask):
    """A verdict on a book that was offered for an article, or for a text."""

    model_config = ConfigDict(json_schema_extra=exactly_one("article", "text"))

    book: Key = Field(description="Key of the book.")
    verdict: BookVerdict
    article: Key | None = Field(default=None, description="Id or key of the article it was offered for.")
    text: Annotated[Prose, StringConstraints(min_length=1, max_length=20_000)] | None = Field(
        default=None, description="The text it was offered for; only its digest is kept."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.article is None) == (self.text is None):
            raise ValueError("give either article or text")
        return self


class ThumbAnswer(Answer):
    """A verdict on a book."""

    book: str
    verdict: BookVerdict
    by: str
    at: datetime
    article: str | None
    text_digest: str | None

    @classmethod
    def of(cls, thumb: BookThumb) -> ThumbAnswer:
        return cls(
            book=thumb.book_key,
            verdict=thumb.verdict,
            by=thumb.by,
            at=thumb.at,
            article=thumb.article_id,
            text_digest=thumb.text_digest,
        )


class ThumbListing(Listing[ThumbAnswer]):
    """One page of verdicts, oldest first."""


class LabelledMention(Answer):
    """A target in a training text."""

    target: str
    polarity: Polarity


class TrainingExample(Answer):
    """One line of a training set, as `kiosque polarity train` reads it."""

    id: str
    text: str
    mentions: list[LabelledMention]
