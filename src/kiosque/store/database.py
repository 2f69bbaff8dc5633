"""The database: opened once a process, read and written through transactions. The only commit is here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosque.settings import Settings
from kiosque.store.tx import Tx


def open_database(settings: Settings) -> Database:
    """The database that `settings` name: PostgreSQL, or SQLite in the data folder. Does not connect yet."""
    raise NotImplementedError


class Database:
    """SQLite or PostgreSQL behind one face. Safe to share between threads.

    Raises StoreUnavailable where the database is locked, gone or refuses the connection.
    """

    def __init__(self, url: str, password: str | None = None) -> None:
        """`url` is `postgresql://user@host/name` or `sqlite:///path`."""
        raise NotImplementedError

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        raise NotImplementedError

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one moment of the database and cannot write."""
        raise NotImplementedError

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that is committed at the end, or undone when an exception leaves the block.

        Don't nest it: on SQLite there is one writer at a time. Whatever takes long (scoring,
        fetching) happens before it is opened.
        """
        raise NotImplementedError

    def migrate(self) -> bool:
        """Bring the schema up to this program; True if anything was done. SchemaMismatch if the schema is newer."""
        raise NotImplementedError

    def schema_version(self) -> str | None:
        """The revision that the database has; None for an empty one."""
        raise NotImplementedError

    def check(self) -> None:
        """Returns if the database answers and its schema fits; StoreUnavailable or SchemaMismatch otherwise."""
        raise NotImplementedError

    def backup(self, path: Path) -> None:
        """Copy a SQLite database to `path` while it is in use. PreconditionFailed on PostgreSQL (use pg_dump)."""
        raise NotImplementedError

    def size(self) -> int:
        """Bytes on disk."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of every connection."""
        raise NotImplementedError
