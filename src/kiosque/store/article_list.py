"""Lists of articles: filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    select,
    true,
    tuple_,
)

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.store import models, search
from kiosque.store.article_rows import StoredArticle, from_row
from kiosque.store.columns import day_number
from kiosque.store.paging import Order, Page, fetch_page
from kiosque.store.statements import stream
from kiosque.store.tables import article, article_month, entity, mention
from kiosque.store.tx import Tx
from kiosque.store.values import polarity_number


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

    @property
    def asks_of_mentions(self) -> bool:
        return bool(self.entities) or self.polarity is not None or self.min_confidence is not None


def page(
    tx: Tx,
    where: ArticleFilter | None = None,
    *,
    sort: Sort = Sort.NEWEST,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[StoredArticle]:
    """One page of the articles that pass `where`. InvalidInput on a cursor that is not one of this list's."""
    asked = _Asked.of(tx, where or ArticleFilter())
    statement, order = _sorted(asked, sort)
    return fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=from_row)


def count(tx: Tx, where: ArticleFilter | None = None) -> int:
    """How many articles pass `where`."""
    asked = _Asked.of(tx, where or ArticleFilter())
    return tx.scalar(_counted_by_mention(asked) if asked.needs_mention else _counted(asked)) or 0


def _counted(asked: _Asked) -> Select[Any]:
    return select(func.count()).select_from(article).where(*asked.of_article(), asked.has_mention())


def _counted_by_mention(asked: _Asked) -> Select[Any]:
    """By way of the mentions, of which there are fewer, and without a look at the articles if that can be."""
    m = mention.alias()
    statement = select(func.count(m.c.article_pk.distinct())).where(asked.of_mention(m), *asked.of_article(m))
    if asked.where.kind is not None or asked.where.query.strip():
        statement = statement.select_from(_joined(m))
    return statement


def known_sources(tx: Tx) -> tuple[str, ...]:
    """The sources of which there are articles, by name."""
    return tuple(tx.scalars(select(article_month.c.source).distinct().order_by(article_month.c.source)))


def iterate(
    tx: Tx, where: ArticleFilter | None = None, *, after: int = 0, chunk: int = 1000
) -> Iterator[StoredArticle]:
    """Every article that passes `where`, by pk above `after`, in constant memory. `tx` must stay open."""
    asked = _Asked.of(tx, where or ArticleFilter())
    conditions = (article.c.pk > after, *asked.of_article(), asked.has_mention())
    for row in stream(tx, select(article).where(*conditions).order_by(article.c.pk), chunk):
        yield from_row(row)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A filter with the names in it looked up."""

    where: ArticleFilter
    dialect: str
    version_pk: int | None
    entity_pks: tuple[int, ...]
    query: search.Query

    @classmethod
    def of(cls, tx: Tx, where: ArticleFilter) -> _Asked:
        pks: tuple[int, ...] = ()
        if where.entities:
            pks = tuple(tx.scalars(select(entity.c.pk).where(entity.c.id.in_(where.entities))))
        version = models.version_pk(tx, models.POLARITY, where.model_version)
        return cls(where, tx.dialect.name, version, pks, search.parse(where.query))

    @property
    def needs_mention(self) -> bool:
        """Whether only articles with a mention as asked will do."""
        where = self.where
        return where.has_mentions is not False and bool(where.has_mentions or where.asks_of_mentions)

    def of_article(self, facts: FromClause = article) -> list[ColumnElement[bool]]:
        """What is asked of the article itself; `facts` is `article`, or a mention, which repeats most of it."""
        where = self.where
        equal = (
            (facts.c.source, where.source),
            (facts.c.section, where.section),
            (article.c.kind, where.kind),
        )
        conditions = [column == value for column, value in equal if value is not None]
        if where.date_from is not None:
            conditions.append(facts.c.day >= day_number(where.date_from))
        if where.date_to is not None:
            conditions.append(facts.c.day <= day_number(where.date_to))
        if where.query.strip():
            conditions.append(search.condition(self.dialect, article, self.query))
        return conditions

    def of_mention(self, m: FromClause) -> ColumnElement[bool]:
        """What is asked of one mention."""
        if self.version_pk is None or (self.where.entities and not self.entity_pks):
            return false()
        conditions = [m.c.version_pk == self.version_pk]
        if len(self.entity_pks) == 1:
            conditions.append(m.c.entity_pk == self.entity_pks[0])
        elif self.entity_pks:
            conditions.append(m.c.entity_pk.in_(self.entity_pks))
        if self.where.polarity is not None:
            conditions.append(m.c.polarity == polarity_number(self.where.polarity))
        if self.where.min_confidence is not None:
            conditions.append(m.c.confidence >= self.where.min_confidence)
        return and_(*conditions)

    def has_mention(self) -> ColumnElement[bool]:
        """That the article has a mention as asked, or none at all if that is asked."""
        m = mention.alias()
        there = exists().where(m.c.article_pk == article.c.pk, self.of_mention(m))
        if self.where.has_mentions is False:
            return ~there
        return there if self.needs_mention else true()


def _sorted(asked: _Asked, sort: Sort) -> tuple[Select[Any], Order]:
    if sort is Sort.RELEVANCE:
        return _by_relevance(asked)
    if sort in (Sort.NEGATIVE, Sort.POSITIVE):
        return _by_net(asked, sort)
    if len(asked.where.entities) == 1 and asked.where.has_mentions is not False:
        return _by_time_of_entity(asked, sort)
    statement = select(article).where(*asked.of_article(), asked.has_mention())
    if asked.where.source is None and asked.where.section is None:
        return statement, Order(
            sort.value, (article.c.published_at, article.c.pk), descending=sort is Sort.NEWEST
        )
    # the indexes of source and section begin with the day; the order is the same
    columns = (article.c.day, article.c.published_at, article.c.pk)
    return statement, Order(f"{sort.value}-of-some", columns, descending=sort is Sort.NEWEST)


def _by_relevance(asked: _Asked) -> tuple[Select[Any], Order]:
    if not asked.query.wanted:
        raise InvalidInput("Only a search can be sorted by relevance.", hint="Give words to search for.")
    hits = search.hits(asked.dialect, article, asked.query)
    statement = select(article).join(hits, hits.c.pk == article.c.pk)
    order = Order(Sort.RELEVANCE.value, (hits.c.score, article.c.pk), descending=True)
    return statement.where(*asked.of_article(), asked.has_mention()), order


def _by_time_of_entity(asked: _Asked, sort: Sort) -> tuple[Select[Any], Order]:
    """By way of the entity's mentions, whose index is sorted by time: a rare name needs no walk through all news."""
    m = mention.alias()
    statement = select(article).select_from(_joined(m)).where(asked.of_mention(m), *asked.of_article(m))
    columns = (m.c.day, m.c.published_at, m.c.article_pk)
    return statement, Order(f"{sort.value}-of-one", columns, descending=sort is Sort.NEWEST)


def _by_net(asked: _Asked, sort: Sort) -> tuple[Select[Any], Order]:
    """Each article once, at its most extreme mention of those asked for."""
    m, other = mention.alias(), mention.alias()
    conditions = [m.c.net.is_not(None), asked.of_mention(m), *asked.of_article(m)]
    if len(asked.entity_pks) != 1:
        # "+ 0.0" keeps SQLite from looking for the article's other mentions among all with a lower (higher) net
        here, there = tuple_(m.c.net, m.c.entity_pk), tuple_(other.c.net + 0.0, other.c.entity_pk)
        beyond = there > here if sort is Sort.POSITIVE else there < here
        of_same = other.c.article_pk == m.c.article_pk
        conditions.append(~exists().where(of_same, asked.of_mention(other), beyond))
    if asked.where.has_mentions is False:
        conditions.append(false())
    order = Order(sort.value, (m.c.net, m.c.article_pk), descending=sort is Sort.POSITIVE)
    return select(article).select_from(_joined(m)).where(*conditions), order


def _joined(m: FromClause) -> FromClause:
    return m.join(article, article.c.pk == m.c.article_pk)
