"""The elections: every campaign since 1852 in small multiples, and one with its candidates side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse

from kiosque.core.entity import Candidacy
from kiosque.store import articles, entities, mentions, stats
from kiosque.store.articles import ArticleFilter
from kiosque.store.figures import OutlineLine
from kiosque.store.outlines import outlines
from kiosque.store.stats import Campaign, CampaignLine
from kiosque.store.tx import Tx
from kiosque.web.figures.campaign import Dot, Lane, campaign
from kiosque.web.figures.hues import hue_of
from kiosque.web.language import gettext, ngettext
from kiosque.web.pages.people import within
from kiosque.web.render import house, page, tone_of

router = APIRouter()

WEEKS = 52
FIRST_YEAR = 1852
LATEST = 20
MOST_LANES = 4
"""Candidates shown in the small multiples; the page of the election has all."""
MOST_YEARS = 12
"""Campaigns that can be put side by side."""


@dataclass(frozen=True, slots=True)
class Strip:
    """One campaign as the list shows it. `others` stood too, and no article names them."""

    year: int
    chart: Markup
    articles: int
    others: tuple[str, ...]
    lines: tuple[CampaignLine | OutlineLine, ...]
    """Everybody whom an article names, for the table."""

    @property
    def decade(self) -> int:
        return self.year - self.year % 10


def chosen_years(asked: Sequence[str], known: Sequence[int]) -> list[int]:
    """The years of `1860,1948` or of several such values that had an election, each once, in the order asked."""
    words = ",".join(asked).replace(" ", ",").split(",")
    years = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 5]
    return [year for year in dict.fromkeys(years) if year in known][:MOST_YEARS]


@router.get("/elections")
def elections(
    request: Request,
    years: Annotated[list[str], Query()] = [],  # noqa: B006
    weeks: int = WEEKS,
) -> HTMLResponse:
    weeks = within(weeks)
    with house(request).database.read() as tx:
        known = [e.year for e in entities.elections(tx) if e.year >= FIRST_YEAR]
        chosen = chosen_years(years, known)
        strips = side_by_side(tx, chosen, weeks) if chosen else all_of(tx, known)
        return page(
            request,
            tx,
            "elections.html",
            section="/elections",
            strips=[strip for strip in strips if strip.articles],
            silent=[strip.year for strip in strips if not strip.articles],
            decades=sorted({strip.decade for strip in strips if strip.articles}, reverse=True),
            chosen=chosen,
            known=known,
            weeks=weeks if chosen else WEEKS,
        )


@router.get("/elections/{year}")
def election(request: Request, year: int, weeks: int = WEEKS) -> HTMLResponse:
    weeks = within(weeks)
    with house(request).database.read() as tx:
        found = stats.campaign(tx, year, weeks=weeks)
        lanes = [lane_of(line) for line in found.lines if line.counts.scored]
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
            chart=campaign(lanes, title=gettext("The campaign of %(year)s", year=year), weeks=weeks),
            weeks=weeks,
            before=years[place - 1] if place else None,
            after=years[place + 1] if place + 1 < len(years) else None,
            latest=latest,
            named=mentions.of_articles(tx, [a.pk for a in latest]),
        )


def side_by_side(tx: Tx, years: Sequence[int], weeks: int) -> list[Strip]:
    """Every candidate whom an article names, week by week."""
    found = stats.campaigns(tx, years, weeks=weeks)
    return [
        _strip(each.year, each.lines, [lane_of(line) for line in each.lines], weeks, most=None)
        for each in found
    ]


def all_of(tx: Tx, years: Sequence[int]) -> list[Strip]:
    """The first few candidates of each, month by month: so many campaigns are looked over, not read."""
    return [
        _strip(
            each.year,
            each.lines,
            [_by_month(line, each.election_date) for line in each.lines],
            WEEKS,
            most=MOST_LANES,
        )
        for each in outlines(tx, years, weeks=WEEKS)
    ]


def lane_of(line: CampaignLine) -> Lane:
    dots = (
        Dot(
            week.week,
            tone_of(week.counts),
            ngettext("%(num)s week before", "%(num)s weeks before", week.week),
        )
        for week in line.weeks
        if week.counts.scored
    )
    return _lane(line, tuple(dots))


def _by_month(line: OutlineLine, vote: date) -> Lane:
    dots = (
        Dot((vote - month.start + (vote - month.end)).days / 14, tone_of(month.counts))
        for month in line.months
        if month.counts.scored
    )
    return _lane(line, tuple(dots))


def _lane(line: CampaignLine | OutlineLine, dots: tuple[Dot, ...]) -> Lane:
    candidacy: Candidacy = line.candidacy
    hue = hue_of(candidacy.entity_id)
    return Lane(line.name, candidacy.party, candidacy.winner, dots, tone_of(line.counts), hue)


def _strip(
    year: int,
    lines: Sequence[CampaignLine | OutlineLine],
    lanes: Sequence[Lane],
    weeks: int,
    *,
    most: int | None,
) -> Strip:
    shown = [lane for lane in lanes if lane.tone.total][:most]
    return Strip(
        year,
        campaign(shown, title=gettext("The campaign of %(year)s", year=year), weeks=weeks),
        sum(lane.tone.total for lane in lanes),
        tuple(lane.name for lane in lanes if lane not in shown),
        tuple(line for line in lines if line.counts.total),
    )


def _latest(tx: Tx, found: Campaign, ids: tuple[str, ...]) -> tuple[articles.StoredArticle, ...]:
    """The last articles before the vote that name a candidate."""
    gathered: dict[int, articles.StoredArticle] = {}
    for entity_id in ids:
        where = ArticleFilter(entities=(entity_id,), date_to=found.election_date)
        gathered |= {a.pk: a for a in articles.page(tx, where, limit=LATEST).items}
    newest = sorted(gathered.values(), key=lambda a: a.article.published_at, reverse=True)
    return tuple(newest[:LATEST])
