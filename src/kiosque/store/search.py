"""Full-text search: what people type, as FTS5 on SQLite and as a tsquery on PostgreSQL.

All words must be there, in any order; `"a phrase"` in this order; `-word` must not; `word*` is a beginning.
Everything else that people type is a word or a blank: no input is an error.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Table,
    TableClause,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy import table as table_clause

_TOKEN = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_MAX_TERMS = 32
_MAX_WORDS = 32
# How much more a word in the headline (title) says than one further down; of SQLite's bm25, in the order of columns.
# PostgreSQL weighs by the letters that the migration gives, A to D: 1.0, 0.4, 0.2, 0.1 (its defaults).
_WEIGHTS = {"article": (10.0, 4.0, 2.0), "book": (10.0, 10.0, 4.0, 2.0)}
_SCORE_UNIT = 1_000_000
_ENGLISH: ColumnElement[Any] = literal_column("'english'")


@dataclass(frozen=True, slots=True)
class Term:
    """Words that follow one another; with `prefix` the last one is only a beginning."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()


def parse(typed: str) -> Query:
    """What was typed, as terms."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    for minus, phrase, word in _TOKEN.findall(typed[:10_000]):
        words = tuple(_WORD.findall(phrase or word)[:_MAX_WORDS])
        if words:
            (unwanted if minus else wanted).append(Term(words, prefix=word.endswith("*")))
    return Query(tuple(wanted[:_MAX_TERMS]), tuple(unwanted[:_MAX_TERMS]))


def hits(dialect: str, table: Table, query: Query, *, newest: int | None = None) -> CTE:
    """(pk, score) of the rows that have everything wanted; a higher score fits better.

    With `newest` only so many of them, those that were added last.
    """
    if dialect == "postgresql":
        words = _tsquery(query.wanted)
        score = cast(func.ts_rank(_vector(table), words) * _SCORE_UNIT, BigInteger)
        pk: ColumnElement[int] = table.c.pk
        statement = select(pk, score.label("score")).where(_vector(table).op("@@")(words))
    else:
        index = _fts5_table(table)
        rank = func.bm25(literal_column(index.name), *(literal_column(str(w)) for w in _WEIGHTS[table.name]))
        score = cast(func.round(-rank * _SCORE_UNIT), Integer)
        pk = index.c.rowid
        statement = select(pk.label("pk"), score.label("score")).where(_fts5_match(index, query.wanted))
    if newest is not None:
        statement = statement.order_by(pk.desc()).limit(newest)
    # materialised: bm25 works only where the index itself is read
    return statement.cte("hits").prefix_with("MATERIALIZED")


def condition(dialect: str, table: Table, query: Query) -> ColumnElement[bool]:
    """That a row of `table` has everything wanted and nothing unwanted. Without any word: never."""
    if not (query.wanted or query.unwanted):
        return false()
    conditions = [not_(_matches(dialect, table, (term,))) for term in query.unwanted]
    if query.wanted:
        conditions.append(_matches(dialect, table, query.wanted))
    return and_(*conditions)


def matching(table: Table, query: Query) -> tuple[Select[Any], ColumnElement[int]]:
    """On SQLite: the pks of the rows that have everything wanted, straight from the index; and their column."""
    index = _fts5_table(table)
    return select(index.c.rowid).where(_fts5_match(index, query.wanted)), index.c.rowid


def by_headline(table: Table, query: Query) -> tuple[Select[Any], Select[Any], ColumnElement[int]]:
    """On SQLite: the pks of the rows that have everything wanted in the headline, of the others that have it, and
    their column. No row is weighed, so that the last few of very many are found at once.
    """
    index = _fts5_table(table)
    wanted = _fts5_words(query.wanted)
    headline = f"{{headline}} : ({wanted})"
    there, elsewhere = (
        select(index.c.rowid).where(_fts5(index, words))
        for words in (headline, f"({wanted}) NOT ({headline})")
    )
    return there, elsewhere, index.c.rowid


def _matches(dialect: str, table: Table, terms: tuple[Term, ...]) -> ColumnElement[bool]:
    if dialect == "postgresql":
        found: ColumnElement[bool] = _vector(table).op("@@", is_comparison=True)(_tsquery(terms))
        return found
    index = _fts5_table(table)
    return table.c.pk.in_(select(index.c.rowid).where(_fts5_match(index, terms)))


def fold(words: str) -> str:
    """`words` without case and accents: to sort by and to find names with."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def contains(columns: tuple[ColumnElement[str], ...], typed: str) -> ColumnElement[bool]:
    """That one of the folded `columns` has what was typed in it."""
    return or_(*(column.contains(fold(typed), autoescape=True) for column in columns))


def _fts5_table(table: Table) -> TableClause:
    return table_clause(f"{table.name}_search", column("rowid", Integer))


def _fts5_match(index: TableClause, terms: tuple[Term, ...]) -> ColumnElement[bool]:
    return _fts5(index, _fts5_words(terms))


def _fts5_words(terms: tuple[Term, ...]) -> str:
    # inside double quotes nothing but words: no operator, no column, no quote
    return " AND ".join(f'"{" ".join(term.words)}"{"*" if term.prefix else ""}' for term in terms)


def _fts5(index: TableClause, expression: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = literal_column(index.name).op("MATCH", is_comparison=True)(expression)
    return found


def _vector(table: Table) -> ColumnElement[Any]:
    return literal_column(f"{table.name}.search")


def _tsquery(terms: tuple[Term, ...]) -> ColumnElement[Any]:
    parts = [part for term in terms for part in _tsqueries(term)]
    whole: ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        whole = whole.op("&&")(part)
    return whole


def _tsqueries(term: Term) -> list[ColumnElement[Any]]:
    if not term.prefix:
        return [func.phraseto_tsquery(_ENGLISH, literal(fold(" ".join(term.words))))]
    last = fold(term.words[-1]).replace("\\", "").replace("'", "")
    beginning = func.to_tsquery(_ENGLISH, literal(f"'{last}':*"))
    return [*(func.phraseto_tsquery(_ENGLISH, literal(fold(word))) for word in term.words[:-1]), beginning]
