"""The overview: what came in, who is most in the news, what moved, the latest headlines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kiosque.store import articles, mentions, stats
from kiosque.store.articles import ArticleFilter
from kiosque.store.stats import Granularity, Ranked, Timeline
from kiosque.store.tx import Tx
from kiosque.web.figures.bars import sparkline
from kiosque.web.language import gettext
from kiosque.web.pages.people import choose_grain
from kiosque.web.render import house, page
from kiosque.web.terms import term
from kiosque.web.wording import day

router = APIRouter()

PERIODS = {"week": 7, "month": 30, "year": 365, "decade": 3653}
LATEST = 12
SHOWN = 12
SMALLEST_MOVE = 3
"""Articles that a period must have for a change of tone to be called a move."""


@dataclass(frozen=True, slots=True)
class Move:
    """A change in tone between two periods of the same length."""

    ranked: Ranked
    change: float


@router.get("/")
def overview(request: Request, period: str = "year") -> HTMLResponse:
    days = PERIODS.get(period, PERIODS["year"])
    with house(request).database.read() as tx:
        overall = stats.overview(tx, days=days)
        end = overall.last_day
        ranking = _ranking(tx, end, days) if end else ()
        since = end - timedelta(days=days - 1) if end else None
        latest = articles.latest(tx, LATEST)
        return page(
            request,
            tx,
            "today.html",
            section="/",
            overview=overall,
            period=period if period in PERIODS else "year",
            periods=PERIODS,
            since=since,
            ranking=ranking[:SHOWN],
            sparks=_sparks(tx, ranking[:SHOWN], since, end) if since and end else {},
            before=_articles_before(tx, since, days) if since else 0,
            moves=biggest_moves(ranking),
            latest=latest,
            latest_mentions=mentions.of_articles(tx, [a.pk for a in latest]),
            gaps=stats.gaps(tx, min_days=max(7, days // 12), limit=5),
        )


def _articles_before(tx: Tx, since: date, days: int) -> int:
    """All articles of the period of the same length just before; without any, there is nothing to compare with."""
    where = ArticleFilter(date_from=since - timedelta(days=days), date_to=since - timedelta(days=1))
    return articles.count(tx, where)


def _sparks(tx: Tx, ranking: tuple[Ranked, ...], since: date, end: date) -> dict[str, Markup]:
    """How often each was named over the period."""
    days = (end - since).days + 1
    grain = choose_grain(days) if days > 31 else Granularity.DAY
    lines = stats.compare(tx, [r.entity_id for r in ranking], granularity=grain, date_from=since, date_to=end)
    return {line.entity_id: _spark(line, since, end) for line in lines}


def _spark(line: Timeline, since: date, end: date) -> Markup:
    """At its place in time each stretch with articles; a stretch without any breaks the line."""
    values: list[float | None] = []
    previous = since - timedelta(days=1)
    for bucket in line.buckets:
        if bucket.start > previous + timedelta(days=1):
            values.append(None)
        values.append(float(bucket.counts.total))
        previous = bucket.end
    if previous < end:
        values.append(None)
    words = gettext(
        "Articles by %(width)s, %(first)s to %(last)s",
        width=term(line.granularity),
        first=day(since),
        last=day(end),
    )
    return sparkline(values, words)


def _ranking(tx: Tx, end: date, days: int) -> tuple[Ranked, ...]:
    return stats.ranking(tx, end - timedelta(days=days - 1), end, limit=50)


def biggest_moves(ranking: tuple[Ranked, ...], limit: int = 4) -> list[Move]:
    """Whose net polarity changed most against the period before, among those with enough articles in both."""
    moves = [
        Move(ranked, ranked.counts.net - ranked.previous.net)
        for ranked in ranking
        if ranked.counts.net is not None
        and ranked.previous.net is not None
        and min(ranked.counts.scored, ranked.previous.scored) >= SMALLEST_MOVE
    ]
    return sorted(moves, key=lambda move: -abs(move.change))[:limit]
