"""The question that the articles' sentence asks, as it stands in the address, in a form, and in a saved search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, Field

from kiosque.core.entity import Entity
from kiosque.core.polarity import Polarity
from kiosque.store import entities
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.tx import Tx
from kiosque.web.pages.people import OptionalDay, found_people

CONFIDENCES = (0.5, 0.6, 0.7, 0.8, 0.9)
"""What the sentence offers; the address takes any from 0 to 1."""
MOST_PEOPLE = 20


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalPolarity = Annotated[Polarity | None, BeforeValidator(_none_if_empty)]
_Share = Annotated[float, Field(ge=0, le=1)]
OptionalShare = Annotated[_Share | None, BeforeValidator(_none_if_empty)]


class ArticleQuestion(BaseModel):
    """The filter sentence. An empty field is no condition; `entity` may hold several, with commas between them."""

    q: str = Field(default="", max_length=200)
    entity: str = Field(default="", max_length=2000)
    polarity: OptionalPolarity = None
    confidence: OptionalShare = None
    source: str = Field(default="", max_length=200)
    section: str = Field(default="", max_length=200)
    since: OptionalDay = None
    until: OptionalDay = None
    version: str = Field(default="", max_length=100)
    sort: Sort = Sort.NEWEST
    cursor: str | None = Field(default=None, max_length=1000)

    @classmethod
    def of(cls, where: ArticleFilter, sort: Sort) -> ArticleQuestion:
        """The question that a saved search asks."""
        return cls(
            q=where.query[:200],
            entity=",".join(where.entities),
            polarity=where.polarity,
            confidence=where.min_confidence,
            source=where.source or "",
            section=where.section or "",
            since=where.date_from,
            until=where.date_to,
            version=where.model_version or "",
            sort=sort,
        )

    @property
    def order(self) -> Sort:
        """Relevance without words to look for is no order."""
        return Sort.NEWEST if self.sort is Sort.RELEVANCE and not self.q.strip() else self.sort

    @property
    def names(self) -> list[str]:
        """Who is asked for, as it was typed."""
        return [name.strip() for name in self.entity.split(",") if name.strip()][:MOST_PEOPLE]

    def parameters(self, **changes: object) -> dict[str, str]:
        """The question as it stands in an address, with some of it changed; what is empty is left out."""
        values = {**self.model_dump(mode="json"), **changes}
        return {k: str(v) for k, v in values.items() if v not in (None, "", "newest")}

    def address(self, path: str = "/articles", **changes: object) -> str:
        """`path` with the question behind it."""
        kept = self.parameters(**changes)
        return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the names in it looked up. Someone unknown is in no article."""

    question: ArticleQuestion
    people: tuple[Entity, ...]
    unknown: tuple[str, ...]

    @property
    def filter(self) -> ArticleFilter:
        ask = self.question
        return ArticleFilter(
            entities=(*(entity.id for entity in self.people), *self.unknown),
            polarity=ask.polarity,
            min_confidence=ask.confidence,
            model_version=ask.version or None,
            source=ask.source or None,
            section=ask.section or None,
            date_from=ask.since,
            date_to=ask.until,
            query=ask.q,
        )

    @property
    def who(self) -> str:
        """What stands in the field of names: names, or ids where a name has a comma in it."""
        known = [entity.id if "," in entity.name else entity.name for entity in self.people]
        return ", ".join((*known, *self.unknown))

    def api_address(self, form: str) -> str:
        """The same list from the API, as a file."""
        renamed = {"since": "from", "until": "to", "confidence": "min_confidence", "version": "model_version"}
        pairs = [
            (renamed.get(name, name), value)
            for name, value in self.question.parameters(
                cursor=None, entity="", sort=self.question.order
            ).items()
        ]
        pairs += [("entity", entity.id) for entity in self.people]
        return f"/api/v1/articles?{urlencode([*pairs, ('format', form)])}"


def ask_of(tx: Tx, question: ArticleQuestion) -> Asked:
    """`question` with its names looked up."""
    found = found_people(tx, question.names)
    people = {entity.id: entity for entity in found.values() if entity is not None}
    return Asked(question, tuple(people.values()), tuple(n for n, entity in found.items() if entity is None))


def names_of(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    """Id → name of those that are watched."""
    return {each.id: each.name for each in entities.of_ids(tx, list(ids)).values()}
