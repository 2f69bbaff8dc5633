from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kiosque.core.entity import Alias, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import Conflict, InvalidInput, NotFound
from kiosque.store import entities
from kiosque.store.entities import Election, WatchlistChange, WatchlistSummary
from kiosque.testing.world import DOUGLAS, LINCOLN, NOW, WATCHLIST, WHIGS


@pytest.fixture
def watched(world):
    return world.database


def generation(database):
    with database.read() as tx:
        return entities.generation(tx)


def test_an_entity_comes_back_as_it_went_in(database):
    entity = Entity(
        "george-w-bush",
        "George W. Bush",
        EntityKind.PERSON,
        (
            Alias("Bush", date(1999, 6, 1), date(2009, 1, 20)),
            Alias("W.", case=CaseRule.EXACT),
            Alias("Dubya", None, date(2009, 1, 20), CaseRule.ANY),
        ),
        ("Bush Gardens", "Kate Bush"),
        "43rd President",
    )
    with database.write() as tx:
        assert entities.save(tx, entity, NOW)
        assert not entities.save(tx, entity, NOW)
        assert entities.get(tx, entity.id) == entity


def test_a_watchlist_is_saved_and_saving_it_again_changes_nothing(watched):
    before = generation(watched)
    with watched.write() as tx:
        assert entities.save_watchlist(tx, WATCHLIST, NOW) == WatchlistChange(0, 0, 3)
        assert entities.watchlists(tx) == (WatchlistSummary("us-1860", "United States, 1860", 3),)
        assert entities.load_all(tx) == (LINCOLN, DOUGLAS, WHIGS)
    assert generation(watched) == before > 0


def test_a_changed_watchlist_updates_and_keeps_who_left_it(watched):
    changed = replace(LINCOLN, aliases=(Alias("Honest Abe"),))
    shorter = Watchlist("us-1860", "Another name", (changed, replace(DOUGLAS)))
    with watched.write() as tx:
        assert entities.save_watchlist(tx, shorter, NOW) == WatchlistChange(0, 1, 1)
        assert entities.watchlists(tx) == (WatchlistSummary("us-1860", "Another name", 2),)
        assert entities.load_all(tx) == (changed, DOUGLAS, WHIGS)
        assert [each.id for each in entities.page(tx, watchlist="us-1860").items] == [LINCOLN.id, DOUGLAS.id]


@pytest.mark.parametrize(
    "changed",
    [
        replace(LINCOLN, aliases=(*LINCOLN.aliases, Alias("Abe"))),
        replace(LINCOLN, aliases=(replace(LINCOLN.aliases[0], valid_to=date(1865, 4, 15)),)),
        replace(LINCOLN, aliases=()),
        replace(LINCOLN, excludes=("Lincoln Center",)),
        replace(LINCOLN, name="A. Lincoln"),
    ],
)
def test_the_generation_grows_with_what_the_matcher_depends_on(watched, changed):
    before = generation(watched)
    with watched.write() as tx:
        entities.save(tx, changed, NOW)
    assert generation(watched) == before + 1


def test_the_generation_stays_when_only_words_about_someone_change(watched):
    before = generation(watched)
    with watched.write() as tx:
        entities.save(tx, replace(LINCOLN, description="16th President"), NOW)
        assert entities.get(tx, LINCOLN.id).description == "16th President"
    assert generation(watched) == before


def test_an_alias_is_added_and_removed(watched):
    with watched.write() as tx:
        entities.add_alias(tx, LINCOLN.id, Alias("Abe"), NOW)
        entities.add_alias(tx, LINCOLN.id, Alias("Abe", date(1860, 1, 1)), NOW)
        with pytest.raises(Conflict, match="Abe"):
            entities.add_alias(tx, LINCOLN.id, Alias("Abe"), NOW)
        assert len(entities.get(tx, LINCOLN.id).aliases) == 3
        assert entities.remove_alias(tx, LINCOLN.id, "Abe", NOW) == 2
        assert entities.get(tx, LINCOLN.id) == LINCOLN
        with pytest.raises(NotFound, match="Abe"):
            entities.remove_alias(tx, LINCOLN.id, "Abe", NOW)
        with pytest.raises(NotFound, match="nobody"):
            entities.add_alias(tx, "nobody", Alias("X"), NOW)


def test_a_deleted_entity_takes_its_names_and_candidacies_along(watched):
    before = generation(watched)
    with watched.write() as tx:
        entities.delete(tx, LINCOLN.id)
        assert entities.count(tx) == 2
        assert [each.entity_id for each in entities.candidacies(tx)] == [DOUGLAS.id]
        with pytest.raises(NotFound):
            entities.delete(tx, LINCOLN.id)
        assert entities.save(tx, LINCOLN, NOW)
        assert entities.get(tx, LINCOLN.id) == LINCOLN
    assert generation(watched) == before + 2


@pytest.mark.parametrize(
    "wrong",
    [
        replace(LINCOLN, id=""),
        replace(LINCOLN, name=" "),
        replace(LINCOLN, aliases=(Alias(""),)),
        replace(LINCOLN, id="x" * 301),
    ],
)
def test_an_entity_without_id_or_names_is_refused(database, wrong):
    with database.write() as tx, pytest.raises(InvalidInput, match="characters"):
        entities.save(tx, wrong, NOW)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["Abraham Lincoln", "Stephen A. Douglas", "Whig Party"]),
        ({"query": "LINC"}, ["Abraham Lincoln"]),
        ({"query": "whigs"}, ["Whig Party"]),
        ({"query": "stephen-d"}, ["Stephen A. Douglas"]),
        ({"query": "%"}, []),
        ({"query": "_"}, []),
        ({"kind": EntityKind.PARTY}, ["Whig Party"]),
        ({"watchlist": "other"}, []),
    ],
)
def test_entities_are_listed_and_searched(watched, asked, expected):
    with watched.read() as tx:
        first = entities.page(tx, limit=1, **asked)
        rest = entities.page(tx, cursor=first.next, **asked) if first.next else None
    assert [each.name for each in (*first.items, *(rest.items if rest else ()))] == expected


def test_of_ids_and_names_give_those_that_exist(watched):
    with watched.read() as tx:
        assert entities.of_ids(tx, [WHIGS.id, "nobody"]) == {WHIGS.id: WHIGS}
        assert entities.names(tx, [WHIGS.id, "nobody"]) == {WHIGS.id: "Whig Party"}
        with pytest.raises(NotFound, match="nobody"):
            entities.get(tx, "nobody")


def test_candidacies_and_elections(watched):
    with watched.write() as tx:
        won, lost = entities.candidacies(tx, year=1860)
        assert (won, lost) == (WATCHLIST.candidacies[1], WATCHLIST.candidacies[0])
        assert entities.candidacies(tx, entity_id=DOUGLAS.id) == (lost,)
        assert entities.candidacies(tx, year=1864) == ()
        assert entities.elections(tx) == (Election(1860, date(1860, 11, 6), 2),)


def test_ten_thousand_aliases_are_saved_and_loaded(database):
    many = tuple(
        Entity(f"e{i:04}", f"Entity {i}", EntityKind.PERSON, tuple(Alias(f"Name {i} {j}") for j in range(10)))
        for i in range(1000)
    )
    with database.write() as tx:
        assert entities.save_watchlist(tx, Watchlist("w", "W", many), NOW).added == 1000
        assert entities.load_all(tx) == many
