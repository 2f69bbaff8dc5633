"""Who is watched: entities, their names, watch lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from kiosque.api.schemas.base import (
    NUMBER,
    Answer,
    Ask,
    Day,
    Flag,
    Listing,
    ListQuery,
    Name,
    Prose,
    Slug,
)
from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.store.entities import WatchlistSummary

MAX_ALIASES = 200
MAX_ENTITIES = 5000


class AliasAnswer(Answer):
    """One name of an entity. The days are inclusive; null is open."""

    text: str
    valid_from: date | None
    valid_to: date | None
    case: CaseRule

    @classmethod
    def of(cls, alias: Alias) -> AliasAnswer:
        return cls(text=alias.text, valid_from=alias.valid_from, valid_to=alias.valid_to, case=alias.case)


class EntityAnswer(Answer):
    """Someone or something watched."""

    id: str = Field(examples=["abraham-lincoln"])
    name: str
    kind: EntityKind
    description: str
    aliases: list[AliasAnswer]
    excludes: list[str] = Field(description="Phrases inside which an alias is not this entity.")

    @classmethod
    def of(cls, entity: Entity) -> EntityAnswer:
        return cls(
            id=entity.id,
            name=entity.name,
            kind=entity.kind,
            description=entity.description,
            aliases=[AliasAnswer.of(alias) for alias in entity.aliases],
            excludes=list(entity.excludes),
        )


class EntityListing(Listing[EntityAnswer]):
    """One page of entities, by name."""


class CandidacyAnswer(Answer):
    """One candidate in one election."""

    election_year: int
    election_date: date
    entity: str
    party: str
    winner: bool
    popular_vote: int | None
    popular_share: float | None = Field(description="Per cent of the popular vote.")
    electoral_votes: int | None

    @classmethod
    def of(cls, candidacy: Candidacy) -> CandidacyAnswer:
        return cls(
            election_year=candidacy.election_year,
            election_date=candidacy.election_date,
            entity=candidacy.entity_id,
            party=candidacy.party,
            winner=candidacy.winner,
            popular_vote=candidacy.popular_vote,
            popular_share=candidacy.popular_share,
            electoral_votes=candidacy.electoral_votes,
        )


class EntityDetail(EntityAnswer):
    """An entity with the elections it stood in."""

    candidacies: list[CandidacyAnswer]


class EntityListQuery(ListQuery):
    """Which entities."""

    q: Annotated[Prose, StringConstraints(max_length=200)] = Field(
        default="", description="Part of a name, an id or an alias.", examples=["lincoln"]
    )
    kind: EntityKind | None = Field(default=None, examples=["person"])
    watchlist: Slug | None = Field(default=None, description="Only those on this watch list.")


class AliasBody(Ask):
    """A name to watch for."""

    text: Name
    valid_from: Day | None = Field(default=None, description="First day on which the name means this entity.")
    valid_to: Day | None = Field(default=None, description="Last such day.")
    case: CaseRule = CaseRule.NAME

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_from must not be after valid_to")
        return self

    def alias(self) -> Alias:
        return Alias(text=self.text, valid_from=self.valid_from, valid_to=self.valid_to, case=self.case)


class EntityBody(Ask):
    """An entity as it is to be. Its name is looked for, too, even if it is no alias."""

    name: Name
    kind: EntityKind = EntityKind.PERSON
    description: Annotated[Prose, StringConstraints(max_length=2000)] = ""
    aliases: list[AliasBody] = Field(default=[], max_length=MAX_ALIASES)
    excludes: list[Name] = Field(
        default=[], max_length=MAX_ALIASES, description="Phrases inside which an alias is not this entity."
    )

    def entity(self, entity_id: str) -> Entity:
        return Entity(
            id=entity_id,
            name=self.name,
            kind=self.kind,
            aliases=tuple(alias.alias() for alias in self.aliases),
            excludes=tuple(dict.fromkeys(self.excludes)),
            description=self.description,
        )


class NewEntityBody(EntityBody):
    """A new entity. `id` is made out of the name if it is not given."""

    id: Slug | None = None


class WatchlistEntityBody(EntityBody):
    """An entity on a watch list."""

    id: Slug


class CandidacyBody(Ask):
    """One candidate in one election."""

    election_year: Annotated[int, Field(ge=1000, le=8999), NUMBER]
    election_date: Day
    entity: Slug
    party: Name
    winner: Flag = False
    popular_vote: Annotated[int, Field(ge=0, le=10**11), NUMBER] | None = None
    popular_share: Annotated[float, Field(ge=0, le=100), NUMBER] | None = None
    electoral_votes: Annotated[int, Field(ge=0, le=10**6), NUMBER] | None = None

    def candidacy(self) -> Candidacy:
        return Candidacy(
            election_year=self.election_year,
            election_date=self.election_date,
            entity_id=self.entity,
            party=self.party,
            winner=self.winner,
            popular_vote=self.popular_vote,
            popular_share=self.popular_share,
            electoral_votes=self.electoral_votes,
        )


class WatchlistBody(Ask):
    """A named set of entities, and the elections that they stood in."""

    id: Slug
    name: Name
    entities: list[WatchlistEntityBody] = Field(min_length=1, max_length=MAX_ENTITIES)
    candidacies: list[CandidacyBody] = Field(default=[], max_length=MAX_ENTITIES)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = {entity.id for entity in self.entities}
        if len(ids) < len(self.entities):
            raise ValueError("an id is given to more than one entity")
        strangers = sorted({each.entity for each in self.candidacies} - ids)
        if strangers:
            raise ValueError(f"a candidacy of {strangers[0]}, who is not on the list")
        return self

    def watchlist(self) -> Watchlist:
        return Watchlist(
            id=self.id,
            name=self.name,
            entities=tuple(entity.entity(entity.id) for entity in self.entities),
            candidacies=tuple(each.candidacy() for each in self.candidacies),
        )


class WatchlistAnswer(Answer):
    """A watch list."""

    id: str
    name: str
    entities: int

    @classmethod
    def of(cls, summary: WatchlistSummary) -> WatchlistAnswer:
        return cls(id=summary.id, name=summary.name, entities=summary.entities)


class WatchlistListing(Listing[WatchlistAnswer]):
    """One page of watch lists."""


class WatchlistChangeAnswer(Answer):
    """What an import did."""

    added: int
    updated: int
    unchanged: int


def candidacies_of(found: Iterable[Candidacy]) -> list[CandidacyAnswer]:
    return [CandidacyAnswer.of(candidacy) for candidacy in found]
