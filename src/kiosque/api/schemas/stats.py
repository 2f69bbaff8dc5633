"""Numbers over time. Every share names its denominator; what is missing is a gap, never a zero."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from kiosque.api.exports import Format
from kiosque.api.schemas.base import Answer, Ask, Day, Listing, ListQuery, Prose, Slug, Version
from kiosque.api.schemas.entities import CandidacyAnswer
from kiosque.core.article import Field as Part
from kiosque.core.entity import EntityKind
from kiosque.store.entities import Election
from kiosque.store.stats import (
    Breakdown,
    Bucket,
    Campaign,
    CampaignLine,
    CampaignWeek,
    Counts,
    Dimension,
    Gap,
    Granularity,
    Overview,
    Ranked,
    Timeline,
)

_Filter = Annotated[Prose, StringConstraints(max_length=200)]


class CountsAnswer(Answer):
    """Mentions by polarity. An article mentions an entity once, so these are numbers of articles."""

    negative: int
    neutral: int
    positive: int
    unscored: int = Field(description="Mentioned without a score: another language, too long.")
    net: float | None = Field(
        description="Share of positive minus share of negative among the scored; null without any."
    )

    @classmethod
    def of(cls, counts: Counts) -> CountsAnswer:
        return cls(
            negative=counts.negative,
            neutral=counts.neutral,
            positive=counts.positive,
            unscored=counts.unscored,
            net=counts.net,
        )


class BucketAnswer(Answer):
    """One stretch of time, both days inclusive."""

    start: date
    end: date
    articles: int = Field(description="All articles of that stretch: the denominator.")
    counts: CountsAnswer

    @classmethod
    def of(cls, bucket: Bucket) -> BucketAnswer:
        return cls(
            start=bucket.start,
            end=bucket.end,
            articles=bucket.articles,
            counts=CountsAnswer.of(bucket.counts),
        )


class TimelineAnswer(Answer):
    """One entity over time. Buckets without any article are left out: they are gaps in the data."""

    entity: str
    granularity: Granularity
    buckets: list[BucketAnswer]

    @classmethod
    def of(cls, timeline: Timeline) -> TimelineAnswer:
        return cls(
            entity=timeline.entity_id,
            granularity=timeline.granularity,
            buckets=[BucketAnswer.of(bucket) for bucket in timeline.buckets],
        )


class BucketRow(Answer):
    """One line of a timeline as CSV or JSONL."""

    entity: str
    start: date
    end: date
    articles: int
    counts: CountsAnswer

    @classmethod
    def of(cls, entity: str, bucket: BucketAnswer) -> BucketRow:
        return cls(
            entity=entity,
            start=bucket.start,
            end=bucket.end,
            articles=bucket.articles,
            counts=bucket.counts,
        )


class ComparisonAnswer(Answer):
    """Several entities over the same buckets, in the order asked."""

    granularity: Granularity
    timelines: list[TimelineAnswer]


class BreakdownAnswer(Answer):
    """An entity's mentions in one section, source or part."""

    name: str
    articles: int = Field(description="All articles there: the denominator.")
    counts: CountsAnswer

    @classmethod
    def of(cls, breakdown: Breakdown) -> BreakdownAnswer:
        return cls(name=breakdown.name, articles=breakdown.articles, counts=CountsAnswer.of(breakdown.counts))


class BreakdownListing(Listing[BreakdownAnswer]):
    """One page of a breakdown, most mentions first."""


class NumberedAnswer(Answer):
    """A name and how many articles have it."""

    name: str
    articles: int


class SectionListing(Listing[NumberedAnswer]):
    """One page of sections, largest first."""


class DayAnswer(Answer):
    """The articles of one day."""

    day: date
    articles: int


class OverviewAnswer(Answer):
    """What is in the store. `by_day` has the days with articles, newest last."""

    articles: int
    scored: int = Field(description="Articles that the current polarity model has scored.")
    mentions: int
    entities: int
    books: int
    first_day: date | None
    last_day: date | None
    by_source: list[NumberedAnswer]
    by_day: list[DayAnswer]

    @classmethod
    def of(cls, overview: Overview) -> OverviewAnswer:
        return cls(
            articles=overview.articles,
            scored=overview.scored,
            mentions=overview.mentions,
            entities=overview.entities,
            books=overview.books,
            first_day=overview.first_day,
            last_day=overview.last_day,
            by_source=[NumberedAnswer(name=name, articles=number) for name, number in overview.by_source],
            by_day=[DayAnswer(day=day, articles=number) for day, number in overview.by_day],
        )


class RankedAnswer(Answer):
    """An entity's counts in a period and in the one of the same length just before."""

    entity: str
    name: str
    kind: EntityKind
    counts: CountsAnswer
    previous: CountsAnswer

    @classmethod
    def of(cls, ranked: Ranked) -> RankedAnswer:
        return cls(
            entity=ranked.entity_id,
            name=ranked.name,
            kind=ranked.kind,
            counts=CountsAnswer.of(ranked.counts),
            previous=CountsAnswer.of(ranked.previous),
        )


class RankingListing(Listing[RankedAnswer]):
    """One page of a ranking, most mentions first."""


class GapAnswer(Answer):
    """Days, both inclusive, without any article, though there are earlier and later ones."""

    start: date
    end: date
    days: int

    @classmethod
    def of(cls, gap: Gap) -> GapAnswer:
        return cls(start=gap.start, end=gap.end, days=gap.days)


class GapListing(Listing[GapAnswer]):
    """One page of gaps, longest first."""


class ElectionAnswer(Answer):
    """One election."""

    year: int
    date: date
    candidates: int

    @classmethod
    def of(cls, election: Election) -> ElectionAnswer:
        return cls(year=election.year, date=election.date, candidates=election.candidates)


class ElectionListing(Listing[ElectionAnswer]):
    """One page of elections, newest first."""


class CampaignWeekAnswer(Answer):
    """`week` 0 ends on election day, 1 is the seven days before, and so on."""

    week: int
    start: date
    end: date
    articles: int = Field(description="All articles of that week: the denominator.")
    counts: CountsAnswer

    @classmethod
    def of(cls, week: CampaignWeek) -> CampaignWeekAnswer:
        return cls(
            week=week.week,
            start=week.start,
            end=week.end,
            articles=week.articles,
            counts=CountsAnswer.of(week.counts),
        )


class CampaignLineAnswer(Answer):
    """One candidate's weeks, oldest first; weeks without any article are left out."""

    name: str
    candidacy: CandidacyAnswer
    counts: CountsAnswer
    weeks: list[CampaignWeekAnswer]

    @classmethod
    def of(cls, line: CampaignLine) -> CampaignLineAnswer:
        return cls(
            name=line.name,
            candidacy=CandidacyAnswer.of(line.candidacy),
            counts=CountsAnswer.of(line.counts),
            weeks=[CampaignWeekAnswer.of(week) for week in line.weeks],
        )


class CampaignAnswer(Answer):
    """All candidates of one election, aligned by weeks before the vote."""

    year: int
    election_date: date
    lines: list[CampaignLineAnswer]

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignAnswer:
        return cls(
            year=campaign.year,
            election_date=campaign.election_date,
            lines=[CampaignLineAnswer.of(line) for line in campaign.lines],
        )


class CampaignRow(Answer):
    """One line of a campaign as CSV or JSONL."""

    election_year: int
    entity: str
    name: str
    party: str
    winner: bool
    week: int
    start: date
    end: date
    articles: int
    counts: CountsAnswer

    @classmethod
    def of(cls, line: CampaignLineAnswer, week: CampaignWeekAnswer) -> CampaignRow:
        candidacy = line.candidacy
        return cls(
            election_year=candidacy.election_year,
            entity=candidacy.entity,
            name=line.name,
            party=candidacy.party,
            winner=candidacy.winner,
            week=week.week,
            start=week.start,
            end=week.end,
            articles=week.articles,
            counts=week.counts,
        )


def bucket_rows(timelines: Iterable[TimelineAnswer]) -> list[BucketRow]:
    """The buckets of all timelines, timeline by timeline."""
    return [BucketRow.of(each.entity, bucket) for each in timelines for bucket in each.buckets]


def campaign_rows(campaign: CampaignAnswer) -> list[CampaignRow]:
    """The weeks of all candidates, candidate by candidate."""
    return [CampaignRow.of(line, week) for line in campaign.lines for week in line.weeks]


class PeriodQuery(Ask):
    """A period, a model version, and the form of the answer."""

    format: Format | None = Field(
        default=None, description="CSV and JSONL have one row a bucket. Without it `Accept` decides."
    )
    date_from: Day | None = Field(
        default=None, alias="from", description="First day, in UTC.", examples=["1860-01-01"]
    )
    date_to: Day | None = Field(
        default=None, alias="to", description="Last day, in UTC.", examples=["1860-12-31"]
    )
    model_version: Version | None = Field(
        default=None, description="Mentions by this version; without it, by the current one."
    )


class TimelineQuery(PeriodQuery):
    """Which part of an entity's history, and how finely."""

    granularity: Granularity = Field(
        default=Granularity.MONTH, description="Length of a bucket.", examples=["month"]
    )
    section: _Filter | None = None
    source: _Filter | None = None
    part: Part | None = Field(default=None, description="Only what headlines, or abstracts, say.")


class CompareQuery(PeriodQuery):
    """Who is compared, when, and how finely."""

    entity: list[Slug] = Field(
        min_length=1,
        max_length=12,
        description="Ids of entities; give it once for each.",
        examples=[["abraham-lincoln", "stephen-a-douglas"]],
    )
    granularity: Granularity = Field(
        default=Granularity.MONTH, description="Length of a bucket.", examples=["month"]
    )
    section: _Filter | None = None
    source: _Filter | None = None


class PeriodListQuery(ListQuery):
    """A period and a model version, as a list."""

    date_from: Day | None = Field(default=None, alias="from", description="First day, in UTC.")
    date_to: Day | None = Field(default=None, alias="to", description="Last day, in UTC.")
    model_version: Version | None = Field(
        default=None, description="Mentions by this version; without it, by the current one."
    )


class BreakdownQuery(PeriodListQuery):
    """By what an entity's mentions are told apart."""

    by: Dimension = Field(default=Dimension.SECTION, examples=["section"])


class RankingQuery(ListQuery):
    """Who was most in the news between two days."""

    date_from: Day = Field(alias="from", description="First day, in UTC.", examples=["1860-01-01"])
    date_to: Day = Field(alias="to", description="Last day, in UTC.", examples=["1860-12-31"])
    kind: EntityKind | None = None
    model_version: Version | None = Field(
        default=None, description="Mentions by this version; without it, by the current one."
    )


class GapQuery(ListQuery):
    """Which gaps."""

    min_days: Annotated[int, Field(ge=1, le=100_000)] = Field(default=7, examples=[30])
    source: _Filter | None = None


class OverviewQuery(Ask):
    """How many days `by_day` covers, up to the newest article."""

    days: Annotated[int, Field(ge=1, le=366)] = Field(default=30, examples=[30])


class CampaignQuery(Ask):
    """How many weeks before the vote, and the form of the answer."""

    format: Format | None = Field(
        default=None, description="CSV and JSONL have one row a week. Without it `Accept` decides."
    )
    weeks: Annotated[int, Field(ge=1, le=104)] = Field(default=52, examples=[26])
    model_version: Version | None = Field(
        default=None, description="Mentions by this version; without it, by the current one."
    )
