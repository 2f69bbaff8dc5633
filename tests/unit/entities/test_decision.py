"""Why a name is a match or not, in words."""

from __future__ import annotations

from datetime import date

import pytest

from kiosque.core.article import Field
from kiosque.core.entity import Alias, CaseRule, Span
from kiosque.entities.decision import Decision, Verdict, reason, validity
from kiosque.entities.matcher import Matcher
from kiosque.testing.entities import alias, entity, person

BUSH = person("George W. Bush", alias("Bush", "1998..2014"))


def decide(headline, *entities, day=date(2005, 1, 1), abstract=""):
    return Matcher(entities).explain(headline, abstract, day)


def reasons(headline, *entities, day=date(2005, 1, 1), abstract=""):
    return [decision.reason for decision in decide(headline, *entities, day=day, abstract=abstract)]


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("1999-06-01..2009", "from 1999-06-01 to 2009-12-31"),
        ("1999-06..", "from 1999-06-01 on"),
        ("..1945", "until 1945-12-31"),
        ("", "at any time"),
    ],
)
def test_validity_in_words(window, words):
    assert validity(alias("Bush", window)) == words


def test_a_match_says_who_and_when():
    assert reasons("Bush Speaks", BUSH) == ["“Bush” is George W. Bush from 1998-01-01 to 2014-12-31."]


def test_another_day_says_both_days():
    assert reasons("Bush Speaks", BUSH, day=date(1990, 5, 4)) == [
        "“Bush” is George W. Bush from 1998-01-01 to 2014-12-31, not on 1990-05-04."
    ]


@pytest.mark.parametrize(
    ("rule", "text", "words"),
    [
        ("name", "grant", "“Grant” with its capitals, or all in capitals"),
        ("exact", "GRANT", "exactly “Grant”"),
    ],
)
def test_a_wrong_case_says_the_rule(rule, text, words):
    watched = entity("U. S. G.", alias("Grant", case=rule))

    assert reasons(text, watched) == [f"“{text}” is not U. S. G.: the name is written {words}."]


def test_an_exclude_says_the_phrase_as_the_text_has_it():
    lincoln = person("Lincoln", excludes=["Lincoln Center"])

    assert reasons("At LINCOLN Center", lincoln) == [
        "“LINCOLN” in “LINCOLN Center” is not Lincoln: the phrase is excluded."
    ]


def test_a_longer_name_says_which():
    first, second = decide("George W. Bush", BUSH)

    assert (first.verdict, second.verdict) == (Verdict.MATCH, Verdict.INSIDE_LONGER)
    assert second.reason == "“Bush” is part of the longer name “George W. Bush”."


def test_an_ambiguous_name_says_between_whom_and_what_settled_it():
    elder = person("George Bush", "Bush")
    younger = person("George W. Bush", "Bush")

    assert (
        reasons("Bush", elder, younger)
        == ["“Bush” means George Bush or George W. Bush on 2005-01-01; nothing in the article says which."]
        * 2
    )
    assert set(reasons("Bush", elder, younger, abstract="George W. Bush")) >= {
        "“Bush” means George Bush or George W. Bush on 2005-01-01; the article names George W. Bush elsewhere.",
        "“Bush” means George Bush or George W. Bush on 2005-01-01; the article names another than George Bush "
        "elsewhere.",
    }


def test_braces_in_names_are_only_text():
    assert reasons("{name} Speaks", entity("{name}")) == ["“{name}” is {name} at any time."]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_reason_in_one_sentence(verdict):
    sentence = reason(
        verdict, entity=BUSH, alias=Alias("Bush"), text="Bush", day=date(2005, 1, 1), evidence="Kate"
    )

    assert sentence.startswith("“Bush”")
    assert sentence.endswith(".")
    assert "{" not in sentence


@pytest.mark.parametrize("rule", list(CaseRule))
def test_every_case_rule_is_said(rule):
    sentence = reason(
        Verdict.WRONG_CASE,
        entity=BUSH,
        alias=Alias("Bush", case=rule),
        text="b",
        day=date(2005, 1, 1),
        evidence="",
    )

    assert "Bush" in sentence


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_a_match_and_a_resolved_name_are_matched(verdict):
    decision = Decision(Span(Field.HEADLINE, 0, 4), "Bush", "b", Alias("Bush"), verdict, "")

    assert decision.matched is (verdict in {Verdict.MATCH, Verdict.RESOLVED})


def test_explain_and_match_agree():
    entities = [BUSH, person("Jeb Bush", alias("Bush", "2004..")), person("Kate Bush")]
    headline, day = "Bush, Jeb Bush and Kate Bush Meet Bush", date(2005, 1, 1)
    matcher = Matcher(entities)

    told = {(d.entity_id, d.span) for d in matcher.explain(headline, "", day) if d.matched}

    assert told == {(m.entity_id, s) for m in matcher.match_text(headline, "", day).matches for s in m.spans}
    assert told
