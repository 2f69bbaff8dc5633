"""Articles: one row a story, whoever delivered it and however often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from kiosque.core.article import Article
from kiosque.core.polarity import Polarity
from kiosque.store.paging import Page
from kiosque.store.tx import Tx


class Sort(StrEnum):
    """In which order articles are listed. NEGATIVE and POSITIVE put the most extreme mention first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RELEVANCE = "relevance"
    """How well it fits `ArticleFilter.query`, which must be given."""
    NEGATIVE = "negative"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class ArticleFilter:
    """Which articles; every part that is given must hold.

    `entities` are slugs, any of which must be mentioned; `polarity` and `min_confidence` (probability of
    the polarity given) are asked of the same mention. `model_version` None is the current polarity model.
    Days are inclusive and in UTC.
    """

    entities: tuple[str, ...] = ()
    polarity: Polarity | None = None
    min_confidence: float | None = None
    model_version: str | None = None
    has_mentions: bool | None = None
    source: str | None = None
    section: str | None = None
    kind: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    query: str = ""
    """Words to find in headline, abstract and keywords: all of them; "quoted phrases"; -not; prefix*."""


@dataclass(frozen=True, slots=True)
class SavedArticle:
    """What became of one article handed to `save`."""

    pk: int
    key: str
    new: bool
    """It was not in the store before."""
    changed: bool
    """It was, and its headline or abstract is another now: its mentions must be found anew."""


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article with what the store knows of it. `pk` is for other functions of the store, never for readers."""

    pk: int
    article: Article
    first_seen_at: datetime
    updated_at: datetime | None = None
    """When its text last changed, if it ever did."""

    @property
    def id(self) -> str:
        return self.article.id


@dataclass(frozen=True, slots=True)
class KnownArticle:
    """Enough to tell whether an article is new, changed, or the same as before."""

    pk: int
    key: str
    source: str
    headline: str
    abstract: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """Another source that delivered the same story."""

    source: str
    seen_at: datetime
    url: str | None


def save(tx: Tx, articles: Sequence[Article], seen_at: datetime) -> list[SavedArticle]:
    """Store `articles`, each key once, and say what became of each, in the order given.

    One that is there already fills what was empty; from the same source a changed headline or abstract
    replaces the old one; from another source it leaves a `Sighting`. Times of publication never change.
    """
    raise NotImplementedError


def get(tx: Tx, name: str) -> StoredArticle:
    """The article with this id (16 hex digits) or key. Raises NotFound."""
    raise NotImplementedError


def find(tx: Tx, name: str) -> StoredArticle | None:
    """As `get`, None where there is none."""
    raise NotImplementedError


def of_pks(tx: Tx, pks: Iterable[int]) -> dict[int, StoredArticle]:
    """The articles with these pks."""
    raise NotImplementedError


def known(tx: Tx, keys: Iterable[str]) -> dict[str, KnownArticle]:
    """Which of `keys` are in the store, and with which text."""
    raise NotImplementedError


def page(
    tx: Tx,
    where: ArticleFilter | None = None,
    *,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[StoredArticle]:
    """One page of the articles that pass `where`. InvalidInput on a cursor that is not one of this list's."""
    raise NotImplementedError


def latest(tx: Tx, limit: int = 20, *, source: str | None = None) -> tuple[StoredArticle, ...]:
    """The articles that came in last, newest first by when they were first seen."""
    raise NotImplementedError


def count(tx: Tx, where: ArticleFilter | None = None) -> int:
    """How many articles pass `where`."""
    raise NotImplementedError


def iterate(
    tx: Tx, where: ArticleFilter | None = None, *, after: int = 0, chunk: int = 1000
) -> Iterator[StoredArticle]:
    """Every article that passes `where`, by pk above `after`, in constant memory. `tx` must stay open."""
    raise NotImplementedError


def sightings(tx: Tx, pk: int) -> tuple[Sighting, ...]:
    """Where else the article was seen, oldest first."""
    raise NotImplementedError


def sections(tx: Tx, limit: int = 100) -> tuple[tuple[str, int], ...]:
    """Sections with their number of articles, largest first."""
    raise NotImplementedError
