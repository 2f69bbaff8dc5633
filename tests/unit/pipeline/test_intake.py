"""Articles on their way into the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from kiosque.core.article import Article
from kiosque.core.book import Book
from kiosque.core.entity import Alias
from kiosque.core.errors import PredictUnavailable, StoreUnavailable
from kiosque.core.polarity import ScoringRequest
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.decide import Standing
from kiosque.pipeline.intake import Intake, Stored, Taken
from kiosque.store import articles, books, entities, mentions, models, recommendations
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, ScriptedPredictor, score_of

MakeArticle = Callable[..., Article]
BOOK = Book(key="work:lives/a", title="Lives", author="A. Author")


def mentioned(database: Database, key: str, version: str | None = None) -> list[str]:
    with database.read() as tx:
        pk = articles.get(tx, key).pk
        return [m.entity_id for m in mentions.of_articles(tx, [pk], model_version=version)[pk]]


def is_scored(database: Database, key: str, version: str) -> bool:
    with database.read() as tx:
        pk = articles.get(tx, key).pk
        return pk in mentions.scorings(tx, [pk], model_version=version)


def test_an_article_is_stored_with_its_mentions(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    (taken,) = intake.take([article(headline="Lane Beats Reed", abstract="Ada Lane won.")])
    assert taken.standing is Standing.NEW
    assert taken.scored
    assert mentioned(database, "k1") == ["ada-lane", "bo-reed"]
    with database.read() as tx:
        stored = articles.get(tx, "k1")
        lane = mentions.of_articles(tx, [stored.pk])[stored.pk][0].mention
    assert [stored.article.text_of(s.span.part)[s.span.start : s.span.end] for s in lane.spans] == [
        "Lane",
        "Ada Lane",
    ]
    assert lane.model_version == "v1"


def test_what_the_model_said_is_what_is_stored(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    seen: list[ScoringRequest] = []
    predictor.on_polarity = seen.extend
    intake.take([article()])
    (request,) = seen
    with database.read() as tx:
        pk = articles.get(tx, "k1").pk
        (stored,) = mentions.of_articles(tx, [pk])[pk]
    assert stored.mention.probabilities == score_of(request, request.targets[0]).probabilities


def test_an_article_that_names_nobody_is_recorded_as_scored_without_asking_the_model(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    (taken,) = intake.take([article(headline="Rain Tomorrow")])
    assert taken == Taken(article(headline="Rain Tomorrow"), Standing.NEW, scored=True)
    assert is_scored(database, "k1", "v1")
    assert predictor.scored == []


def test_a_batch_is_one_call_to_the_model(
    intake: Intake, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    intake.take([article("a"), article("b", "Rain"), article("c", "Reed Speaks")])
    assert predictor.scored == [("Ada Lane Wins", "Reed Speaks")]


def test_names_count_on_their_day_only(
    intake: Intake, database: Database, article: MakeArticle, clock: ManualClock
) -> None:
    old = article("old", "Moss Speaks")
    intake.take(
        [replace(old, published_at=old.published_at.replace(year=1990)), article("new", "Moss Speaks")]
    )
    assert mentioned(database, "old") == []
    assert mentioned(database, "new") == ["cy-moss"]


def test_the_same_article_again_is_a_duplicate_and_changes_nothing(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    intake.take([article()])
    (again,) = intake.take([article()])
    assert again.standing is Standing.DUPLICATE
    assert not again.scored
    assert len(predictor.scored) == 1
    with database.read() as tx:
        assert articles.count(tx) == 1
        assert mentions.count(tx) == 1


def test_another_source_is_a_sighting_and_the_first_text_stays(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    intake.take([article()])
    (again,) = intake.take([article(source="feed", headline="REED LOSES")])
    assert again.standing is Standing.SIGHTING
    with database.read() as tx:
        stored = articles.get(tx, "k1")
        assert stored.article.headline == "Ada Lane Wins"
        assert [s.source for s in articles.sightings(tx, stored.pk)] == ["feed"]
    assert mentioned(database, "k1") == ["ada-lane"]


def test_a_sighting_that_fills_an_empty_abstract_is_scored_with_the_text_that_is_stored(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    intake.take([article()])
    (again,) = intake.take([article(source="feed", headline="Moss Wins", abstract="Bo Reed lost.")])
    assert again.standing is Standing.SIGHTING
    assert again.scored
    assert mentioned(database, "k1") == ["ada-lane", "bo-reed"]


def test_a_changed_headline_of_the_same_source_is_scored_anew(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    intake.take([article()])
    (again,) = intake.take([article(headline="Reed Wins After All")])
    assert again.standing is Standing.UPDATED
    assert mentioned(database, "k1") == ["bo-reed"]


def test_a_key_twice_in_a_batch_is_taken_in_order(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    taken = intake.take(
        [article(), article(), article(headline="Reed Wins"), article("k2", "Rain"), article(source="feed")]
    )
    assert [each.standing for each in taken] == [
        Standing.NEW,
        Standing.DUPLICATE,
        Standing.UPDATED,
        Standing.NEW,
        Standing.SIGHTING,
    ]
    assert mentioned(database, "k1") == ["bo-reed"]


def test_nothing_is_nothing(intake: Intake) -> None:
    assert intake.take([]) == ()


def test_text_that_no_database_can_hold_is_replaced_before_offsets_are_taken(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    odd = article(headline="\ud800 Lane Wins", abstract="\x00 Reed")
    intake.take([odd])
    assert mentioned(database, "k1") == ["ada-lane", "bo-reed"]
    (again,) = intake.take([odd])
    assert again.standing is Standing.DUPLICATE


# ---- models


def test_a_new_version_scores_what_arrives_again_and_keeps_the_old_scores(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    intake.take([article()])
    predictor.version = "v2"
    (again,) = intake.take([article()])
    assert again.standing is Standing.DUPLICATE
    assert again.scored
    assert mentioned(database, "k1", "v1") == mentioned(database, "k1", "v2") == ["ada-lane"]


def test_readers_keep_the_first_version_until_someone_changes_it(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    intake.take([article()])
    predictor.version = "v2"
    intake.take([article("k2")])
    with database.read() as tx:
        assert models.current(tx) == "v1"


def test_a_swap_between_asking_and_answering_is_stored_under_the_version_that_answered(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    def swap(_: Sequence[ScoringRequest]) -> None:
        predictor.version = "v2"

    predictor.on_polarity = swap
    intake.take([article(), article("k2", "Rain")])
    assert is_scored(database, "k1", "v2")
    assert is_scored(database, "k2", "v2")
    with database.read() as tx:
        assert {use.version for use in models.uses(tx, models.POLARITY)} == {"v2"}


def test_without_a_model_articles_are_stored_unscored(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    predictor.version = predictor.shelf = None
    (taken,) = intake.take([article()])
    assert taken.standing is Standing.NEW
    assert not taken.scored
    with database.read() as tx:
        assert articles.count(tx) == 1
        assert mentions.count_missing(tx, "v1") == 1
    predictor.version = "v1"
    (again,) = intake.take([article()])
    assert again.scored


def test_an_outage_stores_nothing(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    predictor.down = True
    with pytest.raises(PredictUnavailable):
        intake.take([article()])
    with database.read() as tx:
        assert articles.count(tx) == 0


# ---- the watch list


def test_a_changed_watch_list_is_seen_by_the_next_batch(
    intake: Intake, database: Database, article: MakeArticle, clock: ManualClock
) -> None:
    intake.take([article("k1", "Ace Wins")])
    with database.write() as tx:
        entities.add_alias(tx, "ada-lane", Alias("Ace"), clock())
    intake.take([article("k2", "Ace Wins Again")])
    assert mentioned(database, "k1") == []
    assert mentioned(database, "k2") == ["ada-lane"]
    intake.take([article("k1", "Ace Wins")])
    assert mentioned(database, "k1") == ["ada-lane"], "an old article that comes again is matched anew"


# ---- books


def test_books_are_kept_for_articles_that_mention_someone(
    database: Database, article: MakeArticle, clock: ManualClock, metrics: Metrics
) -> None:
    with database.write() as tx:
        books.save(tx, [BOOK], clock())
    predictor = ScriptedPredictor(shelf=[BOOK])
    intake = Intake(database, predictor, clock=clock, metrics=metrics, books_per_article=3)
    intake.take([article(abstract="More."), article("k2", "Rain")])
    assert [(q.text, q.k, q.contemporary_on) for q in predictor.queries] == [
        ("Ada Lane Wins\nMore.", 3, None)
    ]
    with database.read() as tx:
        pks = [articles.get(tx, key).pk for key in ("k1", "k2")]
        shelves = recommendations.of_articles(tx, pks)
    assert list(shelves) == pks[:1]
    assert [r.book.key for r in shelves[pks[0]].recommendations] == [BOOK.key]


def test_contemporary_books_are_asked_for_by_day(
    database: Database,
    article: MakeArticle,
    clock: ManualClock,
    metrics: Metrics,
    predictor: ScriptedPredictor,
) -> None:
    Intake(database, predictor, clock=clock, metrics=metrics, contemporary=True).take([article()])
    assert predictor.queries[0].contemporary_on == "2024-11-06"


def test_no_books_are_asked_for_where_none_are_kept(
    database: Database,
    article: MakeArticle,
    clock: ManualClock,
    metrics: Metrics,
    predictor: ScriptedPredictor,
) -> None:
    Intake(database, predictor, clock=clock, metrics=metrics, books_per_article=0).take([article()])
    assert predictor.queries == []


def test_without_a_books_model_mentions_are_stored_all_the_same(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor
) -> None:
    predictor.shelf = None
    intake.take([article()])
    assert mentioned(database, "k1") == ["ada-lane"]


# ---- one transaction


def test_what_else_belongs_to_it_is_stored_with_it_or_not_at_all(
    intake: Intake, database: Database, article: MakeArticle
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        intake.take([article()], also=refuse)
    with database.read() as tx:
        assert articles.count(tx) == 0


def test_what_else_belongs_to_it_is_told_of_every_article(intake: Intake, article: MakeArticle) -> None:
    told: list[Standing] = []
    batch = [article(), article(), article(headline="Reed Wins"), article("k2", "Rain")]
    intake.take(batch, also=lambda _, taken: told.extend(each.standing for each in taken))
    assert sorted(told) == ["duplicate", "new", "new", "updated"]


def test_a_text_that_changed_meanwhile_is_scored_as_it_is_now(
    intake: Intake,
    database: Database,
    article: MakeArticle,
    predictor: ScriptedPredictor,
    clock: ManualClock,
) -> None:
    """Another consumer stores a correction while this one is scoring the first text with a new model."""
    intake.take([article()])
    predictor.version = "v2"
    corrected = article(headline="Reed Wins")

    def interfere(_: Sequence[ScoringRequest]) -> None:
        predictor.on_polarity = None
        with database.write() as tx:
            articles.save(tx, [corrected], clock())

    predictor.on_polarity = interfere
    intake.take([article(source="feed")])
    assert mentioned(database, "k1", "v2") == ["bo-reed"]


def test_texts_that_change_all_the_time_make_the_batch_wait(
    intake: Intake,
    database: Database,
    article: MakeArticle,
    predictor: ScriptedPredictor,
    clock: ManualClock,
) -> None:
    intake.take([article()])
    predictor.version = "v2"
    number = iter(range(100))

    def interfere(_: Sequence[ScoringRequest]) -> None:
        with database.write() as tx:
            articles.save(tx, [article(headline=f"Lane Wins {next(number)}")], clock())

    predictor.on_polarity = interfere
    with pytest.raises(StoreUnavailable):
        intake.take([article(source="feed")])


def test_two_consumers_that_bring_the_same_new_article_store_it_once(
    intake: Intake, database: Database, article: MakeArticle, predictor: ScriptedPredictor, metrics: Metrics
) -> None:
    other = Intake(database, ScriptedPredictor(), clock=ManualClock(), metrics=metrics)

    def overtake(_: Sequence[ScoringRequest]) -> None:
        predictor.on_polarity = None
        other.take([article()])

    predictor.on_polarity = overtake
    (taken,) = intake.take([article()])
    assert taken.standing is Standing.DUPLICATE
    with database.read() as tx:
        assert articles.count(tx) == 1
        assert mentions.count(tx) == 1


# ---- who is told


def test_listeners_hear_of_new_and_changed_articles_after_the_commit(
    database: Database,
    article: MakeArticle,
    clock: ManualClock,
    metrics: Metrics,
    predictor: ScriptedPredictor,
) -> None:
    heard: list[tuple[Standing, int]] = []

    def listen(event: Stored) -> None:
        with database.read() as tx:
            articles.get(tx, event.article.key)
        heard.append((event.standing, len(event.mentions)))

    intake = Intake(database, predictor, clock=clock, metrics=metrics, listener=listen)
    intake.take([article()])
    intake.take([article(), article(headline="Rain"), article("k2", source="feed")])
    assert heard == [(Standing.NEW, 1), (Standing.NEW, 1), (Standing.UPDATED, 0)]


def test_a_listener_that_fails_undoes_nothing(
    database: Database,
    article: MakeArticle,
    clock: ManualClock,
    metrics: Metrics,
    predictor: ScriptedPredictor,
) -> None:
    def fail(_: Stored) -> None:
        raise RuntimeError("connection reset")

    intake = Intake(database, predictor, clock=clock, metrics=metrics, listener=fail)
    intake.take([article()])
    assert mentioned(database, "k1") == ["ada-lane"]


def test_metrics_count_outcomes_mentions_and_age(
    intake: Intake, article: MakeArticle, metrics: Metrics
) -> None:
    intake.take([article(), article("k2", "Rain")])
    intake.take([article()])
    value = metrics.registry.get_sample_value
    assert value("kiosque_articles_consumed_total", {"outcome": "new"}) == 2
    assert value("kiosque_articles_consumed_total", {"outcome": "duplicate"}) == 1
    assert value("kiosque_article_age_seconds_count") == 2
    assert value("kiosque_article_age_seconds_bucket", {"le": "21600.0"}) == 2
    assert value("kiosque_article_age_seconds_bucket", {"le": "3600.0"}) == 0


def test_a_story_that_comes_again_after_its_correction_changes_nothing(
    intake: Intake, database: Database, article: MakeArticle, clock: ManualClock
) -> None:
    """A broker hands out again what a consumer did not settle, maybe long after the correction."""
    first, later = clock(), clock() + timedelta(seconds=1)
    story, correction = article("k", "Lane Wins", told_at=first), article("k", "Reed Wins", told_at=later)
    intake.take([story])
    assert [each.standing for each in intake.take([correction])] == [Standing.UPDATED]
    [again] = intake.take([story])
    assert (again.standing, again.scored) == (Standing.DUPLICATE, False)
    intake.take([correction, story])
    with database.read() as tx:
        row = articles.get(tx, "k")
        assert row.article.headline == "Reed Wins"
        assert [each.entity_id for each in mentions.of_articles(tx, [row.pk])[row.pk]] == ["bo-reed"]


def test_a_correction_that_overtakes_its_story_holds(
    intake: Intake, database: Database, article: MakeArticle, clock: ManualClock
) -> None:
    later = clock() + timedelta(seconds=1)
    intake.take([article("k", "Reed Wins", told_at=later)])
    intake.take([article("k", "Lane Wins", told_at=clock())])
    with database.read() as tx:
        assert articles.get(tx, "k").article.headline == "Reed Wins"
