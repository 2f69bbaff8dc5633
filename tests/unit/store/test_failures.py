from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import exc

from kiosque.core.errors import Conflict, InvalidInput, SchemaMismatch, StoreUnavailable
from kiosque.store.failures import translate, translated


def wrapped(kind, message):
    return kind("SELECT secret", {"p": "hush"}, sqlite3.OperationalError(message))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (wrapped(exc.OperationalError, "database is locked"), StoreUnavailable),
        (wrapped(exc.OperationalError, "disk I/O error"), StoreUnavailable),
        (wrapped(exc.InterfaceError, "connection closed"), StoreUnavailable),
        (wrapped(exc.DatabaseError, "file is not a database"), StoreUnavailable),
        (wrapped(exc.OperationalError, "no such table: article"), SchemaMismatch),
        (wrapped(exc.IntegrityError, "UNIQUE constraint failed"), Conflict),
        (wrapped(exc.DataError, "integer out of range"), InvalidInput),
        (exc.TimeoutError("QueuePool limit"), StoreUnavailable),
    ],
)
def test_what_the_driver_says_in_the_words_of_the_house(error, expected):
    failure = translate(error)
    assert type(failure) is expected
    assert "secret" not in str(failure)
    assert "hush" not in str(failure)


@pytest.mark.parametrize("error", [wrapped(exc.ProgrammingError, "syntax error"), exc.ArgumentError("wrong")])
def test_a_mistake_of_ours_stays_what_it_is(error):
    assert translate(error) is None
    with pytest.raises(type(error)), translated():
        raise error


def test_other_exceptions_pass():
    with pytest.raises(KeyError), translated():
        raise KeyError


def test_a_lock_says_when_to_try_again():
    failure = translate(wrapped(exc.OperationalError, "database is locked"))
    assert isinstance(failure, StoreUnavailable)
    assert failure.retry_after == 1.0
