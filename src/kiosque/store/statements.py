"""Statements that are written the same for both dialects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Row, Select, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from kiosque.store.tables import generation
from kiosque.store.tx import Tx

T = TypeVar("T")

CHUNK = 500
"""Rows put into one statement: far below the parameters that either database takes."""


def insert_into(tx: Tx, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the dialect in use: both have `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def upsert(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Insert `rows`; where one with the same `keys` is there, it becomes as given."""
    if not rows:
        return
    statement = insert_into(tx, table)
    others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    tx.execute(
        statement.on_conflict_do_update(index_elements=list(keys), set_=others)
        if others
        else statement.on_conflict_do_nothing(index_elements=list(keys)),
        list(rows),
    )


def add_missing(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> None:
    """Insert `rows` except those whose `keys` are there already."""
    if rows:
        tx.execute(insert_into(tx, table).on_conflict_do_nothing(index_elements=list(keys)), list(rows))


def chunked(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """`items` in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def stream(tx: Tx, statement: Select[Any], chunk: int) -> Iterator[Row[Any]]:
    """The rows of `statement`, of which `chunk` at a time are in memory."""
    result = tx.execute(statement, execution_options={"yield_per": chunk})
    try:
        yield from result
    finally:
        result.close()


def generation_of(tx: Tx, name: str) -> int:
    """The counter `name`; 0 before its first `bump`."""
    return tx.scalar(select(generation.c.value).where(generation.c.name == name)) or 0


def bump(tx: Tx, name: str) -> None:
    """Let the counter `name` grow by one."""
    tx.execute(
        insert_into(tx, generation)
        .values(name=name, value=1)
        .on_conflict_do_update(index_elements=["name"], set_={"value": generation.c.value + 1})
    )
