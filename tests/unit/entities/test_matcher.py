"""Whom an article names: the rules one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest

from kiosque.core.article import Article, Field
from kiosque.core.entity import Alias, Match, Span
from kiosque.core.errors import InvalidInput
from kiosque.entities.decision import Ambiguity, Verdict
from kiosque.entities.matcher import Matcher
from kiosque.testing.entities import DAY, alias, entity, found, person

TRUMP = person("Donald J. Trump", "Donald Trump", "Trump", excludes=["Trump Card"])
LINCOLN = person("Abraham Lincoln", "Lincoln", excludes=["Lincoln Center", "Lincoln, Neb"])
ELDER = person("George H. W. Bush", alias("Bush", "1979..1997"), alias("Bush", "2017.."))
YOUNGER = person("George W. Bush", alias("Bush", "1998..2014"), alias("Bush", "2017.."))
GRANT = person("Ulysses S. Grant", "Grant")


def names(headline, *entities, day=DAY):
    return [text for _, text in found(entities, headline, day)]


def verdicts(headline, *entities, day=DAY):
    return [decision.verdict for decision in Matcher(entities).explain(headline, "", day)]


def article(headline, *, abstract="", keywords=(), at=datetime(2016, 6, 1, tzinfo=UTC)):
    return Article("k", "test", headline, at, abstract=abstract, keywords=tuple(keywords))


# Where a name is looked for


def test_headline_and_abstract_are_read_and_spans_say_which():
    (match,) = Matcher([TRUMP]).match(article("Trump Wins", abstract="Mr. Trump won.")).matches

    assert match == Match("donald-j-trump", (Span(Field.HEADLINE, 0, 5), Span(Field.ABSTRACT, 4, 9)))


def test_keywords_alone_name_nobody():
    assert Matcher([TRUMP]).match(article("He Wins", keywords=["Trump, Donald J"])).matches == ()


def test_matches_stand_in_the_order_in_which_the_article_first_names_them():
    assert [
        e for e, _ in found([TRUMP, LINCOLN, GRANT], "Grant, Trump and Lincoln", abstract="Trump, Grant")
    ] == [
        "ulysses-s-grant",
        "ulysses-s-grant",
        "donald-j-trump",
        "donald-j-trump",
        "abraham-lincoln",
    ]


def test_every_place_is_a_span():
    assert names("Trump Says Trump Likes Trump", TRUMP) == ["Trump"] * 3


@pytest.mark.parametrize("headline", ["", " ", "Nobody Was Named", "…", "\u200b"])
def test_an_article_that_names_nobody_has_no_match(headline):
    result = Matcher([TRUMP]).match_text(headline, "", DAY)

    assert (result.matches, result.ambiguous, result.hits) == ((), (), 0)


def test_the_day_is_the_day_in_utc():
    from datetime import timedelta, timezone

    new_york = timezone(timedelta(hours=-5))
    late = datetime(1997, 12, 31, 23, tzinfo=new_york)  # in UTC it is 1998

    (match,) = Matcher([ELDER, YOUNGER]).match(article("Bush Speaks", at=late)).matches

    assert match.entity_id == "george-w-bush"


# Rule 1: whole words (the boundaries themselves are in test_lexicon)


def test_no_name_inside_another_word():
    assert names("Trumpington Strumpets of Trumps", TRUMP) == []


def test_possessives_and_curly_quotes():
    assert names("Trump’s ‘Trump’ and Trump's “Trump”", TRUMP) == ["Trump"] * 4


# Rule 2: case


@pytest.mark.parametrize(
    ("text", "rule", "matching", "other"),
    [
        ("Grant", "name", ["Grant", "GRANT"], ["grant", "gRANT"]),
        ("McCain", "name", ["McCain", "Mccain", "MCCAIN", "McCAIN"], ["mcCain", "mccain"]),
        ("de Blasio", "name", ["de Blasio", "De Blasio", "DE BLASIO"], ["de blasio"]),
        ("NATO", "name", ["NATO"], ["Nato", "nato"]),
        ("G.O.P.", "name", ["G.O.P.", "GOP", "G. O. P."], ["gop"]),
        ("iPhone", "name", ["iPhone", "IPHONE"], ["iphone", "Iphone"]),
        ("Grant", "any", ["Grant", "GRANT", "grant", "gRaNT"], []),
        ("US", "exact", ["US"], ["us", "Us", "U.S."]),
        ("O'Conor", "exact", ["O'Conor", "O’Conor"], ["O'CONOR"]),
        ("Biden Jr.", "exact", ["Biden Jr."], ["Biden Jr", "BIDEN JR."]),
        ("Frémont", "name", ["Frémont", "Fremont", "FREMONT", "FRÉMONT"], ["frémont"]),
    ],
)
def test_case_rules(text, rule, matching, other):
    watched = entity("Z z z", alias(text, case=rule))

    assert [names(f"The {each} of it", watched) for each in matching] == [[each] for each in matching]
    assert [names(f"The {each} of it", watched) for each in other] == [[]] * len(other)


def test_a_wrong_case_is_reported():
    assert verdicts("grant money", GRANT) == [Verdict.WRONG_CASE]


# Rule 3: validity


@pytest.mark.parametrize(
    ("day", "who"),
    [
        (date(1978, 12, 31), None),
        (date(1979, 1, 1), "george-hw-bush"),
        (date(1997, 12, 31), "george-hw-bush"),
        (date(1998, 1, 1), "george-w-bush"),
        (date(2014, 12, 31), "george-w-bush"),
        (date(2015, 1, 1), None),
    ],
)
def test_an_alias_holds_from_its_first_to_its_last_day(day, who):
    assert [e for e, _ in found([ELDER, YOUNGER], "Bush Speaks", day)] == ([who] if who else [])


def test_a_name_of_another_day_is_reported():
    assert verdicts("Bush Speaks", ELDER, day=date(2000, 1, 1)) == [Verdict.OTHER_DAY, Verdict.OTHER_DAY]


# Rule 4: excludes


@pytest.mark.parametrize(
    "headline", ["Lincoln Center Opens", "LINCOLN CENTER OPENS", "At Lincoln  Center’s Door"]
)
def test_nothing_is_found_inside_an_excluded_phrase(headline):
    assert verdicts(headline, LINCOLN) == [Verdict.EXCLUDED]


def test_an_excluded_phrase_excludes_only_what_it_covers():
    assert names("Lincoln at Lincoln Center; Lincoln Centers", LINCOLN) == ["Lincoln", "Lincoln"]


def test_an_excluded_phrase_is_whole_words_too():
    assert names("Lincoln, Nebulous as Ever", LINCOLN) == ["Lincoln"]


def test_one_entitys_excludes_are_not_anothers():
    car = entity("Lincoln Motor", "Lincoln")

    assert [e for e, _ in found([LINCOLN, car], "Lincoln Center Opens")] == ["lincoln-motor"]


def test_a_longer_name_is_not_hidden_by_a_phrase_inside_it():
    club = person("Christie", "Chris Christie", excludes=["Christie's"])

    assert names("Chris Christie's Plan", club) == ["Chris Christie"]
    assert names("Christie's Sale", club) == []


def test_the_longest_of_overlapping_phrases_decides():
    watched = person("Bush", excludes=["Bush", "Bush Stadium"])

    assert verdicts("Bush Stadium", watched) == [Verdict.EXCLUDED]


# Rule 5 is in test_neighbours. Rule 6: the longest name wins


def test_the_longest_name_wins_and_hides_what_is_inside():
    assert names("Donald J. Trump Speaks", TRUMP) == ["Donald J. Trump"]
    assert Verdict.INSIDE_LONGER in verdicts("Donald J. Trump Speaks", TRUMP)


def test_a_longer_name_of_another_entity_hides_a_shorter_one():
    tower = entity("Trump Tower")

    assert found([TRUMP, tower], "At Trump Tower") == [("trump-tower", "Trump Tower")]


def test_of_two_equally_long_overlapping_names_the_first_wins():
    left, right = entity("Alpha Beta"), entity("Beta Gama")

    assert names("Alpha Beta Gama", left, right) == ["Alpha Beta"]


def test_a_longer_name_that_does_not_hold_that_day_hides_nothing():
    later = person("Jane Trump Tower", alias("Trump Tower", "2020.."))

    assert names("Trump Tower", TRUMP, later) == ["Trump"]


def test_a_longer_name_in_the_wrong_case_hides_nothing():
    assert found([GRANT, entity("Grant money")], "Grant Money") == [("grant-money", "Grant Money")]
    assert found([GRANT, entity("Grant MONEY")], "Grant Money") == [("ulysses-s-grant", "Grant")]


# Rule 7: ambiguity


def test_a_name_of_two_is_no_match_and_is_counted():
    result = Matcher([ELDER, YOUNGER]).match_text("Bush Speaks", "", date(2018, 1, 1))

    assert result.matches == ()
    assert result.ambiguous == (
        Ambiguity(Span(Field.HEADLINE, 0, 4), "Bush", ("george-hw-bush", "george-w-bush")),
    )


def test_another_name_in_the_article_resolves_it():
    day = date(2018, 1, 1)

    assert found([ELDER, YOUNGER], "Bush Speaks", day, abstract="George W. Bush spoke.") == [
        ("george-w-bush", "Bush"),
        ("george-w-bush", "George W. Bush"),
    ]


def test_a_keyword_resolves_it():
    elder = person("George H. W. Bush", alias("Bush, George"), alias("Bush"))
    younger = person("George W. Bush", alias("Bush, George W"), alias("Bush"))

    assert found([elder, younger], "Bush Speaks", keywords=["Bush, George W"]) == [("george-w-bush", "Bush")]
    assert found([elder, younger], "Bush Speaks", keywords=["Iraq", "Bush, George"]) == [
        ("george-hw-bush", "Bush")
    ]


def test_where_both_are_named_it_stays_open():
    result = Matcher([ELDER, YOUNGER]).match_text(
        "Bush Speaks", "George W. Bush and George H. W. Bush met.", date(2018, 1, 1)
    )

    assert [match.entity_id for match in result.matches] == ["george-w-bush", "george-hw-bush"]
    assert [each.text for each in result.ambiguous] == ["Bush"]


def test_a_resolved_name_says_so_and_so_does_the_other():
    decisions = Matcher([ELDER, YOUNGER]).explain("Bush", "George W. Bush spoke.", date(2018, 1, 1))

    by_entity = {
        d.entity_id: d
        for d in decisions
        if d.text == "Bush" and d.span.part is Field.HEADLINE and d.verdict is not Verdict.OTHER_DAY
    }
    assert by_entity["george-w-bush"].verdict is Verdict.RESOLVED
    assert by_entity["george-hw-bush"].verdict is Verdict.OTHER_MEANT


def test_two_aliases_of_one_entity_are_no_ambiguity():
    assert names("Bush Speaks", person("Bush", alias("Bush", "1990.."), alias("BUSH"))) == ["Bush"]


def test_a_stranger_does_not_resolve():
    jeb = person("Jeb Bush", "Bush")
    george = person("George Bush", "Bush")

    assert names("Bush Speaks; Neil Bush Listens", jeb, george) == []


# The matcher as a whole


def test_the_order_of_the_entities_makes_no_difference():
    entities = [ELDER, YOUNGER, TRUMP, entity("Trump Tower")]
    results = {
        Matcher(order).match_text("Bush and Trump at Trump Tower", "George W. Bush", date(2018, 1, 1))
        for order in permutations(entities)
    }

    assert len(results) == 1


def test_two_entities_with_one_id_are_refused():
    with pytest.raises(InvalidInput, match="same id"):
        Matcher([TRUMP, TRUMP])


def test_without_entities_nothing_is_found():
    assert Matcher([]).match(article("Trump Wins")).matches == ()


def test_aliases_that_fold_to_nothing_are_harmless():
    assert names("A ´ B", person("Someone", Alias("´"), Alias(" "))) == []


def test_ten_thousand_names_do_not_slow_the_text_down():
    """The work is the hits: as many names again that do not occur add none."""
    few = Matcher([TRUMP, *(person(f"Somebody Q{n}x") for n in range(10))])
    many = Matcher([TRUMP, *(person(f"Somebody Q{n}x") for n in range(10_000))])
    text = "Trump and Somebody Else " * 50

    assert few.match_text(text, "", DAY).hits == many.match_text(text, "", DAY).hits == 50


def test_hits_grow_with_the_text():
    matcher = Matcher([TRUMP, ELDER, YOUNGER])

    one = matcher.match_text("Trump met Bush. " * 100, "", DAY)
    ten = matcher.match_text("Trump met Bush. " * 1000, "", DAY)

    assert ten.hits == 10 * one.hits


def test_the_automaton_is_no_larger_than_the_names():
    entities = [person(f"Somebody Q{n}x") for n in range(2000)]

    assert Matcher(entities).nodes <= 1 + sum(len(each.name) for each in entities)
