from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosque.core.errors import CorruptModel
from kiosque.modelstore.manifest import (
    FileEntry,
    Manifest,
    content_digest,
    parse_manifest,
    render_manifest,
    version_id,
)

FILES = {"model.onnx": FileEntry("a" * 64, 7), "parts/vocab.txt": FileEntry("b" * 64, 0)}
MANIFEST = Manifest("polarity", "v1", datetime(2026, 1, 2, tzinfo=UTC), FILES, {"metrics": {"f1": 0.7}})
GOOD = json.loads(render_manifest(MANIFEST))


def _parse(document: object) -> Manifest:
    return parse_manifest(json.dumps(document).encode(), where="polarity/v1")


def test_a_manifest_survives_being_written_and_read():
    assert parse_manifest(render_manifest(MANIFEST), where="here") == MANIFEST


def test_the_digest_does_not_depend_on_the_order_of_the_files():
    assert content_digest(dict(reversed(FILES.items()))) == content_digest(FILES)
    assert version_id("0123456789abcdef", datetime(2026, 11, 5, tzinfo=UTC)) == "20261105-0123456789ab"


@pytest.mark.parametrize(
    "path",
    [
        "../evil.json", "/etc/passwd.json", "a/../../b.json", "a//b.json", "./a.json", "a/.b.json", "", "a.pkl",
        "a\\b.json", "c:a.json", "a\n.json", "manifest.json", "a/b/", "x" * 300 + ".json", "no-suffix",
    ],
)  # fmt: skip
def test_paths_that_lead_elsewhere_are_refused(path):
    with pytest.raises(CorruptModel, match="path"):
        _parse({**GOOD, "files": {path: {"sha256": "a" * 64, "size": 1}}})


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "kiosque.model/2"},
        {"name": "../x"},
        {"name": 7},
        {"version": None},
        {"published_at": "yesterday"},
        {"published_at": 3},
        {"published_at": "0001-01-01T00:00:00+14:00"},
        {"files": {}},
        {"files": []},
        {"files": {"a.json": []}},
        {"files": {"a.json": {"sha256": "A" * 64, "size": 1}}},
        {"files": {"a.json": {"sha256": "a" * 64, "size": -1}}},
        {"files": {"a.json": {"sha256": "a" * 64, "size": True}}},
        {"files": {"a.json": {"sha256": "a" * 64, "size": 1.5}}},
        {"digest": "0" * 64},
    ],
)
def test_what_is_not_a_manifest_is_refused_with_the_place(change):
    with pytest.raises(CorruptModel, match="polarity/v1") as caught:
        _parse({**GOOD, **change})
    assert caught.value.hint


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"[]", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 200_000]
)
def test_what_is_not_json_is_refused(data):
    with pytest.raises(CorruptModel):
        parse_manifest(data, where="here")


def test_a_huge_manifest_is_refused_unread():
    with pytest.raises(CorruptModel, match="more than"):
        parse_manifest(b" " * (4 * 1024 * 1024 + 1), where="here")


CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text("a./\\0é\n", max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@CALM
@given(st.dictionaries(st.sampled_from([*GOOD, "x"]), JSON))
def test_any_change_gives_a_manifest_or_a_corrupt_model(change):
    with contextlib.suppress(CorruptModel):
        assert _parse({**GOOD, **change}).name


@CALM
@given(
    st.dictionaries(
        st.text() | st.just("a.json"), JSON | st.fixed_dictionaries({"sha256": JSON, "size": JSON})
    )
)
def test_any_files_give_a_manifest_or_a_corrupt_model(files):
    with contextlib.suppress(CorruptModel):
        assert _parse({**GOOD, "files": files}).files


@CALM
@given(st.integers(0, len(render_manifest(MANIFEST)) - 1), st.integers(0, 255))
def test_any_changed_byte_gives_a_manifest_or_a_corrupt_model(position, byte):
    data = bytearray(render_manifest(MANIFEST))
    data[position] = byte
    with contextlib.suppress(CorruptModel):
        parse_manifest(bytes(data), where="here")


@CALM
@given(st.binary())
def test_any_bytes_give_a_corrupt_model(data):
    with pytest.raises(CorruptModel):
        parse_manifest(data, where="here")
