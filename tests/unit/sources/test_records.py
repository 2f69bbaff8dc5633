from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosque.core.errors import InvalidInput
from kiosque.sources import unpacking
from kiosque.sources.protocol import Cursor, Reason, Skipped
from kiosque.sources.records import Format, Record, RecordFile


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, cursor: Cursor | None = None) -> list[Record | Skipped]:
    with RecordFile(path, cursor) as file:
        return list(file)


def rows(path: Path) -> list[list[str]]:
    return [list(item.fields.values()) for item in read(path) if isinstance(item, Record)]


def rejects(path: Path) -> list[tuple[str, Reason]]:
    return [(item.where, item.reason) for item in read(path) if isinstance(item, Skipped)]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.jsonl", "x", Format.JSONL), ("a.ndjson.gz", "x", Format.JSONL), ("a.JSON", "x", Format.JSON),
        ("a.csv.zst", "x", Format.CSV), ("a.tsv", "x", Format.CSV), ("a", '{"a": 1}', Format.JSONL),
        ("a.txt", " [1]", Format.JSON), ("a.dat", "headline,date", Format.CSV), ("a", "", Format.CSV),
    ],
)  # fmt: skip
def test_the_format_is_known_by_name_or_by_its_start(
    tmp_path: Path, name: str, data: str, expected: Format
) -> None:
    with RecordFile(write(tmp_path, name, data)) as file:
        assert file.format is expected


def test_json_lines_with_all_that_can_be_wrong(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "a.jsonl",
        b'\xef\xbb\xbf{"a": 1}\n\n  \n{"a": \n[1]\n"x"\n\xff\n' + b"[" * 100_000 + b'\n{"a": 2}',
    )
    assert [list(item.fields.values()) for item in read(path) if isinstance(item, Record)] == [[1], [2]]
    assert rejects(path) == [
        ("line 4", Reason.NOT_JSON),
        ("line 5", Reason.NOT_AN_OBJECT),
        ("line 6", Reason.NOT_AN_OBJECT),
        ("line 7", Reason.NOT_UTF8),
        ("line 8", Reason.NOT_JSON),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_the_header(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, "a.csv", f"headline{delimiter}date\nCount{delimiter}2020\n")
    assert rows(path) == [["Count", "2020"]]


def test_quoted_fields_hold_anything(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'headline,date\r\n"He said ""no"", and\nleft",2020\r\n"a,b",2021\r\n')
    assert rows(path) == [['He said "no", and\nleft', "2020"], ["a,b", "2021"]]
    with RecordFile(path) as file:
        assert [item.where for item in file] == ["line 2", "line 4"]


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    lines = ["headline,date", '"Broken,2020', *(f"Fine {number},2020" for number in range(2_000))]
    path = write(tmp_path, "a.csv", "\n".join(lines))
    assert rejects(path) == [("line 2", Reason.NOT_CSV)]
    assert len(rows(path)) == 2_000


def test_a_quote_that_the_next_one_closes_does_not_swallow_the_lines_between(tmp_path: Path) -> None:
    path = write(
        tmp_path, "a.csv", 'headline,date\n"Broken,2020\nFine,2021\n"Terror Aloft, Death at Sea",2022\n'
    )
    assert rejects(path) == [("line 2", Reason.NOT_CSV)]
    assert rows(path) == [["Fine", "2021"], ["Terror Aloft, Death at Sea", "2022"]]


def test_rows_that_are_too_long_too_wide_or_no_text_are_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "LONGEST_LINE", 400_000)
    path = write(
        tmp_path,
        "a.csv",
        b"headline,date\n"
        + b"x" * 200_000
        + b",2020\n"
        + b"x" * 500_000
        + b",2020\na,b,c\na,b,,\n\xff,2020\n\nok,2020\nshort\n",
    )
    assert rejects(path) == [
        ("line 2", Reason.NOT_CSV),  # a field beyond the csv module's own limit
        ("line 3", Reason.TOO_LONG),
        ("line 4", Reason.WRONG_COLUMNS),
        ("line 6", Reason.NOT_UTF8),
    ]
    assert rows(path) == [["a", "b"], ["ok", "2020"], ["short"]]


def test_a_long_line_inside_a_quoted_field_costs_its_row_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "LONGEST_LINE", 1_000)
    path = write(tmp_path, "a.csv", 'headline,date\n"begins\n' + "x" * 5_000 + '\nends",2020\nok,2020\n')
    assert ["ok", "2020"] in rows(path)
    assert ("line 3", Reason.TOO_LONG) in rejects(path)


@pytest.mark.parametrize("data", [b"\xff\xfea\x00", "headline".encode("utf-16")])
def test_utf16_is_refused_with_a_hint(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        RecordFile(write(tmp_path, "a.csv", data))
    assert "UTF-8" in (caught.value.hint or "")


@pytest.mark.parametrize("data", [b"\xff\xe0,x\n", b"headline,date\rOne,2020-01-01\rTwo,2020-01-02\r"])
def test_a_csv_whose_first_line_is_no_header_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidInput, match="no header") as refused:
        read(write(tmp_path, "a.csv", data))
    assert "line feed" in (refused.value.hint or "")


@pytest.mark.parametrize(
    "payload",
    [
        [{"a": 1}, {"a": 2}],
        {"docs": [{"a": 1}, {"a": 2}]},
        {"response": {"docs": [{"a": 1}, {"a": 2}], "meta": {}}},
        {"results": [{"a": 1}, {"a": 2}]},
    ],
)
def test_documents_of_a_json_file(tmp_path: Path, payload: object) -> None:
    found = read(write(tmp_path, "a.json", json.dumps(payload)))
    assert [(item.where, dict(item.fields)) for item in found if isinstance(item, Record)] == [
        ("document 1", {"a": 1}),
        ("document 2", {"a": 2}),
    ]


def test_a_json_file_that_is_one_document(tmp_path: Path) -> None:
    (found,) = read(write(tmp_path, "a.json", json.dumps({"headline": "x", "a": [1]}, indent=1)))
    assert isinstance(found, Record)
    assert found.fields == {"headline": "x", "a": [1]}


def test_a_json_file_that_is_cut_off_is_invalid_input(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        read(write(tmp_path, "a.json", '[{"a": 1}, {"a"'))


BODIES = {
    "a.csv": 'headline,date\nA,1\n"B\nb",2\n"broken,3\nC,4\n,\nD,5',
    "a.jsonl": '{"a": 1}\n\n{"a": \n{"a": 2}\n{"a": 3}',
    "a.json": '[{"a": 1}, 3, {"a": 2}, {"a": 3}]',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("packed", [False, True])
def test_reading_goes_on_after_any_record(tmp_path: Path, name: str, packed: bool) -> None:
    data = gzip.compress(BODIES[name].encode()) if packed else BODIES[name].encode()
    path = write(tmp_path, name + (".gz" if packed else ""), data)
    whole = read(path)
    with RecordFile(path) as file:
        cursors = [dict(file.cursor) for _ in file]
    for number, cursor in enumerate(cursors, start=1):
        assert read(path, json.loads(json.dumps(cursor))) == whole[number:]


def test_a_file_that_grew_is_read_on_and_one_that_changed_from_the_start(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n')
    with RecordFile(path) as file:
        list(file)
        cursor = file.cursor
    path.write_text('{"a": 1}\n{"a": 2}\n', encoding="utf-8")
    assert [item.where for item in read(path, cursor)] == ["line 2"]
    path.write_text('{"b": 1}\n{"b": 2}\n', encoding="utf-8")
    assert [item.where for item in read(path, cursor)] == ["line 1", "line 2"]


texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)


@given(st.lists(st.tuples(texts, texts, texts), max_size=8))
def test_csv_round_trip(tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    assert rows(write(tmp_path_factory.mktemp("csv"), "a.csv", out.getvalue())) == [
        list(row) for row in table
    ]


@given(st.binary(max_size=120), st.sampled_from(["a.csv", "a.jsonl", "a.json"]))
def test_any_bytes_give_records_reasons_or_invalid_input(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    start = b"headline,date\n" if name == "a.csv" else b'{"a": 1}\n' if name == "a.jsonl" else b"["
    try:
        read(write(tmp_path_factory.mktemp("any"), name, start + data))
    except InvalidInput:
        return
