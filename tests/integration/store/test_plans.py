"""How SQLite goes about the questions that must stay fast with millions of rows: by which index, never by a scan."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from kiosque.core.article import Field
from kiosque.core.polarity import Polarity
from kiosque.store import articles, mentions, stats
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.outlines import outlines
from kiosque.store.stats import Dimension, Granularity
from kiosque.testing.world import POSITIVE, World, article

A, D = "abraham-lincoln", "stephen-douglas"
NOVEMBER = (date(1860, 11, 1), date(1860, 11, 30))


@pytest.fixture
def plan(sqlite_store):
    """Runs a question and gives the plans of its statements, one line a step."""
    world = World(sqlite_store)
    world.watch()
    world.add(article("k", "1860-11-06", section="Politics"), (A, POSITIVE), (D, POSITIVE))

    def explain(question) -> str:
        asked = []
        with sqlite_store.read() as tx:
            event.listen(tx, "before_cursor_execute", lambda *a: asked.append((a[2], a[3])))
            question(tx)
            steps = [
                step
                for statement, values in asked
                for step in tx.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
            ]
        return "\n".join(step[3] for step in steps)

    return explain


@pytest.mark.parametrize("options", [{"section": "Politics"}, {"source": "wire"}, {"part": Field.HEADLINE}])
@pytest.mark.parametrize("granularity", [Granularity.WEEK, Granularity.YEAR])
def test_a_narrowed_timeline_reads_one_covering_index(plan, granularity, options):
    steps = plan(lambda tx: stats.timeline(tx, A, granularity=granularity, **options))
    assert "mention USING COVERING INDEX ix_mention_entity (version_pk=? AND entity_pk=?" in steps
    assert "SCAN mention" not in steps
    assert "SCAN article\n" not in steps


@pytest.mark.parametrize(("granularity", "tally"), [(Granularity.WEEK, "day"), (Granularity.YEAR, "year")])
def test_a_timeline_reads_tallies_only(plan, granularity, tally):
    steps = plan(lambda tx: stats.timeline(tx, A, granularity=granularity))
    assert f"SEARCH mention_{tally} USING PRIMARY KEY (version_pk=? AND entity_pk=?" in steps
    assert "ix_mention" not in steps


@pytest.mark.parametrize("by", Dimension)
def test_a_breakdown_of_all_times_reads_a_tally_only(plan, by):
    steps = plan(lambda tx: stats.breakdown(tx, A, by))
    assert "SEARCH mention_place USING PRIMARY KEY (version_pk=? AND entity_pk=? AND kind=?" in steps
    assert "ix_mention" not in steps


def test_the_days_at_both_ends_of_a_breakdown_are_read_from_one_covering_index(plan):
    steps = plan(lambda tx: stats.breakdowns(tx, A, date_from=date(1858, 3, 1), date_to=date(1862, 3, 1)))
    assert steps.count("mention USING COVERING INDEX ix_mention_entity (version_pk=? AND entity_pk=?") == 2
    assert "SEARCH mention_place USING PRIMARY KEY" in steps


def test_outlines_read_their_candidates_months_and_days_only(plan):
    steps = plan(lambda tx: outlines(tx, [1860]))
    key = "USING PRIMARY KEY (version_pk=? AND entity_pk=? AND"
    assert f"SEARCH mention_month {key} month>? AND month<?)" in steps
    assert f"SEARCH mention_day {key} day>? AND day<?)" in steps
    assert "SCAN mention" not in steps


def test_a_ranking_of_a_month_reads_its_days_only(plan):
    steps = plan(lambda tx: stats.ranking(tx, *NOVEMBER))
    assert "mention USING COVERING INDEX ix_mention_day (version_pk=? AND day>? AND day<?)" in steps


def test_a_ranking_of_all_times_reads_years_and_no_more_days_than_stand_beside_them(plan):
    steps = plan(lambda tx: stats.ranking(tx, date(1851, 1, 1), date(2025, 12, 31)))
    assert "SEARCH mention_year USING PRIMARY KEY (version_pk=?" in steps
    assert "mention_month" not in steps
    assert "SCAN mention\n" not in steps


def test_a_ranking_of_a_year_reads_months_and_the_days_beside_them(plan):
    steps = plan(lambda tx: stats.ranking(tx, date(1860, 1, 15), date(1861, 1, 14)))
    assert "SEARCH mention_month USING PRIMARY KEY (version_pk=?" in steps
    assert "mention USING COVERING INDEX ix_mention_day (version_pk=? AND day>? AND day<?)" in steps


def test_a_campaign_reads_its_candidates_days_only(plan):
    steps = plan(lambda tx: stats.campaign(tx, 1860))
    assert "mention_day USING PRIMARY KEY (version_pk=? AND entity_pk=? AND day>? AND day<?)" in steps
    assert "ix_mention" not in steps


@pytest.mark.parametrize(
    ("where", "sort", "index"),
    [
        (ArticleFilter(), Sort.NEWEST, "ix_article_published"),
        (ArticleFilter(source="wire"), Sort.NEWEST, "ix_article_source (source=?"),
        (ArticleFilter(section="Politics"), Sort.OLDEST, "ix_article_section (section=?"),
        (ArticleFilter(entities=(A,)), Sort.NEWEST, "ix_mention_entity (version_pk=? AND entity_pk=?"),
        (
            ArticleFilter(entities=(A,), polarity=Polarity.NEGATIVE),
            Sort.NEWEST,
            "ix_mention_entity (version_pk=?",
        ),
        (ArticleFilter(entities=(A,)), Sort.NEGATIVE, "ix_mention_entity_net (entity_pk=? AND version_pk=?"),
        (ArticleFilter(), Sort.POSITIVE, "ix_mention_net (version_pk=?"),
    ],
)
def test_a_list_is_read_in_the_order_of_an_index(plan, where, sort, index):
    steps = plan(lambda tx: articles.page(tx, where, sort=sort))
    assert index in steps
    assert "TEMP B-TREE FOR ORDER BY" not in steps


def test_the_other_mentions_of_an_article_are_found_by_the_article(plan):
    steps = plan(lambda tx: articles.page(tx, ArticleFilter(date_from=NOVEMBER[0]), sort=Sort.NEGATIVE))
    assert "mention_2 USING INDEX sqlite_autoindex_mention_1 (article_pk=? AND version_pk=?" in steps


def test_counting_an_entitys_articles_reads_no_article(plan):
    steps = plan(lambda tx: articles.count(tx, ArticleFilter(entities=(A,), section="Politics")))
    assert "article" not in steps.replace("article_pk", "")


def test_mentions_of_articles_are_found_by_their_key(plan):
    steps = plan(lambda tx: mentions.of_articles(tx, [1, 2, 3]))
    assert "mention USING INDEX sqlite_autoindex_mention_1 (article_pk=? AND version_pk=?)" in steps
