from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.text import clean_text
from kiosque.sources.payload import (
    excerpt,
    first_text,
    identifier,
    mapping,
    number,
    objects,
    text,
    texts,
    web_address,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("value", [None, "", " ", "None", "null", "N/A", "nan", [], {}, True, False, 0])
def test_what_stands_for_nothing_is_no_text(value: object) -> None:
    assert text(value) == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a\n b ", "a b"),
        ("Salt &amp;amp; Pepper", "Salt & Pepper"),
        ("Doe >amp;c.", "Doe &c."),  # as old NYT text has it
        ("<em>Very</em>, very<br>good<p>news", "Very, very good news"),
        ("a\ud800b", "ab"),
        (7, "7"),
        ("Virgi[???] ??itive", "Virgi[???] ??itive"),  # OCR marks are what was read
    ],
)
def test_text_is_cleaned(value: object, expected: str) -> None:
    assert text(value) == expected


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=80))
def test_the_short_way_for_clean_text_changes_nothing(value: str) -> None:
    assert text(value, limit=40) in {clean_text(value, limit=40), ""}


def test_text_is_cut_at_the_limit() -> None:
    assert text("x" * 10, limit=4) == text("é" * 10, limit=4).replace("é", "x") == "xxxx"


def test_text_is_not_cut_inside_a_tag() -> None:
    assert text("Counted" + "<br />" * 100, limit=10) == "Counted"


def test_the_first_field_with_text_counts() -> None:
    assert first_text({"a": None, "b": "None", "c": " c "}, "a", "b", "c") == "c"


def test_texts_are_in_order_and_unique() -> None:
    assert texts(["b", "a", "b", None, 3]) == ("b", "a", "3")
    assert texts("lone") == ("lone",)
    assert texts("") == texts(None) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("500", 500), ("2008.0", 2008), (14.95, 14), ("1,234", 1234), (0, 0), ("-431.0", -431),
     ("", None), (None, None), ("x", None), (True, None), (float("inf"), None), ("nan", None), (10**20, None)],
)  # fmt: skip
def test_numbers(value: object, expected: int | None) -> None:
    assert number(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://courier.example/a b", "https://courier.example/ab"),
        ("http://courier.example", "http://courier.example"),
        ("ftp://courier.example", None),
        ("/relative", None),
        ("https://", None),
        ("https://[::1", None),
        ("https://courier.example:99999/", None),
        (None, None),
        ("https://x.example/" + "a" * 1000, None),
    ],
)
def test_web_addresses(value: object, expected: str | None) -> None:
    assert web_address(value) == expected


def test_identifiers_hold_no_blanks_and_are_bounded() -> None:
    assert identifier(" nyt://article/1\n") == "nyt://article/1"
    assert identifier("x" * 481) == identifier("None") == identifier(7) == ""


def test_an_excerpt_is_short_and_clean() -> None:
    assert len(excerpt({"x": "y" * 1000})) <= 300
    assert excerpt("<b>a</b>") == "a"


@given(anything)
def test_nothing_raises(value: object) -> None:
    text(value).encode()
    assert all(isinstance(item, str) for item in texts(value))
    list(objects(value))
    mapping(value).get("x")
    number(value)
    identifier(value).encode()
    web_address(value)
    excerpt(value).encode()
