"""Given names, family names, ordinary words, and what a person's aliases say about their parts."""

from __future__ import annotations

import pytest

from kiosque.core.entity import Alias
from kiosque.entities.fold import fold_text
from kiosque.entities.names import (
    GENERATIONS,
    MOSTLY_GIVEN,
    NOBODY,
    PARTICLES,
    family_names,
    given_names,
    headline_words,
    is_ordinary,
    person_names,
)
from kiosque.testing.entities import entity, person


@pytest.mark.parametrize("words", [given_names(), family_names(), headline_words()])
def test_shipped_words_are_folded_and_plain(words):
    assert len(words) > 800
    assert all(word == fold_text(word) and " " not in word for word in words)


def test_headline_words_are_no_names():
    assert not headline_words() & (given_names() | family_names())


@pytest.mark.parametrize(
    "word", ["april", "bill", "charlotte", "grace", "grant", "jordan", "mark", "may", "will"]
)
def test_ordinary_words_and_places_are_not_taken_for_given_names(word):
    """ "Will Clinton Run?" asks about Clinton."""
    assert word not in given_names()


@pytest.mark.parametrize("name", ["ivanka", "rex", "eleanor", "trayvon", "michelle", "cary"])
def test_the_given_names_of_relatives_and_namesakes_are_known(name):
    assert name in given_names()


def test_names_that_are_mostly_given_are_folded_words():
    assert all(name == fold_text(name) and name.isalpha() for name in MOSTLY_GIVEN)
    assert not MOSTLY_GIVEN & (GENERATIONS | PARTICLES)


@pytest.mark.parametrize(
    "word",
    [
        "vows",
        "vow",
        "vowed",
        "vowing",
        "assails",
        "reassures",
        "supporters",
        "budget",
        "budget's",
        "tries",
        "tried",
        "planning",
        "fund-raiser",
        "isn't",
        "is",
        "unheardofverbs",
    ],
)
def test_words_of_headlines_are_ordinary_in_any_form(word):
    assert is_ordinary(word)


@pytest.mark.parametrize(
    "word", ["thek", "krugman", "stevens", "collins", "krugman's", "kagame", "lochte", "weiss"]
)
def test_family_names_are_not_ordinary(word):
    assert not is_ordinary(word)


def test_a_family_name_is_what_another_alias_ends_in():
    names = person_names(person("George W. Bush", "Bush", "George Bush"))

    assert names.family == {"bush"}
    assert names.given == frozenset()


def test_a_given_name_is_what_another_alias_begins_with():
    names = person_names(person("Hillary Clinton", "Hillary", "Clinton"))

    assert (names.family, names.given) == ({"clinton"}, {"hillary"})


def test_a_family_name_of_two_words_is_one():
    assert person_names(person("Bill de Blasio", "de Blasio")).family == {"de blasio"}


def test_an_index_form_tells_the_family_name():
    assert person_names(person("Biden, Joseph R Jr", "Biden")).family == {"biden"}


def test_a_generation_is_no_family_name_but_a_word_of_the_name():
    names = person_names(person("Joseph R. Biden Jr.", "Biden", "Biden Jr."))

    assert "biden" in names.family
    assert "jr" in names.words


def test_initials_are_of_all_words_of_the_aliases():
    assert person_names(person("George W. Bush")).initials == {"g", "w", "b"}


def test_an_alias_that_is_the_whole_name_is_neither():
    names = person_names(person("Ike"))

    assert (names.family, names.given, names.words) == (frozenset(), frozenset(), frozenset())


def test_what_is_no_person_has_no_names():
    assert person_names(entity("Grand Old Party", Alias("Party"))) is NOBODY
