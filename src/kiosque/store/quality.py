"""What came in, day by day and source by source, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Subquery, and_, exists, func, select

from kiosque.store import models
from kiosque.store.columns import day_number
from kiosque.store.tables import article, article_scoring, article_sighting, dead_letter, mention
from kiosque.store.tx import Tx

MOST = 20_000
"""Articles of one day that are looked at: an import of millions on one day must not make a page slow."""


@dataclass(frozen=True, slots=True)
class Quality:
    """The articles of one source that came in on one day. Counts are of `articles`, but for `repeats`."""

    day: date
    source: str
    articles: int
    without_text: int
    """A headline without an abstract."""
    unscored: int
    """Not read by the current model yet."""
    without_mention: int
    """Read, and naming nobody who is watched."""
    late: int
    """Published more than a day before they came in."""
    repeats: int
    """Times that this source brought an article which had come from another one that day."""
    capped: bool
    """Whether there were more than `MOST`, of which the others are not counted."""


def by_day(tx: Tx, *, last: date, days: int) -> tuple[Quality, ...]:
    """The `days` days up to `last`, newest first; days and sources without articles are left out."""
    version_pk = models.version_pk(tx, models.POLARITY, None) or 0
    found: list[Quality] = []
    for back in range(days):
        day = last - timedelta(days=back)
        chosen = _came_in(day)
        found += _qualities(tx, day, chosen, version_pk)
    return tuple(found)


def given_up(tx: Tx, *, since: date) -> dict[str, int]:
    """Messages given up since then, by their source; those that were replayed are left out."""
    begin = datetime.combine(since, time(), UTC)
    rows = tx.execute(
        select(dead_letter.c.subject, func.count().label("n"))
        .where(dead_letter.c.at >= begin, dead_letter.c.replayed_at.is_(None))
        .group_by(dead_letter.c.subject)
    )
    return {row.subject: row.n for row in rows}


def newest_day(tx: Tx) -> date | None:
    """The day on which the last article came in; None without any."""
    newest: datetime | None = tx.scalar(
        select(article.c.first_seen_at).order_by(article.c.first_seen_at.desc()).limit(1)
    )
    return newest.date() if newest else None


def _came_in(day: date) -> Subquery:
    begin = datetime.combine(day, time(), UTC)
    came = article.c.first_seen_at
    return (
        select(article.c.pk, article.c.source, article.c.abstract, article.c.day)
        .where(came >= begin, came < begin + timedelta(days=1))
        .limit(MOST)
        .subquery()
    )


def _qualities(tx: Tx, day: date, chosen: Subquery, version_pk: int) -> Iterator[Quality]:
    scored = exists().where(
        and_(article_scoring.c.article_pk == chosen.c.pk, article_scoring.c.version_pk == version_pk)
    )
    named = exists().where(and_(mention.c.article_pk == chosen.c.pk, mention.c.version_pk == version_pk))
    rows = tx.execute(
        select(
            chosen.c.source,
            func.count(),
            func.count().filter(chosen.c.abstract == ""),
            func.count().filter(~scored),
            func.count().filter(scored & ~named),
            func.count().filter(chosen.c.day < day_number(day) - 1),
        )
        .group_by(chosen.c.source)
        .order_by(chosen.c.source)
    ).all()
    if not rows:
        return
    sightings = tx.execute(
        select(article_sighting.c.source, func.count().label("n"))
        .join(chosen, chosen.c.pk == article_sighting.c.article_pk)
        .group_by(article_sighting.c.source)
    )
    repeats: dict[str, int] = {row.source: row.n for row in sightings}
    capped = sum(row[1] for row in rows) >= MOST
    for source, articles, without_text, unscored, without_mention, late in rows:
        again = repeats.pop(source, 0)
        yield Quality(day, source, articles, without_text, unscored, without_mention, late, again, capped)
    for source, n in sorted(repeats.items()):
        yield Quality(day, source, 0, 0, 0, 0, 0, n, capped)
