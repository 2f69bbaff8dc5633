"""The numbers of the charts as files: what stands in a chart, row by row, harmless to spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol

from starlette.responses import Response

from kiosque.api.exports import MEDIA_TYPES, Format, Row, csv_chunks
from kiosque.store.stats import Aligned, Breakdown, Campaign, Counts, Intake, Ranked, Timeline
from kiosque.web.render import page_headers


class ToneRow(Row):
    """Counts of articles by polarity; `net` is the share of positive minus the share of negative ones."""

    negative: int
    neutral: int
    positive: int
    not_scored: int
    net: float | None

    @classmethod
    def of(cls, counts: Counts) -> ToneRow:
        net = None if counts.net is None else round(counts.net, 4)
        return cls(
            negative=counts.negative,
            neutral=counts.neutral,
            positive=counts.positive,
            not_scored=counts.unscored,
            net=net,
        )


class BucketRow(Row):
    """One stretch of time of one entity; `all_articles` is the denominator."""

    entity: str
    first_day: date
    last_day: date
    articles: ToneRow
    all_articles: int


class WeekRow(Row):
    """One week before one vote of one candidate."""

    election: int
    candidate: str
    party: str
    won: bool
    weeks_before: int
    first_day: date
    last_day: date
    articles: ToneRow
    all_articles: int


class PlaceRow(Row):
    """A section, a source or a part; `all_articles` is the denominator."""

    name: str
    articles: ToneRow
    all_articles: int


class IntakeRow(Row):
    """What one source delivered in one stretch of time."""

    first_day: date
    last_day: date
    source: str
    articles: int


class MoveRow(Row):
    """A change in net polarity against the period before, with its 95 % interval."""

    entity: str
    name: str
    now: ToneRow
    before: ToneRow
    change: float
    low: float
    high: float


class AlignedRow(Row):
    """One week of one entity before one day."""

    entity: str
    up_to: date
    weeks_before: int
    first_day: date
    last_day: date
    articles: ToneRow
    all_articles: int


class Moved(Protocol):
    """What `move_rows` reads of a move."""

    @property
    def ranked(self) -> Ranked: ...
    @property
    def change(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


def place_rows(found: Iterable[Breakdown]) -> list[PlaceRow]:
    return [
        PlaceRow(name=each.name, articles=ToneRow.of(each.counts), all_articles=each.articles)
        for each in found
    ]


def intake_rows(found: Iterable[Intake]) -> list[IntakeRow]:
    return [
        IntakeRow(first_day=each.start, last_day=each.end, source=each.source, articles=each.articles)
        for each in found
    ]


def move_rows(moves: Iterable[Moved]) -> list[MoveRow]:
    return [
        MoveRow(
            entity=move.ranked.entity_id,
            name=move.ranked.name,
            now=ToneRow.of(move.ranked.counts),
            before=ToneRow.of(move.ranked.previous),
            change=round(move.change, 4),
            low=round(move.low, 4),
            high=round(move.high, 4),
        )
        for move in moves
    ]


def aligned_rows(lines: Iterable[Aligned]) -> list[AlignedRow]:
    return [
        AlignedRow(
            entity=line.entity_id,
            up_to=line.end,
            weeks_before=week.week,
            first_day=week.start,
            last_day=week.end,
            articles=ToneRow.of(week.counts),
            all_articles=week.articles,
        )
        for line in lines
        for week in line.weeks
    ]


def bucket_rows(lines: Iterable[Timeline]) -> list[BucketRow]:
    return [
        BucketRow(
            entity=line.entity_id,
            first_day=bucket.start,
            last_day=bucket.end,
            articles=ToneRow.of(bucket.counts),
            all_articles=bucket.articles,
        )
        for line in lines
        for bucket in line.buckets
    ]


def week_rows(campaigns: Iterable[Campaign]) -> list[WeekRow]:
    return [
        WeekRow(
            election=campaign.year,
            candidate=line.name,
            party=line.candidacy.party,
            won=line.candidacy.winner,
            weeks_before=week.week,
            first_day=week.start,
            last_day=week.end,
            articles=ToneRow.of(week.counts),
            all_articles=week.articles,
        )
        for campaign in campaigns
        for line in campaign.lines
        for week in line.weeks
    ]


def csv_file(rows: list[Row], kind: type[Row], name: str) -> Response:
    """`rows` under the columns of `kind`, as a file."""
    text = "".join(csv_chunks(kind.columns(), [rows]))
    headers = {**page_headers(), "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type=MEDIA_TYPES[Format.CSV], headers=headers)
