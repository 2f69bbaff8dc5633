from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.errors import InvalidInput
from kiosque.store.paging import decode_cursor, encode_cursor

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=300)
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)


@given(moments, integers, floats, texts)
def test_a_cursor_brings_back_the_place(moment, number, score, name):
    cursor = encode_cursor("list", [moment, number, score, name])
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor, "list", [datetime, int, float, str]) == [moment, number, score, name]


@given(st.text(max_size=200))
def test_any_other_text_is_refused(cursor):
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, "list", [int])


@given(st.recursive(st.none() | st.booleans() | integers | floats | texts, st.lists, max_leaves=5))
def test_any_other_json_is_refused(document):
    cursor = base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, "list", [datetime, int])


@pytest.mark.parametrize("position", [[True], [1.5], ["1"], [None], [2**63], [-(2**63) - 1], [], [1, 2]])
def test_a_place_of_another_kind_is_refused(position):
    with pytest.raises(InvalidInput, match="cursor"):
        decode_cursor(encode_cursor("list", position), "list", [int])


def test_a_deeply_nested_cursor_is_refused():
    cursor = base64.urlsafe_b64encode(b"[" * 3000).decode()
    with pytest.raises(InvalidInput):
        decode_cursor(cursor, "list", [int])
