"""CSV in and out."""

from __future__ import annotations

from datetime import date

import pytest

from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import InvalidInput
from kiosque.entities.csv_format import COLUMNS, format_document, parse
from kiosque.entities.documents import watchlist_document, watchlist_from

HEADER = ",".join(COLUMNS) + "\n"


def read(text):
    return watchlist_from({"id": "a", "name": "A", "entities": parse(text, "list.csv")}).entities


def refused(text):
    with pytest.raises(InvalidInput) as caught:
        read(text)
    assert caught.value.hint
    return caught.value.detail


def test_one_column_is_enough():
    assert read("name\nGeorge W. Bush\n") == (
        Entity("george-w-bush", "George W. Bush", EntityKind.PERSON, (Alias("George W. Bush"),)),
    )


def test_rows_of_one_id_are_one_entity():
    (bush,) = read(
        HEADER
        + "george-w-bush,George W. Bush,person,43rd president,George W. Bush,,,,\n"
        + 'george-w-bush,George W. Bush,,,Bush,1999-06-01,2009,,"Bush, Kate"\n'
        + "george-w-bush,George W. Bush,,,W.,,,exact,\n"
    )

    assert bush.description == "43rd president"
    assert bush.aliases == (
        Alias("George W. Bush"),
        Alias("Bush", date(1999, 6, 1), date(2009, 12, 31)),
        Alias("W.", case=CaseRule.EXACT),
    )
    assert bush.excludes == ("Bush, Kate",)


def test_rows_of_one_name_are_one_entity_where_there_is_no_id():
    (bush,) = read("name,alias\nGeorge Bush,Bush\nGeorge Bush,Poppy\n")

    assert [alias.text for alias in bush.aliases] == ["Bush", "Poppy"]


def test_a_row_with_an_id_needs_no_name_of_its_own():
    (bush,) = read("id,name,alias\nbush,George Bush,Bush\nbush,,Poppy\n")

    assert [alias.text for alias in bush.aliases] == ["Bush", "Poppy"]


def test_rows_with_excludes_only_leave_the_name_as_alias():
    (bush,) = read("name,exclude\nBush,Bush Stadium\nBush,Kate Bush\n")

    assert (bush.aliases, bush.excludes) == ((Alias("Bush"),), ("Bush Stadium", "Kate Bush"))


def test_columns_may_stand_in_any_order_and_case_and_blank_lines_are_skipped():
    (bush,) = read("\n ALIAS , Name \n\nBush,George Bush\n,\n")

    assert (bush.name, bush.aliases) == ("George Bush", (Alias("Bush"),))


def test_cells_at_the_end_may_be_left_out():
    (bush,) = read(HEADER + "bush,Bush\n")

    assert bush.aliases == (Alias("Bush"),)


@pytest.mark.parametrize("text", ["", "\n\n", "name\n"])
def test_without_rows_there_is_no_entity(text):
    assert read(text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alias\nBush\n", "line 1: a column twice, or no column name"),
        ("name,name\nBush,Bush\n", "line 1: a column twice"),
        ("name,colour\nBush,red\n", "line 1: unknown column 'colour'"),
        ("name\nBush,George\n", "line 2: 2 cells for 1 columns"),
        ('name\n"Bush\n', "line 2"),
        ("name,kind\nBush,ship\n", "line 2"),
        ("name,alias,valid_from\nBush,Bush,soon\n", "line 2, alias 1 (Bush), valid_from"),
        ("name,alias\n,Bush\n", "line 2: neither id nor name"),
        ("id,name\nNo Slug,Bush\n", "line 2"),
        ("id,name\nbush,George\nbush,Jeb\n", "line 3: name is 'Jeb', above it is 'George'"),
        ("name,kind\nBush,person\nBush,party\n", "line 3: kind is 'party', above it is 'person'"),
        ("name,valid_from\nBush,1999\n", "line 2, alias 1, text: is missing"),
        ("name\n…\n", "line 2"),
    ],
)
def test_faults_are_told_with_their_line(text, said):
    assert said.replace(", alias", ": alias") in refused(text).replace("line 2, alias", "line 2: alias")


def test_a_written_watch_list():
    watchlist = Watchlist(
        "us",
        "US",
        (
            Entity(
                "bush",
                "Bush, George",
                EntityKind.PERSON,
                (Alias("Bush", date(1999, 6, 1), None), Alias("W.", case=CaseRule.EXACT)),
                ("One", "Two", "Three"),
                "43rd",
            ),
        ),
    )

    text = format_document(watchlist_document(watchlist))

    assert text == (
        HEADER
        + 'bush,"Bush, George",person,43rd,Bush,1999-06-01,,,One\n'
        + 'bush,"Bush, George",person,43rd,W.,,,exact,Two\n'
        + 'bush,"Bush, George",person,43rd,,,,,Three\n'
    )
    assert read(text) == watchlist.entities


def test_candidacies_are_refused_rather_than_lost():
    watchlist = Watchlist(
        "us",
        "US",
        (Entity("bush", "Bush", EntityKind.PERSON, (Alias("Bush"),)),),
        (Candidacy(2000, date(2000, 11, 7), "bush", "Republican", winner=True),),
    )

    with pytest.raises(InvalidInput, match="candidacies") as caught:
        format_document(watchlist_document(watchlist))
    assert "toml" in (caught.value.hint or "")


def test_an_entity_without_alias_is_refused_rather_than_changed():
    watchlist = Watchlist("us", "US", (Entity("bush", "Bush", EntityKind.PERSON),))

    with pytest.raises(InvalidInput, match="no alias"):
        format_document(watchlist_document(watchlist))
