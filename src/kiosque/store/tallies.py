"""What pages ask for over all times, counted beforehand: mentions, articles by section, what was scored.

Triggers keep the tallies in the transaction of the change, whoever makes it. On SQLite there is one row a key. On
PostgreSQL every transaction adds to rows of its own (`writer`), so that no writer waits for another; readers add up,
and `fold` puts together what one writer has just touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Table, TextClause, text

from kiosque.store.tx import Tx

WRITER = "writer"
NUMBERS = ("negative", "neutral", "positive", "unscored", "articles")
"""The columns of any tally that count."""
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('kiosque.tallies'))")


def fold(tx: Tx, table: Table, places: Iterable[tuple[Any, ...]]) -> None:
    """Make one row of the several that each of `places`, keys of `table`, may have on PostgreSQL.

    Nothing happens while another writer is at it: what is left open then counts all the same.
    """
    if tx.dialect.name != "postgresql":
        return
    keys = sorted(set(places))
    if not keys or not tx.scalar(_LOCK):
        return
    columns = zip(*keys, strict=True)
    tx.execute(_folding(table), {f"k{n}": list(values) for n, values in enumerate(columns)})


def _folding(table: Table) -> TextClause:
    """The statement that takes the rows of some places away and puts their sums back."""
    key = [column for column in table.primary_key if column.name != WRITER]
    numbers = [column.name for column in table.columns if column.name in NUMBERS]
    names = ", ".join(c.name for c in table.columns if c.name not in (WRITER, *NUMBERS))
    arrays = ", ".join(f"CAST(:k{n} AS {_type(column)}[])" for n, column in enumerate(key))
    places = ", ".join(f"k{n}" for n, _ in enumerate(key))
    here = " AND ".join(f"t.{column.name} = p.k{n}" for n, column in enumerate(key))
    sums = ", ".join(f"sum({name})" for name in numbers)
    something = " OR ".join(f"sum({name}) <> 0" for name in numbers)
    return text(
        f"WITH gone AS (DELETE FROM {table.name} t USING unnest({arrays}) AS p ({places}) "  # noqa: S608 - our names
        f"WHERE {here} RETURNING t.*) "
        f"INSERT INTO {table.name} ({names}, {WRITER}, {', '.join(numbers)}) "
        f"SELECT {names}, 0, {sums} FROM gone GROUP BY {names} HAVING {something}"
    )


def _type(column: Column[Any]) -> str:
    if isinstance(column.type, BigInteger):
        return "bigint"
    return "integer" if isinstance(column.type, Integer) else "text"
