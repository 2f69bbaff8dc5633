"""SQLAlchemy engines as Kiosque wants them: one to read with, one to write with."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from kiosque.core.errors import InvalidSettings

POSTGRES_DRIVER = "postgresql+psycopg"
READERS = 10
MORE_READERS = 30


@dataclass(frozen=True, slots=True)
class Engines:
    """`reader` cannot write. `path` is the file of an SQLite database, None on PostgreSQL."""

    reader: Engine
    writer: Engine
    path: Path | None


def make_engines(url: str | Path, password: str | None, patience: float) -> Engines:
    """Engines for `url`, or for the SQLite file that a path names. Connects to nothing.

    `patience` is how many seconds to wait for a lock.
    """
    if isinstance(url, Path):
        return _sqlite_engines(url.expanduser().absolute(), patience)
    parsed = _parsed(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return make_engines(_sqlite_file(parsed), None, patience)
    if backend == "postgresql":
        return _postgres_engines(parsed, password, patience)
    raise InvalidSettings(
        f"Kiosque keeps its data in SQLite or PostgreSQL, not in {backend!r}.",
        hint="KIOSQUE_DATABASE_URL looks like postgresql://user@host/name.",
    )


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # what was given may hold a password: it is not repeated
        raise InvalidSettings(
            "The address of the database cannot be read.", hint="It looks like postgresql://user@host/name."
        ) from None


def _sqlite_file(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise InvalidSettings(
            "An SQLite database needs a file.", hint="For example sqlite:////var/lib/kiosque.sqlite."
        )
    return Path(url.database)


def _sqlite_engines(path: Path, patience: float) -> Engines:
    """The writer's pool has one connection: threads queue there instead of wrestling for the file's lock."""

    def engine(begin: str, *pragmas: str, **pool: Any) -> Engine:
        made = create_engine(
            "sqlite+pysqlite://",
            creator=_sqlite_creator(path, patience, pragmas),
            poolclass=QueuePool,
            **pool,
        )
        event.listen(made, "begin", _beginner(begin))
        return made

    return Engines(
        reader=engine("BEGIN", "query_only = ON", pool_size=READERS, max_overflow=MORE_READERS),
        writer=engine(
            "BEGIN IMMEDIATE",
            # a crash of the process loses nothing; FULL also survives a loss of power after an answer
            "synchronous = FULL",
            "journal_size_limit = 67108864",
            pool_size=1,
            max_overflow=0,
            pool_timeout=patience,
        ),
        path=path,
    )


def _sqlite_creator(
    path: Path, patience: float, pragmas: tuple[str, ...]
) -> Callable[[], sqlite3.Connection]:
    # mode=rw: opening must not make an empty database where there is none
    address = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=patience, isolation_level=None, check_same_thread=False
        )
        for pragma in ("foreign_keys = ON", "temp_store = MEMORY", "cache_size = -32768", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    return connect


def _beginner(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin


def _postgres_engines(url: URL, password: str | None, patience: float) -> Engines:
    url = url.set(drivername=POSTGRES_DRIVER)
    if password is not None:
        url = url.set(password=password)
    options = f"-c timezone=UTC -c lock_timeout={int(patience * 1000)}"
    if "options" in url.query:
        options = f"{url.query['options']} {options}"
    arguments = {"options": options, "application_name": "kiosque", "connect_timeout": 10}
    try:
        writer = create_engine(
            url, connect_args=arguments, pool_pre_ping=True, pool_size=READERS, max_overflow=MORE_READERS
        )
    except ModuleNotFoundError as error:
        raise InvalidSettings("PostgreSQL needs psycopg.", hint="Install kiosque[postgres].") from error
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(reader=reader, writer=writer, path=None)
