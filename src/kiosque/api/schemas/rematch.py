"""What a change of the watch list does to history."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from kiosque.api.rematch import RematchState
from kiosque.api.schemas.base import Answer, Ask, Slug
from kiosque.api.schemas.entities import WatchlistEntityBody
from kiosque.pipeline.rematch import EntityChange, Preview, Sample


class PreviewBody(Ask):
    """A change that is not made yet."""

    entity: WatchlistEntityBody | None = Field(default=None, description="An entity as it would be saved.")
    without: list[Slug] = Field(
        default=[], max_length=100, description="Ids of entities that would be deleted."
    )


class SampleAnswer(Answer):
    """One article that would change."""

    article: str = Field(description="Id of the article.")
    headline: str
    published_on: date

    @classmethod
    def of(cls, sample: Sample) -> SampleAnswer:
        return cls(
            article=sample.article_id,
            headline=sample.headline,
            published_on=date.fromisoformat(sample.published_on),
        )


class EntityChangeAnswer(Answer):
    """How many articles would gain or lose a mention of one entity, with some of them."""

    entity: str
    name: str
    gained: int
    lost: int
    gained_samples: list[SampleAnswer]
    lost_samples: list[SampleAnswer]

    @classmethod
    def of(cls, change: EntityChange) -> EntityChangeAnswer:
        return cls(
            entity=change.entity_id,
            name=change.name,
            gained=change.gained,
            lost=change.lost,
            gained_samples=[SampleAnswer.of(sample) for sample in change.gained_samples],
            lost_samples=[SampleAnswer.of(sample) for sample in change.lost_samples],
        )


class PreviewAnswer(Answer):
    """What would change; entities with the most changes first, those without any left out."""

    checked: int = Field(description="Articles looked at.")
    changed: int = Field(description="Articles that would change.")
    entities: list[EntityChangeAnswer]

    @classmethod
    def of(cls, preview: Preview) -> PreviewAnswer:
        return cls(
            checked=preview.checked,
            changed=preview.changed,
            entities=[EntityChangeAnswer.of(change) for change in preview.entities],
        )


class RematchAnswer(Answer):
    """How far history is behind the watch list, and how the last rematch of this process fares or fared."""

    behind: int = Field(description="Articles that were matched against an older watch list.")
    running: bool
    looked_at: int
    total: int
    started_at: datetime | None
    finished_at: datetime | None
    articles: int | None = Field(description="Articles matched anew; null before the end.")
    mentions: int | None = Field(description="Mentions stored; null before the end.")
    error: str | None

    @classmethod
    def of(cls, state: RematchState, behind: int) -> RematchAnswer:
        return cls(
            behind=behind,
            running=state.running,
            looked_at=state.looked_at,
            total=state.total,
            started_at=state.started_at,
            finished_at=state.finished_at,
            articles=state.result.articles if state.result else None,
            mentions=state.result.mentions if state.result else None,
            error=state.error,
        )
