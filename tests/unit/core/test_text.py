import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.text import clean_text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  Two\n lines\t here ", "Two lines here"),
        ("<em>Votes</em> counted", "Votes counted"),
        ("Q&amp;A", "Q&A"),
        ("He said &amp;quot;no&amp;quot;", 'He said "no"'),
        ("3 < 5 and 6 > 4", "3 < 5 and 6 > 4"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("nul\x00 and \ud800surrogate", "nul and surrogate"),
        ("e\u0301te\u0301", "été"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;Title", "alert(1) Title"),
    ],
)
def test_text_is_cleaned(raw, expected):
    assert clean_text(raw) == expected


@given(st.text(alphabet=st.characters(), max_size=200))
def test_clean_text_can_be_stored_anywhere(raw):
    text = clean_text(raw)
    text.encode("utf-8")
    assert "\x00" not in text
    assert text == text.strip()
    assert unicodedata.is_normalized("NFC", text)


def test_a_huge_title_is_cut():
    assert len(clean_text("a" * 10_000_000)) == 20_000
