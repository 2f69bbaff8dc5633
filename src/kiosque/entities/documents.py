"""Watch lists, entities and aliases as documents: what files and the API exchange, checked by pydantic.

Every model converts to and from its `core.entity` counterpart (`to_core`, `from_core`) and refuses unknown keys.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.entities.fold import fold_text
from kiosque.entities.problems import readable_problems

MAX_NAME = 200
"""Longest name, alias or exclude phrase, in characters."""

_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def slug(text: str) -> str:
    """`text` as an id: "John C. Frémont" → "john-c-fremont". Empty where `text` has no Latin letter or digit."""
    return re.sub(r"[^a-z0-9]+", "-", fold_text(text)).strip("-")[:100].strip("-")


def _one_line(text: str) -> str:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in text):
        raise ValueError("must be one line without control characters")
    return text


def _comparable(text: str) -> str:
    if not any(character.isalnum() for character in fold_text(text)):
        raise ValueError("needs at least one letter or digit")
    return text


def _slug(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise ValueError(
            "must be a slug: lower-case letters and digits joined by hyphens, like george-w-bush"
        )
    return text


def _first_day(value: object) -> object:
    return _day(value, last=False)


def _last_day(value: object) -> object:
    return _day(value, last=True)


def _day(value: object, *, last: bool) -> object:
    """A day out of a date, "1999-06-01", "1999-06", "1999" or 1999: the first or the last day of it."""
    if isinstance(value, datetime) or (isinstance(value, str) and not value.strip()):
        raise ValueError("must be a day (1999-06-01), a month (1999-06) or a year (1999)")
    if value is None or isinstance(value, date):
        return value
    found = _DAY.fullmatch(f"{value:04d}" if type(value) is int else str(value).strip())
    if found is None:
        raise ValueError("must be a day (1999-06-01), a month (1999-06) or a year (1999)")
    year, month, day = (int(group or 0) for group in found.groups())
    month = month or (12 if last else 1)
    try:
        return date(year, month, day or (monthrange(year, month)[1] if last else 1))
    except ValueError:
        raise ValueError("is no day of the calendar") from None


NameText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_one_line),
    AfterValidator(_comparable),
]
Slug = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(_slug)]
FirstDay = Annotated[date | None, BeforeValidator(_first_day)]
LastDay = Annotated[date | None, BeforeValidator(_last_day)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AliasDocument(_Document):
    """One name of an entity, as an object or as a bare string: `"Bush"`."""

    text: NameText = Field(description="The name as it is written.", examples=["Bush"])
    valid_from: FirstDay = Field(
        default=None,
        description="First day on which the name means the entity: a day, a month or a year.",
        examples=["1999-06-01"],
    )
    valid_to: LastDay = Field(
        default=None, description="Last day on which it does, inclusive.", examples=["2009-12-31"]
    )
    case: CaseRule = Field(
        default=CaseRule.NAME,
        description="`name`: capitalised or ALL CAPS; `any`: any case; `exact`: exactly as written.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_string(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _in_order(self) -> AliasDocument:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} lies before valid_from {self.valid_from}")
        return self

    @classmethod
    def from_core(cls, alias: Alias) -> AliasDocument:
        return cls(text=alias.text, valid_from=alias.valid_from, valid_to=alias.valid_to, case=alias.case)

    def to_core(self) -> Alias:
        return Alias(self.text, self.valid_from, self.valid_to, self.case)


class EntityDocument(_Document):
    """Someone or something to watch. Without `aliases` the name is the only one; without `id` it is made of it."""

    id: Slug = Field(description="A slug, unique among all entities.", examples=["george-w-bush"])
    name: NameText = Field(description="The name that pages show.", examples=["George W. Bush"])
    kind: EntityKind = EntityKind.PERSON
    description: str = Field(default="", max_length=2000)
    aliases: tuple[AliasDocument, ...] = Field(
        default=(), description="Names that articles use, objects or bare strings."
    )
    excludes: tuple[NameText, ...] = Field(
        default=(),
        description="Phrases inside which a name is not the entity.",
        examples=[["Bush Stadium"]],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            return value
        return {"id": slug(value["name"]), "aliases": [value["name"]], **value}

    @classmethod
    def from_core(cls, entity: Entity) -> EntityDocument:
        return cls(
            id=entity.id,
            name=entity.name,
            kind=entity.kind,
            description=entity.description,
            aliases=tuple(AliasDocument.from_core(alias) for alias in entity.aliases),
            excludes=entity.excludes,
        )

    def to_core(self) -> Entity:
        aliases = tuple(alias.to_core() for alias in self.aliases)
        return Entity(self.id, self.name, self.kind, aliases, self.excludes, self.description)


class CandidacyDocument(_Document):
    """One candidate in one election."""

    election_year: int = Field(ge=1, le=9999)
    election_date: date
    entity_id: Slug
    party: str = Field(max_length=MAX_NAME)
    winner: bool = False
    popular_vote: int | None = Field(default=None, ge=0)
    popular_share: float | None = Field(default=None, ge=0, le=100, description="Per cent of the vote.")
    electoral_votes: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _same_year(self) -> CandidacyDocument:
        if self.election_date.year != self.election_year:
            raise ValueError(f"election_date {self.election_date} is not in {self.election_year}")
        return self

    @classmethod
    def from_core(cls, candidacy: Candidacy) -> CandidacyDocument:
        return cls(**{name: getattr(candidacy, name) for name in cls.model_fields})

    def to_core(self) -> Candidacy:
        return Candidacy(**{name: getattr(self, name) for name in type(self).model_fields})


class WatchlistDocument(_Document):
    """A named set of entities, with the elections they stood in."""

    id: Slug
    name: NameText
    entities: tuple[EntityDocument, ...] = ()
    candidacies: tuple[CandidacyDocument, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> WatchlistDocument:
        known: set[str] = set()
        for entity in self.entities:
            if entity.id in known:
                raise ValueError(f"two entities have the id {entity.id!r}")
            known.add(entity.id)
        for candidacy in self.candidacies:
            if candidacy.entity_id not in known:
                near = get_close_matches(candidacy.entity_id, known, n=1)
                like = f" (did you mean {near[0]!r}?)" if near else ""
                raise ValueError(
                    f"a candidacy of {candidacy.election_year} names no entity of the list: "
                    f"{candidacy.entity_id!r}{like}"
                )
        return self

    @classmethod
    def from_core(cls, watchlist: Watchlist) -> WatchlistDocument:
        return cls(
            id=watchlist.id,
            name=watchlist.name,
            entities=tuple(EntityDocument.from_core(entity) for entity in watchlist.entities),
            candidacies=tuple(CandidacyDocument.from_core(candidacy) for candidacy in watchlist.candidacies),
        )

    def to_core(self) -> Watchlist:
        entities = tuple(entity.to_core() for entity in self.entities)
        return Watchlist(self.id, self.name, entities, tuple(c.to_core() for c in self.candidacies))


def entity_from(document: object, *, origin: str = "entity") -> Entity:
    """The entity in a JSON-able `document`. Raises InvalidInput naming each problem and where it is."""
    with readable_problems(document, origin):
        return EntityDocument.model_validate(document).to_core()


def watchlist_from(document: object, *, origin: str = "watch list") -> Watchlist:
    """The watch list in a JSON-able `document`. Raises InvalidInput naming each problem and where it is."""
    with readable_problems(document, origin):
        return WatchlistDocument.model_validate(document).to_core()


def entity_document(entity: Entity) -> dict[str, Any]:
    """`entity` as JSON-able values. Raises InvalidInput where it breaks a rule of the documents."""
    with readable_problems({}, f"entity {entity.id}"):
        return EntityDocument.from_core(entity).model_dump(mode="json")


def watchlist_document(watchlist: Watchlist) -> dict[str, Any]:
    """`watchlist` as JSON-able values. Raises InvalidInput where it breaks a rule of the documents."""
    with readable_problems({}, f"watch list {watchlist.id}"):
        return WatchlistDocument.from_core(watchlist).model_dump(mode="json")
