"""What a change of the watch list would do to history, before it is done."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiosque.core.article import Article
from kiosque.core.entity import Alias, Entity, EntityKind
from kiosque.pipeline import rematch
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.rematch import Preview, preview
from kiosque.pipeline.rescore import Rescorer
from kiosque.store import articles, entities, mentions
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, ScriptedPredictor

MakeArticle = Callable[..., Article]
ACE = Entity("eve-ace", "Eve Ace", EntityKind.PERSON, (Alias("Eve Ace"), Alias("Ace")))
OTHER_LANE = Entity("eve-lane", "Eve Lane", EntityKind.PERSON, (Alias("Eve Lane"), Alias("Lane")))


@pytest.fixture(autouse=True)
def history(intake: Intake, article: MakeArticle) -> None:
    intake.take(
        [
            article("a", "Lane Wins"),
            article("b", "Rain"),
            article("c", "Ace Meets Reed"),
            article("d", "Ada Lane Speaks"),
        ]
    )


def changes(found: Preview) -> dict[str, tuple[int, int]]:
    return {each.entity_id: (each.gained, each.lost) for each in found.entities}


def test_nothing_changed_changes_nothing(database: Database) -> None:
    assert preview(database) == Preview(0, 0, ())


def test_a_new_entity_shows_which_articles_would_name_it(database: Database) -> None:
    found = preview(database, [ACE])
    assert (found.checked, found.changed) == (4, 1)
    (change,) = found.entities
    assert (change.entity_id, change.name, change.gained, change.lost) == ("eve-ace", "Eve Ace", 1, 0)
    (sample,) = change.gained_samples
    assert (sample.headline, sample.published_on) == ("Ace Meets Reed", "2024-11-06")


def test_an_entity_that_makes_a_name_ambiguous_shows_what_others_lose(database: Database) -> None:
    assert changes(preview(database, [OTHER_LANE])) == {"ada-lane": (0, 1)}


def test_a_changed_entity_replaces_the_one_that_is_there(database: Database) -> None:
    renamed = Entity("ada-lane", "Ada Lane", EntityKind.PERSON, (Alias("Ace"),))
    assert changes(preview(database, [renamed])) == {"ada-lane": (1, 2)}


def test_an_entity_that_would_be_deleted_loses_its_articles(database: Database) -> None:
    assert changes(preview(database, without=frozenset({"bo-reed"}))) == {"bo-reed": (0, 1)}


def test_a_preview_changes_nothing(database: Database) -> None:
    before = entities_and_mentions(database)
    preview(database, [ACE, OTHER_LANE])
    assert entities_and_mentions(database) == before


def entities_and_mentions(database: Database) -> tuple[int, int, int]:
    with database.read() as tx:
        return entities.generation(tx), entities.count(tx), mentions.count(tx)


def test_what_is_previewed_is_what_is_done(
    database: Database, predictor: ScriptedPredictor, clock: ManualClock
) -> None:
    promised = preview(database, [ACE, OTHER_LANE])
    with database.write() as tx:
        for entity in (ACE, OTHER_LANE):
            entities.save(tx, entity, clock())
    saved = preview(database)
    assert changes(saved) == changes(promised)
    Rescorer(database, predictor, clock=clock).rematch()
    assert preview(database) == Preview(0, 0, ())
    with database.read() as tx:
        pk = articles.get(tx, "c").pk
        assert {m.entity_id for m in mentions.of_articles(tx, [pk])[pk]} == {"eve-ace", "bo-reed"}


def test_samples_are_few_and_progress_is_told(
    database: Database, intake: Intake, article: MakeArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.take([article(f"n{n}", f"Ace Speaks {n}") for n in range(8)])
    monkeypatch.setattr(rematch, "CHUNK", 5)
    told: list[tuple[int, int]] = []
    found = preview(database, [ACE], progress=lambda done, total: told.append((done, total)))
    assert told == [(5, 12), (10, 12), (12, 12)]
    (change,) = found.entities
    assert (change.gained, len(change.gained_samples)) == (9, rematch.SAMPLES)
