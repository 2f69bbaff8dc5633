"""Backups of SQLite: made while others write, checked before they are put back, put back as a whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest
from sqlalchemy import text

from kiosque.core.errors import Conflict, NotFound, PreconditionFailed, SchemaMismatch
from kiosque.store import articles, copies
from kiosque.store.database import sqlite_database
from kiosque.testing.world import NOW, article


def write(database, first, count, each=1):
    for start in range(first, first + count, each):
        with database.write() as tx:
            articles.save(
                tx, [article(f"k{n:05}", "1852-01-01", "Lincoln") for n in range(start, start + each)], NOW
            )


def keys(path):
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return [key for (key,) in connection.execute("SELECT key FROM article ORDER BY key")]


@pytest.fixture
def store(sqlite_store):
    write(sqlite_store, 0, 40, each=10)
    return sqlite_store


@pytest.fixture
def backup(store, tmp_path):
    store.backup(tmp_path / "backup.sqlite")
    return tmp_path / "backup.sqlite"


def test_a_backup_under_load_is_one_moment_of_the_database(store, tmp_path):
    """The writer adds keys in order: a copy that is one moment has them without a gap."""
    stop = threading.Event()

    def load():
        number = 40
        while not stop.is_set():
            write(store, number, 1)
            number += 1

    writer = threading.Thread(target=load)
    writer.start()
    sizes = []
    for number in range(5):
        before = len(keys(store.path))
        store.backup(tmp_path / f"copy{number}.sqlite")
        after = len(keys(store.path))
        found = keys(tmp_path / f"copy{number}.sqlite")
        assert found == [f"k{n:05}" for n in range(len(found))]
        assert before <= len(found) <= after
        sizes.append(len(found))
    stop.set()
    writer.join()
    assert sizes == sorted(sizes)
    assert not list(tmp_path.glob("*.part*"))


def test_a_backup_is_put_back_where_there_was_nothing(backup, tmp_path):
    database = sqlite_database(tmp_path / "new folder" / "kiosque.sqlite")
    database.restore(backup)
    database.check()
    assert len(keys(database.path)) == 40
    assert database.path.stat().st_mode & 0o077 == 0
    with database.write() as tx:
        assert tx.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()
    assert not list(database.path.parent.glob("*.part*"))


def test_a_database_is_overwritten_only_when_told_to(store, backup):
    write(store, 40, 10)
    with pytest.raises(Conflict, match="already") as refused:
        store.restore(backup)
    assert "--force" in str(refused.value)
    assert len(keys(store.path)) == 50
    store.restore(backup, overwrite=True)
    assert len(keys(store.path)) == 40
    write(store, 40, 5)
    assert len(keys(store.path)) == 45


def test_what_others_have_open_shows_the_restored_content(store, backup):
    write(store, 40, 10)
    other = sqlite_database(store.path)
    with other.read() as tx:
        assert articles.count(tx) == 50
    store.restore(backup, overwrite=True)
    with other.read() as tx:
        assert articles.count(tx) == 40
    other.close()


def damage_page(path):
    data = bytearray(path.read_bytes())
    for start in range(4096 * 3, len(data), 4096):
        data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage_page, "damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-30_000]), "damaged"),
        (lambda path: path.write_bytes(b"not a database" * 400), "damaged"),
        (lambda path: path.write_bytes(b""), "no database of Kiosque"),
    ],
    ids=["pages", "cut short", "something else", "empty"],
)
def test_a_damaged_backup_is_refused_and_the_database_stays(store, backup, spoil, message):
    write(store, 40, 1)
    spoil(backup)
    with pytest.raises(PreconditionFailed, match=message):
        store.restore(backup, overwrite=True)
    assert len(keys(store.path)) == 41


def test_a_backup_that_is_not_there_or_not_ours_is_said(store, tmp_path):
    with pytest.raises(NotFound, match="no file"):
        store.restore(tmp_path / "none", overwrite=True)
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection:
        connection.execute("CREATE TABLE a (b)")
    with pytest.raises(PreconditionFailed, match="no database of Kiosque"):
        store.restore(tmp_path / "other.sqlite", overwrite=True)


def test_a_backup_of_a_newer_program_is_refused(store, backup):
    with closing(sqlite3.connect(backup)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="newer"):
        store.restore(backup, overwrite=True)
    assert len(keys(store.path)) == 40


def test_a_database_that_cannot_be_opened_is_set_aside(store, backup):
    store.close()
    store.path.write_bytes(b"rubbish" * 4096)
    store.restore(backup, overwrite=True)
    store.check()
    assert len(keys(store.path)) == 40
    assert store.path.with_name(store.path.name + ".damaged-1").read_bytes().startswith(b"rubbish")


def test_a_restored_database_ignores_the_log_of_the_one_before(backup, tmp_path):
    """A database that somebody deleted by hand, but not its write-ahead log."""
    database = sqlite_database(tmp_path / "a" / "kiosque.sqlite")
    database.migrate()
    write(database, 100, 20)
    logged = database.path.with_name("kiosque.sqlite-wal").read_bytes()
    assert logged
    database.close()
    database.path.unlink()
    database.path.with_name("kiosque.sqlite-wal").write_bytes(logged)
    database.restore(backup)
    assert len(keys(database.path)) == 40
    database.close()


def test_a_backup_on_a_medium_that_cannot_be_written_is_read(store, backup, tmp_path):
    folder = tmp_path / "read only"
    folder.mkdir()
    kept = folder / "backup.sqlite"
    backup.rename(kept)
    folder.chmod(0o500)
    try:
        assert copies.revision(kept) == store.schema_version()
        assert [path.name for path in folder.iterdir()] == ["backup.sqlite"], "nothing is made beside it"
    finally:
        folder.chmod(0o700)


def test_a_backup_of_an_older_schema_is_migrated(store, tmp_path):
    import gzip
    from pathlib import Path

    old = tmp_path / "old.sqlite"
    released = Path(__file__).with_name("released") / "0001.sqlite.gz"
    old.write_bytes(gzip.decompress(released.read_bytes()))
    store.restore(old, overwrite=True)
    store.check()
    with store.read() as tx:
        assert articles.count(tx) == 8
        assert tx.execute(text("SELECT count(*) FROM api_key")).scalar() == 5


def test_postgresql_is_told_what_to_use(postgres_database, tmp_path):
    with pytest.raises(PreconditionFailed, match="pg_restore"):
        postgres_database.restore(tmp_path / "copy")
