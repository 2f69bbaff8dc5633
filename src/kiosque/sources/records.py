"""Records out of a file: JSON lines, CSV, or one JSON document that holds many; with their lines, bad ones too."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kiosque.core.errors import InvalidInput, SourceUnavailable
from kiosque.sources.json_stream import DocumentStream
from kiosque.sources.payload import excerpt
from kiosque.sources.protocol import Cursor, Reason, Skipped
from kiosque.sources.unpacking import Lines, UnpackedFile, as_stream

_HEAD = 1_024
_LONGEST_RECORD = 500
"""Lines; a quoted field that goes on for longer has lost its closing quote."""
_PACKED = frozenset({".gz", ".zst", ".zstd"})
_DELIMITERS = (",", ";", "\t", "|")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    JSON = "json"


_FORMATS = {
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
}


@dataclass(frozen=True, slots=True)
class Record:
    """`where` is its place: "line 17"."""

    where: str
    fields: Mapping[str, Any]


class RecordFile:
    """Reads a file from a cursor on; `cursor` and `progress` say how far it has come.

    A cursor of another file, or of this one before it was changed at its start, counts as none.
    """

    def __init__(self, path: Path, cursor: Cursor | None = None) -> None:
        self._head, self.format = self._look(path)
        self._file = UnpackedFile(path)
        start = dict(cursor or {}) if self._is_ours(cursor) else {}
        self._line, self._byte = _whole(start.get("line")), _whole(start.get("byte"))
        self.columns: tuple[str, ...] = ()
        """The header of a CSV file, once reading has begun."""

    @property
    def cursor(self) -> Cursor:
        return {
            "head": _digest(self._head),
            "length": len(self._head),
            "line": self._line,
            "byte": self._byte,
        }

    @property
    def progress(self) -> float:
        return self._file.progress

    def __iter__(self) -> Iterator[Record | Skipped]:
        """Raises InvalidInput where the file is damaged; what came before stays valid."""
        reading = {Format.JSONL: self._json_lines, Format.CSV: self._csv, Format.JSON: self._json}
        return reading[self.format]()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look(self, path: Path) -> tuple[bytes, Format]:
        """The first bytes, and the format by name or, failing that, by those."""
        with UnpackedFile(path) as file:
            head = file.read(_HEAD)
        if head.startswith(_UTF16):
            raise InvalidInput(f"{path} is UTF-16.", hint="Save it as UTF-8.")
        name = Path(path.stem if path.suffix.lower() in _PACKED else path.name)
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        sniffed = {b"{": Format.JSONL, b"[": Format.JSON}.get(start, Format.CSV)
        return head, _FORMATS.get(name.suffix.lower(), sniffed)

    def _is_ours(self, cursor: Cursor | None) -> bool:
        length = _whole((cursor or {}).get("length"))
        return bool(length) and (cursor or {}).get("head") == _digest(self._head[:length])

    def _json_lines(self) -> Iterator[Record | Skipped]:
        self._file.skip_to(self._byte)
        lines = Lines(self._file, number=self._line)
        for line in lines:
            self._line, self._byte = lines.number, lines.end
            if line is None or line.strip(b" \t\r\n\xef\xbb\xbf"):
                yield _parse_line(line, f"line {lines.number}")

    def _csv(self) -> Iterator[Record | Skipped]:
        with UnpackedFile(self._file.path) as file:
            reader = _CsvLines(Lines(file))
            self.columns = reader.read_header()
            header = reader.end
        self._file.skip_to(max(self._byte, header))
        reader.start(Lines(self._file, number=max(self._line, 1)))
        for result in reader:
            self._line, self._byte = reader.line, reader.end
            yield result

    def _json(self) -> Iterator[Record | Skipped]:
        stream = DocumentStream(
            as_stream(self._file),  # type: ignore[arg-type]
            arrays=frozenset({"docs", "results"}),
            inside=frozenset({"response"}),
        )
        try:
            for number, document in enumerate(stream, start=1):
                if number > self._line:
                    self._line = number
                    yield _checked(document, f"document {number}")
        except SourceUnavailable as error:
            raise InvalidInput(f"{self._file.path}: {error.detail}") from None
        if not stream.found and not self._line:
            self._line = 1
            yield _checked(stream.members, "document 1")


class _CsvLines:
    """Rows of a CSV file that may be broken.

    A row that cannot be read is given up after its first line and reading goes on with its second, so that a quote
    that never closes costs one row and not the rest of the file.
    """

    def __init__(self, lines: Lines) -> None:
        self.start(lines)
        self.header: tuple[str, ...] = ()
        self._delimiter = ","

    def start(self, lines: Lines) -> None:
        self._lines = lines
        self._source = iter(lines)
        self._again: deque[tuple[bytes | None, int, int]] = deque()
        self._taken: list[tuple[bytes | None, int, int]] = []
        self.line, self.end = lines.number, lines.end

    def read_header(self) -> tuple[str, ...]:
        """The column names; the delimiter is the one that they have most of. Raises InvalidInput without them."""
        try:
            first = (self._next_line() or b"").removeprefix(b"\xef\xbb\xbf").decode("utf-8")
            self._delimiter = max(_DELIMITERS, key=first.count)
            names = next(csv.reader([first], delimiter=self._delimiter), [])
        except (_LineTooLong, UnicodeDecodeError, csv.Error):
            raise InvalidInput(
                "The first line is no header.",
                hint="A CSV file begins with its column names; its lines end with a line feed.",
            ) from None
        _, self.line, self.end = self._taken[-1] if self._taken else (None, 0, 0)
        self.header = tuple(name.strip() for name in names)
        return self.header

    def __iter__(self) -> Iterator[Record | Skipped]:
        rows = csv.reader(self._texts(), delimiter=self._delimiter)
        while True:
            self._taken = []
            try:
                row = next(rows)
                self._check_joined()
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError, _LineTooLong) as error:
                yield self._give_up(error)
                rows = csv.reader(self._texts(), delimiter=self._delimiter)
                continue
            _, self.line, self.end = self._taken[-1]
            if row:
                yield self._record(row)

    def _texts(self) -> Iterator[str]:
        while (line := self._next_line()) is not None:
            yield line.decode("utf-8")

    def _check_joined(self) -> None:
        """Raises csv.Error if a row of several lines is only held together by a quote that was not closed.

        Python's reader lets it be closed by the next quote that it meets, and takes the lines between for text.
        """
        if len(self._taken) > 1:
            texts = [(line or b"").decode("utf-8") for line, _, _ in self._taken]
            for _ in csv.reader(texts, delimiter=self._delimiter, strict=True):
                pass

    def _next_line(self) -> bytes | None:
        if len(self._taken) >= _LONGEST_RECORD:
            raise csv.Error(f"a quoted field goes on for more than {_LONGEST_RECORD} lines")
        if self._again:
            taken = self._again.popleft()
        else:
            try:
                line = next(self._source)
            except StopIteration:
                return None
            taken = (line, self._lines.number, self._lines.end)
        self._taken.append(taken)
        if taken[0] is None:
            raise _LineTooLong
        return taken[0]

    def _give_up(self, error: Exception) -> Skipped:
        (first, self.line, self.end), *others = self._taken
        self._again.extendleft(reversed(others))
        start = (first or b"").decode("utf-8", "replace")
        if isinstance(error, _LineTooLong):
            # The line that is too long may not be the first one of its row.
            reason, detail = (
                (Reason.TOO_LONG, "") if first is None else (Reason.NOT_CSV, "its next line is too long")
            )
        elif isinstance(error, UnicodeDecodeError):
            reason, detail = Reason.NOT_UTF8, str(error.reason)
        else:
            reason, detail = Reason.NOT_CSV, str(error)
        return Skipped(f"line {self.line}", reason, detail, excerpt(start))

    def _record(self, row: Sequence[str]) -> Record | Skipped:
        where = f"line {self._taken[0][1]}"
        if len(row) > len(self.header) and any(row[len(self.header) :]):
            detail = f"{len(row)} values for {len(self.header)} columns"
            return Skipped(where, Reason.WRONG_COLUMNS, detail, excerpt(self._delimiter.join(row)))
        return Record(where, dict(zip(self.header, row, strict=False)))


class _LineTooLong(Exception):
    pass


def _parse_line(line: bytes | None, where: str) -> Record | Skipped:
    if line is None:
        return Skipped(where, Reason.TOO_LONG)
    try:
        return _checked(json.loads(line.decode("utf-8-sig")), where)
    except UnicodeDecodeError as error:
        return Skipped(where, Reason.NOT_UTF8, error.reason, excerpt(line.decode("utf-8", "replace")))
    except (ValueError, RecursionError) as error:
        return Skipped(where, Reason.NOT_JSON, str(error)[:200], excerpt(line.decode("utf-8", "replace")))


def _checked(document: object, where: str) -> Record | Skipped:
    if isinstance(document, dict):
        return Record(where, document)
    return Skipped(where, Reason.NOT_AN_OBJECT, type(document).__name__, excerpt(document))


def _digest(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=8).hexdigest()


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
