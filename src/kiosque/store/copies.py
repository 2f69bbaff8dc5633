"""Copies of an SQLite database: made while it is in use, checked, and put back in one transaction."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from kiosque.core.errors import Conflict, NotFound, PreconditionFailed, StoreUnavailable

PATIENCE = 15.0
"""Seconds to wait for whoever holds the database."""
_SIDE_FILES = ("-wal", "-shm", "-journal")


def make(source: Path, target: Path) -> None:
    """Copy the database `source` to the new file `target`; others may read and write meanwhile.

    The copy is what was committed at one moment. It appears under its name when it is whole.
    Raises Conflict if `target` exists, StoreUnavailable if it cannot be written.
    """
    if target.exists():
        raise Conflict(f"{target} exists already.", hint="Give another name.")
    unfinished = target.with_name(target.name + ".part")
    try:
        _remove(unfinished)
        _copy(source, unfinished)
        unfinished.replace(target)
        _sync_folder(target.parent)
    except (sqlite3.Error, OSError) as error:
        _remove(unfinished)
        raise StoreUnavailable(
            f"The copy to {target} failed: {error}", hint="Check the folder and the space on its disk."
        ) from error


def revision(copy: Path) -> str:
    """The schema of the database in `copy`, after every page and reference of it was checked.

    Raises NotFound without the file, PreconditionFailed where it is damaged or no database of Kiosque.
    """
    with _opened(copy) as connection:
        faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            raise _damaged(copy, "; ".join(faults))
        if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
            raise _damaged(copy, "rows refer to others that are missing")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise PreconditionFailed(
                f"{copy} is no database of Kiosque.", hint="Name a file that `kiosque db backup` wrote."
            )
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if row is None:
        raise _damaged(copy, "its schema has no version")
    return str(row[0])


def put_back(copy: Path, target: Path) -> None:
    """Make the database `target` what `copy` is: all of it or, when that breaks off, nothing.

    An existing database is overwritten inside a transaction of its own, so that processes that have it open see
    the one or the other. Raises StoreUnavailable while somebody holds it, and where the disk is full.
    """
    fresh = not target.exists()
    place = target.with_name(target.name + ".part") if fresh else target
    try:
        if fresh:
            _remove(place)
            _remove_side_files(target)
        with _opened(copy) as origin, closing(_writable(place)) as connection:
            origin.backup(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if fresh:
            place.replace(target)
            _sync_folder(target.parent)
    except (sqlite3.Error, OSError) as error:
        if fresh:
            _remove(place)
        raise StoreUnavailable(
            f"{target} could not be written: {error}",
            hint="Stop what uses the database, check the space on its disk, and try again.",
        ) from error


def set_aside(path: Path) -> Path:
    """Move a database that cannot even be opened out of the way; gives back where it lies now."""
    names = (path.with_name(f"{path.name}.damaged-{number}") for number in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    path.rename(aside)
    for side in _SIDE_FILES:
        file = path.with_name(path.name + side)
        if file.exists():
            file.rename(aside.with_name(aside.name + side))
    return aside


def is_readable(path: Path) -> bool:
    """Whether `path` is a database that can be opened."""
    try:
        with closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=PATIENCE)
        ) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    os.close(os.open(target, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))
    with (
        closing(sqlite3.connect(source, timeout=PATIENCE)) as origin,
        closing(sqlite3.connect(target)) as copy,
    ):
        origin.backup(copy)


def _writable(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return sqlite3.connect(path, timeout=PATIENCE)


@contextmanager
def _opened(copy: Path) -> Iterator[sqlite3.Connection]:
    """To read only; nothing is made beside it, unless it has a log that belongs to it."""
    if not copy.is_file():
        raise NotFound(f"There is no file {copy}.")
    log = copy.with_name(copy.name + "-wal")
    frozen = "" if log.exists() and log.stat().st_size else "&immutable=1"
    address = f"file:{quote(str(copy.absolute()))}?mode=ro{frozen}"
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as connection:
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            raise _damaged(copy, str(error)) from error
        yield connection


def _damaged(copy: Path, why: str) -> PreconditionFailed:
    return PreconditionFailed(f"{copy} is damaged: {why}.", hint="Use another backup.")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_side_files(path)


def _remove_side_files(path: Path) -> None:
    """What SQLite left of a database that is gone: applied to another file, it would destroy it."""
    for side in _SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
