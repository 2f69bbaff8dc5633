"""The tallies of the store as they stand, and as they would be if everything was counted anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, func, literal, select

from kiosque.store import tables
from kiosque.store.tables import article, article_scoring, mention
from kiosque.store.tx import Tx

Counted = dict[str, dict[tuple[Any, ...], tuple[int, ...]]]
"""Table → key → numbers; what counts nothing is left out."""

_POLARITIES = ("negative", "neutral", "positive", "unscored")
_YEAR = mention.c.month // 12


def _by(polarity: ColumnElement[int]) -> list[ColumnElement[int]]:
    return [func.count().filter(polarity == number) for number in (-1, 0, 1, 2)]


_KINDS = _by(mention.c.polarity)
_ONE = [func.count()]
_SECTION = func.coalesce(article.c.section, "")


def tallies_of(tx: Tx) -> Counted:
    """What the tables say."""
    return {
        "mention_day": _read(
            tx, tables.mention_day, ("version_pk", "entity_pk", "day", "month"), _POLARITIES
        ),
        "mention_month": _read(tx, tables.mention_month, ("version_pk", "entity_pk", "month"), _POLARITIES),
        "mention_year": _read(tx, tables.mention_year, ("version_pk", "entity_pk", "year"), _POLARITIES),
        "mention_place": _read(
            tx, tables.mention_place, ("version_pk", "entity_pk", "kind", "year", "place"), _POLARITIES
        ),
        "section_month": _read(tx, tables.section_month, ("section", "month"), ("articles",)),
        "scoring_total": _read(tx, tables.scoring_total, ("version_pk",), ("articles",)),
        "article_day": _read(tx, tables.article_day, ("day", "source", "month"), ("articles",)),
        "article_month": _read(tx, tables.article_month, ("month", "source"), ("articles",)),
    }


def tallies_from_scratch(tx: Tx) -> Counted:
    """What the articles, mentions and scorings themselves say."""
    a, m = article.c, mention.c
    return {
        "mention_day": _count(tx, [m.version_pk, m.entity_pk, m.day, m.month], _KINDS),
        "mention_month": _count(tx, [m.version_pk, m.entity_pk, m.month], _KINDS),
        "mention_year": _count(tx, [m.version_pk, m.entity_pk, _YEAR], _KINDS),
        "mention_place": _places(tx),
        "section_month": _count(tx, [_SECTION, a.month], _ONE),
        "scoring_total": _count(tx, [article_scoring.c.version_pk], _ONE),
        "article_day": _count(tx, [a.day, a.source, a.month], _ONE),
        "article_month": _count(tx, [a.month, a.source], _ONE),
    }


def _places(tx: Tx) -> dict[tuple[Any, ...], tuple[int, ...]]:
    m = mention.c
    kinds = (
        ("section", func.coalesce(m.section, ""), m.polarity),
        ("source", m.source, m.polarity),
        ("part", literal("headline"), m.headline_polarity),
        ("part", literal("abstract"), m.abstract_polarity),
    )
    found: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for kind, place, polarity in kinds:
        found |= _count(tx, [m.version_pk, m.entity_pk, literal(kind), _YEAR, place], _by(polarity))
    return found


def _read(
    tx: Tx, table: Table, key: tuple[str, ...], numbers: tuple[str, ...]
) -> dict[tuple[Any, ...], tuple[int, ...]]:
    return _count(tx, [table.c[name] for name in key], [func.sum(table.c[name]) for name in numbers])


def _count(
    tx: Tx, key: Sequence[ColumnElement[Any]], numbers: Sequence[ColumnElement[int]]
) -> dict[tuple[Any, ...], tuple[int, ...]]:
    rows = tx.execute(select(*key, *numbers).group_by(*key))
    values = {tuple(row[: len(key)]): tuple(int(n) for n in row[len(key) :]) for row in rows}
    return {where: counts for where, counts in values.items() if any(counts)}
