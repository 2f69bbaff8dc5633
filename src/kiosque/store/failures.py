"""What SQLAlchemy and its drivers raise, in the words of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from kiosque.core.errors import Conflict, InvalidInput, KiosqueError, SchemaMismatch, StoreUnavailable

MIGRATE = "Run `kiosque db migrate`."
_SCHEMA_SIGNS = ("no such table", "no such column")
_SCHEMA_STATES = ("42P01", "42703")  # PostgreSQL: undefined table, undefined column
_LOCK_SIGNS = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")


@contextmanager
def translated() -> Iterator[None]:
    """Exceptions of the database leave this block as Kiosque's own."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        failure = translate(error)
        if failure is None:
            raise
        raise failure from error


def translate(error: exc.SQLAlchemyError) -> KiosqueError | None:
    """The error to raise instead; None for a mistake of ours, which nobody should take for a broken database."""
    if isinstance(error, exc.TimeoutError):
        return StoreUnavailable("The database is busy: no connection came free in time.", retry_after=1.0)
    if not isinstance(error, exc.DBAPIError):
        return None
    cause = _first_line(error)
    if isinstance(error, exc.IntegrityError):
        return Conflict(f"This contradicts what is stored: {cause}")
    if isinstance(error, exc.DataError):
        return InvalidInput(f"The database cannot hold this: {cause}")
    if _names(cause, _SCHEMA_SIGNS) or getattr(error.orig, "sqlstate", None) in _SCHEMA_STATES:
        return SchemaMismatch(f"The database lacks a part: {cause}", hint=MIGRATE)
    if isinstance(error, exc.ProgrammingError) and not error.connection_invalidated:
        return None
    return _unavailable(cause)


def _unavailable(cause: str) -> StoreUnavailable:
    if _names(cause, _LOCK_SIGNS):
        return StoreUnavailable(
            f"Another process holds the database for too long: {cause}", hint="Try again.", retry_after=1.0
        )
    return StoreUnavailable(
        f"The database did not answer: {cause}", hint="`kiosque doctor` says what is wrong."
    )


def _first_line(error: exc.DBAPIError) -> str:
    lines = str(error.orig or error).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__


def _names(text: str, signs: tuple[str, ...]) -> bool:
    return any(sign in text for sign in signs)
