"""Hiding the target's name, and cutting long texts to windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.polarity.prepare import (
    MAX_WINDOWS,
    PLACEHOLDER,
    WINDOW,
    find_mentions,
    list_words,
    make_windows,
    occlude,
    spread_mentions,
    trim_mention,
)

FILLER = "The harbour board met again and put off the vote on the new pier until spring. "


def only_window(text: str, *names: str) -> str:
    mentions = [(text.index(name), text.index(name) + len(name)) for name in names]
    (window,) = make_windows(text, mentions)
    return window.text


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("Halloran wins; Halloran’s rivals sulk", "Halloran", ["Halloran", "Halloran"]),
        ("HALLORAN WINS", "Halloran", ["HALLORAN"]),
        ("Hallorans and Halloranite", "Halloran", ["Hallorans"]),
        ("A Republican speaks", "Republicans", ["Republican"]),
        ("O’Dell and O'Dell", "O'Dell", ["O’Dell", "O'Dell"]),
        ("Ana  Okafor left", "Ana Okafor", ["Ana  Okafor"]),
        ("nobody here", "Halloran", []),
        ("anything", "  ", []),
        ("Us and them", "Us", ["Us"]),
        ("C++ (Inc.) sinks", "C++", ["C++"]),
    ],
)
def test_finds_whole_words_of_any_case(text: str, name: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in find_mentions(text, name)] == found


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("Okafor’s", "Okafor"),
        ("[Okafor", "Okafor"),
        ("Walters'", "Walters"),
        ("S.E.C.", "S.E.C."),
        ("’s", "s"),
        ("“”", "“”"),
    ],
)
def test_possessive_endings_and_quotes_stay_outside_of_a_mention(text: str, trimmed: str) -> None:
    start, end = trim_mention(text, (0, len(text)))
    assert text[start:end] == trimmed


def test_the_name_is_hidden_wherever_it_stands() -> None:
    assert only_window("Okafor leads, but Okafor’s lead shrinks", "Okafor") == (
        f"{PLACEHOLDER} leads, but {PLACEHOLDER}’s lead shrinks"
    )


def test_pronouns_are_hidden_only_where_they_were_given() -> None:
    assert only_window("He said he won", "He") == f"{PLACEHOLDER} said he won"


def test_a_possessive_pronoun_keeps_its_grammar() -> None:
    assert only_window("Voters liked his plan", "his") == f"Voters liked {PLACEHOLDER}'s plan"


@pytest.mark.parametrize("token", ["TARGET", "CLS", "SEP", "MASK"])
def test_a_text_that_imitates_the_networks_own_tokens_does_not_pass_for_them(token: str) -> None:
    assert only_window(f"[{token}] praised Okafor", "Okafor") == f"({token}) praised {PLACEHOLDER}"


def test_half_a_character_does_not_reach_the_tokenizer() -> None:
    assert only_window("Okafor \ud800 won", "Okafor") == f"{PLACEHOLDER} \ufffd won"


def test_the_longest_of_overlapping_mentions_wins() -> None:
    assert spread_mentions("Ana Okafor won", [(0, 10), (4, 10)]) == ((0, 10),)


@pytest.mark.parametrize("name", ["Li", "Okafor", "Wolfeschlegelsteinhausenbergerdorff"])
def test_the_length_of_the_name_does_not_move_a_window(name: str) -> None:
    text = FILLER * 3 + f"{name} called the vote a sham. " + FILLER * 4 + f"Then {name} left. " + FILLER * 3
    windows = make_windows(text, find_mentions(text, name))
    reference = text.replace(name, "Okafor")
    assert [w.text for w in windows] == [
        w.text for w in make_windows(reference, find_mentions(reference, "Okafor"))
    ]


def test_a_long_text_is_read_around_each_mention() -> None:
    text = (
        FILLER * 5 + "Okafor called the vote a sham. " + FILLER * 8 + "Reporters saw Okafor leave. " + FILLER
    )
    first, second = make_windows(text, find_mentions(text, "Okafor"))
    assert "called the vote a sham" in first.text
    assert "Reporters saw" in second.text
    assert max(len(first.text), len(second.text)) <= WINDOW
    assert not first.text.startswith(" ")
    assert text[first.start : first.end].count("Okafor") == 1


def test_the_windows_of_one_target_are_bounded() -> None:
    text = ("Okafor spoke. " + FILLER * 6) * (MAX_WINDOWS + 5)
    assert len(make_windows(text, find_mentions(text, "Okafor"))) == MAX_WINDOWS


def test_no_mention_gives_no_window() -> None:
    assert make_windows("The board met.", []) == ()


def test_occlusion_leaves_out_one_word_and_nothing_else() -> None:
    text = "Board blames Okafor for the delay"
    (window,) = make_windows(text, find_mentions(text, "Okafor"))
    assert [text[a:b] for a, b in list_words(text)] == ["Board", "blames", "Okafor", "for", "the", "delay"]
    assert occlude(text, window, (6, 12)) == f"Board  {PLACEHOLDER} for the delay"
    assert occlude(text, window, (28, 33)) == f"Board blames {PLACEHOLDER} for the "


@given(
    st.lists(
        st.sampled_from(["Okafor", "Okafor’s", "the board", "won", "—", "\xa0", "“Quite so,”", "élan"]),
        max_size=120,
    ),
    st.integers(40, 400),
)
def test_every_mention_is_answered_for_once(words: list[str], width: int) -> None:
    text = " ".join(words)
    mentions = find_mentions(text, "Okafor")
    windows = make_windows(text, mentions, width=width)
    answered = [m for w in windows for m in w.mentions]
    assert answered == list(mentions)[: len(answered)]
    assert len(answered) == len(mentions) or len(windows) == MAX_WINDOWS
    for window in windows:
        assert "Okafor" not in window.text
        assert window.text.count(PLACEHOLDER) == len(window.hidden) >= len(window.mentions)
        assert window.text.replace(PLACEHOLDER, "Okafor") == text[window.start : window.end]
