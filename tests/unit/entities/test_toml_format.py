"""TOML in and out."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import InvalidInput
from kiosque.entities.documents import watchlist_document
from kiosque.entities.toml_format import format_document, parse

WATCHLIST = Watchlist(
    "us",
    "US",
    (
        Entity(
            "bush",
            'George "W." Bush',
            EntityKind.PERSON,
            (
                Alias("Bush"),
                Alias("Bush", date(1998, 1, 1), date(2014, 12, 31)),
                Alias("Bush", date(2017, 3, 1), date(2017, 3, 31)),
                Alias("W.", case=CaseRule.EXACT),
            ),
            ("Bush Stadium", "Kate \\ Bush"),
            "43rd president",
        ),
        Entity("nobody", "Nobody", EntityKind.PLACE),
    ),
    (Candidacy(2000, date(2000, 11, 7), "bush", "Republican", True, 50456002, 47.86, 271),),
)


def test_what_a_written_watch_list_looks_like():
    assert format_document(watchlist_document(WATCHLIST)) == (
        'id = "us"\n'
        'name = "US"\n'
        "\n"
        "[[entities]]\n"
        'id = "bush"\n'
        'name = "George \\"W.\\" Bush"\n'
        'kind = "person"\n'
        'description = "43rd president"\n'
        'excludes = ["Bush Stadium", "Kate \\\\ Bush"]\n'
        "aliases = [\n"
        '  "Bush",\n'
        '  { text = "Bush", valid_from = 1998, valid_to = 2014 },\n'
        '  { text = "Bush", valid_from = 2017-03-01, valid_to = 2017-03-31 },\n'
        '  { text = "W.", case = "exact" },\n'
        "]\n"
        "\n"
        "[[entities]]\n"
        'id = "nobody"\n'
        'name = "Nobody"\n'
        'kind = "place"\n'
        "aliases = [\n"
        "]\n"
        "\n"
        "[[candidacies]]\n"
        "election_year = 2000\n"
        "election_date = 2000-11-07\n"
        'entity_id = "bush"\n'
        'party = "Republican"\n'
        "winner = true\n"
        "popular_vote = 50456002\n"
        "popular_share = 47.86\n"
        "electoral_votes = 271\n"
    )


def test_what_is_not_known_of_a_candidacy_is_left_out():
    short = Watchlist(
        "us", "US", WATCHLIST.entities, (Candidacy(1788, date(1788, 12, 15), "bush", "None", winner=False),)
    )

    assert format_document(watchlist_document(short)).endswith(
        '[[candidacies]]\nelection_year = 1788\nelection_date = 1788-12-15\nentity_id = "bush"\nparty = "None"\n'
    )


def test_years_before_1000_are_written_as_days():
    old = Watchlist("a", "A", (Entity("b", "B", EntityKind.PERSON, (Alias("B", date(476, 1, 1)),)),))
    text = format_document(watchlist_document(old))

    assert "valid_from = 0476-01-01" in text
    assert tomllib.loads(text)["entities"][0]["aliases"][0]["valid_from"] == date(476, 1, 1)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_is_written_so_that_toml_reads_it_back(text):
    document = {"id": text, "name": text, "entities": [], "candidacies": []}

    assert tomllib.loads(format_document(document)) == {"id": text, "name": text}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ; 1\n", "line 1"),
        ("a = 1\na = 2\n", "line 2"),
        ("a = 1999-02-30", "not TOML"),
        ("\x00", "not TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "not TOML"),
    ],
    ids=["no-value", "twice", "no-day", "null", "deep"],
)
def test_what_is_not_toml_is_told_with_its_place(text, said):
    with pytest.raises(InvalidInput) as caught:
        parse(text, "list.toml")

    assert caught.value.detail.startswith("list.toml: not TOML")
    assert said in caught.value.detail
    assert caught.value.hint
