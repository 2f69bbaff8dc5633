"""The oracle notices what it is there to notice; without this, rounds without problems would say nothing."""

from __future__ import annotations

import random
import urllib.request
from dataclasses import replace
from types import SimpleNamespace

import pytest

from kiosque.core.clock import system_clock
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.intake import Intake
from kiosque.sources.seen import Seen
from kiosque.store import dead_letters, entities, sources
from kiosque.store.database import Database
from kiosque.testing.faults.load import judged
from kiosque.testing.faults.news import WATCHLIST, Feed, Foreign, NewsStand, Writer
from kiosque.testing.faults.oracle import Oracle
from kiosque.testing.pipeline import ScriptedPredictor
from kiosque.testing.waiting import wait_until


@pytest.fixture
def stored(sqlite_store: Database):
    """A store with ten stories, and the oracle that expects them."""
    with sqlite_store.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, system_clock())
    writer, chance = Writer("test"), random.Random(1)
    stories = {story.key: story for story in (writer.story(chance, "feed-one") for _ in range(10))}
    intake = Intake(sqlite_store, ScriptedPredictor(), clock=system_clock, metrics=Metrics())
    intake.take([story.article for story in stories.values()])
    return sqlite_store, intake, stories, Oracle(sqlite_store, ["v1"])


def kinds(oracle, stories, foreign=None):
    return {problem.kind for problem in oracle.judge(stories, foreign or {}, details=stories)}


def test_what_is_as_it_must_be_passes(stored):
    _, _, stories, oracle = stored
    assert kinds(oracle, stories) == set()
    assert oracle.missing(list(stories.values())) == {}


def test_a_story_that_is_not_stored_is_lost(stored):
    _, _, stories, oracle = stored
    extra = Writer("other").story(random.Random(2), "feed-one")
    assert kinds(oracle, stories | {extra.key: extra}) == {"lost"}
    assert oracle.missing([extra]) == {extra.key: "not stored"}


def test_a_story_that_nobody_told_is_unexplained(stored):
    _, intake, stories, oracle = stored
    intake.take([Writer("other").story(random.Random(2), "feed-one").article])
    assert kinds(oracle, stories) == {"unexplained"}


def test_another_text_or_other_people_are_wrong(stored):
    _, _, stories, oracle = stored
    key, story = next(iter(stories.items()))
    other_text = replace(story, article=replace(story.article, headline="Something else"))
    assert kinds(oracle, stories | {key: other_text}) == {"wrong"}
    other_people = replace(story, people=frozenset({"nobody"}))
    assert "wrong" in kinds(oracle, stories | {key: other_people})


def test_a_version_that_must_not_answer_is_wrong(stored):
    database, _, stories, _ = stored
    assert kinds(Oracle(database, ["v2"]), stories) == {"wrong"}


def test_dead_letters_must_be_explained(stored):
    database, _, stories, oracle = stored
    with database.write() as tx:
        dead_letters.add(
            tx, key="a", subject="wire", data=b"x", reason="not_ours: …", attempts=1, at=system_clock()
        )
    assert kinds(oracle, stories) == {"unexplained"}
    assert kinds(oracle, stories, {"a": Foreign("a", b"x")}) == set()
    assert kinds(oracle, stories, {"a": Foreign("a", b"y")}) == {"wrong"}
    assert kinds(oracle, stories, {"a": Foreign("a", b"x"), "b": Foreign("b", b"")}) == {"lost"}


def test_a_cursor_ahead_of_the_store_is_seen(stored):
    database, _, stories, oracle = stored
    extra = Writer("other").story(random.Random(2), "feed-one")
    with database.write() as tx:
        sources.save(tx, "feed-one", "feed", {})
        sources.move_cursor(tx, "feed-one", {"seen": Seen().with_newest([extra.article]).to_json()})
    assert kinds(oracle, stories | {extra.key: extra}) == {"lost", "cursor"}


def test_what_was_fetched_is_lost_when_it_is_not_stored_and_what_rolled_off_before_is_counted_apart(stored):
    database, intake, stories, _ = stored
    feed, writer, chance = Feed("feed-one", "127.0.0.1"), Writer("rolling"), random.Random(3)
    fetched, missed, shown = (writer.story(chance, feed.id) for _ in range(3))
    stand = NewsStand([feed])
    feed.add([fetched.article])
    with urllib.request.urlopen(stand.url(feed)) as answer:
        assert fetched.article.headline.encode() in answer.read()
    wait_until(lambda: feed.fetched)
    stand.close()
    feed.add([missed.article, shown.article])
    feed.put_aside(1)
    assert feed.rolled_off() == {missed.key}

    site = SimpleNamespace(database=database, models=SimpleNamespace(shipped="v1"))
    press = SimpleNamespace(
        seed="1", told=lambda: [*stories.values(), fetched, missed, shown], rolled_off=feed.rolled_off
    )
    found = judged(site, press)
    assert (found["articles"], found["lost"], found["never_fetched"]) == (12, 2, 1)
    intake.take([fetched.article, shown.article])
    assert (judged(site, press)["lost"], judged(site, press)["problems"]) == (0, [])
    intake.take([missed.article])
    assert judged(site, press)["problems"] == [f"unexplained: article {missed.key}"]
