"""Recipes: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.core.errors import InvalidInput
from kiosque.polarity.train.recipe import load_recipe, recipe_from, resolve_path

ONE_SET = {"name": "r", "sets": [{"name": "s", "path": "{data}/x.jsonl"}]}


def test_the_shipped_recipe_is_found_by_name_and_measures_on_what_it_never_trains_on() -> None:
    recipe = load_recipe(Path("default"))
    trained = {s.path for s in recipe.sets if s.weight}
    assert not trained & {t.path for t in recipe.tests}
    assert not any("sen/" in path for path in trained)
    assert any(s.heldout for s in recipe.sets)


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nepochs = 1\n[[sets]]\nname = "s"\npath = "s.jsonl"\nweight = 0.5\n')
    recipe = load_recipe(path)
    assert (recipe.name, recipe.epochs, recipe.sets[0].weight) == ("mine", 1, 0.5)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ({"name": "r"}, "no training set"),
        ({**ONE_SET, "epoch": 3}, "unknown epoch"),
        ({"name": "r", "sets": [{"name": "s"}]}, "path"),
        ({"sets": ONE_SET["sets"]}, "name"),
        ({**ONE_SET, "finish": {"weights": {"t": 1.0}}}, "no set is called t"),
        ({**ONE_SET, "finish": {"keep": 0.5}}, "weights"),
        ({**ONE_SET, "finish": {"weights": {}, "keep": 25}}, "share from 0 to 1, not 25"),
    ],
)
def test_what_is_wrong_is_named(raw: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        recipe_from(raw)


def test_the_second_stage_is_a_recipe_with_other_shares() -> None:
    sets = [{"name": "s", "path": "x"}, {"name": "t", "path": "y", "weight": 0.0, "heldout": 0.1}]
    raw = {"name": "r", "sets": sets, "epochs": 3, "finish": {"weights": {"t": 2.0}, "encoder_rate": 1e-5}}
    second = recipe_from(raw).finishing("../first")
    assert [(s.weight, s.heldout) for s in second.sets] == [(0.0, 0.0), (2.0, 0.1)]
    assert (second.start, second.epochs, second.encoder_rate) == ("../first", 1, 1e-5)
    assert second.finish is None


def test_missing_and_malformed_files_are_invalid_input(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = ")
    for path in (tmp_path / "bad.toml", tmp_path / "none.toml", Path("no-such-recipe")):
        with pytest.raises(InvalidInput, match="Cannot read"):
            load_recipe(path)


def test_paths_are_relative_to_the_data_and_to_the_data_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIOSQUE_DATASETS", "/sets")
    assert resolve_path("{data}/corpus", data=tmp_path) == tmp_path / "corpus"
    assert resolve_path("{datasets}/sen/dev.csv", data=tmp_path) == Path("/sets/sen/dev.csv")
