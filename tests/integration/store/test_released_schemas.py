"""Databases as released versions of Kiosque left them, brought up to this program with nothing lost.

`released/<revision>.sqlite.gz` was written by the program of that time: a watch list, articles scored by two
versions, books, accounts, corrections, a dead letter (what `kiosque.testing.seeded.seed` made then). A release
whose schema is new adds its own.
"""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import MetaData, Table, insert, select, text

from kiosque.core.errors import SchemaMismatch
from kiosque.store import articles, dead_letters, mentions, schema, users
from kiosque.store.database import Database, sqlite_database
from kiosque.store.tables import metadata
from kiosque.testing.processes import command as run_command

RELEASED = sorted(Path(__file__).with_name("released").glob("*.sqlite.gz"))
NOT_COPIED = ("alembic_version", "article_search", "book_search")


@pytest.fixture(params=RELEASED, ids=lambda path: path.name.partition(".")[0])
def released(request, tmp_path):
    path = tmp_path / "kiosque.sqlite"
    path.write_bytes(gzip.decompress(request.param.read_bytes()))
    return path


Content = dict[str, tuple[list[str], list[tuple[object, ...]]]]
"""Table → its columns and its rows."""


def content(path: Path) -> Content:
    """Every table that is no index."""
    with closing(sqlite3.connect(path)) as connection:
        columns = {name: _columns(connection, name) for name in _tables(connection)}
        return {name: (some, _rows(connection, name, some)) for name, some in columns.items()}


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return [name for (name,) in rows if "search" not in name and not name.startswith("sqlite_")]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _rows(connection: sqlite3.Connection, table: str, columns: list[str]) -> list[tuple[object, ...]]:
    order = ", ".join(str(number) for number in range(1, len(columns) + 1))
    return connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order}").fetchall()


def test_every_row_is_still_there_and_the_program_works_with_it(released):
    before = content(released)
    database = sqlite_database(released)
    with pytest.raises(SchemaMismatch, match="older"):
        database.check()
    assert database.migrate() is True
    assert database.migrate() is False
    database.check()
    with closing(sqlite3.connect(released)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        del before["alembic_version"]
        for name, (columns, rows) in before.items():
            assert _rows(connection, name, columns) == rows, name
    check_contents(database)
    database.close()


def check_contents(database: Database) -> None:
    """What the program of today reads of a seeded database."""
    with database.read() as tx:
        rows = {row.pk: row.article for row in articles.iterate(tx)}
        assert len(rows) == articles.count(tx) == 8
        found = mentions.of_articles(tx, rows)
        assert sum(map(len, found.values())) == mentions.count(tx) == 12
        assert mentions.count(tx, model_version="v0") == 12
        for pk, said in found.items():
            for each in said:
                assert {each.mention.model_version} == {"v1"}
                assert all(0 <= s.span.start < s.span.end for s in each.mention.spans), rows[pk]
        assert articles.count(tx, articles.ArticleFilter(query="lincoln")) > 0
        assert dead_letters.count(tx) == 1
        assert {user.name for user in users.everyone(tx)} == {"reader", "writer", "admin"}


def test_the_same_rows_on_postgresql(released, postgres_url):
    """PostgreSQL at the old schema is filled with the rows of the SQLite database, and migrated."""
    server = Database(postgres_url)
    with server._engines.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE kiosque_released"))
        try:
            database = Database(postgres_url.rsplit("/", 1)[0] + "/kiosque_released")
            fill(database, released)
            assert database.migrate() is True
            database.check()
            check_contents(database)
            database.close()
        finally:
            connection.execute(text("DROP DATABASE kiosque_released WITH (FORCE)"))
    server.close()


def fill(database: Database, released: Path) -> None:
    """The schema of `released` with its rows, parents before children."""
    old = sqlite_database(released)
    revision = str(old.schema_version())
    with database.write() as tx:
        config = schema._config()
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
    there = MetaData()
    with database.write() as tx, old.read() as origin:
        there.reflect(bind=tx)
        for table in there.sorted_tables:
            if table.name not in NOT_COPIED:
                copy_rows(tx, origin, table)
        for table in there.sorted_tables:
            if "pk" in table.c:
                tx.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'pk'), "
                        f"(SELECT coalesce(max(pk), 0) + 1 FROM {table.name}))"
                    )
                )
    old.close()


def copy_rows(tx, origin, table: Table) -> None:
    known = metadata.tables[table.name]
    shared = [column for column in known.columns if column.name in table.c and column.computed is None]
    old = {row[1] for row in origin.exec_driver_sql(f"PRAGMA table_info({table.name})")}
    shared = [column for column in shared if column.name in old]
    if not shared:
        return
    tx.execute(table.delete())
    rows = [dict(row) for row in origin.execute(select(*shared)).mappings()]
    if rows:
        tx.execute(insert(known), rows)


def test_a_database_of_a_newer_program_is_refused_by_every_command(tmp_path):
    """Nothing is changed, and the message says what to do."""
    database = sqlite_database(tmp_path / "kiosque.sqlite")
    database.migrate()
    with database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    before = content(tmp_path / "kiosque.sqlite")
    for arguments in (("db", "migrate"), ("db", "status"), ("up", "--prepare-only"), ("article", "list")):
        done = run_command(*arguments, data_dir=tmp_path)
        assert done.returncode == 4, (arguments, done.stderr)
        assert f"newer (9999) than this program ({schema.head()})" in done.stderr.replace("\n", " ")
        assert "Install a newer Kiosque" in done.stderr
    assert content(tmp_path / "kiosque.sqlite") == before
