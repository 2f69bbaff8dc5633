"""Running the installation: sources, dead letters, models."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from kiosque.api.schemas.base import Answer, Ask, Flag, Listing, ListQuery, Name, Version
from kiosque.core.secrets import mask_values
from kiosque.modelstore.aliases import Move
from kiosque.pipeline.produce import PollReport
from kiosque.store.dead_letters import DeadLetter
from kiosque.store.sources import SourceState

MAX_PREVIEW = 2_000


class SourceAnswer(Answer):
    """A source and how it fares."""

    id: str = Field(examples=["demo"])
    kind: str
    enabled: bool
    config: dict[str, Any] = Field(description="Where it is: label, address, …")
    last_poll_at: datetime | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    consecutive_errors: int
    last_error: str | None
    articles_read: int
    articles_new: int
    articles_skipped: int

    @classmethod
    def of(cls, state: SourceState) -> SourceAnswer:
        return cls(
            id=state.id,
            kind=state.kind,
            enabled=state.enabled,
            config=mask_values(state.config),
            last_poll_at=state.last_poll_at,
            last_success_at=state.last_success_at,
            next_poll_at=state.next_poll_at,
            consecutive_errors=state.consecutive_errors,
            last_error=state.last_error,
            articles_read=state.articles_read,
            articles_new=state.articles_new,
            articles_skipped=state.articles_skipped,
        )


class SourceListing(Listing[SourceAnswer]):
    """One page of sources."""


class SourceListQuery(ListQuery):
    """Which sources."""

    enabled: bool | None = Field(default=None, description="Only those switched on, or off.")


class SourceBody(Ask):
    """What to change."""

    enabled: Flag = Field(description="Whether it is polled.")


class PolledAnswer(Answer):
    """What a poll brought."""

    source: str
    read: int
    new: int = Field(description="Articles that were not in the store.")
    skipped: dict[str, int] = Field(description="Documents that cannot be articles, by reason.")
    complete: bool = Field(description="False when it was broken off; the next poll goes on there.")

    @classmethod
    def of(cls, report: PollReport) -> PolledAnswer:
        return cls(
            source=report.source,
            read=report.read,
            new=report.new,
            skipped=dict(report.skipped),
            complete=report.complete,
        )


class DeadLetterAnswer(Answer):
    """A message that was given up."""

    id: int
    key: str
    subject: str = Field(description="Id of the source.")
    reason: str
    attempts: int
    at: datetime
    replayed_at: datetime | None
    preview: str = Field(description="The start of the message, as text.")

    @classmethod
    def of(cls, letter: DeadLetter) -> DeadLetterAnswer:
        return cls(
            id=letter.id,
            key=letter.key,
            subject=letter.subject,
            reason=letter.reason,
            attempts=letter.attempts,
            at=letter.at,
            replayed_at=letter.replayed_at,
            preview=letter.data[:MAX_PREVIEW].decode("utf-8", "replace"),
        )


class DeadLetterListing(Listing[DeadLetterAnswer]):
    """One page of dead letters, newest first."""


class DeadLetterQuery(ListQuery):
    """Which dead letters."""

    replayed: bool | None = Field(default=None, description="Only those that were, or were not, replayed.")


class ModelVersionAnswer(Answer):
    """One immutable version of a model."""

    model: str = Field(examples=["polarity"])
    version: str
    published_at: datetime
    aliases: list[str] = Field(description="The aliases that name it; `champion` is the one that answers.")
    serving: bool = Field(description="Whether predict answers with it now.")
    shown: bool = Field(description="Whether readers see what it said.")
    articles: int = Field(description="Articles that it has scored, or found books for.")
    digest: str
    size: int = Field(description="Bytes of all its files.")
    metrics: dict[str, Any]


class ModelVersionDetail(ModelVersionAnswer):
    """A version with everything that its publisher says of it."""

    card: str | None = Field(description="The model card, in Markdown.")
    manifest: dict[str, Any]
    files: dict[str, int] = Field(description="Bytes of each file.")


class ModelListing(Listing[ModelVersionAnswer]):
    """One page of versions, newest first."""


class ModelListQuery(ListQuery):
    """Which versions."""

    model: Version | None = Field(
        default=None, description="Only those of this model.", examples=["polarity"]
    )


class MoveAnswer(Answer):
    """One move of an alias."""

    generation: int
    at: str
    alias: str
    from_version: str | None
    to_version: str
    who: str
    why: str

    @classmethod
    def of(cls, move: Move) -> MoveAnswer:
        return cls(
            generation=move.generation,
            at=move.at,
            alias=move.alias,
            from_version=move.from_version,
            to_version=move.to_version,
            who=move.who,
            why=move.why,
        )


class MoveListing(Listing[MoveAnswer]):
    """One page of moves, newest first."""


class PromoteBody(Ask):
    """Which version is to answer, and why."""

    version: Version
    why: Name = Field(examples=["Better on the frozen sets."])
    expected: Version | None = Field(
        default=None, description="The version that answers now; 409 if it is another one meanwhile."
    )


class RollbackBody(Ask):
    """Back to the version that answered before."""

    why: Annotated[Name, StringConstraints(max_length=200)]
