import pytest

from kiosque.books.recipe import FILE, Recipe, read_recipe, write_recipe


def test_a_recipe_is_kept_as_it_was(tmp_path):
    write_recipe(Recipe(gate=0.4), tmp_path)
    assert read_recipe(tmp_path) == Recipe(gate=0.4)


def test_what_an_older_version_did_not_know_has_its_default(tmp_path):
    (tmp_path / FILE).write_text('{"gate": 0.4}')
    assert read_recipe(tmp_path) == Recipe(gate=0.4)


def test_what_is_unknown_is_refused(tmp_path):
    (tmp_path / FILE).write_text('{"magic": 1}')
    with pytest.raises(ValueError, match="magic"):
        read_recipe(tmp_path)
