from __future__ import annotations

import pytest

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.errors import NotFound
from kiosque.core.polarity import Mention, Outcome, Probabilities, SpanScore
from kiosque.store import entities, mentions, models
from kiosque.store.mentions import ScoredArticle, Scoring
from kiosque.testing.world import NEGATIVE, NOW, POSITIVE, article, found

A, D, W = "abraham-lincoln", "stephen-douglas", "whig-party"


def score(world, *scored, version="v1", generation=1):
    with world.database.write() as tx:
        return mentions.save(tx, scored, model_version=version, generation=generation, scored_at=NOW)


def of(world, pk, version=None):
    with world.database.read() as tx:
        return [each.mention for each in mentions.of_articles(tx, [pk], model_version=version)[pk]]


def test_a_mention_comes_back_as_it_went_in(world):
    pk = world.add(article("k", "1860-01-01"))
    mention = Mention(
        A,
        "v1",
        Outcome.SCORED,
        Probabilities(0.125, 0.25, 0.625),
        (
            SpanScore(Span(Field.HEADLINE, 3, 10), Probabilities(0.1, 0.2, 0.7)),
            SpanScore(Span(Field.ABSTRACT, 0, 7), Probabilities(0.8, 0.1, 0.1)),
        ),
    )
    assert score(world, ScoredArticle(pk, (mention,))) == 1
    with world.database.read() as tx:
        (stored,) = mentions.of_articles(tx, [pk])[pk]
    assert stored.mention == mention
    assert (stored.entity_id, stored.entity_name, stored.entity_kind) == (A, "Abraham Lincoln", "person")


@pytest.mark.parametrize("outcome", [Outcome.NOT_ENGLISH, Outcome.TOO_LONG])
def test_a_mention_without_a_score_says_why(world, outcome):
    pk = world.add(article("k", "1860-01-01"))
    mention = Mention(A, "v1", outcome, None, ())
    score(world, ScoredArticle(pk, (mention,)))
    assert of(world, pk) == [mention]


def test_mentions_come_in_the_order_of_the_text(world):
    pk = world.add(article("k", "1860-01-01"))
    parts = [(A, Field.ABSTRACT, 0), (D, Field.HEADLINE, 9), (W, Field.HEADLINE, 2)]
    given = tuple(
        Mention(name, "v1", Outcome.SCORED, POSITIVE, (SpanScore(Span(part, start, start + 1), POSITIVE),))
        for name, part, start in parts
    )
    score(world, ScoredArticle(pk, given))
    assert [each.entity_id for each in of(world, pk)] == [W, D, A]


def test_scoring_again_replaces_and_is_idempotent(world):
    pk = world.add(article("k", "1860-01-01"), (A, POSITIVE), (D, POSITIVE))
    for _ in range(2):
        assert score(world, ScoredArticle(pk, (found(A, NEGATIVE),), ambiguous=2), generation=7) == 1
        assert of(world, pk) == [found(A, NEGATIVE)]
    with world.database.read() as tx:
        assert mentions.scorings(tx, [pk, 99]) == {pk: Scoring(pk, "v1", 7, 2, NOW)}
        assert mentions.count(tx) == 1


def test_readers_see_the_current_version(world):
    pk = world.add(article("k", "1860-01-01"), (A, POSITIVE))
    score(world, ScoredArticle(pk, (found(A, NEGATIVE, "v2"),)), version="v2")
    assert of(world, pk) == [found(A, POSITIVE)]
    with world.database.write() as tx:
        models.set_current(tx, models.POLARITY, "v2", NOW)
    assert of(world, pk) == [found(A, NEGATIVE, "v2")]
    assert of(world, pk, "v1") == [found(A, POSITIVE)]
    assert of(world, pk, "v3") == []


def test_history_has_every_version_also_those_that_found_nothing(world):
    pk = world.add(article("k", "1860-01-01"), (A, POSITIVE))
    score(world, ScoredArticle(pk), version="v2")
    with world.database.read() as tx:
        history = mentions.history(tx, pk)
    assert {version: [m.mention for m in found_] for version, found_ in history.items()} == {
        "v1": [found(A, POSITIVE)],
        "v2": [],
    }
    assert list(history) == ["v1", "v2"]


def test_no_mention_is_told_from_not_scored_yet(world):
    empty = world.add(article("empty", "1860-01-01"))
    with world.database.write() as tx:
        from kiosque.store import articles

        waiting = articles.save(tx, [article("waiting", "1860-01-01")], NOW)[0].pk
    with world.database.read() as tx:
        assert mentions.of_articles(tx, [empty, waiting]) == {empty: (), waiting: ()}
        assert list(mentions.scorings(tx, [empty, waiting])) == [empty]
        assert [each.pk for each in mentions.missing(tx, "v1")] == [waiting]
        assert mentions.count_missing(tx, "v1") == 1


def test_missing_is_paged_and_knows_generations(world):
    pks = [world.add(article(f"k{i}", "1860-01-01")) for i in range(3)]
    with world.database.read() as tx:
        assert mentions.count_missing(tx, "v1") == 0
        assert mentions.count_missing(tx, "v1", generation=1) == 0
        assert mentions.count_missing(tx, "v1", generation=2) == 3
        assert mentions.count_missing(tx, "unheard of") == 3
        assert [each.pk for each in mentions.missing(tx, "v1", generation=2, limit=2)] == pks[:2]
        assert [each.pk for each in mentions.missing(tx, "v1", generation=2, after=pks[1])] == pks[2:]


def test_mentions_of_an_entity_that_is_gone_are_left_out(world):
    pk = world.add(article("k", "1860-01-01"))
    assert score(world, ScoredArticle(pk, (found(A, POSITIVE), found("gone", POSITIVE)))) == 1


def test_mentions_of_an_article_that_is_gone_are_left_out(world):
    with world.database.write() as tx:
        assert (
            mentions.replace_of_entity(
                tx, A, [99], {99: found(A, POSITIVE)}, model_version="v1", scored_at=NOW
            )
            == 0
        )


def test_rematching_one_entity_leaves_the_others(world):
    first = world.add(article("a", "1860-01-01"), (A, POSITIVE), (D, POSITIVE))
    second = world.add(article("b", "1860-01-01"), (D, POSITIVE))
    with world.database.write() as tx:
        stored = mentions.replace_of_entity(
            tx, A, [first, second], {second: found(A, NEGATIVE)}, model_version="v1", scored_at=NOW
        )
    assert stored == 1
    assert of(world, first) == [found(D, POSITIVE)]
    assert {each.entity_id for each in of(world, second)} == {A, D}
    with world.database.write() as tx, pytest.raises(NotFound, match="nobody"):
        mentions.replace_of_entity(tx, "nobody", [first], {}, model_version="v1", scored_at=NOW)


def test_deleting_the_mentions_of_an_entity_says_how_many(world):
    pk = world.add(article("a", "1860-01-01"), (A, POSITIVE), (D, POSITIVE))
    score(world, ScoredArticle(pk, (found(A, POSITIVE, "v2"),)), version="v2")
    with world.database.write() as tx:
        assert mentions.delete_of_entity(tx, A, model_version="v2") == 1
        assert mentions.delete_of_entity(tx, A, model_version="v3") == 0
        assert mentions.delete_of_entity(tx, A) == 1
    assert [each.entity_id for each in of(world, pk)] == [D]


def test_deleting_an_entity_deletes_its_mentions(world):
    pk = world.add(article("a", "1860-01-01"), (A, POSITIVE), (D, POSITIVE))
    with world.database.write() as tx:
        entities.delete(tx, A)
    assert [each.entity_id for each in of(world, pk)] == [D]


def test_without_a_current_version_there_is_nothing_to_see(database):
    with database.read() as tx:
        assert mentions.of_articles(tx, [1]) == {1: ()}
        assert mentions.scorings(tx, [1]) == {}
        assert mentions.count(tx) == 0


def test_more_than_one_chunk_of_mentions_is_stored(world):
    from kiosque.store import articles

    with world.database.write() as tx:
        saved = articles.save(tx, [article(f"k{i}", "1860-01-01") for i in range(1100)], NOW)
    scored = [ScoredArticle(each.pk, (found(A, POSITIVE), found(D, NEGATIVE))) for each in saved]
    assert score(world, *scored) == 2200
    with world.database.read() as tx:
        assert sum(len(each) for each in mentions.of_articles(tx, [s.pk for s in saved]).values()) == 2200
