"""What only PostgreSQL has: a server that can be out of reach, a password."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from kiosque.core.errors import StoreUnavailable
from kiosque.settings import Settings
from kiosque.store import articles
from kiosque.store.database import Database, open_database
from kiosque.testing.servers import free_port


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
