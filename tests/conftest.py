"""Fixtures for every kind of test. Servers start once a session, and only if a test asks for one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from kiosque.store.database import Database
    from kiosque.testing.servers import NatsServer

# Examples are not timed: a busy machine is no bug.
settings.register_profile("kiosque", deadline=None)
settings.load_profile("kiosque")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a real PostgreSQL, shared by the session; skips where there is none to start."""
    from kiosque.testing.servers import ServerMissing, postgres_server

    # not under tmp_path: its parents let nobody in, and under root the server runs as nobody
    folder = Path(tempfile.mkdtemp(prefix="kiosque-postgres-"))
    try:
        with postgres_server(folder) as url:
            yield url
    except ServerMissing as missing:
        pytest.skip(str(missing))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str) -> Iterator[Database]:
    from kiosque.store.database import Database

    database = Database(postgres_url, patience=5.0)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def postgres_database(migrated_postgres: Database) -> Database:
    """A migrated and empty database on PostgreSQL."""
    from kiosque.testing.databases import empty

    empty(migrated_postgres)
    return migrated_postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from kiosque.store.database import sqlite_database

    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    database = sqlite_database(path)
    database.migrate()
    database.close()
    return path


@pytest.fixture
def sqlite_store(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """A migrated and empty database on SQLite."""
    from kiosque.store.database import sqlite_database

    path = tmp_path / "kiosque.sqlite"
    shutil.copy(migrated_sqlite, path)
    database = sqlite_database(path)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated and empty database, once on SQLite and once on PostgreSQL."""
    name = "sqlite_store" if request.param == "sqlite" else "postgres_database"
    made: Database = request.getfixturevalue(name)
    return made


@pytest.fixture(scope="session")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A broker with JetStream, shared by the session; tests take a stream of their own each."""
    from kiosque.testing.servers import ServerMissing, nats_server

    try:
        with nats_server(tmp_path_factory.mktemp("nats")) as server:
            yield server
    except ServerMissing as missing:
        pytest.skip(str(missing))
