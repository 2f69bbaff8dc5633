"""Lists of articles: filtered, sorted, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    literal,
    select,
    true,
    tuple_,
    union_all,
)

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.store import models, search
from kiosque.store.article_rows import StoredArticle, from_row
from kiosque.store.columns import day_number
from kiosque.store.paging import Order, Page, decode_cursor, fetch_page, ordered
from kiosque.store.statements import chunked, stream
from kiosque.store.tables import article, article_month, entity, mention
from kiosque.store.tx import Tx
from kiosque.store.values import polarity_number

MANY = 50_000
"""Articles are counted up to here for a page; words that more articles have are common."""
MANY_NAMED = 20_000
"""The same where mentions are asked of: an article with several counts once, which takes longer."""
RANKED = 10_000
"""Of the articles with the words wanted, among how many the best fit is looked for: those that came in last."""
_TRIED, _AT_ONCE = 1_000, 100
"""How many articles, in the order of the list, are looked at for common words, and how many in one statement."""


class Sort(StrEnum):
    """In which order articles are listed. NEGATIVE and POSITIVE put the most extreme mention first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RELEVANCE = "relevance"
    """How well it fits `ArticleFilter.query`, which must be given; where nothing else is asked, see Fit."""
    NEGATIVE = "negative"
    POSITIVE = "positive"


class Fit(StrEnum):
    """How the best fit of words is looked for."""

    EVERY = "every"
    """Every article with the words is weighed."""
    LAST = "last"
    """The RANKED that came in last are."""
    HEADLINE = "headline"
    """None is: those with all the words in the headline come first, and of these those that came in last."""


@dataclass(frozen=True, slots=True)
class Number:
    """How many articles there are; with `more` at least so many, for they were not counted to the end."""

    number: int
    more: bool = False


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

    @property
    def narrows(self) -> bool:
        """Whether anything but words is asked."""
        facts = (self.source, self.section, self.kind, self.date_from, self.date_to, self.has_mentions)
        return self.asks_of_mentions or any(fact is not None for fact in facts)


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
    if sort is not Sort.RELEVANCE and limit < _AT_ONCE and asked.is_common(tx):
        found = _page_of_common(tx, asked, sort, limit, cursor)
        if found is not None:
            return found
    statement, order = _sorted(asked, sort)
    if sort is Sort.RELEVANCE and asked.is_nothing_but_words:
        find = _first_of_common if asked.is_common(tx) else _best
        statement, order = find(asked, limit, cursor)
    return fetch_page(tx, statement, order, limit=limit, cursor=cursor, make=from_row)


def count(tx: Tx, where: ArticleFilter | None = None) -> int:
    """How many articles pass `where`."""
    asked = _Asked.of(tx, where or ArticleFilter())
    return tx.scalar(_counted_by_mention(asked) if asked.needs_mention else _counted(asked)) or 0


def count_some(tx: Tx, where: ArticleFilter | None = None) -> Number:
    """How many articles pass `where`, up to MANY or MANY_NAMED; of common words with other conditions, a few."""
    asked = _Asked.of(tx, where or ArticleFilter())
    if not asked.where.narrows and not asked.where.query.strip():
        return Number(int(tx.scalar(select(func.sum(article_month.c.articles))) or 0))
    if asked.where.narrows and asked.is_common(tx):
        pks = _tried(tx, asked.without_words(), Sort.NEWEST, None, _AT_ONCE)
        return Number(len(_having(tx, asked, pks)), more=len(pks) == _AT_ONCE)
    most = min(MANY, MANY_NAMED) if asked.needs_mention else MANY
    number = tx.scalar(select(func.count()).select_from(_some(asked).limit(most + 1).subquery())) or 0
    return Number(min(number, most), more=number > most)


def fit_of(tx: Tx, where: ArticleFilter, total: Number) -> Fit:
    """How a list of the best fit is found that has `total` articles (see `count_some`)."""
    if where.narrows or total.number <= RANKED:
        return Fit.EVERY
    by_headline = total.more and tx.dialect.name == "sqlite" and not search.parse(where.query).unwanted
    return Fit.HEADLINE if by_headline else Fit.LAST


def _some(asked: _Asked) -> Select[Any]:
    """The pks of what is asked, in any order."""
    if asked.needs_mention:
        m = mention.alias()
        statement = select(m.c.article_pk).where(asked.of_mention(m), *asked.of_article(m)).distinct()
        return statement.select_from(_joined(m)) if asked.asks_of_text else statement
    if asked.is_words_alone:
        return search.matching(article, asked.query)[0]
    return select(article.c.pk).where(*asked.of_article(), asked.has_mention())


def _page_of_common(
    tx: Tx, asked: _Asked, sort: Sort, limit: int, cursor: str | None
) -> Page[StoredArticle] | None:
    """Common words are looked for in the articles in the order of the list, instead of sorting all that have them.

    None where too few of the first have them: they are common, but not here.
    """
    rest = asked.without_words()
    pks, hits = _tried(tx, rest, sort, cursor, _TRIED), []
    for chunk in chunked(pks, _AT_ONCE):
        hits += _having(tx, asked, chunk)
        if len(hits) > limit:
            break
    if len(hits) <= limit and len(pks) == _TRIED:
        return None
    statement, order = _sorted(rest, sort)
    shown = statement.where(article.c.pk.in_(hits[: limit + 1]))
    return fetch_page(tx, shown, order, limit=limit, cursor=None, make=from_row)


def _tried(tx: Tx, asked: _Asked, sort: Sort, cursor: str | None, number: int) -> Sequence[int]:
    statement, order = _sorted(asked, sort)
    return tx.scalars(ordered(statement.with_only_columns(article.c.pk), order, cursor).limit(number)).all()


def _having(tx: Tx, asked: _Asked, pks: Sequence[int]) -> list[int]:
    """Those of a few articles that have all the words wanted, in the same order."""
    statement, pk = search.matching(article, asked.query)
    found = set(tx.scalars(statement.where(pk.in_(pks))))
    return [each for each in pks if each in found]


def _counted(asked: _Asked) -> Select[Any]:
    return select(func.count()).select_from(article).where(*asked.of_article(), asked.has_mention())


def _counted_by_mention(asked: _Asked) -> Select[Any]:
    """By way of the mentions, of which there are fewer, and without a look at the articles if that can be."""
    m = mention.alias()
    statement = select(func.count(m.c.article_pk.distinct())).where(asked.of_mention(m), *asked.of_article(m))
    if asked.asks_of_text:
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
    def asks_of_text(self) -> bool:
        """Whether the article itself must be looked at: a mention does not repeat it."""
        return self.where.kind is not None or bool(self.where.query.strip())

    @property
    def is_words_alone(self) -> bool:
        """Whether the full-text index of SQLite can answer alone."""
        words = self.dialect == "sqlite" and bool(self.query.wanted) and not self.query.unwanted
        return words and not self.where.narrows

    @property
    def is_nothing_but_words(self) -> bool:
        return bool(self.query.wanted) and not self.query.unwanted and not self.where.narrows

    def is_common(self, tx: Tx) -> bool:
        """Whether more articles than MANY have the words wanted. PostgreSQL finds its way by its statistics."""
        if self.dialect != "sqlite" or not self.query.wanted:
            return False
        some = search.matching(article, self.query)[0].limit(MANY + 1).subquery()
        return (tx.scalar(select(func.count()).select_from(some)) or 0) > MANY

    def without_words(self) -> _Asked:
        """The same, but for the words wanted."""
        words = search.Query((), self.query.unwanted)
        return replace(
            self,
            where=self.where if words.unwanted else replace(self.where, query=""),
            query=words,
        )

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
    hits = search.hits(asked.dialect, article, asked.query, newest=None if asked.where.narrows else RANKED)
    statement = select(article).join(hits, hits.c.pk == article.c.pk)
    order = Order(Sort.RELEVANCE.value, (hits.c.score, article.c.pk), descending=True)
    # the hits have the words: asking for them again would have SQLite gather all that do
    rest = asked.without_words()
    return statement.where(*rest.of_article(), rest.has_mention()), order


def _best(asked: _Asked, limit: int, cursor: str | None) -> tuple[Select[Any], Order]:
    """As `_by_relevance` of words alone: the few that are shown are chosen by their score before one is read."""
    hits = search.hits(asked.dialect, article, asked.query, newest=RANKED)
    order = Order(Sort.RELEVANCE.value, (hits.c.score, hits.c.pk), descending=True)
    best = ordered(select(hits.c.pk, hits.c.score), order, cursor).limit(limit + 1).subquery()
    statement = select(article).join(best, best.c.pk == article.c.pk)
    return statement, Order(Sort.RELEVANCE.value, (best.c.score, article.c.pk), descending=True)


def _first_of_common(asked: _Asked, limit: int, cursor: str | None) -> tuple[Select[Any], Order]:
    """Where very many have the words: those with all of them in the headline, then the others, last come first.

    bm25 would count every place of the words before it weighs one article, and find them worth next to nothing.
    """
    name, before = "relevance-of-common", None
    in_headline = 1
    if cursor is not None:
        in_headline, before = decode_cursor(cursor, name, (int, int))
    *tiers, pk = search.by_headline(article, asked.query)
    parts = []
    for score, tier in zip((1, 0), tiers, strict=True):
        if score > in_headline:
            continue
        beyond = [pk < before] if before is not None and score == in_headline else []
        scored = tier.add_columns(literal(score).label("score")).where(*beyond)
        parts.append(select(scored.order_by(pk.desc()).limit(limit + 1).subquery()))
    best = union_all(*parts).subquery()
    statement = select(article).join(best, best.c.rowid == article.c.pk)
    return statement, Order(name, (best.c.score, article.c.pk), descending=True)


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
