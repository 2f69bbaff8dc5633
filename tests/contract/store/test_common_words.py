"""Words that very many articles have: the list is the same as of any others, only found in another way."""

from __future__ import annotations

from datetime import date

import pytest

from kiosque.core.polarity import Polarity
from kiosque.store import article_list, articles
from kiosque.store.articles import ArticleFilter, Fit, Number, Sort
from kiosque.testing.world import DOUGLAS, LINCOLN, NEGATIVE, NEUTRAL, POSITIVE, article

WORD, OLD, RARE = "railroad", "canal", "telegraph"
A, D = LINCOLN.id, DOUGLAS.id


@pytest.fixture
def news(world):
    """40 articles, not in the order of their days: two thirds have the one word, the older half the other."""
    for number in range(40):
        day = 1 + (number * 17) % 40
        words = ["The news"]
        words += [WORD] * (number % 3 > 0) + [OLD] * (day <= 20) + [RARE] * (number == 7)
        score = (NEGATIVE, NEUTRAL, POSITIVE)[number % 3]
        named = [(A, score)] * (number % 2) + [(D, NEGATIVE)] * (number % 5 == 0)
        moment = f"1860-{1 + day // 28:02d}-{1 + day % 28:02d}T0{number % 10}:00"
        facts = {"source": "ab"[number % 2], "section": "Politics" if number % 4 else None}
        world.add(article(str(number), moment, " ".join(words), **facts), *named)
    return world


@pytest.fixture
def small(monkeypatch):
    """Everything that more than ten articles have is common."""
    monkeypatch.setattr(article_list, "MANY", 10)
    monkeypatch.setattr(article_list, "_TRIED", 12)
    monkeypatch.setattr(article_list, "_AT_ONCE", 5)


def keys(database, where, sort):
    found, cursor = [], None
    with database.read() as tx:
        while True:
            page = articles.page(tx, where, sort=sort, cursor=cursor, limit=3)
            found += [each.article.key for each in page.items]
            if (cursor := page.next) is None:
                return found


FILTERS = [
    ArticleFilter(query=WORD),
    ArticleFilter(query=OLD),
    ArticleFilter(query=f"{WORD} {OLD}"),
    ArticleFilter(query=f"{WORD} -{OLD}"),
    ArticleFilter(query=f'"the news {WORD}"'),
    ArticleFilter(query="canals*"),
    ArticleFilter(query=WORD, entities=(A,)),
    ArticleFilter(query=OLD, entities=(A, D)),
    ArticleFilter(query=WORD, polarity=Polarity.NEGATIVE),
    ArticleFilter(query=WORD, source="a", date_from=date(1860, 1, 5)),
    ArticleFilter(query=WORD, section="Politics", has_mentions=False),
]


@pytest.mark.parametrize("where", FILTERS, ids=lambda where: repr(where)[13:70])
def test_the_list_is_the_same_and_has_no_article_twice(news, monkeypatch, where):
    wanted = {sort: keys(news.database, where, sort) for sort in Sort if sort is not Sort.RELEVANCE}
    monkeypatch.setattr(article_list, "MANY", 10)
    monkeypatch.setattr(article_list, "_TRIED", 12)
    monkeypatch.setattr(article_list, "_AT_ONCE", 5)
    for sort, expected in wanted.items():
        assert keys(news.database, where, sort) == expected, sort
        assert len(set(expected)) == len(expected)


def test_few_are_counted_and_many_up_to_a_number(news, small):
    with news.database.read() as tx:
        assert articles.count_some(tx) == Number(40)
        assert articles.count_some(tx, ArticleFilter(query=RARE)) == Number(1)
        assert articles.count_some(tx, ArticleFilter(query=WORD)) == Number(10, more=True)
        assert articles.count_some(tx, ArticleFilter(entities=(D,))) == Number(8)
        assert articles.count_some(tx, ArticleFilter(entities=(A,))) == Number(10, more=True)
        assert articles.count_some(tx, ArticleFilter(query="!?")) == Number(0)


def test_of_common_words_with_another_condition_no_more_are_counted_than_there_are(news, small):
    for where in FILTERS:
        with news.database.read() as tx:
            some, all_there_are = articles.count_some(tx, where), articles.count(tx, where)
        if some.more:
            assert some.number <= all_there_are
        else:
            assert some.number == all_there_are


def test_the_best_fit_is_looked_for_among_those_that_came_in_last(news, monkeypatch):
    where = ArticleFilter(query=WORD)
    everything = keys(news.database, where, Sort.RELEVANCE)
    assert len(everything) == 26
    monkeypatch.setattr(article_list, "RANKED", 4)
    assert set(keys(news.database, where, Sort.RELEVANCE)) == {"35", "37", "38", "34"}
    narrowed = ArticleFilter(query=WORD, source="a")
    assert len(keys(news.database, narrowed, Sort.RELEVANCE)) == 13


def test_common_words_on_sqlite_are_not_weighed_but_looked_for_in_the_headline_first(world, small):
    for number in range(30):
        words = f"The {WORD} {OLD}" if number % 3 == 0 else f"The {WORD}" if number % 3 == 1 else "The news"
        world.add(
            article(str(number), f"1860-01-{1 + number:02d}T00:00", words, abstract=f"A {WORD}, a {OLD}.")
        )
    where = ArticleFilter(query=f"{WORD} {OLD}")
    found = keys(world.database, where, Sort.RELEVANCE)
    assert len(found) == len(set(found)) == 30
    assert all(int(key) % 3 == 0 for key in found[:10])
    with world.database.read() as tx:
        total = articles.count_some(tx, where)
        assert total == Number(10, more=True)
        assert articles.fit_of(tx, where, total) is Fit.EVERY
    if world.database.dialect == "sqlite":
        places = [(int(key) % 3 > 0, -int(key)) for key in found]
        assert places == sorted(places)


@pytest.mark.parametrize("unwanted", ["", f" -{RARE}"])
def test_the_page_knows_how_the_best_fit_was_looked_for(news, small, monkeypatch, unwanted):
    monkeypatch.setattr(article_list, "RANKED", 4)
    words = WORD + unwanted
    with news.database.read() as tx:
        total = articles.count_some(tx, ArticleFilter(query=words))
        fit = articles.fit_of(tx, ArticleFilter(query=words), total)
        assert articles.fit_of(tx, ArticleFilter(query=words, source="a"), total) is Fit.EVERY
        assert articles.fit_of(tx, ArticleFilter(query=RARE), Number(1)) is Fit.EVERY
    by_headline = news.database.dialect == "sqlite" and not unwanted
    assert fit is (Fit.HEADLINE if by_headline else Fit.LAST)
