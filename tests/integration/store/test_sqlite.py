"""What only SQLite has: a file, its permissions, its copy."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from kiosque.core.errors import Conflict, PreconditionFailed, StoreUnavailable
from kiosque.settings import Settings
from kiosque.store import articles, meta
from kiosque.store.database import open_database, sqlite_database
from kiosque.testing.world import NOW, article


@pytest.fixture
def store(sqlite_store):
    return sqlite_store


def pragma(database, name):
    with database.write() as tx:
        return tx.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_connection_is_set_up(store):
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "foreign_keys") == 1
    assert pragma(store, "synchronous") == 2
    assert pragma(store, "busy_timeout") == 15_000


def test_a_new_database_is_its_owners_alone(tmp_path):
    database = sqlite_database(tmp_path / "a" / "kiosque.sqlite")
    database.migrate()
    assert database.path is not None
    assert database.path.stat().st_mode & 0o077 == 0
    database.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable, match="who may write"):
        sqlite_database(tmp_path / "a" / "kiosque.sqlite").migrate()


def test_a_path_that_is_a_folder_is_said(tmp_path):
    with pytest.raises(StoreUnavailable, match="cannot be made"):
        sqlite_database(tmp_path).migrate()


def test_a_file_that_is_no_database_is_said(tmp_path):
    path = tmp_path / "kiosque.sqlite"
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    database = sqlite_database(path)
    for act in (database.check, database.migrate):
        with pytest.raises(StoreUnavailable, match="not a database"):
            act()
    database.close()


def test_reading_never_makes_a_database(tmp_path):
    database = sqlite_database(tmp_path / "none.sqlite")
    assert database.schema_version() is None
    with pytest.raises(StoreUnavailable, match="no database at"):
        database.check()
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_a_path_with_signs_in_it_works(tmp_path):
    database = sqlite_database(tmp_path / "a b#c?d%20é" / "kiosque.sqlite")
    assert database.migrate()
    database.check()
    database.close()
    assert (tmp_path / "a b#c?d%20é" / "kiosque.sqlite").exists()


def test_a_backup_has_what_was_committed_while_others_write(store, tmp_path):
    with store.write() as tx:
        articles.save(tx, [article(f"k{i}", "1852-01-01", "Lincoln") for i in range(100)], NOW)
    copy = tmp_path / "copy.sqlite"
    with store.write() as tx:
        meta.put(tx, "uncommitted", "yes")
        store.backup(copy)
    assert copy.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "copy.sqlite.part").exists()
    restored = sqlite_database(copy)
    restored.check()
    with restored.read() as tx:
        assert articles.count(tx, articles.ArticleFilter(query="lincoln")) == 100
        assert meta.get(tx, "uncommitted") is None
    restored.close()
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_backup_never_overwrites(store, tmp_path):
    (tmp_path / "copy").write_text("mine")
    with pytest.raises(Conflict, match="exists"):
        store.backup(tmp_path / "copy")
    with pytest.raises(StoreUnavailable, match="failed"):
        store.backup(tmp_path / "no" / "such" / "folder")


def test_a_backup_of_postgresql_is_refused(postgres_database, tmp_path):
    with pytest.raises(PreconditionFailed, match="pg_dump"):
        postgres_database.backup(tmp_path / "copy")


def test_closing_twice_is_fine_and_a_closed_database_opens_again(store):
    store.close()
    store.close()
    store.check()


def test_settings_without_an_address_mean_the_data_folder(tmp_path):
    database = open_database(Settings(data_dir=tmp_path))
    assert (database.dialect, database.path) == ("sqlite", tmp_path / "kiosque.sqlite")


def test_the_log_stays_when_another_process_leaves(store):
    """A second `migrate` must not let go of this process's locks, or whoever leaves next removes the log."""
    with store.write() as tx:
        meta.put(tx, "a", "1")
    store.migrate()
    visit = f"import sqlite3; c = sqlite3.connect({str(store.path)!r}); c.execute('SELECT * FROM meta'); c.close()"
    subprocess.run([sys.executable, "-c", visit], check=True)
    assert store.path.with_name(store.path.name + "-wal").exists()
    with store.write() as tx:
        meta.put(tx, "b", "2")
    with closing(sqlite3.connect(store.path)) as other:
        assert {row[0] for row in other.execute("SELECT * FROM meta")} >= {"a", "b"}
