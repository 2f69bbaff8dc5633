"""Whom Kiosque watches, under which names, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from kiosque.core.article import Field


class EntityKind(StrEnum):
    """What kind of thing is watched."""

    PERSON = "person"
    PARTY = "party"
    ORGANISATION = "organisation"
    PLACE = "place"


class CaseRule(StrEnum):
    """How letter case decides whether a word is the name."""

    ANY = "any"
    """Any case matches."""
    NAME = "name"
    """Capitalised as written or ALL CAPS: "Grant" matches "Grant" and "GRANT", never "grant"."""
    EXACT = "exact"
    """Exactly as written: "GOP", "Us"."""


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of an entity. `valid_from` and `valid_to` are inclusive days; None is open."""

    text: str
    valid_from: date | None = None
    valid_to: date | None = None
    case: CaseRule = CaseRule.NAME

    def valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class Entity:
    """Someone or something watched. `id` is a slug, e.g. `abraham-lincoln`.

    `excludes` are phrases inside which an alias is not this entity ("Lincoln Center").
    """

    id: str
    name: str
    kind: EntityKind
    aliases: tuple[Alias, ...] = ()
    excludes: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Candidacy:
    """One candidate in one election: a fact that pages compare by."""

    election_year: int
    election_date: date
    entity_id: str
    party: str
    winner: bool
    popular_vote: int | None = None
    popular_share: float | None = None
    """Per cent of the popular vote."""
    electoral_votes: int | None = None


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A named set of entities, as a TOML or CSV file holds it."""

    id: str
    name: str
    entities: tuple[Entity, ...]
    candidacies: tuple[Candidacy, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Where a name stands: code-point offsets into the original text of `part`, end exclusive."""

    part: Field
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """One entity found in one article, with every place in which it is named."""

    entity_id: str
    spans: tuple[Span, ...]
