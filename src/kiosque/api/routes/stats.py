"""Numbers over everything: overview, ranking, comparison, elections."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import ApiDep
from kiosque.api.lists import (
    answer_list,
    answer_table,
    list_responses,
    map_page,
    slice_page,
    table_responses,
)
from kiosque.api.route import NEEDS_READ, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import MAX_LIMIT, ListQuery
from kiosque.api.schemas.stats import (
    BucketRow,
    CampaignAnswer,
    CampaignQuery,
    CampaignRow,
    CompareQuery,
    ComparisonAnswer,
    ElectionAnswer,
    ElectionListing,
    GapAnswer,
    GapListing,
    GapQuery,
    NumberedAnswer,
    OverviewAnswer,
    OverviewQuery,
    RankedAnswer,
    RankingListing,
    RankingQuery,
    SectionListing,
    TimelineAnswer,
    bucket_rows,
    campaign_rows,
)
from kiosque.store import articles, entities, stats
from kiosque.store.paging import Page

router = APIRouter(prefix=PREFIX, tags=["statistics"], route_class=ApiRoute)


@router.get(
    "/stats/overview",
    summary="What is in the store",
    operation_id="overview",
    dependencies=NEEDS_READ,
    responses=problems(),
)
def overview(api: ApiDep, query: Annotated[OverviewQuery, Query()]) -> OverviewAnswer:
    """Counts of everything, by source, and by day up to the newest article."""
    with api.database.read() as tx:
        return OverviewAnswer.of(stats.overview(tx, days=query.days))


@router.get(
    "/stats/ranking",
    summary="Who is most in the news",
    operation_id="ranking",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(RankingListing) | problems(),
)
def ranking(request: Request, api: ApiDep, query: Annotated[RankingQuery, Query()]) -> Response:
    """Between two days, with the counts of the period of the same length just before. At most 1,000 entities."""

    def fetch(limit: int, cursor: str | None) -> Page[RankedAnswer]:
        if query.date_from > query.date_to:
            return Page(())
        with api.database.read() as tx:
            found = stats.ranking(
                tx,
                query.date_from,
                query.date_to,
                kind=query.kind,
                limit=MAX_LIMIT,
                model_version=query.model_version,
            )
        return map_page(slice_page(found, limit, cursor), RankedAnswer.of)

    return answer_list(request, query, fetch, RankingListing, RankedAnswer, "ranking")


@router.get(
    "/stats/sections",
    summary="Sections and how many articles they have",
    operation_id="list_sections",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(SectionListing) | problems(),
)
def list_sections(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """Largest first, at most 1,000."""

    def fetch(limit: int, cursor: str | None) -> Page[NumberedAnswer]:
        with api.database.read() as tx:
            found = articles.sections(tx, limit=MAX_LIMIT)
        page = slice_page(found, limit, cursor)
        return map_page(page, lambda section: NumberedAnswer(name=section[0], articles=section[1]))

    return answer_list(request, query, fetch, SectionListing, NumberedAnswer, "sections")


@router.get(
    "/stats/gaps",
    summary="Stretches without any article",
    operation_id="list_gaps",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(GapListing) | problems(),
)
def list_gaps(request: Request, api: ApiDep, query: Annotated[GapQuery, Query()]) -> Response:
    """Days without an article although there are earlier and later ones, longest stretch first, at most 1,000."""

    def fetch(limit: int, cursor: str | None) -> Page[GapAnswer]:
        with api.database.read() as tx:
            found = stats.gaps(tx, min_days=query.min_days, source=query.source, limit=MAX_LIMIT)
        return map_page(slice_page(found, limit, cursor), GapAnswer.of)

    return answer_list(request, query, fetch, GapListing, GapAnswer, "gaps")


@router.get(
    "/compare",
    summary="Several entities side by side",
    operation_id="compare_entities",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=table_responses(ComparisonAnswer) | problems(404),
)
def compare_entities(request: Request, api: ApiDep, query: Annotated[CompareQuery, Query()]) -> Response:
    """Their timelines over the same stretches of time."""
    with api.database.read() as tx:
        timelines = stats.compare(
            tx,
            list(dict.fromkeys(query.entity)),
            granularity=query.granularity,
            date_from=query.date_from,
            date_to=query.date_to,
            section=query.section,
            source=query.source,
            model_version=query.model_version,
        )
    lines = [TimelineAnswer.of(each) for each in timelines]
    answer = ComparisonAnswer(granularity=query.granularity, timelines=lines)
    return answer_table(request, query.format, answer, bucket_rows(lines), BucketRow, "comparison")


@router.get(
    "/elections",
    summary="Elections",
    operation_id="list_elections",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(ElectionListing) | problems(),
)
def list_elections(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """Newest first, with how many candidates are watched."""

    def fetch(limit: int, cursor: str | None) -> Page[ElectionAnswer]:
        with api.database.read() as tx:
            found = entities.elections(tx)
        return map_page(slice_page(found, limit, cursor), ElectionAnswer.of)

    return answer_list(request, query, fetch, ElectionListing, ElectionAnswer, "elections")


@router.get(
    "/elections/{year}",
    summary="One campaign, candidate against candidate",
    operation_id="get_campaign",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=table_responses(CampaignAnswer) | problems(404),
)
def get_campaign(
    request: Request,
    api: ApiDep,
    year: Annotated[int, Path(ge=1, le=9999, description="Year of the election.", examples=[1860])],
    query: Annotated[CampaignQuery, Query()],
) -> Response:
    """How each candidate was spoken of, week by week before the vote: campaigns of all times line up."""
    with api.database.read() as tx:
        campaign = stats.campaign(tx, year, weeks=query.weeks, model_version=query.model_version)
    answer = CampaignAnswer.of(campaign)
    return answer_table(request, query.format, answer, campaign_rows(answer), CampaignRow, f"campaign-{year}")
