from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.errors import InvalidInput, NotFound, TooLarge
from kiosque.sources import unpacking
from kiosque.sources.unpacking import Lines, UnpackedFile, as_stream

PACKERS = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress}


def write(folder: Path, data: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(data)
    return path


def lines_of(path: Path) -> list[bytes | None]:
    with UnpackedFile(path) as file:
        return list(Lines(file))


@pytest.mark.parametrize("packing", PACKERS)
def test_packed_or_not_the_lines_are_the_same(tmp_path: Path, packing: str) -> None:
    path = write(tmp_path, PACKERS[packing](b"one\ntwo\r\n\nlast"))
    assert lines_of(path) == [b"one\n", b"two\r\n", b"\n", b"last\n"]


def test_packed_files_that_were_put_together_are_one(tmp_path: Path) -> None:
    for pack in (gzip.compress, zstandard.ZstdCompressor().compress):
        assert lines_of(write(tmp_path, pack(b"a\n") + pack(b"b\n"))) == [b"a\n", b"b\n"]


@pytest.mark.parametrize("packing", PACKERS)
def test_lines_know_their_number_and_where_they_end(tmp_path: Path, packing: str) -> None:
    path = write(tmp_path, PACKERS[packing](b"one\ntwo\nthree"))
    with UnpackedFile(path) as file:
        lines = Lines(file)
        assert [(lines.number, lines.end) for _ in lines] == [(1, 4), (2, 8), (3, 13)]
    with UnpackedFile(path) as file:
        file.skip_to(4)
        assert list(Lines(file)) == [b"two\n", b"three\n"]


@given(st.binary(max_size=200), st.integers(1, 30), st.integers(1, 60))
def test_lines_are_those_of_split_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, piece: int, longest: int
) -> None:
    path = write(tmp_path_factory.mktemp("lines"), b"x" + data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "_CHUNK", piece)
        patch.setattr(unpacking, "LONGEST_LINE", longest)
        found = lines_of(path)
    expected = (b"x" + data).split(b"\n")
    expected = expected[:-1] if not expected[-1] else expected
    assert len(found) == len(expected)
    for line, whole in zip(found, expected, strict=True):
        assert line == whole + b"\n" or (line is None and len(whole) >= longest)


def test_a_line_without_end_is_passed_over_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "LONGEST_LINE", 1_000)
    monkeypatch.setattr(unpacking, "_CHUNK", 100)
    assert lines_of(write(tmp_path, b"a\n" + b"x" * 50_000 + b"\nb\nc\n")) == [b"a\n", None, b"b\n", b"c\n"]
    assert lines_of(write(tmp_path, b"x" * 50_000)) == [None]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_an_archive_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str) -> None:
    monkeypatch.setattr(unpacking, "_BOMB_FROM", 1_000_000)
    path = write(tmp_path, PACKERS[packing](b"\0" * 20_000_000))
    with pytest.raises(TooLarge):
        lines_of(path)


def test_text_that_packs_well_is_no_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_BOMB_FROM", 1_000)
    rows = b"".join(b"headline,%d,article,News\n" % number for number in range(50_000))
    assert len(lines_of(write(tmp_path, gzip.compress(rows)))) == 50_000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damage_is_invalid_input(tmp_path: Path, packing: str, damage: str) -> None:
    data = bytearray(PACKERS[packing](bytes(range(256)) * 2_000))
    whole = data[:-9] if damage == "cut" else data[:20] + bytes(255 - byte for byte in data[20:])
    with pytest.raises(InvalidInput):
        lines_of(write(tmp_path, bytes(whole)))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        UnpackedFile(tmp_path / "nothing")
    with pytest.raises(InvalidInput):
        UnpackedFile(tmp_path)


def test_progress_goes_from_nothing_to_all(tmp_path: Path) -> None:
    with UnpackedFile(write(tmp_path, b"x" * 100)) as file:
        assert file.progress == 0
        file.read(50)
        assert file.progress == 0.5
        file.read(50)
        assert file.progress == 1
    with UnpackedFile(write(tmp_path, b"")) as file:
        assert file.progress == 1


def test_text_is_read_as_a_stream(tmp_path: Path) -> None:
    with UnpackedFile(write(tmp_path, gzip.compress("\ufeffÉlu".encode()))) as file:
        assert as_stream(file).read() == "Élu"
