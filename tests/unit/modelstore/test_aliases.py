from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise

import pytest

from kiosque.core.errors import Conflict, CorruptModel, InvalidInput, TryAgain
from kiosque.modelstore.aliases import lock


@pytest.fixture
def two(store, build, clock):
    """Two versions of the model `m`."""
    return [store.publish("m", build(text=t), fields={}, version=t, clock=clock).id for t in ("v1", "v2")]


def _move(store, clock, version, **more):
    return store.move_alias("m", "champion", version, who="ada", why="better", clock=clock, **more)


def test_moves_are_remembered_in_order(store, two, clock):
    _move(store, clock, "v1")
    _move(store, clock, "v2")

    assert store.champion("m").id == "v2"
    first, second = store.history("m")
    assert (first.from_version, first.to_version, first.generation) == (None, "v1", 1)
    assert (second.from_version, second.to_version, second.generation) == ("v1", "v2", 2)
    assert (second.who, second.why, second.at) == ("ada", "better", "2026-01-05T00:00:00Z")


def test_aliases_do_not_disturb_one_another(store, two, clock):
    _move(store, clock, "v1")
    store.move_alias("m", "challenger", "v2", who="ada", why="try it", clock=clock)

    assert dict(store.aliases("m")) == {"champion": "v1", "challenger": "v2"}


def test_the_watch_token_changes_with_every_move_and_only_then(store, two, clock):
    tokens = [store.watch_token("m")]
    _move(store, clock, "v1")
    tokens.append(store.watch_token("m"))
    assert store.watch_token("m") == tokens[1]
    _move(store, clock, "v2")
    tokens.append(store.watch_token("m"))

    assert len(set(tokens)) == 3
    assert [token.generation for token in tokens] == [0, 1, 2]


def test_an_alias_moves_to_sound_versions_only(store, two, clock):
    _move(store, clock, "v1")
    (store.root / "m/versions/v2/model.onnx").write_text("rotten")

    with pytest.raises(CorruptModel):
        _move(store, clock, "v2")
    assert store.champion("m").id == "v1"
    assert len(store.history("m")) == 1


def test_a_move_may_say_what_it_expects_to_replace(store, two, clock):
    _move(store, clock, "v1", expected=None)

    with pytest.raises(Conflict, match="names v1, not None"):
        _move(store, clock, "v2", expected=None)
    _move(store, clock, "v2", expected="v1")
    assert store.champion("m").id == "v2"


def test_alias_names_are_checked(store, two, clock):
    with pytest.raises(InvalidInput):
        store.move_alias("m", "../x", "v1", who="a", why="b", clock=clock)


def test_a_crash_between_the_two_writes_loses_no_history(store, two, clock):
    _move(store, clock, "v1")
    history = store.root / "m/history.jsonl"
    complete = history.read_bytes()
    history.write_bytes(complete[:20])

    assert [move.to_version for move in store.history("m")] == ["v1"]
    _move(store, clock, "v2")
    assert [move.to_version for move in store.history("m")] == ["v1", "v2"]
    assert complete.strip() in history.read_bytes().splitlines()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"generation": -1, "aliases": {}}',
        '{"generation": true, "aliases": {}}',
        '{"generation": 1}',
        '{"generation": 1, "aliases": {"champion": 7}}',
        '{"generation": 1, "aliases": {"champion": "../../etc"}}',
        '{"generation": 1, "aliases": {}, "last": []}',
        '{"generation": 1, "aliases": {}, "last": {"who": "x"}}',
        '{"generation": 1, "generation": 2, "aliases": {}}',
        "[" * 100_000,
    ],
)
def test_a_malformed_alias_file_is_a_corrupt_model(store, two, clock, content):
    (store.root / "m/aliases.json").write_text(content)

    for ask in (store.champion, store.aliases, store.history, store.watch_token):
        with pytest.raises(CorruptModel, match=r"aliases\.json"):
            ask("m")


def test_waiting_for_the_lock_ends(store, two):
    with (
        lock(store.root / "m"),
        pytest.raises(TryAgain, match="locked"),
        lock(store.root / "m", seconds=0.05),
    ):
        pass
    with lock(store.root / "m", seconds=0.05):
        pass


MOVER = """
import sys
from pathlib import Path
from kiosque.core.clock import system_clock
from kiosque.modelstore.store import ModelStore
store = ModelStore(Path(sys.argv[1]))
for _ in range(20):
    for version in ("v1", "v2"):
        store.move_alias("m", "champion", version, who=sys.argv[2], why="race", clock=system_clock)
"""


def test_processes_that_move_an_alias_at_once_lose_no_move(store, two):
    movers = [
        subprocess.Popen([sys.executable, "-c", MOVER, str(store.root), who]) for who in ("a", "b", "c")
    ]
    assert [mover.wait(60) for mover in movers] == [0, 0, 0]

    moves = store.history("m")
    assert [move.generation for move in moves] == list(range(1, 121))
    assert all(now.from_version == then.to_version for then, now in pairwise(moves))
    assert json.loads((store.root / "m/aliases.json").read_bytes())["generation"] == 120
