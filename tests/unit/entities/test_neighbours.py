"""Words beside a part of a name that make it someone else's."""

from __future__ import annotations

import pytest

from kiosque.entities.matcher import Matcher
from kiosque.testing.entities import DAY, entity, found, person

TRUMP = person("Donald J. Trump", "Donald Trump", "Trump")
BUSH = person("George W. Bush", "Bush")
FDR = person("Franklin D. Roosevelt", "Franklin Delano Roosevelt", "Roosevelt")
HILLARY = person("Hillary Clinton", "Hillary", "Clinton", "Mrs. Clinton")
PAUL = person("Ron Paul", "Paul")
GRANT = person("Ulysses S. Grant", "U. S. Grant", "Grant")
SCOTT = person("Winfield Scott", "Scott")
BIDEN = person("Joseph R. Biden Jr.", "Joe Biden", "Biden", "Biden Jr.")
BERNIE = person("Bernie Sanders", "Bernie", "Sanders")
EVERYONE = Matcher([TRUMP, BUSH, FDR, HILLARY, PAUL, GRANT, SCOTT, BIDEN, BERNIE])


def names(headline):
    return [text for _, text in found(EVERYONE, headline)]


def verdicts(headline):
    return [(d.text, d.verdict.value) for d in EVERYONE.explain(headline, "", DAY)]


@pytest.mark.parametrize(
    "headline",
    [
        "Ivanka Trump Speaks",
        "IVANKA TRUMP SPEAKS",
        "Eleanor Roosevelt Writes",
        "Sara Delano Roosevelt Was His Mother",
        "Mary L. Trump Writes",
        "M. Trump, a Painter",
        "Mary-Kate Trump",
        "Cary Grant, Actor",
        "Mrs. Trump Speaks",
        "Lady Bush",
        "Miss Grant Weds",
        "Fort Scott Falls",
        "Van Bush",
        "St. Paul Mourns",
    ],
)
def test_relatives_and_namesakes_are_strangers(headline):
    assert names(headline) == []


@pytest.mark.parametrize(
    "headline", ["Trump Jr. Speaks", "Donald Trump Jr. Speaks", "Donald Trump, Jr., Speaks", "Trump 2d"]
)
def test_another_generation_is_a_stranger(headline):
    assert names(headline) == []


def test_the_generation_that_is_the_persons_own_is_not():
    assert names("Biden Jr. Wins") == ["Biden Jr."]
    assert names("Joe Biden Jr. Wins") == ["Joe Biden"]
    assert names("Biden 3d Dies") == []


@pytest.mark.parametrize(
    ("headline", "name"),
    [
        ("Voters Back Bush", "Bush"),
        ("President Bush Speaks", "Bush"),
        ("Mr. Trump's Wall", "Trump"),
        ("Will Trump Run?", "Trump"),
        ("Gov. Bush Waits", "Bush"),
        ("G.O.P. Trump Backers", "Trump"),
        ("U.S. Bush Policy", "Bush"),
        ("W. Bush Wins", "Bush"),
        ("H. Bush", None),
        ("George Bush Wins", "Bush"),
        ("anti-Trump March", "Trump"),
        ("A Trump Rally", "Trump"),
        ("I Like Bush", "Bush"),
        ("ivanka Trump", "Trump"),  # no capital: no name
        ("Franklin Roosevelt Wins", "Roosevelt"),
    ],
)
def test_titles_initials_and_ordinary_words_before_a_name_say_nothing(headline, name):
    assert names(headline) == ([name] if name else [])


def test_a_womans_title_counts_where_it_is_hers():
    assert names("Mrs. Clinton Speaks") == ["Mrs. Clinton"]


@pytest.mark.parametrize(
    "headline",
    [
        "Paul Thek: Diver, a Retrospective",
        "Paul Krugman on Taxes",
        "Paul Krugman’s Prize",
        "Paul Baran, Pioneer, Dies",
        "Jason Pierre-Paul Is Hurt",
        "Jean-Paul Sartre",
        "Bernie Madoff Pleads Guilty",
        "Hillary Waugh, Novelist, Dies",
        "Grant M. Hill Plays",
        "Scott Walker Wins",
    ],
)
def test_a_first_name_before_a_family_name_is_a_stranger(headline):
    assert names(headline) == []


@pytest.mark.parametrize(
    ("headline", "name"),
    [
        ("Paul Vows to Stay", "Paul"),
        ("Paul Supporters Rally", "Paul"),
        ("Paul Isn't Done", "Paul"),
        ("Paul, Trailing, Stays", "Paul"),
        ("Paul wins", "Paul"),
        ("Santorum v. Paul", "Paul"),
        ("Hillary Persists", "Hillary"),
        ("Bernie’s Budget", "Bernie"),
        ("Grant Takes Command", "Grant"),
        ("Grant v. Lee", "Grant"),
    ],
)
def test_a_family_name_before_ordinary_words_is_the_person(headline, name):
    assert names(headline) == [name]


def test_a_name_watched_that_day_is_no_strangers_first_name():
    """In "Harrison Cleveland" lists and hyphens, both are people of the list."""
    harrison, kerry = person("Benjamin Harrison", "Harrison"), person("John Kerry", "Kerry")

    assert found([harrison, kerry], "Harrison-Kerry Debate") == [
        ("benjamin-harrison", "Harrison"),
        ("john-kerry", "Kerry"),
    ]
    assert found([kerry], "Harrison Kerry Debate") == []
    assert len(found([harrison, kerry], "Harrison Kerry Debate")) == 2


def test_the_whole_name_is_not_judged_by_what_stands_before_it():
    assert names("Ivanka Donald Trump") == ["Donald Trump"]


def test_what_is_no_person_has_no_strangers():
    assert found([entity("Trump")], "Ivanka Trump Shoes") == [("trump", "Trump")]


def test_the_reason_names_the_words_that_made_it_a_stranger():
    (decision,) = EVERYONE.explain("Ivanka Trump Speaks", "", DAY)

    assert decision.verdict.value == "stranger"
    assert decision.reason == "“Trump” beside “Ivanka” is someone other than Donald J. Trump."


def test_very_long_words_beside_a_name_are_no_names():
    assert names("Ivanka" * 40 + " Trump") == ["Trump"]
    assert verdicts("Trump " + "Jr" * 60) == [("Trump", "match")]
