"""The overview: what came in, who is most in the news, what moved, the latest headlines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import hypot

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kiosque.store import articles, mentions, stats
from kiosque.store.stats import Granularity, Intake, Ranked, Timeline
from kiosque.store.tx import Tx
from kiosque.web.figures.bars import sparkline
from kiosque.web.figures.intake import LAYERS, Column, intake
from kiosque.web.figures.polarity import Z95
from kiosque.web.language import gettext
from kiosque.web.pages.people import choose_grain
from kiosque.web.render import house, page, tone_of
from kiosque.web.terms import term
from kiosque.web.wording import day

router = APIRouter()

PERIODS = {"week": 7, "month": 30, "year": 365, "decade": 3653}
USUAL = "year"
GRAINS = {
    "week": Granularity.DAY,
    "month": Granularity.DAY,
    "year": Granularity.WEEK,
    "decade": Granularity.MONTH,
}
LATEST = 12
SHOWN = 12
LOOKED_AT = 50
"""Of the most named, among whom the moves are looked for."""
SMALLEST_MOVE = 5
"""Scored articles that both periods must have for a change of tone to be called a move."""
MOST_MOVES = 5


@dataclass(frozen=True, slots=True)
class Move:
    """A change in net polarity between two periods of the same length, with its 95 % interval."""

    ranked: Ranked
    change: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CameIn:
    """What came in over a period: the chart's columns, and the sources that are its layers."""

    names: tuple[str, ...]
    columns: tuple[Column, ...]


@router.get("/")
def overview(request: Request, period: str = USUAL) -> HTMLResponse:
    chosen = period if period in PERIODS else USUAL
    days = PERIODS[chosen]
    with house(request).database.read() as tx:
        overall = stats.totals(tx)
        end = overall.last_day
        since = end - timedelta(days=days - 1) if end else None
        ranking = stats.ranking(tx, since, end, limit=LOOKED_AT) if since and end else ()
        came = came_in(stats.intake(tx, since, end, granularity=GRAINS[chosen])) if since and end else None
        latest = articles.latest(tx, LATEST)
        return page(
            request,
            tx,
            "today.html",
            section="/",
            overview=overall,
            period=chosen,
            periods=PERIODS,
            since=since,
            ranking=ranking[:SHOWN],
            sparks=_sparks(tx, ranking[:SHOWN], since, end) if since and end else {},
            before=_articles_before(tx, since, days) if since else 0,
            moves=biggest_moves(ranking),
            smallest_move=SMALLEST_MOVE,
            came=came,
            came_chart=intake(came.columns, came.names, unit=GRAINS[chosen].value) if came else None,
            grain=GRAINS[chosen],
            latest=latest,
            latest_mentions=mentions.of_articles(tx, [a.pk for a in latest]),
            gap_days=max(7, days // 12),
            gaps=stats.gaps(tx, min_days=max(7, days // 12), limit=5),
        )


def _articles_before(tx: Tx, since: date, days: int) -> int:
    """All articles of the period of the same length just before; without any, there is nothing to compare with."""
    return stats.articles_between(tx, since - timedelta(days=days), since - timedelta(days=1))


def came_in(rows: Sequence[Intake]) -> CameIn:
    """The rows as columns; the largest sources have a layer each, the others share the last."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.source] = totals.get(row.source, 0) + row.articles
    largest = sorted(totals, key=lambda name: (-totals[name], name))
    own = largest if len(largest) <= LAYERS else largest[: LAYERS - 1]
    names = (*own, gettext("all others")) if len(own) < len(largest) else tuple(own)
    place = {name: number for number, name in enumerate(own)}
    stretches: dict[tuple[date, date], list[int]] = {}
    for row in rows:
        numbers = stretches.setdefault((row.start, row.end), [0] * len(names))
        numbers[place.get(row.source, len(names) - 1)] += row.articles
    columns = (Column(start, end, tuple(numbers)) for (start, end), numbers in sorted(stretches.items()))
    return CameIn(names, tuple(columns))


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


def biggest_moves(ranking: Sequence[Ranked], limit: int = MOST_MOVES) -> list[Move]:
    """Whose net polarity changed most against the period before: only with enough articles in both, and only where
    the interval of the change leaves out zero.
    """
    moves = [move for ranked in ranking if (move := move_of(ranked)) is not None]
    sure = [move for move in moves if move.low > 0 or move.high < 0]
    return sorted(sure, key=lambda move: (-abs(move.change), move.ranked.name))[:limit]


def move_of(ranked: Ranked) -> Move | None:
    """The change with its interval: the errors of two independent shares add up as squares. None with too few."""
    now, then = tone_of(ranked.counts), tone_of(ranked.previous)
    if min(now.total, then.total) < SMALLEST_MOVE or now.net is None or then.net is None:
        return None
    change, reach = now.net - then.net, Z95 * hypot(now.error, then.error)
    return Move(ranked, change, max(-2.0, change - reach), min(2.0, change + reach))
