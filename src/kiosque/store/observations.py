"""What a polarity model was asked and answered lately: the numbers that drift is told from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise

from sqlalchemy import CTE, ColumnElement, and_, exists, func, select

from kiosque.core.drift import Observed
from kiosque.core.polarity import Outcome, Polarity
from kiosque.store import models
from kiosque.store.tables import article, article_scoring, mention
from kiosque.store.tx import Tx
from kiosque.store.values import polarity_number


def observe(
    tx: Tx, version: str, *, edges: Sequence[float], newest: int, since: date | None = None
) -> Observed:
    """The answers of `version` on the `newest` articles that it has scored, none published before `since`.

    `edges` are those of the reference's histogram of confidence, the last one above 1.
    """
    version_pk = models.version_pk(tx, models.POLARITY, version) or 0
    chosen = _chosen(version_pk, newest, since)
    confidence = mention.c.confidence
    bins = [and_(confidence >= low, confidence < high) for low, high in pairwise(edges)]
    classes = [mention.c.polarity == polarity_number(polarity) for polarity in Polarity]
    published = chosen.c.published_at
    looked_at = (
        select(f(c)).scalar_subquery()
        for f, c in ((func.count, chosen.c.pk), (func.min, published), (func.max, published))
    )
    articles, first, last, asked, not_named, total, squares, *counts = tx.execute(
        select(
            *looked_at,
            func.count(mention.c.article_pk),
            func.count().filter(mention.c.outcome == Outcome.NO_MENTION.value),
            func.coalesce(func.sum(confidence), 0.0),
            func.coalesce(func.sum(confidence * confidence), 0.0),
            *_counts(classes),
            *_counts(bins),
        ).where(mention.c.version_pk == version_pk, mention.c.article_pk.in_(select(chosen.c.pk)))
    ).one()
    return Observed(
        articles=articles,
        asked=asked,
        not_named=not_named,
        classes=tuple(counts[: len(classes)]),
        confidence_sum=float(total),
        confidence_squares=float(squares),
        confidence_counts=tuple(counts[len(classes) :]),
        first_day=None if first is None else first.date(),
        last_day=None if last is None else last.date(),
    )


def newest_day(tx: Tx, version: str) -> date | None:
    """The day of the newest article that `version` has scored; None where it has scored none."""
    version_pk = models.version_pk(tx, models.POLARITY, version) or 0
    newest = tx.scalar(select(_chosen(version_pk, 1, None).c.published_at))
    return newest.date() if newest else None


def newest_texts(tx: Tx, version: str, *, limit: int) -> tuple[str, ...]:
    """Headline and abstract of the newest articles that `version` has scored and in which somebody is named."""
    version_pk = models.version_pk(tx, models.POLARITY, version) or 0
    # the newest first, of which nearly all name somebody: not all mentions first
    names = exists().where(mention.c.article_pk == article.c.pk, mention.c.version_pk == version_pk)
    rows = tx.execute(
        select(article.c.headline, article.c.abstract)
        .where(names)
        .order_by(article.c.published_at.desc(), article.c.pk.desc())
        .limit(limit)
    )
    return tuple(f"{headline} {abstract}".strip() for headline, abstract in rows)


def _chosen(version_pk: int, newest: int, since: date | None) -> CTE:
    """The newest articles that were scored, each looked up once however often it is read. No column but those of the
    index of articles by time.
    """
    scored = exists().where(
        article_scoring.c.article_pk == article.c.pk, article_scoring.c.version_pk == version_pk
    )
    statement = (
        select(article.c.pk, article.c.published_at)
        .where(scored)
        .order_by(article.c.published_at.desc(), article.c.pk.desc())
        .limit(newest)
    )
    if since is not None:
        statement = statement.where(article.c.published_at >= datetime.combine(since, time(), UTC))
    return statement.cte("chosen").prefix_with("MATERIALIZED")


def _counts(conditions: Sequence[ColumnElement[bool]]) -> list[ColumnElement[int]]:
    return [func.count().filter(condition) for condition in conditions]
