from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from kiosque.core.errors import Conflict, KiosqueError, SchemaMismatch, StoreUnavailable
from kiosque.core.polarity import Outcome
from kiosque.store import articles, entities, mentions, meta, models, schema, stats
from kiosque.store.database import Database
from kiosque.store.mentions import ScoredArticle
from kiosque.testing.world import NOW, POSITIVE, article, found


def second(database: Database, *, patience: float = 15.0) -> Database:
    """The same database, as another process would open it."""
    url = database._engines.writer.url.render_as_string(hide_password=False)
    return Database(database.path or url, patience=patience)


def test_what_is_written_is_there_for_the_next_reader(database):
    with database.write() as tx:
        meta.put(tx, "a", "1")
    with database.read() as tx:
        assert meta.get(tx, "a") == "1"


def test_an_exception_undoes_the_whole_transaction(database):
    def break_off() -> None:
        with database.write() as tx:
            meta.put(tx, "a", "1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with database.read() as tx:
        assert meta.get(tx, "a") is None


def test_a_reading_transaction_cannot_write(database):
    with pytest.raises(KiosqueError), database.read() as tx:
        meta.put(tx, "a", "1")
    with database.read() as tx:
        assert meta.get(tx, "a") is None


def test_a_reading_transaction_sees_one_moment(database):
    with database.read() as reading:
        assert meta.get(reading, "a") is None
        with database.write() as tx:
            meta.put(tx, "a", "1")
        assert meta.get(reading, "a") is None
    with database.read() as tx:
        assert meta.get(tx, "a") == "1"


def test_a_foreign_key_that_leads_nowhere_is_a_conflict(database):
    with pytest.raises(Conflict), database.write() as tx:
        tx.execute(
            text("INSERT INTO alias (entity_pk, text, folded, case_rule) VALUES (99, 'x', 'x', 'any')")
        )


def test_two_threads_that_write_wait_for_one_another(database):
    """Each adds to a number that it has read: none may be lost, and nobody sees "database is locked"."""
    with database.write() as tx:
        meta.put(tx, "sum", "0")
    other = second(database)

    def add(to: Database) -> None:
        for _ in range(20):
            with to.write() as tx:
                locked = " FOR UPDATE" if database.dialect == "postgresql" else ""
                number = tx.scalar(text(f"SELECT value FROM meta WHERE name = 'sum'{locked}"))
                meta.put(tx, "sum", str(int(number) + 1))

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(add, each) for each in (database, database, other, other)]:
            done.result()
    with database.read() as tx:
        assert meta.get(tx, "sum") == "80"
    other.close()


def test_a_writer_that_waits_too_long_is_told_to_try_again(database):
    with database.write() as tx:
        meta.put(tx, "a", "1")
    impatient = second(database, patience=0.1)
    with database.write() as tx:
        meta.put(tx, "a", "2")
        with pytest.raises(StoreUnavailable, match="holds the database"), impatient.write() as other:
            meta.put(other, "a", "3")
        with impatient.read() as reading:
            assert meta.get(reading, "a") == "1"
    impatient.close()


def test_threads_that_save_the_same_articles_store_each_once(database):
    with database.write() as tx:
        entities.save_watchlist(tx, _watchlist(), NOW)
    given = [article(f"k{i}", "2020-01-01") for i in range(300)]
    others = [second(database) for _ in range(3)]
    barrier = threading.Barrier(4)

    def save(to: Database, number: int) -> int:
        barrier.wait()
        mine = given[number * 50 :] + given[: number * 50]
        new = 0
        for start in range(0, len(mine), 60):
            with to.write() as tx:
                saved = articles.save(tx, mine[start : start + 60], NOW)
                new += sum(each.new for each in saved)
                scored = [ScoredArticle(each.pk, (found("abraham-lincoln", POSITIVE),)) for each in saved]
                mentions.save(tx, scored, model_version="v1", generation=1, scored_at=NOW)
        return new

    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(save, [database, *others], range(4)))
    for other in others:
        other.close()
    assert sum(new) == 300
    with database.read() as tx:
        assert articles.count(tx) == 300
        assert stats.overview(tx).articles == 300
        assert mentions.count(tx, model_version="v1") == 300
        stored = mentions.of_articles(tx, [each.pk for each in articles.iterate(tx)], model_version="v1")
    assert {len(each) for each in stored.values()} == {1}
    assert {each[0].mention.outcome for each in stored.values()} == {Outcome.SCORED}


def _watchlist():
    from kiosque.testing.world import WATCHLIST

    return WATCHLIST


def test_threads_that_register_the_same_version_agree(database):
    def register(number: int) -> None:
        with database.write() as tx:
            models.set_current(tx, models.POLARITY, f"v{number % 2}", NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(register, range(12)))
    with database.read() as tx:
        assert len(models.uses(tx)) == 2


def test_check_passes_on_a_migrated_database(database):
    database.check()
    assert database.schema_version() == schema.head()
    assert database.size() > 0


def test_migrating_again_does_nothing(database):
    assert database.migrate() is False


@pytest.fixture
def marked(database):
    """Lets a test pretend that the database has another revision."""

    def mark(revision: str) -> None:
        with database.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})

    yield mark
    mark(schema.head())


def test_a_database_newer_than_the_program_is_refused(database, marked):
    marked("9999")
    for act in (database.check, database.migrate):
        with pytest.raises(SchemaMismatch, match=r"newer \(9999\)"):
            act()
