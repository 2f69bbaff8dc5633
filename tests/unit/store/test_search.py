from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.store.search import Query, Term, fold, parse


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", Query()),
        ('"* - ()', Query()),
        ("one two", Query((Term(("one",)), Term(("two",))))),
        ('"one two" three', Query((Term(("one", "two")), Term(("three",))))),
        ('"not closed', Query((Term(("not", "closed")),))),
        ("-one", Query((), (Term(("one",)),))),
        ('two -"one three"', Query((Term(("two",)),), (Term(("one", "three")),))),
        ("elect*", Query((Term(("elect",), prefix=True),))),
        ("U.S.", Query((Term(("U", "S")),))),
        ("NEAR(a b) headline:x", Query((Term(("NEAR", "a")), Term(("b",)), Term(("headline", "x"))))),
    ],
)
def test_what_is_typed_becomes_terms(typed, expected):
    assert parse(typed) == expected


@given(st.text())
def test_terms_hold_nothing_but_words(typed):
    query = parse(typed)
    for term in (*query.wanted, *query.unwanted):
        assert term.words
        assert all(word.isalnum() or not word.isascii() for word in term.words)
        assert not any(sign in word for word in term.words for sign in "\"'*():-^&|!<>\\ ")


def test_a_search_is_limited():
    assert len(parse("word " * 1000).wanted) == 32
    assert len(parse('"' + "word " * 1000 + '"').wanted[0].words) == 32


@pytest.mark.parametrize(
    ("given_", "folded"), [("Élan", "elan"), ("STRASSE", "strasse"), ("Straße", "strasse"), (" É ", "e")]
)
def test_folding_takes_case_and_accents_away(given_, folded):
    assert fold(given_) == folded
