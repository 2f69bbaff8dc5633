"""Databases for tests."""

from __future__ import annotations

from kiosque.store.database import Database
from kiosque.store.tables import metadata


def empty(database: Database) -> None:
    """Delete every row of every table; the schema stays."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with database.write() as tx:
        if database.dialect == "postgresql":
            tx.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        else:
            for table in reversed(metadata.sorted_tables):
                tx.execute(table.delete())
