"""Text as names are compared, and where each character came from."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.entities.fold import fold, fold_text, is_word_character

# What headlines are made of, with a good share of what folding changes.
TEXT = st.text(
    st.one_of(
        st.sampled_from("abcABC  ..''’‘“”-–—'éÉßœÆøŁıİﬁ\u0301\u0308\u00ad\u200b\u00a0\tJFK"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Frémont", "FREMONT"),
        ("Frémont", "Fre\u0301mont"),
        ("J.F.K.", "JFK"),
        ("J. F. K.", "JFK"),
        ("J F K", "J.F.K."),
        ("F.D.R", "F.D.R."),
        ("H. W. Bush", "H.W. Bush"),
        ("Joseph R. Biden Jr.", "Joseph R Biden Jr"),
        ("Gen. Grant", "Gen Grant"),
        ("St. John", "St John"),
        ("O’Conor", "O'Conor"),
        ("O`Conor", "O'Conor"),
        ("Sackville–West", "Sackville-West"),
        ("Donald  Trump", "Donald\u00a0Trump"),
        ("Weiß", "WEISS"),
        ("Bjørn Łódź", "BJORN LODZ"),
        ("Œuvre", "oeuvre"),
        ("ＴＲＵＭＰ", "Trump"),
        ("Tru\u00admp", "Trump"),
        ("ﬁsh", "Fish"),
        ("İstanbul", "istanbul"),
    ],
)
def test_writings_of_one_name_fold_to_the_same(one, other):
    assert fold_text(one) == fold_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Grant", "Grants"),
        ("O'Conor", "OConor"),
        ("Trump", "Tramp"),
        ("का", "क"),  # a vowel sign of Hindi is a letter, not an accent
        ("No. 1", "No 1"),
        ("Mr.Trump", "MrTrump"),
        ("H.Clinton", "HClinton"),
    ],
)
def test_different_names_stay_different(one, other):
    assert fold_text(one) != fold_text(other)


def test_words_of_one_letter_keep_their_blank_where_they_are_no_initials():
    assert fold_text("Plan a b") == "plan a b"
    assert fold_text("Plan A B") == "plan ab"


def test_plain_text_needs_no_way_back():
    assert fold("Trump Wins").origins is None


def test_a_missing_blank_after_an_abbreviation_does_not_glue_two_words():
    assert fold_text("Mr.Trump") == "mr.trump"
    assert fold_text("Mr. Trump") == "mr trump"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Vote for Frémont!", "Frémont"),
        ("Vote for Fre\u0301mont\u0301 now", "Fre\u0301mont\u0301"),
        ("“F.D.R.” Speaks", "F.D.R."),
        ("J. F. K. Speaks", "J. F. K."),
        ("It is F.D.R", "F.D.R"),
        ("Weißhaus", "Weißhaus"),
        ("A  “Donald   Trump”", "Donald   Trump"),
    ],
)
def test_spans_are_of_the_original(text, name):
    folded = fold(text)
    start = folded.text.index(fold_text(name))

    first, last = folded.span(start, start + len(fold_text(name)))

    assert text[first:last] == name


def test_the_full_stop_of_a_sentence_is_not_part_of_a_name():
    folded = fold("It was Grant.")
    start = folded.text.index("grant")

    assert folded.span(start, start + 5) == (7, 12)


def test_a_place_inside_what_one_character_became_splits_it():
    folded = fold("Weiß")

    assert folded.text == "weiss"
    assert [folded.splits(position) for position in range(6)] == [False, False, False, False, True, False]


@pytest.mark.parametrize(("character", "expected"), [("a", True), ("É", True), ("7", True), ("_", True)])
def test_letters_and_digits_are_word_characters(character, expected):
    assert is_word_character(character) is expected


@pytest.mark.parametrize("character", [" ", "-", "'", "’", ".", "—", "”"])
def test_punctuation_is_no_word_character(character):
    assert not is_word_character(character)


@given(TEXT)
def test_folding_twice_is_folding_once(text):
    once = fold_text(text)

    assert fold_text(once) == once


@given(TEXT)
def test_every_character_knows_where_it_came_from(text):
    folded = fold(text)
    origins = [folded.origin(position) for position in range(len(folded.text))]

    assert origins == sorted(origins)
    assert all(0 <= origin < len(text) for origin in origins)


@given(TEXT)
def test_case_and_composition_make_no_difference(text):
    plain = text.replace("ı", "i").replace("İ", "I")  # Turkish, whose case mapping is not one to one

    assert fold_text(unicodedata.normalize("NFD", plain)) == fold_text(unicodedata.normalize("NFC", plain))


@given(TEXT, st.data())
def test_the_original_of_a_span_has_the_letters_of_what_was_found(text, data):
    folded = fold(text)
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    if folded.splits(start) or folded.splits(end):
        return

    first, last = folded.span(start, end)

    letters = [c for c in folded.text[start:end] if c.isalnum()]
    assert [c for c in fold(text[first:last]).text if c.isalnum()] == letters
