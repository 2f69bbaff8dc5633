"""The PostgreSQL that tests and benchmarks start: gone with its context, or kept where that is asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from kiosque.testing.servers import ServerMissing, postgres_binaries, postgres_server


@pytest.fixture
def folder() -> Iterator[Path]:
    try:
        postgres_binaries()
    except ServerMissing as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # as root the server runs as nobody
        yield Path(name) / "pg"


def test_what_is_kept_is_found_again(folder: Path) -> None:
    with postgres_server(folder, keep=True) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with postgres_server(folder, keep=True) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_without_being_asked_nothing_is_kept(folder: Path) -> None:
    with postgres_server(folder):
        pass
    assert not (folder / "data").exists()
