"""Problems of documents, said so that a person finds the place."""

from __future__ import annotations

import pytest

from kiosque.core.errors import InvalidInput
from kiosque.entities.documents import EntityDocument, WatchlistDocument
from kiosque.entities.problems import readable_problems


def problem(document, model=WatchlistDocument, origin="list.toml"):
    with pytest.raises(InvalidInput) as caught, readable_problems(document, origin):
        model.model_validate(document)
    return caught.value


def watchlist(**entity):
    return {"id": "a", "name": "A", "entities": [{"name": "Lincoln"}, entity]}


def test_the_place_is_named_by_number_and_name():
    document = watchlist(name="George Bush", aliases=["Bush", {"text": "W", "valid_to": "soon"}])

    assert problem(document).detail == (
        "list.toml: entity 2 (George Bush), alias 2 (W), valid_to: "
        "must be a day (1999-06-01), a month (1999-06) or a year (1999)."
    )


def test_an_entity_without_a_name_is_named_by_its_id():
    assert "entity 2 (bush), name: is missing" in problem(watchlist(id="bush")).detail


def test_an_unknown_key_is_told_with_the_known_ones():
    error = problem(watchlist(name="Bush", alias=["Bush"]))

    assert error.detail == "list.toml: entity 2 (Bush), alias: is not a known key."
    assert error.hint == "Known keys are id, name, kind, description, aliases, excludes."


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"id": "a", "name": "A", "people": []}, "Known keys are id, name, entities, candidacies."),
        (
            watchlist(name="Bush", aliases=[{"text": "Bush", "from": 1}]),
            "Known keys are text, valid_from, valid_to, case.",
        ),
    ],
)
def test_the_known_keys_are_those_of_the_place(document, hint):
    assert problem(document).hint == hint


def test_a_problem_of_the_whole_has_no_place():
    document = {"id": "a", "name": "A", "entities": [{"name": "Bush"}, {"name": "Bush"}]}

    assert problem(document).detail == "list.toml: two entities have the id 'bush'."


def test_five_problems_are_named_and_the_rest_counted():
    document = {"id": "a", "name": "A", "entities": [{"name": "Bush", "id": f"No {n}"} for n in range(9)]}
    detail = problem(document).detail

    assert detail.count("must be a slug") == 5
    assert detail.endswith("; 4 more.")


def test_long_names_are_cut():
    error = problem({"name": "x" * 500, "aliases": [{"text": "y" * 500, "case": "?"}]}, EntityDocument, "e")

    assert len(error.detail) < 600


@pytest.mark.parametrize("document", [None, 7, "text", [], [1], {"entities": None}, {"entities": [None, 7]}])
def test_documents_of_any_shape_give_a_readable_problem(document):
    assert problem(document).detail.startswith("list.toml")


def test_what_is_right_passes():
    with readable_problems({}, "x"):
        pass


def test_other_errors_are_not_touched():

    with pytest.raises(KeyError), readable_problems({}, "x"):
        raise KeyError("unrelated")
