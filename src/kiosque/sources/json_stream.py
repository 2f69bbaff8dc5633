"""Reading the documents of a long JSON answer one by one.

A month of the Archive can be a hundred megabytes; parsed as a whole it takes several times that in memory. Here one
document is in memory at a time.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any, BinaryIO, TextIO

from kiosque.core.errors import SourceUnavailable

_CHUNK = 65_536
_LONGEST_VALUE = 16_777_216
"""Characters; no document of a news API comes near."""
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"
_NUMBER = "0123456789.eE+-"


class DocumentStream:
    """The documents of an answer, wherever they lie: in a bare array, or in the array called one of `arrays`, at the
    top or inside an object called one of `inside`. `null` in its place counts as empty.

    `members` gathers what stands beside the array, as far as it was read. Iterating raises SourceUnavailable when the
    text is cut off or is no JSON; `found` tells afterwards whether there was such an array.
    """

    def __init__(
        self, stream: TextIO, *, arrays: frozenset[str], inside: frozenset[str] = frozenset()
    ) -> None:
        self._stream = stream
        self._arrays = arrays
        self._inside = inside
        self._buffer = ""
        self._position = 0
        self._ended = False
        self.found = False
        self.members: dict[str, Any] = {}

    def __iter__(self) -> Iterator[object]:
        try:
            if self._peek() == "[":
                yield from self._array()
            else:
                yield from self._object()
        except (ValueError, RecursionError) as error:
            raise SourceUnavailable(f"The answer is not JSON, or cut off ({type(error).__name__}).") from None

    def _object(self) -> Iterator[object]:
        self._expect("{")
        if self._peek() == "}":
            self._position += 1
            return
        while True:
            name = str(self._value())
            self._expect(":")
            yield from self._member(name)
            if self._separator("}"):
                return

    def _member(self, name: str) -> Iterator[object]:
        if name in self._arrays and self._peek() == "[":
            yield from self._array()
        elif name in self._inside and self._peek() == "{":
            yield from self._object()
        else:
            self.members[name] = self._value()
            self.found = self.found or (name in self._arrays and self.members[name] is None)

    def _array(self) -> Iterator[object]:
        self.found = True
        self._expect("[")
        if self._peek() == "]":
            self._position += 1
            return
        while True:
            yield self._value()
            if self._separator("]"):
                return

    def _separator(self, end: str) -> bool:
        """Passes a comma or the end; True at the end."""
        character = self._peek()
        self._position += 1
        if character not in {",", end}:
            raise JSONDecodeError("Expected a comma", "", 0)
        return character == end

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise JSONDecodeError(f"Expected {character}", "", 0)
        self._position += 1

    def _peek(self) -> str:
        """The next character that is no blank."""
        while True:
            while self._position < len(self._buffer) and self._buffer[self._position] in _BLANK:
                self._position += 1
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._read(_CHUNK):
                raise JSONDecodeError("Unexpected end", "", 0)

    def _value(self) -> Any:
        """One complete value; more is read, twice as much each time, until there is one."""
        self._peek()
        step = _CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._position)
            except JSONDecodeError:
                if self._ended or len(self._buffer) - self._position > _LONGEST_VALUE:
                    raise
            else:
                # A number at the end of what was read may go on: "1" as "12", and "1.", which reads as 1, as "1.5".
                goes_on = isinstance(value, (int, float)) and self._buffer[end : end + 1] in _NUMBER
                if self._ended or (end < len(self._buffer) and not goes_on):
                    self._position = end
                    return value
            self._read(step)
            step *= 2

    def _read(self, count: int) -> bool:
        chunk = self._stream.read(count)
        self._buffer = self._buffer[self._position :] + chunk
        self._position = 0
        self._ended = not chunk
        return bool(chunk)


def parse_json(data: bytes) -> object:
    """The value in `data`. Raises SourceUnavailable, without quoting it, if that is not JSON."""
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SourceUnavailable(f"The answer is not JSON ({type(error).__name__}).") from None
    return value


def as_text(stream: BinaryIO) -> TextIO:
    """`stream` from its start as UTF-8, with or without byte order mark."""
    stream.seek(0)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
