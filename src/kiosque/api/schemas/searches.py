"""Saved searches."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from kiosque.api.feed_tokens import FeedOf, feed_path
from kiosque.api.schemas.base import NUMBER, Answer, Ask, Day, Listing, Name, Prose, Share, Slug, Version
from kiosque.core.polarity import Polarity
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.saved_searches import SavedSearch

_Short = Annotated[Prose, StringConstraints(max_length=200)]


class SearchBody(Ask):
    """A search with a name; what is given must all hold, as in `GET articles`."""

    name: Name = Field(description="Told apart without regard to case.", examples=["Lincoln, badly"])
    q: Annotated[Prose, StringConstraints(max_length=200)] = Field(default="", description="Words to find.")
    entity: list[Slug] = Field(
        default=[], max_length=20, description="Ids of entities, any of which is mentioned."
    )
    polarity: Polarity | None = None
    min_confidence: Annotated[Share, NUMBER] | None = None
    source: _Short | None = None
    section: _Short | None = None
    date_from: Day | None = Field(default=None, alias="from")
    date_to: Day | None = Field(default=None, alias="to")
    model_version: Version | None = None
    sort: Sort = Sort.NEWEST

    def filter(self) -> ArticleFilter:
        return ArticleFilter(
            entities=tuple(dict.fromkeys(self.entity)),
            polarity=self.polarity,
            min_confidence=self.min_confidence,
            model_version=self.model_version,
            source=self.source or None,
            section=self.section or None,
            date_from=self.date_from,
            date_to=self.date_to,
            query=self.q,
        )


class RenameBody(Ask):
    """Another name."""

    name: Name


class SearchAnswer(Answer):
    """A search that somebody kept, with the feed of what it finds."""

    id: int = Field(examples=[1])
    name: str
    q: str
    entity: list[str]
    polarity: Polarity | None
    min_confidence: float | None
    source: str | None
    section: str | None
    date_from: date | None
    date_to: date | None
    model_version: str | None
    sort: Sort
    made_by: str
    created_at: datetime
    feed: str = Field(description="Path of its RSS feed. Where reading is closed, it needs a token.")

    @classmethod
    def of(cls, search: SavedSearch) -> SearchAnswer:
        where = search.where
        return cls(
            id=search.id,
            name=search.name,
            q=where.query,
            entity=list(where.entities),
            polarity=where.polarity,
            min_confidence=where.min_confidence,
            source=where.source,
            section=where.section,
            date_from=where.date_from,
            date_to=where.date_to,
            model_version=where.model_version,
            sort=search.sort,
            made_by=search.made_by,
            created_at=search.created_at,
            feed=feed_path(FeedOf.SEARCH, search.id),
        )


class SearchListing(Listing[SearchAnswer]):
    """One page of saved searches, by name."""


class FeedAnswer(Answer):
    """The address of a feed with a new secret in it; one given out before opens nothing any more."""

    feed: str = Field(description="Path with the secret.", examples=["/searches/1.rss?token=…"])
