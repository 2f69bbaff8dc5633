"""Lists as JSON, CSV or JSONL: which one is asked for, and rows of cells that no spreadsheet executes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import Enum, StrEnum
from types import NoneType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from kiosque.core.clock import rfc3339

Cell = str | int | float | bool | None
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A cell that starts so is a formula to some spreadsheet (OWASP, CSV injection)."""


class Format(StrEnum):
    """Form of a list."""

    JSON = "json"
    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSONL: "application/jsonl",
}
_ACCEPTED = {
    "application/json": Format.JSON,
    "text/csv": Format.CSV,
    "application/jsonl": Format.JSONL,
    "application/x-ndjson": Format.JSONL,
    "application/x-jsonlines": Format.JSONL,
    "application/*": Format.JSON,
    "*/*": Format.JSON,
}


class Row(BaseModel):
    """A model that can be one line of a CSV file.

    Models in models give columns `outer_inner`; lists of texts are joined by `; `; all else that is nested is JSON.
    """

    @classmethod
    def columns(cls) -> list[str]:
        """The header, the same for every row."""
        names: list[str] = []
        for name, field in cls.model_fields.items():
            inner = _model_in(field.annotation)
            names += [f"{name}_{column}" for column in inner.columns()] if inner else [name]
        return names

    def cells(self) -> list[Cell]:
        """The values under `columns`."""
        values: list[Cell] = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            inner = _model_in(field.annotation)
            if inner is None:
                values.append(_cell(value))
            else:
                values += value.cells() if value is not None else [None] * len(inner.columns())
        return values


def wanted_format(explicit: Format | None, accept: str | None) -> Format:
    """The form that a client asks for: by parameter, else by the best of `Accept` that we have, else JSON."""
    if explicit is not None:
        return explicit
    best, best_quality = Format.JSON, 0.0
    for part in (accept or "").split(","):
        name, quality = _media_range(part)
        if name in _ACCEPTED and quality > best_quality:
            best, best_quality = _ACCEPTED[name], quality
    return best


def csv_chunks(columns: Sequence[str], pages: Iterable[Sequence[Row]]) -> Iterator[str]:
    """A CSV file (RFC 4180) in pieces, one a page, the header first."""
    yield _csv_lines([columns])
    for page in pages:
        if page:
            yield _csv_lines([neutral(cell) for cell in row.cells()] for row in page)


def jsonl_chunks(pages: Iterable[Sequence[BaseModel]]) -> Iterator[str]:
    """One JSON object a line, in pieces, one a page."""
    for page in pages:
        if page:
            yield "".join(f"{row.model_dump_json()}\n" for row in page)


def neutral(cell: Cell) -> Cell:
    """`cell` with an apostrophe before it if a spreadsheet would take the text for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell


def _csv_lines(rows: Iterable[Sequence[Cell]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()


def _cell(value: Any) -> Cell:
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return "; ".join(value)
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return _cell(value)


def _model_in(annotation: Any) -> type[Row] | None:
    """The model in `Model` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Row):
        return annotation
    if get_origin(annotation) in (Union, type(int | None)):
        inner = [option for option in get_args(annotation) if option is not NoneType]
        return _model_in(inner[0]) if len(inner) == 1 else None
    return None


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0
