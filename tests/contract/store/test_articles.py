from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from kiosque.core.article import Article, article_id
from kiosque.core.errors import NotFound
from kiosque.store import articles, mentions
from kiosque.store.articles import ArticleFilter, KnownArticle, Sighting
from kiosque.testing.world import NOW, POSITIVE, article

LATER = NOW + timedelta(hours=3)


def save(database, *given, at=NOW):
    with database.write() as tx:
        return articles.save(tx, given, at)


def test_an_article_comes_back_as_it_went_in(database):
    story = Article(
        key="nyt://article/1",
        source="nyt-wire",
        headline="Élection: “Lincoln” wins — 100%",
        abstract="It's over.",
        published_at=datetime(1860, 11, 7, 3, 4, 5, 678901, tzinfo=UTC),
        url="https://example.org/1",
        section="U.S.",
        byline=("A. Writer", "B. Writer"),
        keywords=("Lincoln, Abraham", "Elections"),
        language="en",
        kind="blogpost",
        extra=(("print_page", "1"), ("desk", "National")),
    )
    save(database, story)
    with database.read() as tx:
        stored = articles.get(tx, story.id)
    assert stored.article == story
    assert stored.article.extra == story.extra
    assert (stored.first_seen_at, stored.updated_at) == (NOW, None)


@pytest.mark.parametrize("year", [1, 1582, 1851, 1852, 1900, 1969, 9999])
def test_any_year_can_be_stored(database, year):
    moment = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC)
    save(database, article("k", moment))
    with database.read() as tx:
        assert articles.get(tx, "k").article.published_at == moment


def test_a_time_in_another_zone_is_kept_as_the_same_moment(database):
    moment = datetime.fromisoformat("1999-12-31T23:30:00-05:00")
    save(database, article("k", moment))
    with database.read() as tx:
        assert articles.get(tx, "k").article.published_at == moment
        on_new_year = ArticleFilter(date_from=date(2000, 1, 1), date_to=date(2000, 1, 1))
        assert articles.count(tx, on_new_year) == 1


def test_saving_says_what_is_new_in_the_order_given(database):
    save(database, article("b", "2020-01-01"))
    saved = save(database, article("c", "2020-01-01"), article("b", "2020-01-01"), article("a", "2020-01-01"))
    assert [(each.key, each.new, each.changed) for each in saved] == [
        ("c", True, False),
        ("b", False, False),
        ("a", True, False),
    ]


def test_a_key_twice_in_one_batch_is_one_article(database):
    saved = save(database, article("k", "2020-01-01"), article("k", "2020-01-01", source="other"))
    assert saved[0].pk == saved[1].pk
    assert [each.new for each in saved] == [True, False]
    with database.read() as tx:
        assert articles.count(tx) == 1
        assert articles.sightings(tx, saved[0].pk) == (Sighting("other", NOW, None),)


def test_more_than_one_chunk_is_stored(database):
    given = [article(f"k{i}", "2020-01-01") for i in range(1203)]
    assert sum(each.new for each in save(database, *given)) == 1203
    assert sum(each.new for each in save(database, *given)) == 0


def test_another_source_leaves_a_sighting_and_fills_what_was_empty(database):
    pk = save(database, article("k", "2020-01-01", "First", url=None))[0].pk
    elsewhere = article(
        "k",
        "2021-01-01",
        "Second",
        source="feed",
        url="https://example.org/k",
        section="World",
        keywords=("a",),
    )
    again = save(database, elsewhere, elsewhere, at=LATER)
    assert [(each.new, each.changed) for each in again] == [(False, False)] * 2
    with database.read() as tx:
        stored = articles.get(tx, "k")
        assert articles.sightings(tx, pk) == (Sighting("feed", LATER, "https://example.org/k"),)
    assert (stored.article.headline, stored.article.section, stored.article.keywords) == (
        "First",
        "World",
        ("a",),
    )
    assert stored.article.source == "wire"
    assert stored.article.published_at.year == 2020
    assert stored.updated_at is None


def test_a_source_corrects_its_own_headline_only(database):
    save(database, article("k", "2020-01-01", "Frist"))
    assert not save(database, article("k", "2020-01-01", "Other", source="feed"), at=LATER)[0].changed
    assert save(database, article("k", "2020-01-01", "First"), at=LATER)[0].changed
    assert not save(database, article("k", "2020-01-01", "First"), at=LATER)[0].changed
    with database.read() as tx:
        stored = articles.get(tx, "k")
    assert (stored.article.headline, stored.updated_at) == ("First", LATER)


def test_an_empty_headline_never_replaces_a_full_one(database):
    save(database, article("k", "2020-01-01", "Full", abstract="x"))
    save(database, article("k", "2020-01-01", "", abstract="x"))
    with database.read() as tx:
        assert articles.get(tx, "k").article.headline == "Full"


def test_a_changed_text_forgets_the_mentions_of_the_old_one(world):
    pk = world.add(article("k", "2020-01-01", "Lincoln"), ("abraham-lincoln", POSITIVE))
    with world.database.write() as tx:
        articles.save(tx, [article("k", "2020-01-01", "Mr. Lincoln")], LATER)
    with world.database.read() as tx:
        assert mentions.of_articles(tx, [pk]) == {pk: ()}
        assert [each.pk for each in mentions.missing(tx, "v1")] == [pk]


def test_text_that_no_database_holds_is_made_storable_and_stays_the_same_article(database):
    story = article(
        "key\x00\ud800",
        "2020-01-01",
        "Null \x00 and \udfff",
        keywords=("a\x00b",),
        extra=(("\x00", "\ud800"),),
    )
    assert save(database, story)[0].new
    assert [(each.new, each.changed) for each in save(database, story)] == [(False, False)]
    with database.read() as tx:
        stored = articles.get(tx, story.key).article
        assert list(articles.known(tx, [story.key])) == [story.key]
    assert stored.headline == "Null \ufffd and \ufffd"
    assert stored.keywords == ("a\ufffdb",)


def test_a_key_of_any_length_is_taken(database):
    story = article("https://example.org/" + "é" * 9000, "2020-01-01", section="s" * 9000)
    save(database, story)
    assert not save(database, story)[0].new
    with database.read() as tx:
        assert articles.get(tx, story.key).article.key == story.key


def test_an_article_is_found_by_id_and_by_key(database):
    pk = save(database, article("k", "2020-01-01"))[0].pk
    with database.read() as tx:
        assert articles.get(tx, article_id("k")).pk == pk
        assert articles.get(tx, "k").pk == pk
        assert articles.find(tx, "nothing") is None
        with pytest.raises(NotFound, match="nothing"):
            articles.get(tx, "nothing")


def test_known_tells_which_keys_are_there_with_their_text(database):
    pk = save(database, article("k", "2020-01-01", "H", abstract="A"))[0].pk
    with database.read() as tx:
        assert articles.known(tx, ["k", "other"]) == {"k": KnownArticle(pk, "k", "wire", "H", "A")}
        assert articles.known(tx, []) == {}


def test_of_pks_gives_those_that_exist(database):
    pk = save(database, article("k", "2020-01-01"))[0].pk
    with database.read() as tx:
        assert list(articles.of_pks(tx, [pk, 99])) == [pk]


def test_latest_is_by_when_it_came_in(database):
    save(database, article("old news", "1852-01-01"), at=LATER)
    save(database, article("news", "2020-01-01", source="feed"), at=NOW)
    with database.read() as tx:
        assert [each.article.key for each in articles.latest(tx, 5)] == ["old news", "news"]
        assert [each.article.key for each in articles.latest(tx, 1)] == ["old news"]
        assert [each.article.key for each in articles.latest(tx, 5, source="feed")] == ["news"]


def test_sections_are_counted_largest_first(database):
    save(database, *(article(f"k{i}", "2020-01-01", section=s) for i, s in enumerate(["A", "B", "B", None])))
    with database.read() as tx:
        assert articles.sections(tx) == (("B", 2), ("A", 1))
        assert articles.sections(tx, limit=1) == (("B", 2),)
