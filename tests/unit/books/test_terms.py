import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.books.terms import index_terms, stem, surfaces, words


def test_possessives_are_cut_and_compounds_kept_whole():
    assert list(words("Truman's whistle-stop, and the voters’ verdict")) == [
        "Truman",
        "whistle-stop",
        "and",
        "the",
        "voters",
        "verdict",
    ]


def test_a_compound_is_indexed_as_a_whole_and_by_its_pieces():
    assert index_terms("whistle-stop") == ["whistle-stop", "whistl", "stop"]


def test_words_without_a_subject_are_left_out():
    assert index_terms("It was the best of times") == ["best", "time"]


@pytest.mark.parametrize("form", ["campaign", "Campaigns", "campaigned", "CAMPAIGNING"])
def test_forms_of_a_word_have_one_stem(form):
    assert stem(form) == "campaign"


def test_a_surface_is_the_first_form_in_the_text():
    assert surfaces("Campaigns cost; a campaign costs more")["campaign"] == "Campaigns"


@given(st.text(max_size=300))
def test_any_text_can_be_taken_apart(text):
    assert set(surfaces(text)) == set(index_terms(text))
