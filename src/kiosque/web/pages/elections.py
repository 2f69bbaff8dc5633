"""The elections: every campaign since 1852 in small multiples, and one with its candidates side by side."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kiosque.core.entity import Candidacy
from kiosque.store import articles, entities, mentions, stats
from kiosque.store.articles import ArticleFilter
from kiosque.store.stats import Campaign, CampaignLine
from kiosque.store.tx import Tx
from kiosque.web.figures.campaign import Lane, Week, campaign
from kiosque.web.render import house, page, tone_of

router = APIRouter()

WEEKS = 52
FIRST_YEAR = 1852
LATEST = 20
MOST_LANES = 4
"""Candidates shown in the small multiples; the page of the election has all."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One campaign as the list shows it."""

    year: int
    chart: Markup
    articles: int


@router.get("/elections")
def elections(request: Request) -> HTMLResponse:
    with house(request).database.read() as tx:
        years = [e.year for e in entities.elections(tx) if e.year >= FIRST_YEAR]
        strips = [_strip(tx, year) for year in years]
        return page(
            request,
            tx,
            "elections.html",
            section="/elections",
            strips=[strip for strip in strips if strip.articles],
            silent=[strip.year for strip in strips if not strip.articles],
        )


@router.get("/elections/{year}")
def election(request: Request, year: int, weeks: int = WEEKS) -> HTMLResponse:
    weeks = min(max(weeks, 4), 208)
    with house(request).database.read() as tx:
        found = stats.campaign(tx, year, weeks=weeks)
        lanes = [lane_of(line) for line in found.lines]
        years = sorted(e.year for e in entities.elections(tx))
        place = years.index(year)
        ids = tuple(line.candidacy.entity_id for line in found.lines)
        latest = _latest(tx, found, ids)
        return page(
            request,
            tx,
            "election.html",
            section="/elections",
            campaign=found,
            chart=campaign(lanes, title=f"The campaign of {year}", weeks=weeks),
            weeks=weeks,
            before=years[place - 1] if place else None,
            after=years[place + 1] if place + 1 < len(years) else None,
            latest=latest,
            named=mentions.of_articles(tx, [a.pk for a in latest]),
        )


def lane_of(line: CampaignLine) -> Lane:
    weeks = tuple(Week(week.week, tone_of(week.counts)) for week in line.weeks if week.counts.scored)
    candidacy: Candidacy = line.candidacy
    return Lane(line.name, candidacy.party, candidacy.winner, weeks, tone_of(line.counts))


def _strip(tx: Tx, year: int) -> Strip:
    lines = stats.campaign(tx, year, weeks=WEEKS).lines
    lanes = [lane_of(line) for line in lines[:MOST_LANES]]
    return Strip(
        year, campaign(lanes, title=f"The campaign of {year}"), sum(lane.tone.total for lane in lanes)
    )


def _latest(tx: Tx, found: Campaign, ids: tuple[str, ...]) -> tuple[articles.StoredArticle, ...]:
    """The last articles before the vote that name a candidate."""
    gathered: dict[int, articles.StoredArticle] = {}
    for entity_id in ids:
        where = ArticleFilter(entities=(entity_id,), date_to=found.election_date)
        gathered |= {a.pk: a for a in articles.page(tx, where, limit=LATEST).items}
    newest = sorted(gathered.values(), key=lambda a: a.article.published_at, reverse=True)
    return tuple(newest[:LATEST])
