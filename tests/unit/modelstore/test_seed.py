from __future__ import annotations

import pytest

from kiosque.core.errors import CorruptModel
from kiosque.modelstore.seed import SEEDER, seed
from kiosque.modelstore.store import ModelStore


@pytest.fixture
def ship(tmp_path, build, clock):
    """A shipped root with one champion `text` of the model `m`, published at the clock's next day."""

    def make(text: str) -> ModelStore:
        shipped = ModelStore(tmp_path / f"shipped-{text}")
        version = shipped.publish("m", build(text=text), fields={}, version=text, clock=clock)
        shipped.move_alias("m", "champion", version.id, who="release", why="ships", clock=clock)
        return shipped

    return make


def _seed(store, shipped, clock):
    [result] = seed(store, shipped.root, clock=clock)
    return result


def test_an_empty_store_gets_what_ships(store, ship, clock):
    result = _seed(store, ship("v1"), clock)

    assert (result.name, result.version, result.moved) == ("m", "v1", True)
    store.verify(store.champion("m"))
    assert [move.who for move in store.history("m")] == [SEEDER]


def test_seeding_again_writes_nothing(store, ship, clock):
    shipped = ship("v1")
    _seed(store, shipped, clock)
    before = {path: path.stat().st_mtime_ns for path in store.root.rglob("*")}

    assert not _seed(store, shipped, clock).moved
    assert {path: path.stat().st_mtime_ns for path in store.root.rglob("*")} == before


def test_an_update_brings_its_newer_version(store, ship, clock):
    _seed(store, ship("v1"), clock)

    assert _seed(store, ship("v2"), clock).moved
    assert store.champion("m").id == "v2"


def test_an_older_program_on_the_same_volume_does_not_move_it_back(store, ship, clock):
    old, new = ship("v1"), ship("v2")
    _seed(store, new, clock)

    result = _seed(store, old, clock)

    assert not result.moved
    assert store.champion("m").id == "v2"


def test_a_champion_chosen_by_hand_stays(store, ship, build, clock):
    _seed(store, ship("v1"), clock)
    store.publish("m", build(text="mine"), fields={}, version="mine", clock=clock)
    store.move_alias("m", "champion", "mine", who="ada", why="better here", clock=clock)

    assert _seed(store, ship("v2"), clock).reason == "somebody chose the champion"
    assert store.champion("m").id == "mine"


def test_an_older_shipped_version_chosen_by_hand_stays(store, ship, clock):
    _seed(store, ship("v1"), clock)
    _seed(store, ship("v2"), clock)
    store.move_alias("m", "champion", "v1", who="ada", why="v2 is worse for us", clock=clock)

    assert not _seed(store, ship("v3"), clock).moved
    assert store.champion("m").id == "v1"


def test_a_damaged_or_missing_shipped_champion_is_put_back(store, ship, clock):
    shipped = ship("v1")
    _seed(store, shipped, clock)
    folder = store.champion("m").folder
    (folder / "model.onnx").write_text("rotten")
    _seed(store, shipped, clock)
    store.verify(store.champion("m"))

    folder.rename(folder.with_name(".lost"))
    _seed(store, shipped, clock)
    store.verify(store.champion("m"))


def test_a_shipped_version_that_is_damaged_is_not_taken(store, ship, clock):
    shipped = ship("v1")
    (shipped.champion("m").folder / "model.onnx").write_text("rotten")

    with pytest.raises(CorruptModel):
        seed(store, shipped.root, clock=clock)
    assert dict(store.aliases("m")) == {}


def test_a_model_that_ships_without_a_champion_is_left_alone(store, ship, clock, build):
    shipped = ship("v1")
    shipped.publish("extra", build(), fields={}, clock=clock)

    assert [result.name for result in seed(store, shipped.root, clock=clock)] == ["m"]
    assert store.names() == ["m"]


def test_nothing_ships_nothing_happens(store, tmp_path, clock):
    assert seed(store, tmp_path / "nowhere", clock=clock) == []
