"""What drift, agreement and data quality are told from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from kiosque.core.drift import Observed
from kiosque.core.polarity import Mention, Outcome, Polarity
from kiosque.store import agreement, articles, dead_letters, feedback, mentions, observations, quality
from kiosque.testing.world import NEGATIVE, NEUTRAL, NOW, POSITIVE, World, article

EDGES = (0.0, 0.75, 1.0001)


def test_the_newest_answers_are_counted(database, world: World):
    world.add(article("a", "1860-01-01"), ("abraham-lincoln", NEGATIVE))
    world.add(article("b", "1860-02-01"), ("abraham-lincoln", POSITIVE), ("stephen-douglas", NEUTRAL))
    world.add(article("c", "1860-03-01"))
    world.add(article("d", "1860-04-01"), ("abraham-lincoln", NEGATIVE), version="v0")
    with database.read() as tx:
        seen = observations.observe(tx, "v1", edges=EDGES, newest=10)
        assert observations.observe(tx, "v1", edges=EDGES, newest=2).classes == (0, 1, 1)
        late = observations.observe(tx, "v1", edges=EDGES, newest=10, since=date(1860, 2, 15))
        texts = observations.newest_texts(tx, "v1", limit=1)
    total = NEGATIVE.negative + POSITIVE.positive + NEUTRAL.neutral
    assert (seen.articles, seen.asked, seen.classes, seen.confidence_counts) == (3, 3, (1, 1, 1), (2, 1))
    assert abs(seen.confidence_sum - total) < 1e-9
    assert (seen.first_day, seen.last_day) == (date(1860, 1, 1), date(1860, 3, 1))
    assert (late.articles, late.answered) == (1, 0)
    assert texts == ("A headline",)


def test_a_version_that_has_read_nothing_has_seen_nothing(database, world: World):
    with database.read() as tx:
        assert observations.observe(tx, "v9", edges=EDGES, newest=5) == Observed(
            0, 0, 0, (0, 0, 0), 0.0, 0.0, (0, 0)
        )


def test_names_that_are_not_in_the_text_are_counted(database, world: World):
    with database.write() as tx:
        pk = articles.save(tx, [article("a", "1860-01-01")], NOW)[0].pk
        missing = Mention("abraham-lincoln", "v1", Outcome.NO_MENTION, None, ())
        scored = mentions.ScoredArticle(pk, (missing,))
        mentions.save(tx, [scored], model_version="v1", generation=1, scored_at=NOW)
        seen = observations.observe(tx, "v1", edges=EDGES, newest=5)
    assert (seen.asked, seen.not_named, seen.answered) == (1, 1, 0)


def test_corrections_are_compared_with_what_a_version_says(database, world: World):
    stories = [article(key, "1860-01-01", f"Lincoln {key}") for key in "abc"]
    for story, p in zip(stories, (NEGATIVE, NEUTRAL, None), strict=True):
        world.add(story, ("abraham-lincoln", p))
    said = (Polarity.NEGATIVE, Polarity.POSITIVE, Polarity.NEUTRAL)
    with database.write() as tx:
        for minute, (story, polarity) in enumerate(zip(stories, said, strict=True)):
            at = NOW + timedelta(minutes=minute)
            common = {"article_id": story.id, "entity_id": "abraham-lincoln", "at": at}
            feedback.correct(tx, polarity=polarity, by="ana", note="why", **common)
        feedback.correct(
            tx, article_id=stories[0].id, entity_id="whig-party", polarity=None, by="ana", at=NOW
        )
        found = agreement.agreement(tx, "v1")
        listed = agreement.judged(tx, "v1")
    assert found.counts == ((1, 0, 0), (0, 0, 0), (0, 1, 0))
    assert (found.judged, found.agreed, found.share) == (2, 1, 0.5)
    assert (found.not_meant, found.unanswered) == (1, 1)
    assert [(j.headline[-1], j.person, j.model, j.agreed) for j in listed] == [
        ("c", Polarity.NEUTRAL, None, False),
        ("b", Polarity.POSITIVE, Polarity.NEUTRAL, False),
        ("a", None, None, False),
        ("a", Polarity.NEGATIVE, Polarity.NEGATIVE, True),
    ]


def test_without_corrections_there_is_no_share(database, world: World):
    with database.read() as tx:
        found = agreement.agreement(tx, "v1")
    assert (found.judged, found.share) == (0, None)


def test_what_came_in_is_counted_by_day_and_source(database, world: World):
    today = NOW.date()
    fresh = article("a", NOW - timedelta(hours=2), abstract="Text.")
    old = article("b", "1860-01-01")
    world.add(fresh, ("abraham-lincoln", NEUTRAL))
    world.add(old)
    with database.write() as tx:
        articles.save(tx, [article("c", NOW, source="other")], NOW)
        articles.save(tx, [replace(fresh, source="other")], NOW)
        dead_letters.add(tx, key="k", subject="wire", data=b"x", reason="not_ours: x", attempts=1, at=NOW)
        rows = {row.source: row for row in quality.by_day(tx, last=today, days=3)}
        assert quality.newest_day(tx) == today
        assert quality.given_up(tx, since=today) == {"wire": 1}
        assert quality.given_up(tx, since=today + timedelta(days=1)) == {}
    wire, other = rows["wire"], rows["other"]
    assert (wire.articles, wire.without_text, wire.unscored, wire.without_mention, wire.late) == (
        2,
        1,
        0,
        1,
        1,
    )
    assert (other.articles, other.unscored, other.repeats, other.capped) == (1, 1, 1, False)
    assert wire.day == today


def test_nothing_came_in(database, world: World):
    with database.read() as tx:
        assert quality.newest_day(tx) is None
        assert quality.by_day(tx, last=date(2026, 1, 1), days=2) == ()


def test_the_end_of_a_day_belongs_to_it(database, world: World):
    with database.write() as tx:
        at = datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)
        articles.save(tx, [article("a", at)], at)
        assert [row.day for row in quality.by_day(tx, last=date(2026, 3, 2), days=2)] == [date(2026, 3, 1)]
