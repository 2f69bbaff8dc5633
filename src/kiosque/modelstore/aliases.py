"""Which version an alias names, and who moved it when and why.

    aliases.json    {"generation": 7, "aliases": {"champion": "20261125-1f0c…"}, "last": {the last move}}
    history.jsonl   one move a line, append only

aliases.json is the truth and is replaced atomically. It carries the last move, so that a crash between the
two writes loses nothing: whoever reads or moves next finds the line that is still missing.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import EllipsisType
from typing import Any

from kiosque.core.errors import Conflict, CorruptModel, TryAgain
from kiosque.modelstore.folder import read_small, settle, sync_folder
from kiosque.modelstore.manifest import check_name, is_name, parse_json_object, refuse

CHAMPION = "champion"
FILE_NAME = "aliases.json"
HISTORY_NAME = "history.jsonl"
LOCK_NAME = ".lock"
LOCK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Move:
    """One line of the history. `at` is RFC 3339; `from_version` is None for an alias that was new."""

    generation: int
    at: str
    alias: str
    from_version: str | None
    to_version: str
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Aliases:
    """What aliases.json holds. `generation` grows by one with every move."""

    generation: int
    versions: Mapping[str, str]
    last: Move | None = None


@dataclass(frozen=True, slots=True)
class WatchToken:
    """Compare two of them to see whether the aliases may have changed in between."""

    generation: int
    mtime_ns: int


def read_aliases(folder: Path) -> Aliases:
    """The aliases of the model in `folder`; none where there is no file. CorruptModel where it is malformed."""
    data = _read(folder / FILE_NAME)
    return Aliases(0, {}) if data is None else _parse(data, where=str(folder / FILE_NAME))


def watch_token(folder: Path) -> WatchToken:
    """Cheap enough to be asked every second, and right on network volumes, where inotify is not."""
    try:
        mtime_ns = (folder / FILE_NAME).stat().st_mtime_ns
    except FileNotFoundError:
        mtime_ns = 0
    return WatchToken(read_aliases(folder).generation, mtime_ns)


def read_history(folder: Path) -> list[Move]:
    """Every move, oldest first. A line that a crash tore is left out; its move comes from aliases.json."""
    moves = list(_lines(folder))
    last = read_aliases(folder).last
    known = {move.generation for move in moves}
    return [*moves, last] if last and last.generation not in known else moves


def write_move(
    folder: Path,
    alias: str,
    version: str,
    *,
    who: str,
    why: str,
    at: str,
    expected: str | EllipsisType | None,
) -> Move:
    """Point `alias` at `version`. The caller holds `lock(folder)` and has checked that the version is good.

    Raises Conflict if the alias names something else than `expected` (None: nothing yet; `...`: whatever).
    """
    current = read_aliases(folder)
    before = current.versions.get(check_name(alias, "alias"))
    if expected is not ... and expected != before:
        raise Conflict(
            f"{folder.name}: {alias} names {before}, not {expected}.",
            hint="Somebody moved it in the meantime; look again and decide anew.",
        )
    _append_missing(folder, current.last)
    move = Move(current.generation + 1, at, alias, before, version, who, why)
    _replace(folder, Aliases(move.generation, {**current.versions, alias: version}, move))
    _append_missing(folder, move)
    return move


@contextmanager
def lock(folder: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep other processes and threads from moving aliases in `folder`. TryAgain after `seconds` of waiting."""
    deadline = time.monotonic() + seconds
    with (folder / LOCK_NAME).open("ab") as file:
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise TryAgain(
                    f"{folder} has been locked by another process for {seconds:.0f} s.",
                    hint="Wait for the training or the command that is publishing there.",
                )
            time.sleep(0.02)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(path: Path) -> bytes | None:
    """The bytes of a small file; None where there is none."""
    try:
        return read_small(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        refuse(str(path), f"cannot be read: {error.strerror}")


def _replace(folder: Path, aliases: Aliases) -> None:
    document: dict[str, Any] = {"generation": aliases.generation, "aliases": dict(aliases.versions)}
    if aliases.last:
        document["last"] = asdict(aliases.last)
    temporary = folder / f".{FILE_NAME}.new"
    with temporary.open("wb") as file:
        file.write((json.dumps(document, indent=2) + "\n").encode())
        settle(file)
    temporary.replace(folder / FILE_NAME)
    sync_folder(folder)


def _append_missing(folder: Path, move: Move | None) -> None:
    if move is None or any(line.generation == move.generation for line in _lines(folder)):
        return
    path = folder / HISTORY_NAME
    torn = not (_read(path) or b"\n").endswith(b"\n")
    with path.open("ab") as file:
        file.write((b"\n" if torn else b"") + json.dumps(asdict(move)).encode() + b"\n")
        settle(file)
    sync_folder(folder)


def _lines(folder: Path) -> Iterator[Move]:
    for number, line in enumerate((_read(folder / HISTORY_NAME) or b"").splitlines(), start=1):
        if line.strip():
            try:
                yield _move(parse_json_object(line, where=f"{folder / HISTORY_NAME}:{number}"), str(folder))
            except CorruptModel:
                continue  # torn by a crash: the move itself is in aliases.json


def _parse(data: bytes, *, where: str) -> Aliases:
    document = parse_json_object(data, where=where)
    generation, versions = document.get("generation"), document.get("aliases")
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 0:
        refuse(where, "has no usable generation")
    if not isinstance(versions, dict) or not all(is_name(v) for v in versions.values()):
        refuse(where, "has no usable aliases")
    last = document.get("last")
    return Aliases(generation, versions, None if last is None else _move(last, where))


def _move(document: object, where: str) -> Move:
    try:
        move = Move(**document)  # type: ignore[arg-type]  # anything else than a fitting mapping is a TypeError
    except TypeError:
        refuse(where, "holds a move that is not one")
    texts = (move.at, move.alias, move.to_version, move.who, move.why)
    if not all(isinstance(text, str) for text in texts) or not isinstance(move.generation, int):
        refuse(where, "holds a move that is not one")
    return move
