import json
from datetime import UTC, datetime

import pytest

from kiosque.cli.output import Format, choose_format, emit_object, emit_rows
from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Probabilities

ROWS = [
    {"name": "=HYPERLINK(1)", "count": 2, "at": datetime(1860, 11, 7, tzinfo=UTC)},
    {"name": "Æsop", "count": 10, "at": None},
]


def test_only_one_form_can_be_asked_for():
    with pytest.raises(InvalidInput, match="Choose one"):
        choose_format(as_json=True, as_csv=True)


def test_without_a_flag_a_list_is_a_table(capsys):
    emit_rows(ROWS, choose_format())
    out = capsys.readouterr().out
    assert "Æsop" in out
    assert "1860-11-07" in out


def test_json_is_one_document(capsys):
    emit_rows(ROWS, Format.JSON)
    assert json.loads(capsys.readouterr().out)[0]["at"] == "1860-11-07T00:00:00Z"


def test_json_lines_are_one_object_a_line(capsys):
    emit_rows(iter(ROWS), Format.JSONL)
    assert [json.loads(line)["count"] for line in capsys.readouterr().out.splitlines()] == [2, 10]


def test_csv_has_a_header_and_runs_no_formula(capsys):
    emit_rows(ROWS, Format.CSV)
    header, first, _ = capsys.readouterr().out.splitlines()
    assert header == "name,count,at"
    assert first.startswith("'=HYPERLINK")


def test_an_empty_table_says_so_on_stderr(capsys):
    emit_rows([], Format.TABLE)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Nothing here" in captured.err


def test_dataclasses_are_printed_as_objects(capsys):
    emit_object(Probabilities(0.1, 0.2, 0.7))
    assert json.loads(capsys.readouterr().out) == {"negative": 0.1, "neutral": 0.2, "positive": 0.7}


def test_markup_in_data_is_shown_and_not_obeyed(capsys):
    emit_rows([{"name": "[bold]x[/bold]"}], Format.TABLE)
    assert "[bold]x[/bold]" in capsys.readouterr().out
