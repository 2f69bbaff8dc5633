"""Mentions: who is named in an article, where, and how the article speaks of them, by model version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kiosque.core.entity import EntityKind
from kiosque.core.polarity import Mention
from kiosque.store.articles import StoredArticle
from kiosque.store.tx import Tx


@dataclass(frozen=True, slots=True)
class ScoredArticle:
    """Everything that matching and scoring found in one article. No mention is an answer, too."""

    article_pk: int
    mentions: tuple[Mention, ...] = ()
    ambiguous: int = 0
    """Names left out because on their date they could be more than one entity."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """That an article was matched and scored: by which model version and which generation of the entities."""

    article_pk: int
    model_version: str
    generation: int
    ambiguous: int
    mentions: int
    scored_at: datetime


@dataclass(frozen=True, slots=True)
class StoredMention:
    """A mention with the name of its entity."""

    article_pk: int
    entity_name: str
    entity_kind: EntityKind
    mention: Mention

    @property
    def entity_id(self) -> str:
        return self.mention.entity_id


def save(
    tx: Tx, scored: Sequence[ScoredArticle], *, model_version: str, generation: int, scored_at: datetime
) -> int:
    """Make the mentions of each article at `model_version` exactly those given; returns how many are stored.

    Mentions of an entity that was deleted meanwhile are left out.
    """
    raise NotImplementedError


def of_articles(
    tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None
) -> dict[int, tuple[StoredMention, ...]]:
    """The mentions of each article (an empty tuple where there are none), in the order of the text.

    `model_version` None is the current polarity model.
    """
    raise NotImplementedError


def history(tx: Tx, article_pk: int) -> dict[str, tuple[StoredMention, ...]]:
    """The mentions of one article by model version, oldest version first; versions that found none included."""
    raise NotImplementedError


def scorings(tx: Tx, article_pks: Iterable[int], *, model_version: str | None = None) -> dict[int, Scoring]:
    """Which of the articles were scored by this version (None: the current one)."""
    raise NotImplementedError


def missing(
    tx: Tx, model_version: str, *, generation: int | None = None, after: int = 0, limit: int = 1000
) -> tuple[StoredArticle, ...]:
    """Articles, by pk above `after`, that `model_version` has not scored.

    With `generation` also those scored with an older generation of the entities.
    """
    raise NotImplementedError


def count_missing(tx: Tx, model_version: str, *, generation: int | None = None) -> int:
    """How many articles `missing` would give in all."""
    raise NotImplementedError


def replace_of_entity(
    tx: Tx,
    entity_id: str,
    article_pks: Iterable[int],
    found: Mapping[int, Mention],
    *,
    model_version: str,
    scored_at: datetime,
) -> int:
    """Rematch one entity: in `article_pks` its mentions become exactly `found` (by article pk).

    Other entities' mentions stay. Returns how many are stored.
    """
    raise NotImplementedError


def delete_of_entity(tx: Tx, entity_id: str, *, model_version: str | None = None) -> int:
    """Delete the entity's mentions, of one version or of all (None); returns how many there were."""
    raise NotImplementedError


def count(tx: Tx, *, model_version: str | None = None) -> int:
    """How many mentions there are at this version (None: the current one)."""
    raise NotImplementedError
