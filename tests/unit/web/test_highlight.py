"""Marks in a text, and words by their weight."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.article import Field
from kiosque.core.polarity import WordContribution
from kiosque.web.highlight import Marked, highlight, words_of

marks = st.builds(
    Marked,
    start=st.integers(-2, 12),
    end=st.integers(-2, 12),
    polarity=st.sampled_from(["negative", "neutral", "positive"]),
    title=st.text(max_size=5),
)


@given(st.text(max_size=10), st.lists(marks, max_size=5))
def test_the_text_itself_never_changes(text: str, given_marks: list[Marked]) -> None:
    assert unescape(re.sub(r"</?mark[^>]*>", "", str(highlight(text, given_marks)))) == unescape_once(text)


def unescape_once(text: str) -> str:
    """What a browser shows of the escaped text is the text."""
    from markupsafe import escape

    return unescape(str(escape(text)))


def test_a_mention_is_marked_in_its_polarity() -> None:
    html = highlight("Mr. Lincoln wins", [Marked(4, 11, "positive", "Abraham Lincoln: positive, 80%")])
    assert html == (
        'Mr. <mark class="positive" title="Abraham Lincoln: positive, 80%" tabindex="0">Lincoln</mark> wins'
    )


def test_markup_in_the_text_and_the_title_is_escaped() -> None:
    html = highlight("<b>Bell</b>", [Marked(3, 7, "neutral", '"><script>')])
    assert "<b>" not in html
    assert "<script>" not in html


def test_of_overlapping_marks_the_first_and_longer_stays() -> None:
    html = highlight("New York Times", [Marked(0, 8, "neutral", "a"), Marked(4, 14, "negative", "b")])
    assert html.count("<mark") == 1
    assert ">New York</mark>" in html


def test_words_grow_with_what_they_contribute() -> None:
    words = words_of([_word("a", 0.4), _word("b", -0.2), _word("c", 0.01)])
    assert [(w.side, w.size) for w in words] == [("positive", 4), ("negative", 2), ("neutral", 0)]


def test_words_that_contribute_nothing_are_neutral_and_small() -> None:
    assert [(w.side, w.size) for w in words_of([_word("a", 0.0)])] == [("neutral", 0)]
    assert words_of([]) == []


def _word(text: str, contribution: float) -> WordContribution:
    return WordContribution(Field.HEADLINE, 0, len(text), text, contribution)
