from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity, Probabilities
from kiosque.store import articles, search
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.tables import article as article_table
from kiosque.testing.world import NEGATIVE, NEUTRAL, NOW, POSITIVE, article

A, D = "abraham-lincoln", "stephen-douglas"


def keys(tx, where=None, **options):
    """The keys of all pages together."""
    found, cursor = [], None
    while True:
        page = articles.page(tx, where, cursor=cursor, **options)
        found += [each.article.key for each in page.items]
        cursor = page.next
        if cursor is None:
            return found


@pytest.fixture
def some(world):
    world.add(
        article("won", "1860-11-07", "Lincoln wins the election", section="Politics"),
        (A, POSITIVE),
        (D, NEGATIVE),
    )
    world.add(
        article("debate", "1858-08-21", "Lincoln and Douglas debate", source="feed"),
        (A, NEUTRAL),
        (D, NEUTRAL),
    )
    world.add(
        article(
            "rail",
            "1859-05-01T10:00",
            "A railroad to the Pacific",
            abstract="Douglas is for it",
            kind="blogpost",
        )
    )
    world.add(article("whigs", "1852-11-03", "The Whigs are beaten"), ("whig-party", NEGATIVE))
    world.add(article("french", "1859-05-01T09:00", "Lincoln en français"), (A, None))
    return world


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ArticleFilter(), ["won", "rail", "french", "debate", "whigs"]),
        (ArticleFilter(entities=(A,)), ["won", "french", "debate"]),
        (ArticleFilter(entities=(D, "whig-party")), ["won", "debate", "whigs"]),
        (ArticleFilter(entities=(A, "nobody")), ["won", "french", "debate"]),
        (ArticleFilter(entities=("nobody",)), []),
        (ArticleFilter(polarity=Polarity.NEGATIVE), ["won", "whigs"]),
        (ArticleFilter(entities=(A,), polarity=Polarity.NEGATIVE), []),
        (ArticleFilter(polarity=Polarity.POSITIVE, min_confidence=0.7), ["won"]),
        (ArticleFilter(polarity=Polarity.POSITIVE, min_confidence=0.71), []),
        (ArticleFilter(entities=(A,), min_confidence=0.5), ["won", "debate"]),
        (ArticleFilter(has_mentions=True), ["won", "french", "debate", "whigs"]),
        (ArticleFilter(has_mentions=False), ["rail"]),
        (ArticleFilter(has_mentions=False, entities=(A,)), ["rail", "whigs"]),
        (ArticleFilter(model_version="v0", has_mentions=True), []),
        (ArticleFilter(source="feed"), ["debate"]),
        (ArticleFilter(section="Politics"), ["won"]),
        (ArticleFilter(kind="blogpost"), ["rail"]),
        (ArticleFilter(date_from=date(1859, 5, 1), date_to=date(1859, 5, 1)), ["rail", "french"]),
        (ArticleFilter(date_to=date(1858, 8, 20)), ["whigs"]),
        (ArticleFilter(query="lincoln"), ["won", "french", "debate"]),
        (ArticleFilter(query="DOUGLAS"), ["rail", "debate"]),
        (ArticleFilter(query="win election"), ["won"]),
        (ArticleFilter(query="lincoln -debate"), ["won", "french"]),
        (ArticleFilter(query="-lincoln"), ["rail", "whigs"]),
        (ArticleFilter(query='"lincoln and douglas"'), ["debate"]),
        (ArticleFilter(query='"douglas and lincoln"'), []),
        (ArticleFilter(query="rail*"), ["rail"]),
        (ArticleFilter(query="francais"), ["french"]),
        (ArticleFilter(query="Élection"), ["won"]),
        (ArticleFilter(query="lincoln", entities=(D,), date_from=date(1860, 1, 1)), ["won"]),
        (ArticleFilter(query="?!"), []),
        (ArticleFilter(query="  "), ["won", "rail", "french", "debate", "whigs"]),
    ],
)
def test_filters(some, where, expected):
    with some.database.read() as tx:
        assert keys(tx, where, limit=2) == expected
        assert keys(tx, where, sort=Sort.OLDEST, limit=2) == expected[::-1]
        assert articles.count(tx, where) == len(expected)
        assert {each.article.key for each in articles.iterate(tx, where, chunk=2)} == set(expected)


def test_most_negative_and_most_positive_put_the_most_extreme_mention_first(some):
    some.add(article("worst", "1861-01-01"), (A, Probabilities(0.95, 0.05, 0.0)), (D, POSITIVE))
    with some.database.read() as tx:
        assert keys(tx, sort=Sort.NEGATIVE, limit=1) == ["worst", "won", "whigs", "debate"]
        assert keys(tx, sort=Sort.POSITIVE, limit=1) == ["worst", "won", "debate", "whigs"]
        assert keys(tx, ArticleFilter(entities=(A,)), sort=Sort.POSITIVE, limit=1) == [
            "won",
            "debate",
            "worst",
        ]
        assert keys(tx, ArticleFilter(entities=(A, D)), sort=Sort.NEGATIVE, limit=1) == [
            "worst",
            "won",
            "debate",
        ]
        only_positive = ArticleFilter(polarity=Polarity.POSITIVE)
        assert keys(tx, only_positive, sort=Sort.NEGATIVE, limit=1) == ["won", "worst"]
        assert keys(tx, ArticleFilter(has_mentions=False), sort=Sort.NEGATIVE) == []


def test_relevance_prefers_the_headline_and_needs_words(some):
    some.add(article("named", "1850-01-01", "Douglas speaks"))
    with some.database.read() as tx:
        assert keys(tx, ArticleFilter(query="douglas"), sort=Sort.RELEVANCE, limit=1)[-1] == "rail"
        assert len(keys(tx, ArticleFilter(query="douglas"), sort=Sort.RELEVANCE, limit=1)) == 3
        with pytest.raises(InvalidInput, match="relevance"):
            articles.page(tx, sort=Sort.RELEVANCE)


def test_a_page_stays_put_while_articles_come_in(some):
    with some.database.read() as tx:
        first = articles.page(tx, limit=2)
    some.add(article("newest", "1870-01-01"))
    with some.database.read() as tx:
        second = articles.page(tx, limit=2, cursor=first.next)
    assert [each.article.key for each in (*first.items, *second.items)] == ["won", "rail", "french", "debate"]


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(database, limit):
    with database.read() as tx, pytest.raises(InvalidInput, match="limit"):
        articles.page(tx, limit=limit)


def test_the_cursor_of_another_sorting_is_refused(some):
    with some.database.read() as tx:
        cursor = articles.page(tx, limit=1).next
        with pytest.raises(InvalidInput, match="cursor"):
            articles.page(tx, limit=1, sort=Sort.OLDEST, cursor=cursor)


@pytest.mark.parametrize(
    "cursor", ["", "x", "ä", "bnVsbA", "W10", "WyJuZXdlc3QiXQ", "=" * 50, "A" * 100_000, "\x00"]
)
def test_a_malformed_cursor_is_refused(database, cursor):
    with database.read() as tx, pytest.raises(InvalidInput, match="cursor"):
        articles.page(tx, cursor=cursor)


def test_iterating_goes_on_after_a_pk(some):
    with some.database.read() as tx:
        every = [each.pk for each in articles.iterate(tx, chunk=2)]
        assert every == sorted(every)
        assert [each.pk for each in articles.iterate(tx, after=every[2], chunk=2)] == every[3:]


def test_mentions_can_be_read_while_articles_are_iterated(some):
    with some.database.read() as tx:
        counts = [articles.count(tx) for _ in articles.iterate(tx, chunk=1)]
    assert counts == [5] * 5


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                '"',
                "'",
                "*",
                "(",
                ")",
                "-",
                "^",
                ":",
                "AND",
                "OR",
                "NOT",
                "NEAR(",
                "headline:",
                "a",
                "{",
                "\\",
                "\x00",
                "!",
                "&",
                "|",
                "<->",
                ";",
                "--",
                "%",
                "_",
                "½",
                "⑴",
                "ŉ",
                "\ud800",
            ]
        ),
        max_size=12,
    ).map(" ".join),
)


@pytest.mark.parametrize("sort", [Sort.NEWEST, Sort.RELEVANCE])
@given(typed=HOSTILE)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_search_is_an_sql_error(some, sort, typed):
    with some.database.read() as tx:
        if sort is Sort.RELEVANCE and not search.parse(typed).wanted:
            return
        articles.page(tx, ArticleFilter(query=typed), sort=sort)
        articles.count(tx, ArticleFilter(query=f"{typed}*"))


def test_very_long_searches_are_cut_and_answered(some):
    with some.database.read() as tx:
        for typed in ("word " * 5000, '"' + "w " * 5000 + '"', "-word " * 500, "x" * 50_000):
            articles.page(tx, ArticleFilter(query=typed))


def test_the_search_index_follows_the_article(some):
    with some.database.write() as tx:
        articles.save(tx, [article("won", "1860-11-07", "Honest Abe carries the day")], NOW)
    with some.database.read() as tx:
        assert keys(tx, ArticleFilter(query="honest")) == ["won"]
        assert keys(tx, ArticleFilter(query="election")) == []
    with some.database.write() as tx:
        tx.execute(article_table.delete().where(article_table.c.key == "won"))
    with some.database.read() as tx:
        assert keys(tx, ArticleFilter(query="honest")) == []


@pytest.mark.parametrize("typed", ["U.S.", "u.s", "Trump's", "Attlee-Bevan", "O'Brien"])
def test_names_with_signs_in_them_are_found(database, typed):
    with database.write() as tx:
        articles.save(
            tx, [article("k", "1950-01-01", "U.S. hears Trump’s answer to Attlee-Bevan; O'Brien waits")], NOW
        )
        assert keys(tx, ArticleFilter(query=typed)) == ["k"]
