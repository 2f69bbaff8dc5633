"""Entities and watch lists as documents: what is accepted, what is refused, and the way to core and back."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kiosque.core.entity import Alias, Candidacy, CaseRule, Entity, EntityKind, Watchlist
from kiosque.core.errors import InvalidInput
from kiosque.entities.documents import (
    MAX_NAME,
    AliasDocument,
    EntityDocument,
    entity_document,
    entity_from,
    slug,
    watchlist_document,
    watchlist_from,
)


def refused(document):
    with pytest.raises(InvalidInput) as caught:
        entity_from(document)
    return caught.value.detail


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("George W. Bush", "george-w-bush"),
        ("John C. Frémont", "john-c-fremont"),
        ("Charles O'Conor", "charles-o-conor"),
        ("Green Party (US)", "green-party-us"),
        ("  —  ", ""),
        ("Ελλάδα", ""),
        ("x" * 150, "x" * 100),
        ("Æthelred Łódź", "aethelred-lodz"),
    ],
)
def test_slugs(name, expected):
    assert slug(name) == expected


def test_a_name_is_enough_for_an_entity():
    assert entity_from({"name": "George W. Bush"}) == Entity(
        "george-w-bush", "George W. Bush", EntityKind.PERSON, (Alias("George W. Bush"),)
    )


def test_everything_can_be_said():
    assert entity_from(
        {
            "id": "gop",
            "name": "Republican Party",
            "kind": "party",
            "description": "Founded 1854",
            "aliases": ["Republicans", {"text": "GOP", "valid_from": "1875", "case": "exact"}],
            "excludes": ["Irish Republican"],
        }
    ) == Entity(
        "gop",
        "Republican Party",
        EntityKind.PARTY,
        (Alias("Republicans"), Alias("GOP", date(1875, 1, 1), None, CaseRule.EXACT)),
        ("Irish Republican",),
        "Founded 1854",
    )


def test_an_entity_may_have_no_alias():
    assert entity_from({"name": "Nobody", "aliases": []}).aliases == ()


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("1999-06-02", date(1999, 6, 2), date(1999, 6, 2)),
        ("1999-06", date(1999, 6, 1), date(1999, 6, 30)),
        ("2000-02", date(2000, 2, 1), date(2000, 2, 29)),
        ("1900-02", date(1900, 2, 1), date(1900, 2, 28)),
        ("1999", date(1999, 1, 1), date(1999, 12, 31)),
        (1999, date(1999, 1, 1), date(1999, 12, 31)),
        (476, date(476, 1, 1), date(476, 12, 31)),
        (" 1999 ", date(1999, 1, 1), date(1999, 12, 31)),
        (date(1999, 6, 2), date(1999, 6, 2), date(1999, 6, 2)),
        (None, None, None),
    ],
)
def test_days_months_and_years(value, first, last):
    alias = AliasDocument.model_validate({"text": "Bush", "valid_from": value, "valid_to": value})

    assert (alias.valid_from, alias.valid_to) == (first, last)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "soon",
        "1999-6-2",
        "99",
        "1999-13",
        "1999-02-30",
        "0000",
        0,
        10000,
        -5,
        1999.5,
        True,
        [],
        {},
        datetime(1999, 6, 2, tzinfo=UTC),
        "1999-06-02T00:00",
        "1999/06/02",
        "٢٠٠٠x",
    ],
)
def test_other_days_are_refused(value):
    assert "entity" in refused({"name": "A", "aliases": [{"text": "A", "valid_from": value}]})


def test_an_alias_that_ends_before_it_begins_is_refused():
    detail = refused({"name": "A", "aliases": [{"text": "A", "valid_from": 2001, "valid_to": 2000}]})

    assert "valid_to 2000-12-31 lies before valid_from 2001-01-01" in detail


@pytest.mark.parametrize(
    "text", ["", "  ", "…", "´", "a\nb", "a\x00b", "a\u2028b", "x" * (MAX_NAME + 1), 7, None]
)
def test_names_that_cannot_be_found_in_a_text_are_refused(text):
    assert refused({"id": "a", "name": "A", "aliases": [{"text": text}]})
    assert refused({"id": "a", "name": "A", "excludes": [text]})
    assert refused({"id": "a", "name": text})


@pytest.mark.parametrize(
    "identifier", ["", "George", "a b", "a--b", "-a", "a-", "a_b", "é", "a" * 101, 7, None]
)
def test_ids_are_slugs(identifier):
    assert refused({"id": identifier, "name": "A"})


@pytest.mark.parametrize("document", [None, 7, "Bush", [], {}, {"id": "a"}, {"name": "A", "colour": "red"}])
def test_other_documents_are_refused(document):
    assert refused(document)


@pytest.mark.parametrize("key", ["kind", "case"])
def test_unknown_kinds_and_rules_are_refused_with_the_known_ones(key):
    document = (
        {"name": "A", "kind": "ship"}
        if key == "kind"
        else {"name": "A", "aliases": [{"text": "A", "case": "?"}]}
    )

    assert "Input should be" in refused(document)


def test_an_entity_comes_back_as_it_went():
    entity = Entity(
        "bush",
        "Bush",
        EntityKind.PERSON,
        (Alias("Bush", date(1998, 1, 1), None), Alias("W.", case=CaseRule.EXACT)),
        ("Bush Stadium",),
        "43rd",
    )

    assert entity_from(entity_document(entity)) == entity
    assert entity_document(entity)["aliases"][0] == {
        "text": "Bush",
        "valid_from": "1998-01-01",
        "valid_to": None,
        "case": "name",
    }


def test_an_entity_that_breaks_a_rule_is_not_written():
    with pytest.raises(InvalidInput, match="entity Not a slug"):
        entity_document(Entity("Not a slug", "A", EntityKind.PERSON))


def test_documents_cannot_be_changed():
    document = EntityDocument.model_validate({"name": "A"})

    with pytest.raises(Exception, match="frozen"):
        document.name = "B"  # type: ignore[misc]


def candidacy(**changes):
    return {
        "election_year": 2016,
        "election_date": "2016-11-08",
        "entity_id": "trump",
        "party": "Republican",
        **changes,
    }


def election(*candidacies):
    return {
        "id": "us",
        "name": "US",
        "entities": [{"id": "trump", "name": "Donald Trump"}],
        "candidacies": list(candidacies),
    }


def test_a_watch_list_with_a_candidacy():
    watchlist = watchlist_from(
        election(candidacy(winner=True, popular_vote=62984828, popular_share=46.09, electoral_votes=304))
    )

    assert watchlist.candidacies == (
        Candidacy(2016, date(2016, 11, 8), "trump", "Republican", True, 62984828, 46.09, 304),
    )
    assert watchlist_from(watchlist_document(watchlist)) == watchlist


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"election_date": "2017-11-08"}, "election_date 2017-11-08 is not in 2016"),
        ({"election_date": None}, "election_date"),
        ({"popular_vote": -1}, "popular_vote"),
        ({"popular_share": 316.2}, "popular_share"),
        ({"electoral_votes": 1.5}, "electoral_votes"),
        ({"party": None}, "party"),
        ({"entity_id": "tump"}, "'tump' (did you mean 'trump'?)"),
        ({"entity_id": "cleopatra"}, "names no entity of the list: 'cleopatra'"),
        ({"votes": 1}, "is not a known key"),
    ],
)
def test_candidacies_that_cannot_be_are_refused(changes, said):
    with pytest.raises(InvalidInput) as caught:
        watchlist_from(election(candidacy(**changes)))

    assert said in caught.value.detail


def test_two_entities_with_one_id_are_refused():
    with pytest.raises(InvalidInput, match="two entities have the id 'trump'"):
        watchlist_from(
            {**election(), "entities": [{"id": "trump", "name": "A"}, {"id": "trump", "name": "B"}]}
        )


def test_an_empty_watch_list_is_one():
    assert watchlist_from({"id": "a", "name": "A"}) == Watchlist("a", "A", ())
