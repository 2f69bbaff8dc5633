"""History under a new model, and under a new watch list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from kiosque.core.article import Article
from kiosque.core.entity import Alias, Entity, EntityKind
from kiosque.core.errors import NoModel, PredictUnavailable
from kiosque.core.polarity import Mention, ScoringRequest
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.rescore import LEASE, RECHECK, Rescorer
from kiosque.pipeline.worker import Stop
from kiosque.store import articles, entities, mentions, models
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, ScriptedPredictor

MakeArticle = Callable[..., Article]


@pytest.fixture
def rescorer(database: Database, predictor: ScriptedPredictor, clock: ManualClock) -> Rescorer:
    return Rescorer(database, predictor, clock=clock, chunk=2)


@pytest.fixture
def history(intake: Intake, article: MakeArticle) -> list[Article]:
    """Five articles, scored by v1."""
    batch = [
        article("a", "Lane Wins", published_at=datetime(2020, 1, 1, tzinfo=UTC)),
        article("b", "Rain"),
        article("c", "Reed Meets Lane"),
        article("d", "Ace Speaks"),
        article("e", "Moss Speaks"),
    ]
    intake.take(batch)
    return batch


def current(database: Database) -> str | None:
    with database.read() as tx:
        return models.current(tx)


def mentioned(database: Database, key: str, version: str | None = None) -> dict[str, Mention]:
    with database.read() as tx:
        pk = articles.get(tx, key).pk
        found = mentions.of_articles(tx, [pk], model_version=version)[pk]
    return {each.entity_id: each.mention for each in found}


def test_everything_is_scored_by_the_new_version_and_readers_see_it_then(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    predictor.version = "v2"
    assert rescorer.pending() == 5
    told: list[tuple[int, int]] = []
    result = rescorer.run(progress=lambda done, total: told.append((done, total)))
    assert (result.model_version, result.articles, result.mentions, result.left) == ("v2", 5, 4, 0)
    assert result.current
    assert current(database) == "v2"
    assert told == [(2, 5), (4, 5), (5, 5)]
    assert (
        set(mentioned(database, "c", "v2")) == set(mentioned(database, "c", "v1")) == {"ada-lane", "bo-reed"}
    )


def test_nothing_to_do_asks_no_model(
    rescorer: Rescorer, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    calls = len(predictor.scored)
    assert rescorer.run().articles == 0
    assert len(predictor.scored) == calls


def test_articles_that_were_stored_without_a_model_are_scored_when_there_is_one(
    rescorer: Rescorer,
    intake: Intake,
    database: Database,
    predictor: ScriptedPredictor,
    article: MakeArticle,
) -> None:
    predictor.version = None
    intake.take([article()])
    assert rescorer.pending() == 0
    with pytest.raises(NoModel):
        rescorer.run()
    predictor.version = "v1"
    assert rescorer.run().mentions == 1
    assert current(database) == "v1"


def test_only_articles_since_a_day(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    predictor.version = "v2"
    result = rescorer.run(since=date(2024, 1, 1))
    assert (result.articles, result.left, result.current) == (4, 1, False)
    assert current(database) == "v1", "readers keep the version that knows all of history"
    assert mentioned(database, "a", "v2") == {}


def test_broken_off_it_goes_on(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    predictor.version = "v2"
    stop = Stop()
    first = rescorer.run(progress=lambda *_: stop.request(), stop=stop)
    assert (first.articles, first.left, first.current) == (2, 3, False)
    second = rescorer.run()
    assert (second.articles, second.left, second.current) == (3, 0, True)


def test_an_outage_breaks_it_off_and_what_was_done_stays(
    rescorer: Rescorer, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    predictor.version = "v2"

    def go_down(*_: int) -> None:
        predictor.down = True

    with pytest.raises(PredictUnavailable):
        rescorer.run(progress=go_down)
    predictor.down = False
    assert rescorer.pending() == 3


def test_one_article_that_cannot_be_scored_keeps_neither_the_others_nor_readers_waiting(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    predictor.version, predictor.poison = "v2", "Reed Meets"
    result = rescorer.run()
    assert (result.articles, result.failed, result.left, result.current) == (4, 1, 1, True)
    predictor.poison = None
    assert rescorer.run().left == 0
    assert set(mentioned(database, "c", "v2")) == {"ada-lane", "bo-reed"}


def test_where_nothing_can_be_scored_readers_keep_the_old_version(
    intake: Intake,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    article: MakeArticle,
) -> None:
    intake.take([article(f"k{n}") for n in range(10)])
    predictor.version, predictor.poison = "v2", "Lane"
    with pytest.raises(ValueError, match="cannot score"):
        Rescorer(database, predictor, clock=clock).run()
    assert current(database) == "v1"


def test_a_correction_that_arrives_meanwhile_is_not_overwritten(
    rescorer: Rescorer,
    intake: Intake,
    database: Database,
    predictor: ScriptedPredictor,
    article: MakeArticle,
    history: list[Article],
) -> None:
    predictor.version = "v2"

    def correct(requests: Sequence[ScoringRequest]) -> None:
        predictor.on_polarity = None
        intake.take([article("a", "Reed Wins", published_at=history[0].published_at)])

    predictor.on_polarity = correct
    rescorer.run()
    assert set(mentioned(database, "a", "v2")) == {"bo-reed"}


def test_the_watch_list_of_today_counts(
    rescorer: Rescorer,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    history: list[Article],
) -> None:
    with database.write() as tx:
        entities.add_alias(tx, "ada-lane", Alias("Ace"), clock())
    predictor.version = "v2"
    rescorer.run()
    assert set(mentioned(database, "d", "v2")) == {"ada-lane"}


# ---- rematching


def test_a_new_alias_finds_its_articles_and_scores_only_these(
    rescorer: Rescorer,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    history: list[Article],
) -> None:
    before = mentioned(database, "c")
    with database.write() as tx:
        entities.add_alias(tx, "ada-lane", Alias("Ace"), clock())
    predictor.scored.clear()
    result = rescorer.rematch()
    assert predictor.scored == [("Ace Speaks",)]
    assert result.articles == 5
    assert set(mentioned(database, "d")) == {"ada-lane"}
    assert mentioned(database, "c") == before
    assert rescorer.rematch().articles == 0, "once is enough"


def test_a_name_that_became_ambiguous_loses_its_mentions(
    rescorer: Rescorer, database: Database, clock: ManualClock, history: list[Article]
) -> None:
    other = Entity("eve-lane", "Eve Lane", EntityKind.PERSON, (Alias("Eve Lane"), Alias("Lane")))
    with database.write() as tx:
        entities.save(tx, other, clock())
    rescorer.rematch()
    assert mentioned(database, "a") == {}
    assert set(mentioned(database, "c")) == {"bo-reed"}


# ---- keeping up


def run_keep_up(rescorer: Rescorer, turns: int) -> None:
    """Let the loop turn so many times."""

    class Turns(Stop):
        left = turns

        def wait(self, seconds: float) -> bool:
            self.left -= 1
            return self.left < 0

    rescorer.keep_up(Turns())


def test_a_swapped_model_is_followed_by_itself(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    run_keep_up(rescorer, 1)
    predictor.version = "v2"
    run_keep_up(rescorer, 1)
    assert rescorer.pending() == 0
    assert current(database) == "v2"


def test_a_model_that_is_moved_back_is_current_again_at_once(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, history: list[Article]
) -> None:
    for version in ("v1", "v2", "v1"):
        predictor.version = version
        run_keep_up(rescorer, 1)
        assert current(database) == version


def test_it_rests_while_nothing_changes(
    rescorer: Rescorer, predictor: ScriptedPredictor, history: list[Article], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_keep_up(rescorer, 1)

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked though nothing had changed")

    monkeypatch.setattr(rescorer._database, "read", fail)
    monkeypatch.setattr(rescorer._database, "write", fail)
    run_keep_up(rescorer, 3)


def test_it_looks_again_from_time_to_time_for_articles_that_missed_their_score(
    rescorer: Rescorer,
    intake: Intake,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    article: MakeArticle,
    history: list[Article],
) -> None:
    run_keep_up(rescorer, 1)
    predictor.version = None
    intake.take([article("late")])
    predictor.version = "v1"
    run_keep_up(rescorer, 1)
    assert rescorer.pending() == 1
    clock.move(RECHECK.total_seconds() + 1)
    run_keep_up(rescorer, 1)
    assert rescorer.pending() == 0


@pytest.mark.parametrize("between", [None, "v2"])
def test_it_looks_at_once_when_it_is_told_that_articles_lack_its_version(
    rescorer: Rescorer,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    metrics: Metrics,
    article: MakeArticle,
    history: list[Article],
    between: str | None,
) -> None:
    """A model that was away, or another one that answered, for less than the loop takes to notice."""
    intake = Intake(database, predictor, clock=clock, metrics=metrics, scored_by=rescorer.note)
    run_keep_up(rescorer, 1)
    predictor.version = between
    intake.take([article("late")])
    predictor.version = "v1"
    run_keep_up(rescorer, 1)
    assert rescorer.pending() == 0


def test_it_looks_again_when_the_clock_was_set_back(
    rescorer: Rescorer,
    intake: Intake,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    article: MakeArticle,
    history: list[Article],
) -> None:
    run_keep_up(rescorer, 1)
    predictor.version = None
    intake.take([article("late")])
    predictor.version = "v1"
    clock.move(-86_400.0)
    run_keep_up(rescorer, 1)
    assert rescorer.pending() == 0


def test_a_lease_from_a_clock_that_was_set_back_holds_nobody_up(
    rescorer: Rescorer, database: Database, predictor: ScriptedPredictor, clock: ManualClock
) -> None:
    clock.move(86_400.0)
    assert Rescorer(database, predictor, clock=clock)._lease()
    clock.move(-86_400.0)
    assert rescorer._lease()


def test_without_a_model_it_waits(rescorer: Rescorer, predictor: ScriptedPredictor) -> None:
    predictor.version = None
    run_keep_up(rescorer, 2)


def test_of_two_processes_one_rescores_and_the_other_takes_over_when_it_is_gone(
    rescorer: Rescorer,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    history: list[Article],
) -> None:
    predictor.version = "v2"
    assert rescorer._lease()
    other = Rescorer(database, predictor, clock=clock, chunk=2)
    run_keep_up(other, 1)
    assert other.pending() == 5
    clock.move(LEASE.total_seconds() + 1)
    run_keep_up(other, 1)
    assert other.pending() == 0
