from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosque.bus.names import header_of, key_of, source_of, subject_of
from kiosque.core.errors import InvalidInput
from kiosque.testing.bus_contract import ODD_KEYS, ODD_SUBJECTS

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def test_ordinary_names_stay_readable():
    assert subject_of("articles", "nyt-wire") == "articles.nyt-wire"
    assert header_of("nyt://article/12-ab") == "nyt://article/12-ab"
    assert header_of("https://example.com/a?b=c&d=e") == "https://example.com/a?b=c&d=e"


@settings(deadline=None)
@given(TEXT)
def test_a_subject_is_one_token_and_gives_the_source_back(source):
    subject = subject_of("articles", source)

    assert subject.count(".") == 1
    assert not set(subject) & set(" *>\t\r\n")
    assert subject.isascii()
    assert source_of(subject) == source


@settings(deadline=None)
@given(TEXT)
def test_a_header_is_one_line_of_ascii_and_gives_the_key_back(key):
    header = header_of(key)

    assert header.isascii()
    assert header.isprintable()
    assert header.strip() == header
    assert key_of(header) == key


@pytest.mark.parametrize("text", [*ODD_KEYS, *ODD_SUBJECTS])
def test_odd_names_survive(text):
    assert key_of(header_of(text)) == text
    assert source_of(subject_of("articles", text)) == text


def test_different_keys_stay_different():
    assert len({header_of(key) for key in ODD_KEYS}) == len(ODD_KEYS)


def test_names_are_not_empty():
    with pytest.raises(InvalidInput, match="key"):
        header_of("")
    with pytest.raises(InvalidInput, match="source"):
        subject_of("articles", "")
