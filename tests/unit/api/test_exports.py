from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from kiosque.api.exports import Format, Row, csv_chunks, jsonl_chunks, neutral, wanted_format


class Colour(StrEnum):
    BLUE = "blue"


class Inner(Row):
    a: int
    b: str | None = None


class Outer(Row):
    name: str
    inner: Inner
    maybe: Inner | None = None
    tags: list[str] = Field(default=[])
    many: list[Inner] = Field(default=[])
    at: datetime | None = None
    day: date | None = None
    colour: Colour | None = None
    flag: bool | None = None


def parsed(*rows: Outer) -> list[dict[str, str]]:
    text = "".join(csv_chunks(Outer.columns(), [list(rows)]))
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("explicit", "accept", "form"),
    [
        (None, None, Format.JSON),
        (None, "", Format.JSON),
        (None, "*/*", Format.JSON),
        (None, "text/csv", Format.CSV),
        (None, "application/x-ndjson", Format.JSONL),
        (None, "application/jsonl", Format.JSONL),
        (None, "application/json;q=0.5, text/csv", Format.CSV),
        (None, "text/csv;q=0.1, application/json", Format.JSON),
        (None, "TEXT/CSV; charset=utf-8", Format.CSV),
        (None, "text/html,application/xhtml+xml,*/*;q=0.8", Format.JSON),
        (None, "text/csv;q=lots", Format.JSON),
        (None, "text/csv;q=0", Format.JSON),
        (Format.JSONL, "text/csv", Format.JSONL),
    ],
)
def test_the_form_follows_the_parameter_then_accept(
    explicit: Format | None, accept: str | None, form: Format
) -> None:
    assert wanted_format(explicit, accept) is form


def test_models_in_models_become_columns_even_where_they_are_missing() -> None:
    assert Outer.columns()[:5] == ["name", "inner_a", "inner_b", "maybe_a", "maybe_b"]
    [row] = parsed(Outer(name="x", inner=Inner(a=1)))
    assert (row["inner_a"], row["maybe_a"], row["maybe_b"]) == ("1", "", "")
    [row] = parsed(Outer(name="x", inner=Inner(a=1), maybe=Inner(a=2, b="y")))
    assert (row["maybe_a"], row["maybe_b"]) == ("2", "y")


def test_values_are_written_as_people_expect() -> None:
    [row] = parsed(
        Outer(
            name='say "hi", twice\nor more',
            inner=Inner(a=-1),
            tags=["a", "b"],
            many=[Inner(a=1, b="ü")],
            at=datetime(1860, 11, 7, tzinfo=UTC),
            day=date(1860, 11, 7),
            colour=Colour.BLUE,
            flag=True,
        )
    )
    assert row["name"] == 'say "hi", twice\nor more'
    assert row["tags"] == "a; b"
    assert row["many"] == '[{"a": 1, "b": "ü"}]'
    assert (row["at"], row["day"], row["colour"]) == ("1860-11-07T00:00:00Z", "1860-11-07", "blue")
    assert row["inner_a"] == "-1"


def test_an_empty_list_still_has_its_header() -> None:
    assert "".join(csv_chunks(["a", "b"], [[]])) == "a,b\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_text_starts_like_a_formula(start: str) -> None:
    assert neutral(f"{start}HYPERLINK()") == f"'{start}HYPERLINK()"
    [row] = parsed(Outer(name=f"{start}1+1", inner=Inner(a=1), tags=[f"{start}cmd", "b"]))
    assert row["name"].startswith("'")
    assert row["tags"].startswith("'")


@pytest.mark.parametrize("cell", ["Lincoln", "", "1860", -5, 0.25, None, True, "a=b"])
def test_everything_else_is_left_as_it_is(cell: str | float | None) -> None:
    assert neutral(cell) == cell


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")))
def test_a_csv_file_gives_back_what_was_put_in(text: str) -> None:
    [row] = parsed(Outer(name=text, inner=Inner(a=1)))
    assert row["name"] == neutral(text)


def test_jsonl_has_one_object_a_line_whatever_is_in_the_text() -> None:
    rows = [Inner(a=1, b="one\ntwo"), Inner(a=2)]
    lines = "".join(jsonl_chunks([rows, [], rows[:1]])).splitlines()
    assert [Inner.model_validate_json(line) for line in lines] == [*rows, rows[0]]


def test_pages_are_asked_for_one_by_one() -> None:
    asked: list[int] = []

    def pages() -> Iterator[list[Inner]]:
        for number in range(3):
            asked.append(number)
            yield [Inner(a=number)]

    chunks = csv_chunks(Inner.columns(), pages())
    next(chunks)
    assert asked == []
    next(chunks)
    assert asked == [0]
