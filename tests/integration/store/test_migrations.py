"""The migrations: from nothing to what tables.py says, on both dialects, also by two processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from kiosque.core.errors import SchemaMismatch, StoreUnavailable
from kiosque.store import alerts, articles, saved_searches, schema, users
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.database import Database, sqlite_database
from kiosque.store.tables import metadata
from kiosque.testing.world import NOW, POSITIVE, World, article


@pytest.fixture
def empty_sqlite(tmp_path):
    database = sqlite_database(tmp_path / "new folder" / "kiosque.sqlite")
    yield database
    database.close()


@pytest.fixture
def empty_postgres(postgres_url):
    server = Database(postgres_url)
    with server._engines.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE kiosque_empty"))
        database = Database(postgres_url.rsplit("/", 1)[0] + "/kiosque_empty")
        yield database
        database.close()
        connection.execute(text("DROP DATABASE kiosque_empty"))
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request):
    return request.getfixturevalue(f"empty_{request.param}")


def test_an_empty_database_is_migrated_once(empty):
    assert empty.schema_version() is None
    with pytest.raises((SchemaMismatch, StoreUnavailable), match="kiosque db migrate"):
        empty.check()
    assert empty.migrate() is True
    assert empty.migrate() is False
    assert empty.schema_version() == schema.head()
    empty.check()


def _is_ours(_thing, name, kind, reflected, compare_to):
    """Leaves out what only one dialect has: see tables.py."""
    only_here = reflected and compare_to is None
    return not (only_here and name is not None and (name == "search" or "_search" in name))


def test_tables_and_migrations_agree(empty):
    empty.migrate()
    with empty.read() as tx:
        context = MigrationContext.configure(
            tx, opts={"include_object": _is_ours, "compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_several_processes_that_start_at_once_migrate_once(empty):
    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(lambda _: empty.migrate(), range(4))) == [False, False, False, True]


def test_a_migration_that_fails_leaves_nothing_behind(empty, monkeypatch):
    def fail_at_the_end(_config, _revision):
        tx = _config.attributes["connection"]
        tx.execute(text("CREATE TABLE half (a INTEGER)"))
        raise RuntimeError("power cut")

    monkeypatch.setattr(schema.command, "upgrade", fail_at_the_end)
    with pytest.raises(RuntimeError, match="power cut"):
        empty.migrate()
    monkeypatch.undo()
    assert empty.schema_version() is None
    empty.migrate()
    with empty.read() as tx, pytest.raises(Exception, match="half"):
        tx.execute(text("SELECT * FROM half"))


@pytest.fixture
def first_schema(empty):
    """A database as version 0.1 left it."""
    if empty.path is not None:
        empty.path.parent.mkdir()
        empty.path.touch()
    config = schema._config()
    with empty.write() as tx:
        config.attributes["connection"] = tx
        schema.command.upgrade(config, "0001")
    return empty


def test_what_was_kept_before_the_second_migration_is_there_after_it(first_schema):
    world = World(first_schema)
    world.watch()
    world.add(article("won", "1860-11-07", "Lincoln wins"), ("abraham-lincoln", POSITIVE))
    with first_schema.write() as tx:
        users.add(tx, "ana", password_hash="x", scopes=("write",), at=NOW)
    assert first_schema.schema_version() == "0001"
    assert first_schema.migrate() is True
    with first_schema.write() as tx:
        assert [each.article.key for each in articles.page(tx, ArticleFilter(query="lincoln")).items] == [
            "won"
        ]
        assert [user.name for user in users.everyone(tx)] == ["ana"]
        kept = saved_searches.add(
            tx,
            name="Lincoln",
            where=ArticleFilter(query="lincoln"),
            sort=Sort.NEWEST,
            by="ana",
            at=NOW,
            feed_nonce="n",
        )
        assert saved_searches.everything(tx) == (kept,)
        assert alerts.everything(tx) == ()


def test_a_database_without_tables_says_what_to_do(empty):
    if empty.path is not None:
        empty.path.parent.mkdir()
        empty.path.touch()
    with pytest.raises(SchemaMismatch, match="kiosque db migrate"), empty.read() as tx:
        tx.execute(text("SELECT * FROM article"))
