"""Lines out of files that may be packed, cut off, enormous or hostile: in bounded memory, with their place."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Protocol, cast

from kiosque.core.errors import InvalidInput, NotFound, TooLarge

LONGEST_LINE = 4_194_304
"""Bytes; a longer line is passed over."""
_CHUNK = 1_048_576
_BOMB_RATIO = 250
"""News text packs to a third or a tenth; gzip at its limit, on nothing but zeros, to a thousandth."""
_BOMB_FROM = 67_108_864
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_ZSTD_STEP = 1_024
_WINDOW = 134_217_728
"""Largest zstd window taken, in bytes: what `zstd --long` makes."""


class _Readable(Protocol):
    def read1(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes, as soon as there are some: what came before a damage is not lost with it."""
        ...


class UnpackedFile:
    """The bytes of a file, unpacked if it is gzip or zstd; what it is, is told by its first bytes.

    Raises NotFound, InvalidInput for a file that is damaged or cut off, and TooLarge for an archive bomb.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._raw: BinaryIO = path.open("rb")
            self._size = path.stat().st_size
            magic = self._raw.read(4)
            self._raw.seek(0)
        except FileNotFoundError:
            raise NotFound(f"There is no file {path}.") from None
        except OSError as error:
            raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error
        self.packed = magic.startswith((_GZIP, _ZSTD))
        self.position = 0
        """Bytes read, as unpacked."""
        self._stream = self._unpacking(magic)

    def _unpacking(self, magic: bytes) -> _Readable:
        if magic.startswith(_GZIP):
            return cast("_Readable", gzip.GzipFile(fileobj=self._raw))
        return _Zstd(self._raw) if magic.startswith(_ZSTD) else cast("_Readable", self._raw)

    @property
    def progress(self) -> float:
        """The share of the file that has been read, 0 to 1."""
        return self._raw.tell() / self._size if self._size else 1.0

    def read(self, size: int = _CHUNK) -> bytes:
        try:
            chunk = self._stream.read1(size)
        except (EOFError, OSError, zlib.error) as error:
            raise InvalidInput(f"{self.path} is damaged or cut off ({error}).") from error
        self.position += len(chunk)
        if self.packed and self.position > max(_BOMB_FROM, _BOMB_RATIO * self._raw.tell()):
            raise TooLarge(
                f"{self.path} unpacks to more than {_BOMB_RATIO} times its size.",
                hint="Unpack it yourself if it is what you expect, and import that.",
            )
        return chunk

    def skip_to(self, position: int) -> None:
        """Moves on to a byte of the unpacked contents."""
        if not self.packed:
            self._raw.seek(position)
            self.position = position
        while self.position < position and self.read(min(_CHUNK, position - self.position)):
            pass

    def close(self) -> None:
        self._raw.close()

    def __enter__(self) -> UnpackedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Zstd:
    """Unpacks zstd frames, a little of the file at a time: a kilobyte can stand for 32 megabytes.

    zstandard's own stream takes a frame that is cut off for the end of the file; this raises EOFError.
    """

    def __init__(self, raw: BinaryIO) -> None:
        import zstandard

        self._raw = raw
        self._make = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj
        self._error = zstandard.ZstdError
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._packed = b""
        self._ready = b""

    def read1(self, size: int = -1, /) -> bytes:
        while not self._ready:
            self._packed = self._packed or self._raw.read(_ZSTD_STEP)
            if not self._packed and self._frame is None:
                return b""
            if not self._packed:
                raise EOFError("the last frame does not end")
            self._unpack()
        chunk, self._ready = self._ready[:size], self._ready[size:]
        return chunk

    def _unpack(self) -> None:
        self._frame = self._frame or self._make()
        try:
            self._ready = self._frame.decompress(self._packed)
        except self._error as error:
            raise EOFError(str(error)) from error
        self._packed = b""
        if self._frame.eof:
            self._packed, self._frame = self._frame.unused_data, None


class Lines:
    """Iterates over the lines of a file as bytes with their line ends; `None` stands for a line that is too long.

    `end` is the byte after the line last given, `number` its number.
    """

    def __init__(self, file: UnpackedFile, *, number: int = 0) -> None:
        self._file = file
        self.number = number
        self.end = file.position

    def __iter__(self) -> Iterator[bytes | None]:
        rest, chunk = b"", self._file.read(_CHUNK)
        while chunk:
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                yield self._step(line, len(line) + 1)
            chunk = b""
            if len(rest) > LONGEST_LINE:
                chunk = self._pass_over(len(rest))
                rest = b""
                yield None
            chunk = chunk or self._file.read(_CHUNK)
        if rest:
            yield self._step(rest, len(rest))

    def _step(self, line: bytes, length: int) -> bytes | None:
        self.number += 1
        self.end += length
        return line + b"\n" if length <= LONGEST_LINE else None

    def _pass_over(self, length: int) -> bytes:
        """Reads on to the end of a line without keeping it, and returns what was read beyond."""
        tail = b""
        while chunk := self._file.read(_CHUNK):
            head, newline, tail = chunk.partition(b"\n")
            length += len(head) + len(newline)
            if newline:
                break
        self.number += 1
        self.end += length
        return tail


def as_stream(file: UnpackedFile) -> IO[str]:
    """The rest of the file as UTF-8 text."""
    return io.TextIOWrapper(io.BufferedReader(_Raw(file)), encoding="utf-8-sig", newline="")


class _Raw(io.RawIOBase):
    def __init__(self, file: UnpackedFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        chunk = self._file.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)
