"""What came in, when somebody is named, and weeks before a day of anybody's own."""

from __future__ import annotations

from datetime import date

import pytest

from kiosque.core.entity import EntityKind
from kiosque.core.errors import NotFound
from kiosque.store import stats
from kiosque.store.stats import Breakdown, Counts, Dimension, Granularity, Intake
from kiosque.testing.world import NEGATIVE, NEUTRAL, POSITIVE, article

A, D, W = "abraham-lincoln", "stephen-douglas", "whig-party"
VOTE = date(1860, 11, 6)


@pytest.fixture
def news(world):
    world.add(article("1", "1860-11-06T23:00", section="Politics"), (A, POSITIVE), (D, NEGATIVE))
    world.add(article("2", "1860-10-30", source="feed"), (A, NEUTRAL), (D, None))
    world.add(article("3", "1859-06-15"), (A, NEGATIVE))
    world.add(article("4", "1852-11-03"), (W, NEGATIVE))
    return world


def read(world, function, *arguments, **options):
    with world.database.read() as tx:
        return function(tx, *arguments, **options)


def test_what_came_in_by_source(news):
    found = read(news, stats.intake, date(1860, 10, 30), VOTE)
    assert found == (
        Intake(date(1860, 10, 30), date(1860, 10, 30), "feed", 1),
        Intake(VOTE, VOTE, "wire", 1),
    )
    by_year = read(news, stats.intake, date(1859, 1, 1), VOTE, granularity=Granularity.YEAR)
    assert [(each.start.year, each.source, each.articles) for each in by_year] == [
        (1859, "wire", 1),
        (1860, "feed", 1),
        (1860, "wire", 1),
    ]


def test_the_days_between_which_somebody_is_named(news):
    assert read(news, stats.spans, [A, D]) == {
        A: (date(1859, 6, 15), VOTE),
        D: (date(1860, 10, 30), VOTE),
    }
    assert read(news, stats.spans, [W], date_from=date(1860, 1, 1)) == {}
    with pytest.raises(NotFound):
        read(news, stats.spans, ["nobody"])


def test_anybody_is_aligned_by_any_day(news):
    lincoln, whigs = read(news, stats.aligned, [(A, VOTE), (W, date(1852, 11, 9))], weeks=4)
    assert [(week.week, week.counts, week.articles) for week in lincoln.weeks] == [
        (1, Counts(neutral=1), 1),
        (0, Counts(positive=1), 1),
    ]
    assert (whigs.end, whigs.counts) == (date(1852, 11, 9), Counts(negative=1))
    assert read(news, stats.aligned, [(W, VOTE)], weeks=4)[0].counts == Counts()
    with pytest.raises(NotFound):
        read(news, stats.aligned, [("nobody", VOTE)])


def test_campaigns_at_once_are_those_one_by_one(news):
    assert read(news, stats.campaigns, [1860, 1861]) == (read(news, stats.campaign, 1860),)
    assert read(news, stats.campaigns, []) == ()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(1852, 1, 1), date(1860, 12, 31)),
        (date(1852, 11, 3), VOTE),
        (date(1852, 11, 4), date(1860, 11, 5)),
        (date(1859, 6, 16), date(1860, 10, 30)),
        (date(1860, 10, 30), date(1860, 11, 5)),
        (date(1, 1, 1), date(9999, 12, 31)),
    ],
)
def test_a_period_of_any_edges_is_counted_to_the_day(news, first, last):
    whole = {
        A: {date(1859, 6, 15): Counts(1), date(1860, 10, 30): Counts(0, 1), VOTE: Counts(0, 0, 1)},
        D: {date(1860, 10, 30): Counts(0, 0, 0, 1), VOTE: Counts(1)},
        W: {date(1852, 11, 3): Counts(1)},
    }
    for name, days in whole.items():
        expected = sum((counts for day, counts in days.items() if first <= day <= last), Counts())
        ranking = {each.entity_id: each.counts for each in read(news, stats.ranking, first, last)}
        assert ranking.get(name, Counts()) == expected
        for granularity in Granularity:
            line = read(news, stats.timeline, name, granularity=granularity, date_from=first, date_to=last)
            assert sum((bucket.counts for bucket in line.buckets), Counts()) == expected


def test_breakdowns_at_once_are_those_one_by_one(news):
    at_once = read(news, stats.breakdowns, A, date_from=date(1860, 10, 30), date_to=VOTE)
    assert at_once[Dimension.SECTION] == (
        Breakdown("", Counts(neutral=1), 1),
        Breakdown("Politics", Counts(positive=1), 1),
    )
    for by in Dimension:
        assert at_once[by] == read(news, stats.breakdown, A, by, date_from=date(1860, 10, 30), date_to=VOTE)


def test_a_ranking_is_by_kind(news):
    parties = read(news, stats.ranking, date(1852, 1, 1), VOTE, kind=EntityKind.PARTY)
    assert [each.entity_id for each in parties] == [W]
