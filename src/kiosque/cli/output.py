"""What commands print: data to stdout as a table, JSON, JSON lines or CSV; everything else to stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiosque.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
JsonLines = Annotated[bool, typer.Option("--jsonl", help="One JSON object a line.")]
Csv = Annotated[bool, typer.Option("--csv", help="CSV with a header.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]

Row = Mapping[str, Any]


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def choose_format(as_json: bool = False, as_jsonl: bool = False, as_csv: bool = False) -> Format:
    """The one form that was asked for; a table without any."""
    chosen = [
        form
        for form, wanted in ((Format.JSON, as_json), (Format.JSONL, as_jsonl), (Format.CSV, as_csv))
        if wanted
    ]
    if len(chosen) > 1:
        raise InvalidInput("Choose one of --json, --jsonl and --csv.")
    return chosen[0] if chosen else Format.TABLE


@cache
def messages() -> Console:
    """The console of messages and progress: stderr; NO_COLOR is respected by rich."""
    from rich.console import Console

    return Console(stderr=True)


def say(text: str) -> None:
    """One message for the person at the terminal."""
    messages().print(text, highlight=False, soft_wrap=True)


def emit_rows(rows: Iterable[Row], form: Format, *, title: str | None = None) -> None:
    """Print a list in `form`."""
    if form is Format.JSONL:
        for row in rows:
            sys.stdout.write(_dump(row) + "\n")
    elif form is Format.JSON:
        sys.stdout.write(_dump(list(rows), indent=2) + "\n")
    elif form is Format.CSV:
        _write_csv(rows)
    else:
        _print_table(list(rows), title)


def emit_object(item: Any, form: Format = Format.JSON) -> None:
    """Print one object: as JSON, or as names and values."""
    document = plain(item)
    if form is not Format.TABLE or not isinstance(document, Mapping):
        sys.stdout.write(_dump(document, indent=None if form is Format.JSONL else 2) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    for name, value in document.items():
        table.add_row(str(name).replace("_", " "), _cell(value))
    Console().print(table)


def plain(item: Any) -> Any:
    """`item` as JSON knows it: dataclasses and models become objects, times RFC 3339."""
    if is_dataclass(item) and not isinstance(item, type):
        return plain(asdict(item))
    if hasattr(item, "model_dump"):
        return item.model_dump(mode="json")
    if isinstance(item, Mapping):
        return {str(k): plain(v) for k, v in item.items()}
    if isinstance(item, (list, tuple, set, frozenset)):
        return [plain(v) for v in item]
    if isinstance(item, datetime):
        return item.isoformat().replace("+00:00", "Z")
    return item.isoformat() if isinstance(item, date) else item


def _dump(item: Any, indent: int | None = None) -> str:
    return json.dumps(plain(item), ensure_ascii=False, indent=indent, default=str)


def _write_csv(rows: Iterable[Row]) -> None:
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        document = {k: _csv_cell(v) for k, v in plain(row).items()}
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(document), extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
        writer.writerow(document)


def _csv_cell(value: Any) -> Any:
    # A spreadsheet runs a cell that starts like a formula; a quote in front makes it text.
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _print_table(rows: Sequence[Row], title: str | None) -> None:
    if not rows:
        say("Nothing here.")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for name in rows[0]:
        numeric = all(isinstance(r.get(name), (int, float)) for r in rows)
        table.add_column(str(name).replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(name)) for name in rows[0]))
    Console().print(table)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, (list, tuple)):
        return escape(", ".join(str(v) for v in value))
    return escape(str(value))


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[int, str], None]]:
    """A progress bar on stderr; the callback is told how many more are done and, if it likes, by what words."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages(), transient=not messages().is_terminal) as bar:
        task = bar.add_task(description, total=total)

        def advance(done: int, words: str = "") -> None:
            bar.update(task, advance=done, description=words or description)

        yield advance


@contextmanager
def steps(description: str) -> Iterator[Callable[[float | None, str], None]]:
    """As `progress` for work whose share is known, not its count: the callback takes a share (0 to 1) and words."""
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=messages(), transient=not messages().is_terminal) as bar:
        task = bar.add_task(description, total=None, words="")

        def show(share: float | None, words: str = "") -> None:
            bar.update(task, total=None if share is None else 1.0, completed=share or 0.0, words=words)

        yield show
