"""All names compiled for one pass: hits, whole words, and where capitals are asked for."""

from __future__ import annotations

import pytest

from kiosque.core.entity import Alias
from kiosque.entities.fold import fold
from kiosque.entities.lexicon import Lexicon, NamePart, stands_alone
from kiosque.testing.entities import alias, entity, person


def hits(lexicon, text):
    folded = fold(text)
    return [folded.text[start:end] for _, start, end in lexicon.hits(folded)]


def names(lexicon, text):
    return [name for phrase, *_ in lexicon.hits(fold(text)) for name in phrase.names]


def capitals(text):
    (name,) = names(Lexicon([entity("X y z", Alias(text))]), text)
    return name.capitals


def alone(text, word):
    folded = fold(text)
    start = folded.text.index(fold(word).text)
    return stands_alone(folded, start, start + len(fold(word).text))


def test_every_alias_and_exclude_is_hit_in_one_pass():
    lexicon = Lexicon([person("Ulysses S. Grant", "Grant", excludes=["Grant Park"])])

    assert hits(lexicon, "Grant Park Honors Ulysses S. Grant") == [
        "grant",
        "grant park",
        "ulysses s grant",
        "grant",
    ]


def test_hits_inside_words_are_counted_and_not_whole_words():
    assert hits(Lexicon([person("Trump")]), "Trumpington") == ["trump"]


def test_an_alias_of_two_entities_is_one_phrase_with_two_names():
    lexicon = Lexicon([person("George Bush", "Bush"), person("Jeb Bush", "Bush")])

    assert {name.entity.id for name in names(lexicon, "Bush")} == {"george-bush", "jeb-bush"}


def test_an_exclude_that_is_also_a_name_is_both():
    lexicon = Lexicon([person("Lincoln", excludes=["Lincoln Center"]), entity("Lincoln Center")])
    ((phrase, *_),) = [hit for hit in lexicon.hits(fold("Lincoln Center")) if hit[0].excluded]

    assert phrase.excluded == {"lincoln"}
    assert [name.entity.id for name in phrase.names] == ["lincoln-center"]


@pytest.mark.parametrize("text", ["", "nobody here", "Tru mp"])
def test_a_text_without_names_has_no_hit(text):
    assert hits(Lexicon([person("Trump")]), text) == []


def test_without_entities_nothing_is_hit():
    lexicon = Lexicon([])

    assert hits(lexicon, "Trump Wins") == []
    assert lexicon.nodes == 0


def test_the_automaton_grows_with_the_characters_of_the_names():
    one, two = Lexicon([person("abcd")]), Lexicon([person("abcd"), person("efgh")])

    assert one.nodes == 5
    assert two.nodes == 9


def test_each_name_knows_what_part_it_is():
    lexicon = Lexicon([person("Hillary Clinton", "Hillary", "Clinton", "Madam Secretary")])

    parts = {name.alias.text: name.part for name in names(lexicon, "Hillary Clinton, Madam Secretary")}

    assert parts == {
        "Hillary Clinton": NamePart.WHOLE,
        "Hillary": NamePart.GIVEN,
        "Clinton": NamePart.FAMILY,
        "Madam Secretary": NamePart.WHOLE,
    }


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("Grant", (0,)),
        ("McCain", (0,)),  # so that "Mccain" and "MCCAIN" are he, too
        ("Robert La Follette", (0, 7, 10)),
        ("de Blasio", (3,)),
        ("NATO", (0, 1, 2, 3)),
        ("iPhone", (1,)),
        ("G.O.P.", (0, 1, 2)),
        ("11th Hour", (5,)),
        ("greens", ()),
    ],
)
def test_capitals_are_asked_for_where_the_alias_has_them(text, positions):
    assert capitals(text) == positions


@pytest.mark.parametrize("rule", ["any", "exact"])
def test_other_case_rules_ask_for_no_capitals(rule):
    ((phrase, *_),) = Lexicon([entity("Z z z", alias("Grant", case=rule))]).hits(fold("Grant"))

    assert phrase.names[0].capitals == ()


@pytest.mark.parametrize(
    "text",
    [
        "Trump",
        "Trump!",
        "(Trump)",
        "‘Trump’",
        "“Trump”",
        "Trump’s",
        "Trump'll",
        "Trump’d",
        "Trump/Pence",
        "Trump—Pence",
        "anti-Trump",
        "Trump-Pence",
        "#Trump",
        "@Trump",
        "Trump.",
        "Trump's'",
        "d’Trump",
        "l'Trump",
        "Mr.Trump",
    ],
)
def test_whole_words(text):
    assert alone(text, "Trump")


@pytest.mark.parametrize(
    "text",
    [
        "Trumpington",
        "Trumps",
        "xTrump",
        "Trump2",
        "2Trump",
        "Trump_2016",
        "O'Trump",
        "Trump'em",
        "Trumpé",
        "Trumpह",
        "strumpet",
        "rock'Trump",
    ],
)
def test_parts_of_longer_words(text):
    assert not alone(text, "Trump")


def test_a_name_that_ends_in_a_sign_may_be_followed_by_letters():
    assert alone("Jeb!2016", "Jeb!")


def test_half_a_letter_is_no_boundary():
    """ "ß" folds to "ss": "Weis" ends inside it."""
    assert not alone("Weiß", "Weis")
