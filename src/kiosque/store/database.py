"""The database: opened once a process, read and written through transactions. The only commit is here."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import structlog
from sqlalchemy import text

from kiosque.core.errors import Conflict, PreconditionFailed, StoreUnavailable
from kiosque.settings import Settings
from kiosque.store import copies, schema
from kiosque.store.engines import make_engines
from kiosque.store.failures import MIGRATE, translated
from kiosque.store.tx import Tx

PATIENCE = 15.0
"""Seconds that a writer waits for another one to end."""

_log = structlog.get_logger(__name__)


def open_database(settings: Settings) -> Database:
    """The database that `settings` name: PostgreSQL, or SQLite in the data folder. Does not connect yet."""
    if settings.database_url is None:
        return sqlite_database(settings.sqlite_path)
    password = settings.database_password
    return Database(
        settings.database_url.get_secret_value(), password.get_secret_value() if password else None
    )


def sqlite_database(path: Path) -> Database:
    """The SQLite database in the file `path`, which `migrate` makes if it is not there."""
    return Database(path)


class Database:
    """SQLite or PostgreSQL behind one face. Safe to share between threads.

    Raises StoreUnavailable where the database is locked, gone or refuses the connection.
    """

    def __init__(self, url: str | Path, password: str | None = None, *, patience: float = PATIENCE) -> None:
        """`url` is `postgresql://user@host/name`, `sqlite:///path` or the path of an SQLite file.

        `patience` is how many seconds to wait for a lock.
        """
        self._engines = make_engines(url, password, patience)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engines.writer.dialect.name

    @property
    def path(self) -> Path | None:
        """The file of an SQLite database; None on PostgreSQL."""
        return self._engines.path

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A transaction that sees one moment of the database and cannot write."""
        with translated():
            self._must_exist()
            with self._engines.reader.connect() as tx, tx.begin() as transaction:
                yield tx
                transaction.rollback()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that is committed at the end, or undone when an exception leaves the block.

        Don't nest it: on SQLite there is one writer at a time. Whatever takes long (scoring,
        fetching) happens before it is opened.
        """
        with translated():
            self._must_exist()
            with self._engines.writer.begin() as tx:
                yield tx

    def migrate(self) -> bool:
        """Bring the schema up to this program; True if anything was done. SchemaMismatch if the schema is newer."""
        if self.path is not None:
            _make_sqlite(self.path)
        with self.write() as tx:
            changed = schema.upgrade(tx)
        if changed:
            _log.info("database.migrated", dialect=self.dialect, revision=schema.head())
        return changed

    def schema_version(self) -> str | None:
        """The revision that the database has; None for an empty one or one that is not there."""
        if self.path is not None and not self.path.exists():
            return None
        with self.read() as tx:
            return schema.current(tx)

    def check(self) -> None:
        """Returns if the database answers and its schema fits; StoreUnavailable or SchemaMismatch otherwise."""
        with self.read() as tx:
            schema.require(schema.current(tx))

    def backup(self, path: Path) -> None:
        """Copy an SQLite database to `path` while it is in use.

        Raises Conflict if `path` exists, PreconditionFailed on PostgreSQL.
        """
        source = self._file("pg_dump --format=custom --file=FILE DATABASE_URL")
        self._must_exist()
        copies.make(source, path)

    def restore(self, path: Path, *, overwrite: bool = False) -> None:
        """Make this database what the backup in `path` is, and bring its schema up to this program.

        The backup is checked first: every page, and that its schema is not newer than this program. Raises
        PreconditionFailed where it is damaged (and on PostgreSQL), SchemaMismatch where it is newer, Conflict where
        there is a database already and `overwrite` is not given. What goes wrong leaves the database as it was.
        """
        target = self._file("pg_restore --clean --if-exists --single-transaction --dbname=DATABASE_URL FILE")
        schema.require_known(copies.revision(path))
        if target.exists():
            if not overwrite:
                raise Conflict(
                    f"There is a database at {target} already.",
                    hint="Back it up (kiosque db backup), then restore with --force.",
                )
            self._engines.reader.dispose()
            self._engines.writer.dispose()
            if not copies.is_readable(target):
                _log.warning("database.set_aside", path=str(copies.set_aside(target)))
        target.parent.mkdir(parents=True, exist_ok=True)
        copies.put_back(path, target)
        _log.info("database.restored", path=str(path))
        self.migrate()

    def _file(self, instead: str) -> Path:
        """The file of an SQLite database. Raises PreconditionFailed on PostgreSQL, with the command to use there."""
        if self.path is None:
            raise PreconditionFailed(
                "Only an SQLite database is copied this way.", hint=f"For PostgreSQL: {instead}"
            )
        return self.path

    def size(self) -> int:
        """Bytes that the database takes on disk."""
        if self.path is not None:
            files = (self.path, self.path.with_name(self.path.name + "-wal"))
            return sum(file.stat().st_size for file in files if file.exists())
        with self.read() as tx:
            return int(tx.scalar(text("SELECT pg_database_size(current_database())")) or 0)

    def close(self) -> None:
        """Let go of every connection."""
        if self.path is not None and self.path.exists():
            self._refresh_statistics()
        self._engines.reader.dispose()
        self._engines.writer.dispose()

    def _refresh_statistics(self) -> None:
        """What SQLite's planner wants to know is gathered when a process ends, as its manual advises."""
        with (
            contextlib.suppress(StoreUnavailable),
            translated(),
            self._engines.writer.connect() as connection,
        ):
            connection.exec_driver_sql("PRAGMA busy_timeout = 100")  # nobody waits for this
            connection.exec_driver_sql("PRAGMA analysis_limit = 400")
            connection.exec_driver_sql("PRAGMA optimize")

    def _must_exist(self) -> None:
        if self.path is not None and not self.path.exists():
            raise StoreUnavailable(f"There is no database at {self.path}.", hint=MIGRATE)


def _make_sqlite(path: Path) -> None:
    """An empty database that only its owner reads (it holds hashes of keys), with a write-ahead log."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Never where there is one: closing a file lets go of every lock that this process holds on it (POSIX),
            # those of SQLite's open connections too, and whoever leaves next takes the log away from under them.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(
            f"The database {path} cannot be made: {error}", hint="Check the folder and who may write there."
        ) from error
