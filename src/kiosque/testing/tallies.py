"""The tallies of the store as they stand, and as they would be if everything was counted anew."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, func, select

from kiosque.store.tables import article, article_day, article_month, mention, mention_day, mention_month
from kiosque.store.tallies import COUNTED
from kiosque.store.tx import Tx

Counted = dict[str, dict[tuple[Any, ...], tuple[int, ...]]]
"""Table → key → numbers; what counts nothing is left out."""

_KEYS = {
    mention_day: ("version_pk", "entity_pk", "day", "month"),
    mention_month: ("version_pk", "entity_pk", "month"),
}
_ARTICLES = {article_day: ("day", "source", "month"), article_month: ("month", "source")}


def tallies_of(tx: Tx) -> Counted:
    """What the tables say."""
    found = {
        table.name: _counted(tx, table, key, [func.sum(table.c[name]) for name in COUNTED])
        for table, key in _KEYS.items()
    }
    return found | {
        table.name: _counted(tx, table, key, [func.sum(table.c.articles)]) for table, key in _ARTICLES.items()
    }


def tallies_from_scratch(tx: Tx) -> Counted:
    """What the articles and mentions themselves say."""
    kinds = [func.count().filter(mention.c.polarity == number) for number in (-1, 0, 1, 2)]
    found = {table.name: _counted(tx, mention, key, kinds) for table, key in _KEYS.items()}
    return found | {
        table.name: _counted(tx, article, key, [func.count()]) for table, key in _ARTICLES.items()
    }


def _counted(
    tx: Tx, table: Table, key: tuple[str, ...], numbers: list[ColumnElement[int]]
) -> dict[tuple[Any, ...], tuple[int, ...]]:
    columns = [table.c[name] for name in key]
    rows = tx.execute(select(*columns, *numbers).group_by(*columns))
    values = {tuple(row[: len(key)]): tuple(int(n) for n in row[len(key) :]) for row in rows}
    return {where: counts for where, counts in values.items() if any(counts)}
