"""The archive month by month: planned, clipped, resumed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput, RateLimited
from kiosque.pipeline.backfill import Backfill
from kiosque.pipeline.imports import Importer, StoreSink
from kiosque.pipeline.intake import Intake
from kiosque.sources.nyt_archive import Month, NytArchive
from kiosque.sources.protocol import Cursor, Page
from kiosque.store import articles, jobs
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock

JAN, FEB, MARCH = (Month(1860, n) for n in (1, 2, 3))


class PaperArchive(NytArchive):
    """Two articles a month in two pages, without a network; the quota is used up before `closed_from`."""

    requested: list[str]
    closed_from: Month | None = None

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        for month in self.remaining(cursor):
            if self.closed_from is not None and month >= self.closed_from:
                raise RateLimited("used up", retry_after=60.0)
            self.requested.append(str(month))
            for n in (1, 2):
                story = Article(
                    f"{month}/{n}", self.id, f"Lane {n}", datetime(month.year, month.month, n, tzinfo=UTC)
                )
                yield Page({"next": str(month if n == 1 else month.next)}, (story,))


@pytest.fixture
def requested() -> list[str]:
    return []


@pytest.fixture
def archives() -> list[PaperArchive]:
    return []


@pytest.fixture
def backfill(
    intake: Intake,
    database: Database,
    clock: ManualClock,
    requested: list[str],
    request: pytest.FixtureRequest,
) -> Backfill:
    closed_from: Any = getattr(request, "param", None)

    def make(first: Month, last: Month) -> NytArchive:
        archive = PaperArchive(None, clock=clock, first=first, last=last)  # type: ignore[arg-type]
        archive.requested = requested
        archive.closed_from = closed_from
        return archive

    importer = Importer(StoreSink(intake, database), database, clock=clock)
    return Backfill(importer, database, make, per_day=2, until=date(1860, 12, 31))


def test_a_plan_says_how_many_requests_and_days_it_takes_and_asks_nobody(
    backfill: Backfill, requested: list[str]
) -> None:
    plan = backfill.plan(JAN, MARCH)
    assert (plan.requests, plan.done, plan.days) == (3, 0, 2)
    assert [str(month) for month in plan.months] == ["1860-01", "1860-02", "1860-03"]
    assert requested == []


def test_months_are_read_into_the_store(backfill: Backfill, database: Database, requested: list[str]) -> None:
    summary = backfill.run(JAN, FEB)
    assert (summary.read, summary.new, summary.mentions, summary.complete) == (4, 4, 4, True)
    assert requested == ["1860-01", "1860-02"]
    with database.read() as tx:
        assert articles.count(tx) == 4
        assert [job.kind for job in jobs.recent(tx)] == ["backfill"]


@pytest.mark.parametrize("backfill", [FEB], indirect=True)
def test_a_used_up_quota_breaks_it_off_and_the_plan_shrinks(backfill: Backfill, requested: list[str]) -> None:
    with pytest.raises(RateLimited):
        backfill.run(JAN, MARCH)
    plan = backfill.plan(JAN, MARCH)
    assert (plan.requests, plan.done) == (2, 1)
    with pytest.raises(RateLimited):
        backfill.run(JAN, MARCH)
    assert requested == ["1860-01"], "what was read is not asked for again"


def test_the_last_day_that_backfills_may_reach_is_kept(backfill: Backfill) -> None:
    plan = backfill.plan(Month(1860, 11), Month(1861, 3))
    assert [str(month) for month in plan.months] == ["1860-11", "1860-12"]
    with pytest.raises(InvalidInput, match="1860-12-31"):
        backfill.plan(Month(1861, 1), Month(1861, 3))


def test_months_that_there_are_not_are_refused(backfill: Backfill) -> None:
    with pytest.raises(InvalidInput):
        backfill.plan(FEB, JAN)
    with pytest.raises(InvalidInput):
        backfill.plan(Month(1850, 1), JAN)
