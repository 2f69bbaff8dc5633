"""How often each entity is named, by day and by month: counted when mentions come, change and go.

Triggers on `mention` keep both tables in the transaction of the change, whoever makes it. On SQLite a day has one
row an entity. On PostgreSQL every transaction adds to rows of its own, so that no writer waits for another; readers
add up, and `fold` puts together what one writer has just touched.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, TextClause, text

from kiosque.store.tables import mention_day, mention_month
from kiosque.store.tx import Tx

COUNTED = ("negative", "neutral", "positive", "unscored")
_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('kiosque.tallies'))")


def fold(tx: Tx, version_pk: int, named: Sequence[tuple[int, int, int]]) -> None:
    """Make one row of the several that `named`, triples of (entity, day, month), may have on PostgreSQL.

    Nothing happens while another writer is at it: what is left open then counts all the same.
    """
    if tx.dialect.name != "postgresql" or not named or not tx.scalar(_LOCK):
        return
    days = sorted({(entity, day) for entity, day, _ in named})
    months = sorted({(entity, month) for entity, _, month in named})
    for table, places in ((mention_day, days), (mention_month, months)):
        entities, numbers = zip(*places, strict=True)
        values = {"version": version_pk, "entities": list(entities), "places": list(numbers)}
        tx.execute(_folding(table), values)


def _folding(table: Table) -> TextClause:
    """The statement that takes the rows of some places away and puts their sums back."""
    names = [column.name for column in table.columns if column.name not in ("writer", *COUNTED)]
    columns, place = ", ".join(names), names[2]
    sums = ", ".join(f"sum({name})" for name in COUNTED)
    something = " OR ".join(f"sum({name}) <> 0" for name in COUNTED)
    return text(
        f"WITH gone AS (DELETE FROM {table.name} t USING "  # noqa: S608 - names of our own tables
        "unnest(CAST(:entities AS bigint[]), CAST(:places AS integer[])) AS p (entity_pk, place) "
        f"WHERE t.version_pk = :version AND t.entity_pk = p.entity_pk AND t.{place} = p.place RETURNING t.*) "
        f"INSERT INTO {table.name} ({columns}, writer, {', '.join(COUNTED)}) "
        f"SELECT {columns}, 0, {sums} FROM gone GROUP BY {columns} HAVING {something}"
    )
