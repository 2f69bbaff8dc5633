"""What only PostgreSQL has: a server that can be out of reach, a password."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from kiosque.core.errors import StoreUnavailable
from kiosque.settings import Settings
from kiosque.store import articles
from kiosque.store.database import Database, open_database
from kiosque.testing.servers import free_port
from kiosque.testing.world import NOW, article


def test_a_server_that_is_not_there_is_unavailable():
    database = Database(f"postgresql://kiosque@127.0.0.1:{free_port()}/kiosque", "hush-hush")
    with pytest.raises(StoreUnavailable, match="did not answer") as failure:
        database.check()
    assert "hush-hush" not in str(failure.value)
    assert "hush-hush" not in repr(failure.value.__cause__)
    database.close()


def test_a_database_that_is_not_there_is_unavailable(postgres_url):
    database = Database(postgres_url.rsplit("/", 1)[0] + "/no_such_database")
    with pytest.raises(StoreUnavailable, match="no_such_database"):
        database.check()
    database.close()


def test_a_connection_that_breaks_is_replaced(postgres_database):
    with postgres_database.write() as tx:
        mine = tx.scalar(text("SELECT pg_backend_pid()"))
    killer = Database(postgres_database._engines.writer.url.render_as_string(hide_password=False))
    with killer.write() as tx:
        tx.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid = :p"
            ),
            {"p": mine},
        )
    killer.close()
    with postgres_database.read() as tx:
        assert articles.count(tx) == 0


def test_a_connection_that_breaks_in_a_transaction_is_unavailable(postgres_database):
    with pytest.raises(StoreUnavailable), postgres_database.write() as tx:
        tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    postgres_database.check()


def test_settings_with_an_address_mean_postgresql(postgres_url):
    database = open_database(Settings(database_url=SecretStr(postgres_url), database_password=SecretStr("x")))
    assert (database.dialect, database.path) == ("postgresql", None)
    assert database.size() > 0
    database.close()


def test_nobody_changes_a_text_between_the_look_at_it_and_the_mentions_of_it(postgres_database):
    """Else mentions of the text before would be stored with the one after."""
    told = article("a", NOW, "Lincoln speaks", told_at=NOW)
    with postgres_database.write() as tx:
        (saved,) = articles.save(tx, [told], NOW)
    corrected = threading.Event()

    def correct() -> None:
        later = replace(told, headline="Douglas speaks", told_at=NOW + timedelta(seconds=1))
        with postgres_database.write() as tx:
            articles.save(tx, [later], NOW)
        corrected.set()

    writer = threading.Thread(target=correct)
    with postgres_database.write() as tx:
        assert articles.of_pks(tx, [saved.pk], lock=True)[saved.pk].article.headline == "Lincoln speaks"
        writer.start()
        assert not corrected.wait(0.5)
        assert articles.of_pks(tx, [saved.pk])[saved.pk].article.headline == "Lincoln speaks"
    writer.join(30)
    with postgres_database.read() as tx:
        assert articles.get(tx, "a").article.headline == "Douglas speaks"


def test_of_two_writers_the_text_told_later_holds_whoever_is_slower(postgres_database):
    told = article("a", NOW, "First", told_at=NOW)
    with postgres_database.write() as tx:
        articles.save(tx, [told], NOW)
    second = replace(told, headline="Second", told_at=NOW + timedelta(seconds=1))
    third = replace(told, headline="Third", told_at=NOW + timedelta(seconds=2))

    def store(text) -> None:
        with postgres_database.write() as tx:
            articles.save(tx, [text], NOW)

    slower = threading.Thread(target=store, args=(second,))
    with postgres_database.write() as tx:
        articles.save(tx, [third], NOW)
        slower.start()
        slower.join(0.5)  # it has looked at the text, or waits to
    slower.join(30)
    with postgres_database.read() as tx:
        assert articles.get(tx, "a").article.headline == "Third"
