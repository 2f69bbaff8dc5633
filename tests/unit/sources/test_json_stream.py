from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.errors import SourceUnavailable
from kiosque.sources.json_stream import DocumentStream, as_text, parse_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


class Trickle(io.StringIO):
    """Gives fewer characters than asked for, so that values are cut anywhere."""

    def __init__(self, text: str, step: int) -> None:
        super().__init__(text)
        self.step = step

    def read(self, size: int | None = -1, /) -> str:
        return super().read(self.step)


def stream(text: str, step: int = 10**6) -> DocumentStream:
    return DocumentStream(Trickle(text, step), arrays=frozenset({"docs"}), inside=frozenset({"response"}))


@given(
    st.lists(values, max_size=6),
    st.dictionaries(st.sampled_from(["meta", "a", "b"]), values),
    st.integers(1, 7),
)
def test_it_reads_what_json_reads(documents: list[Any], beside: dict[str, Any], step: int) -> None:
    for payload in (
        {"status": "OK", "response": {**beside, "docs": documents}},
        {"docs": documents} | beside,
        documents,
    ):
        found = stream(json.dumps(payload), step)
        assert list(found) == documents
        assert found.found
    found = stream(json.dumps({"response": {"docs": documents, **beside}, "z": 1}, indent=1), step)
    assert list(found) == documents
    assert found.members == beside | {"z": 1}


def test_null_counts_as_empty() -> None:
    found = stream('{"response": {"docs": null}}')
    assert list(found) == []
    assert found.found


def test_where_there_is_no_array_the_members_are_left() -> None:
    found = stream('{"headline": {"main": "x"}, "docs": 3}')
    assert list(found) == []
    assert not found.found
    assert found.members == {"headline": {"main": "x"}, "docs": 3}


BROKEN = [
    "", "{", '{"docs": [1', '{"docs": [1,]}', '{"docs": [12', '{"docs" 1}', "[1 2]", "3", '{"a": 1', '{"docs": [1]',
    "[" * 100_000, '["\x00',
]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_or_cut_off_is_source_unavailable(text: str) -> None:
    with pytest.raises(SourceUnavailable):
        list(stream(text, 3 if len(text) < 100 else 10**6))


@given(st.integers(0, 60))
def test_each_truncation_is_noticed(length: int) -> None:
    whole = '{"response": {"docs": [{"a": "x"}, 12, "é"], "meta": {"hits": 3}}}'
    with pytest.raises(SourceUnavailable):
        list(stream(whole[:length]))


def test_what_was_read_before_the_end_broke_off_is_given() -> None:
    found = iter(stream('[{"a": 1}, {"a": 2}, {"a"', 2))
    assert [next(found), next(found)] == [{"a": 1}, {"a": 2}]
    with pytest.raises(SourceUnavailable):
        next(found)


def test_bytes_that_are_no_utf8_are_source_unavailable() -> None:
    text = as_text(io.BytesIO(b'["\xff"]'))
    with pytest.raises(SourceUnavailable):
        list(DocumentStream(text, arrays=frozenset()))


def test_a_byte_order_mark_is_passed_over() -> None:
    assert list(DocumentStream(as_text(io.BytesIO(b"\xef\xbb\xbf[1]")), arrays=frozenset())) == [1]


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000])
def test_parsing_whole_translates_its_errors_without_quoting(data: bytes) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        parse_json(data)
    assert "999" not in str(caught.value)
