"""Files of a version: walked without following links, copied with their digests taken on the way, made durable."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from kiosque.core.errors import InvalidInput
from kiosque.modelstore.manifest import MAX_BYTES, FileEntry, check_path

_CHUNK = 1024 * 1024
_DIR_MODE, _FILE_MODE = 0o755, 0o644
"""A version is written by one user (the trainer) and read by others (predict)."""


def walk_files(folder: Path) -> Iterator[tuple[str, str | None]]:
    """(relative POSIX path, why it may not be there or None) of everything in `folder` that is not a directory."""
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                relative = Path(entry.path).relative_to(folder).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    pending.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False):
                    yield relative, None
                else:
                    yield relative, "is a symbolic link" if entry.is_symlink() else "is not a regular file"


def list_publishable(folder: Path) -> list[str]:
    """The paths to publish, sorted. Raises InvalidInput naming the first that may not be published."""
    if not folder.is_dir():
        raise InvalidInput(f"{folder} is not a folder.")
    paths = []
    for path, why in walk_files(folder):
        if why := why or check_path(path):
            raise InvalidInput(f"{path!r} in {folder} {why}.", hint="Take it out and publish again.")
        paths.append(path)
    if not paths:
        raise InvalidInput(f"{folder} holds no files to publish.")
    return sorted(paths)


def digest_file(path: Path) -> FileEntry:
    """Digest and size of a regular file; OSError where it is a link or cannot be read."""
    digest, size = hashlib.sha256(), 0
    with open_regular(path) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return FileEntry(digest.hexdigest(), size)


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """`path` for reading in binary, never through a link and never a pipe or device that would block."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as source:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        yield source


def read_small(path: Path) -> bytes:
    """All of a regular file that ought to be small; cut where it is larger than any manifest may be."""
    with open_regular(path) as source:
        return source.read(MAX_BYTES + 1)


def copy_durably(source: Path, target: Path) -> FileEntry:
    """Copy one file, fsync it, and say what was copied."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=_DIR_MODE)
    digest, size = hashlib.sha256(), 0
    with open_regular(source) as incoming, target.open("xb") as outgoing:
        while chunk := incoming.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            outgoing.write(chunk)
        settle(outgoing)
    return FileEntry(digest.hexdigest(), size)


def write_durably(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        settle(file)


def settle(file: BinaryIO) -> None:
    """On disk, and readable by every user of the volume."""
    file.flush()
    os.fchmod(file.fileno(), _FILE_MODE)
    os.fsync(file.fileno())


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent`, gone afterwards unless it was renamed."""
    folder = Path(mkdtemp(prefix=prefix, dir=parent))
    folder.chmod(_DIR_MODE)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(parent: Path, *, before: float) -> None:
    """Remove temporary folders that a killed process left; `before` is a time stamp, so that those in use stay."""
    for folder in parent.glob(".*"):
        with suppress(FileNotFoundError):  # somebody else was faster
            if folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def sync_tree(folder: Path) -> None:
    """fsync `folder` and every folder in it; the files were synced when they were written."""
    for path, _, _ in os.walk(folder):
        sync_folder(Path(path))


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
