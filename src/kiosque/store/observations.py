"""What a polarity model was asked and answered lately: the numbers that drift is told from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from sqlalchemy import ColumnElement, Subquery, and_, func, select

from kiosque.core.drift import Observed
from kiosque.core.polarity import Outcome, Polarity
from kiosque.store import models
from kiosque.store.columns import day_number
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
    row = tx.execute(
        select(
            func.count(),
            func.count().filter(mention.c.outcome == Outcome.NO_MENTION.value),
            func.coalesce(func.sum(confidence), 0.0),
            func.coalesce(func.sum(confidence * confidence), 0.0),
            *_counts(classes),
            *_counts(bins),
        ).where(mention.c.version_pk == version_pk, mention.c.article_pk.in_(select(chosen.c.pk)))
    ).one()
    articles, first, last = tx.execute(
        select(func.count(), func.min(chosen.c.day), func.max(chosen.c.day))
    ).one()
    split = 4 + len(classes)
    return Observed(
        articles=articles,
        asked=row[0],
        not_named=row[1],
        classes=tuple(row[4:split]),
        confidence_sum=float(row[2]),
        confidence_squares=float(row[3]),
        confidence_counts=tuple(row[split:]),
        first_day=None if first is None else date.fromordinal(first),
        last_day=None if last is None else date.fromordinal(last),
    )


def newest_texts(tx: Tx, version: str, *, limit: int) -> tuple[str, ...]:
    """Headline and abstract of the newest articles that `version` has scored and in which somebody is named."""
    version_pk = models.version_pk(tx, models.POLARITY, version) or 0
    named = select(mention.c.article_pk).where(mention.c.version_pk == version_pk)
    rows = tx.execute(
        select(article.c.headline, article.c.abstract)
        .where(article.c.pk.in_(named))
        .order_by(article.c.published_at.desc(), article.c.pk.desc())
        .limit(limit)
    )
    return tuple(f"{headline} {abstract}".strip() for headline, abstract in rows)


def _chosen(version_pk: int, newest: int, since: date | None) -> Subquery:
    statement = (
        select(article.c.pk, article.c.day)
        .join(article_scoring, article_scoring.c.article_pk == article.c.pk)
        .where(article_scoring.c.version_pk == version_pk)
        .order_by(article.c.published_at.desc(), article.c.pk.desc())
        .limit(newest)
    )
    if since is not None:
        statement = statement.where(article.c.day >= day_number(since))
    return statement.subquery()


def _counts(conditions: Sequence[ColumnElement[bool]]) -> list[ColumnElement[int]]:
    return [func.count().filter(condition) for condition in conditions]
