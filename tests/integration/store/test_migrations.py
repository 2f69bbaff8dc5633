"""The migrations: from nothing to what tables.py says, on both dialects, also by two processes at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text, update

from kiosque.core.errors import SchemaMismatch, StoreUnavailable
from kiosque.store import alerts, articles, models, saved_searches, schema, stats, tables, users
from kiosque.store.article_rows import counted_as, to_row
from kiosque.store.articles import ArticleFilter, Sort
from kiosque.store.database import Database, sqlite_database
from kiosque.store.mentions import _scores
from kiosque.store.tables import metadata
from kiosque.testing.tallies import tallies_from_scratch, tallies_of
from kiosque.testing.world import NOW, POSITIVE, World, article, found


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


def _add_by_hand(tx, story, mention):
    """As version 0.1 did it, table by table."""
    row = to_row(story, NOW)
    del row["told_at"]  # a column that came later
    pk = tx.execute(insert(tables.article).values(row).returning(tables.article.c.pk)).scalar_one()
    days = tables.article_day.c
    place = counted_as(story)
    here = (days.day == place["day"], days.source == place["source"])
    if not tx.execute(update(tables.article_day).where(*here).values(articles=days.articles + 1)).rowcount:
        tx.execute(insert(tables.article_day).values(**place, articles=1))
    repeated = {name: row[name] for name in ("published_at", "day", "month", "source", "section")}
    entity_pk = tx.execute(select(tables.entity.c.pk).where(tables.entity.c.id == mention.entity_id)).scalar()
    version_pk = models.version_pk(tx, models.POLARITY, None)
    key = {"article_pk": pk, "version_pk": version_pk, "entity_pk": entity_pk}
    tx.execute(insert(tables.mention).values(**key, **repeated, **_scores(mention)))


def test_what_was_kept_before_the_later_migrations_is_there_after_them(first_schema):
    World(first_schema).watch()
    with first_schema.write() as tx:
        for name, day in (("won", "1860-11-07"), ("sworn in", "1861-03-04"), ("speaks", "1861-03-04")):
            _add_by_hand(tx, article(name, day, "Lincoln wins"), found("abraham-lincoln", POSITIVE))
        users.add(tx, "ana", password_hash="x", scopes=("write",), at=NOW)
    assert first_schema.schema_version() == "0001"
    assert first_schema.migrate() is True
    with first_schema.write() as tx:
        found_again = articles.page(tx, ArticleFilter(query="lincoln"), sort=Sort.OLDEST).items
        assert [each.article.key for each in found_again] == ["won", "sworn in", "speaks"]
        (lincoln,) = stats.ranking(tx, date(1800, 1, 1), date(1900, 12, 31))
        assert (lincoln.counts, stats.overview(tx).articles) == (stats.Counts(positive=3), 3)
        assert tallies_of(tx) == tallies_from_scratch(tx)
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
