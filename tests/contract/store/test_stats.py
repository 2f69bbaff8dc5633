from __future__ import annotations

from datetime import date, timedelta

import pytest

from kiosque.core.article import Field
from kiosque.core.entity import EntityKind, Span
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.polarity import Mention, Outcome, SpanScore
from kiosque.store import articles, mentions, models, stats
from kiosque.store.mentions import ScoredArticle
from kiosque.store.stats import Breakdown, Bucket, Counts, Dimension, Gap, Granularity
from kiosque.testing.world import NEGATIVE, NEUTRAL, NOW, POSITIVE, article

A, D, W = "abraham-lincoln", "stephen-douglas", "whig-party"
ELECTION = date(1860, 11, 6)


@pytest.fixture
def news(world):
    world.add(article("1", "1860-11-06T23:00", section="Politics"), (A, POSITIVE), (D, NEGATIVE))
    world.add(article("2", "1860-11-05", section="Politics"), (A, POSITIVE))
    world.add(article("3", "1860-10-30", source="feed"), (A, NEUTRAL), (D, None))
    world.add(article("4", "1860-10-29"))
    world.add(article("5", "1860-07-04", source="feed"), (A, NEGATIVE))
    world.add(article("6", "1852-11-03"), (W, NEGATIVE))
    return world


def read(world, function, *arguments, **options):
    with world.database.read() as tx:
        return function(tx, *arguments, **options)


def test_overview_of_an_empty_store(database):
    with database.read() as tx:
        empty = stats.overview(tx)
    assert (empty.articles, empty.scored, empty.mentions, empty.first_day, empty.by_source, empty.by_day) == (
        0,
        0,
        0,
        None,
        (),
        (),
    )


def test_overview(news):
    whole = read(news, stats.overview, days=8)
    assert (whole.articles, whole.scored, whole.mentions, whole.entities, whole.books) == (6, 6, 7, 3, 0)
    assert (whole.first_day, whole.last_day) == (date(1852, 11, 3), ELECTION)
    assert whole.by_source == (("wire", 4), ("feed", 2))
    assert whole.by_day == ((date(1860, 10, 30), 1), (date(1860, 11, 5), 1), (ELECTION, 1))


def test_articles_are_counted_once_whatever_is_saved_again(news):
    several = [article(f"more {i}", f"1860-11-0{1 + i % 4}", source=f"s{i % 3}") for i in range(30)]
    with news.database.write() as tx:
        for _ in range(2):
            articles.save(tx, [*several, several[0], article("1", "1999-01-01", source="feed")], NOW)
    whole = read(news, stats.overview)
    assert whole.articles == read(news, articles.count) == 36
    assert whole.by_source == (("s0", 10), ("s1", 10), ("s2", 10), ("wire", 4), ("feed", 2))
    assert whole.last_day == ELECTION


def test_ranking_compares_with_the_period_before(news):
    first, second = read(news, stats.ranking, date(1860, 10, 31), ELECTION)
    assert (first.entity_id, first.name, first.kind) == (A, "Abraham Lincoln", EntityKind.PERSON)
    assert (first.counts, first.previous) == (Counts(positive=2), Counts(neutral=1))
    assert (second.entity_id, second.counts, second.previous) == (D, Counts(negative=1), Counts(unscored=1))


def test_ranking_is_limited_and_by_kind(news):
    ever = (date(1851, 1, 1), date(1900, 1, 1))
    assert [each.entity_id for each in read(news, stats.ranking, *ever)] == [A, D, W]
    assert [each.entity_id for each in read(news, stats.ranking, *ever, limit=1)] == [A]
    assert [each.entity_id for each in read(news, stats.ranking, *ever, kind=EntityKind.PARTY)] == [W]
    assert read(news, stats.ranking, *ever, model_version="v2") == ()
    assert read(news, stats.ranking, date(1, 1, 1), date(9999, 12, 31))[0].counts.total == 4


def test_a_period_that_ends_before_it_begins_is_refused(news):
    with pytest.raises(InvalidInput, match="ends before"):
        read(news, stats.ranking, ELECTION, ELECTION - timedelta(days=1))


@pytest.mark.parametrize(
    ("granularity", "last"),
    [
        (Granularity.DAY, Bucket(ELECTION, ELECTION, Counts(positive=1), 1)),
        (Granularity.WEEK, Bucket(date(1860, 11, 5), date(1860, 11, 11), Counts(positive=2), 2)),
        (Granularity.MONTH, Bucket(date(1860, 11, 1), date(1860, 11, 30), Counts(positive=2), 2)),
        (Granularity.QUARTER, Bucket(date(1860, 10, 1), date(1860, 12, 31), Counts(0, 1, 2), 4)),
        (Granularity.YEAR, Bucket(date(1860, 1, 1), date(1860, 12, 31), Counts(1, 1, 2), 5)),
    ],
)
def test_a_timeline_in_every_granularity(news, granularity, last):
    line = read(news, stats.timeline, A, granularity=granularity)
    assert (line.entity_id, line.granularity, line.buckets[-1]) == (A, granularity, last)
    assert sum(each.counts.total for each in line.buckets) == 4
    assert sum(each.articles for each in line.buckets) == 6


def test_a_timeline_has_zeros_where_there_is_news_and_gaps_where_there_is_none(news):
    line = read(news, stats.timeline, W, granularity=Granularity.YEAR)
    assert [(each.start.year, each.counts, each.articles) for each in line.buckets] == [
        (1852, Counts(negative=1), 1),
        (1860, Counts(), 5),
    ]


@pytest.mark.parametrize(
    ("options", "counts", "articles"),
    [
        ({"source": "feed"}, Counts(1, 1, 0), 2),
        ({"section": "Politics"}, Counts(0, 0, 2), 2),
        ({"section": "Politics", "source": "feed"}, Counts(), 0),
        ({"date_from": date(1860, 10, 30)}, Counts(0, 1, 2), 3),
        ({"date_to": date(1860, 10, 30)}, Counts(1, 1, 0), 4),
        (
            {"date_from": date(1860, 11, 5), "date_to": date(1860, 11, 5), "source": "wire"},
            Counts(positive=1),
            1,
        ),
        ({"part": Field.HEADLINE}, Counts(1, 1, 2), 6),
        ({"part": Field.ABSTRACT}, Counts(), 6),
        ({"model_version": "v2"}, Counts(), 6),
    ],
)
def test_a_timeline_is_narrowed_with_its_denominator(news, options, counts, articles):
    line = read(news, stats.timeline, A, granularity=Granularity.YEAR, **options)
    assert sum((each.counts for each in line.buckets), Counts()) == counts
    assert sum(each.articles for each in line.buckets) == articles


def test_comparing_keeps_the_order_and_shares_the_buckets(news):
    d, a = read(news, stats.compare, [D, A])
    assert (d, a) == (read(news, stats.timeline, D), read(news, stats.timeline, A))
    assert [each.start for each in d.buckets] == [each.start for each in a.buckets]
    assert read(news, stats.compare, []) == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda tx: stats.timeline(tx, "nobody"),
        lambda tx: stats.compare(tx, [A, "nobody"]),
        lambda tx: stats.breakdown(tx, "nobody", Dimension.SECTION),
    ],
)
def test_an_unknown_entity_is_not_found(news, ask):
    with news.database.read() as tx, pytest.raises(NotFound, match="nobody"):
        ask(tx)


def test_breakdown_by_section_and_source(news):
    assert read(news, stats.breakdown, A, Dimension.SECTION) == (
        Breakdown("", Counts(1, 1, 0), 4),
        Breakdown("Politics", Counts(positive=2), 2),
    )
    assert read(news, stats.breakdown, A, Dimension.SOURCE, date_from=date(1860, 10, 1)) == (
        Breakdown("wire", Counts(positive=2), 3),
        Breakdown("feed", Counts(neutral=1), 1),
    )


def test_a_section_that_is_filled_later_is_counted_too(news):
    with news.database.write() as tx:
        articles.save(tx, [article("3", "1860-10-30", source="other", section="Politics")], NOW)
    assert read(news, stats.breakdown, A, Dimension.SECTION)[0] == Breakdown("Politics", Counts(0, 1, 2), 3)
    line = read(news, stats.timeline, A, section="Politics", granularity=Granularity.YEAR)
    assert [each.counts for each in line.buckets] == [Counts(0, 1, 2)]


def test_breakdown_by_part_uses_the_polarity_of_the_part(world):
    pk = world.add(article("k", "1860-01-01", "Lincoln", abstract="Lincoln and Lincoln"))
    spans = [(Field.HEADLINE, 0, NEGATIVE), (Field.ABSTRACT, 0, POSITIVE), (Field.ABSTRACT, 12, POSITIVE)]
    mention = Mention(
        A, "v1", Outcome.SCORED, NEUTRAL, tuple(SpanScore(Span(part, at, at + 7), p) for part, at, p in spans)
    )
    with world.database.write() as tx:
        mentions.save(tx, [ScoredArticle(pk, (mention,))], model_version="v1", generation=1, scored_at=NOW)
    world.add(article("no abstract", "1860-01-02"))
    assert read(world, stats.breakdown, A, Dimension.PART) == (
        Breakdown("abstract", Counts(positive=1), 2),
        Breakdown("headline", Counts(negative=1), 2),
    )
    line = read(world, stats.timeline, A, part=Field.HEADLINE)
    assert line.buckets[0].counts == Counts(negative=1)


def test_a_campaign_is_aligned_by_weeks_before_the_vote(news):
    campaign = read(news, stats.campaign, 1860, weeks=10)
    lincoln, douglas = campaign.lines
    assert (campaign.year, campaign.election_date) == (1860, ELECTION)
    assert (lincoln.name, lincoln.candidacy.winner, lincoln.counts) == (
        "Abraham Lincoln",
        True,
        Counts(0, 1, 2),
    )
    assert [(each.week, each.start, each.end, each.counts, each.articles) for each in lincoln.weeks] == [
        (1, date(1860, 10, 24), date(1860, 10, 30), Counts(neutral=1), 2),
        (0, date(1860, 10, 31), ELECTION, Counts(positive=2), 2),
    ]
    assert [each.counts for each in douglas.weeks] == [Counts(unscored=1), Counts(negative=1)]
    assert len(read(news, stats.campaign, 1860).lines[0].weeks) == 3


def test_a_campaign_without_news_has_lines_without_weeks(world):
    assert [line.weeks for line in read(world, stats.campaign, 1860).lines] == [(), ()]
    with pytest.raises(NotFound, match="1864"):
        read(world, stats.campaign, 1864)


def test_gaps_are_the_stretches_without_news_longest_first(news):
    assert read(news, stats.gaps) == (
        Gap(date(1852, 11, 4), date(1860, 7, 3)),
        Gap(date(1860, 7, 5), date(1860, 10, 28)),
    )
    assert read(news, stats.gaps, min_days=1)[-1] == Gap(date(1860, 10, 31), date(1860, 11, 4))
    assert read(news, stats.gaps, limit=1) == read(news, stats.gaps)[:1]
    assert read(news, stats.gaps, source="feed") == (Gap(date(1860, 7, 5), date(1860, 10, 29)),)
    with pytest.raises(InvalidInput):
        read(news, stats.gaps, min_days=0)


def test_figures_follow_the_current_version(news):
    with news.database.write() as tx:
        models.set_current(tx, models.POLARITY, "v2", NOW)
    whole = read(news, stats.overview)
    assert (whole.articles, whole.scored, whole.mentions) == (6, 0, 0)
    assert read(news, stats.ranking, date(1851, 1, 1), ELECTION) == ()
