"""Mentions are counted by year, too, and by what they stand in: section, source, headline or abstract.

Kept as the tallies of 0003 are. A part counts with the polarity that the name has in it, where it is named there.
"""

from __future__ import annotations

from typing import NamedTuple

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

_BIG = BigInteger().with_variant(Integer(), "sqlite")
_WORDS = Text().with_variant(Text(collation="C"), "postgresql")
_NUMBERS = {"negative": -1, "neutral": 0, "positive": 1, "unscored": 2}
_YEAR = "r.month / 12"
_MENTION = ("version_pk", "entity_pk")
_WATCHED = (
    "version_pk, entity_pk, day, month, polarity, headline_polarity, abstract_polarity, source, section"
)
"""The columns of `mention` whose change changes the tallies."""


class _Count(NamedTuple):
    """One row to add to for a mention `r`: in which table, under which key, with which polarity, if at all."""

    table: str
    key: dict[str, str]
    polarity: str = "r.polarity"
    only: str = "true"

    @property
    def columns(self) -> str:
        return ", ".join((*self.key, "writer", *_NUMBERS))

    @property
    def numbers(self) -> dict[str, str]:
        return {
            name: f"CASE {self.polarity} WHEN {number} THEN 1 ELSE 0 END" for name, number in _NUMBERS.items()
        }

    def row(self, r: str, writer: str, sign: str = "") -> str:
        """The row as a SELECT, which is empty where nothing is to be counted."""
        values = (*self.key.values(), writer, *(f"{sign}({each})" for each in self.numbers.values()))
        return _of(f"SELECT {', '.join(values)} WHERE {self.only}", r)

    @property
    def more(self) -> str:
        added = ", ".join(f"{name} = {self.table}.{name} + excluded.{name}" for name in _NUMBERS)
        return f"ON CONFLICT ({', '.join(self.key)}, writer) DO UPDATE SET {added}"

    @property
    def all(self) -> str:
        """The rows of all mentions there are."""
        sums = (f"sum({each})" for each in self.numbers.values())
        values = (*self.key.values(), "0", *sums)
        groups = ", ".join(str(place) for place, _ in enumerate(self.key, start=1))
        return f"SELECT {', '.join(values)} FROM mention r WHERE {self.only} GROUP BY {groups}"  # noqa: S608


def _of(sql: str, row: str) -> str:
    return sql.replace("r.", f"{row}.")


def _place(kind: str, place: str, polarity: str = "r.polarity", only: str = "true") -> _Count:
    key = {"version_pk": "r.version_pk", "entity_pk": "r.entity_pk", "kind": f"'{kind}'"}
    return _Count("mention_place", {**key, "year": _YEAR, "place": place}, polarity, only)


def _part(name: str) -> _Count:
    polarity = f"r.{name}_polarity"
    return _place("part", f"'{name}'", polarity, f"{polarity} IS NOT NULL")


_COUNTS = (
    _Count("mention_year", {"version_pk": "r.version_pk", "entity_pk": "r.entity_pk", "year": _YEAR}),
    _place("section", "coalesce(r.section, '')"),
    _place("source", "r.source"),
    _part("headline"),
    _part("abstract"),
)


def upgrade() -> None:
    _make("mention_year", Column("year", Integer(), nullable=False))
    _make(
        "mention_place",
        Column("kind", _WORDS, nullable=False),
        Column("year", Integer(), nullable=False),
        Column("place", _WORDS, nullable=False),
    )
    for each in _COUNTS:
        op.execute(f"INSERT INTO {each.table} ({each.columns}) {each.all}")
    if op.get_bind().dialect.name == "postgresql":
        _postgres_triggers()
    else:
        _sqlite_triggers()


def _make(name: str, *key: Column[object]) -> None:
    op.create_table(
        name,
        *(Column(each, _BIG, nullable=False) for each in _MENTION),
        *key,
        Column("writer", BigInteger(), nullable=False),
        *(Column(each, Integer(), nullable=False) for each in _NUMBERS),
        PrimaryKeyConstraint(*_MENTION, *(column.name for column in key), "writer", name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def _sqlite_triggers() -> None:
    more = " ".join(
        f"INSERT INTO {each.table} ({each.columns}) {each.row('new', '0')} {each.more};" for each in _COUNTS
    )
    less = " ".join(_sqlite_less(each) for each in _COUNTS)
    op.execute(f"CREATE TRIGGER mention_place_insert AFTER INSERT ON mention BEGIN {more} END")
    op.execute(f"CREATE TRIGGER mention_place_delete AFTER DELETE ON mention BEGIN {less} END")
    op.execute(
        f"CREATE TRIGGER mention_place_update AFTER UPDATE OF {_WATCHED} ON mention BEGIN {less} {more} END"
    )


def _sqlite_less(count: _Count) -> str:
    """Takes one off; a row that counts nothing any more goes."""
    here = [f"{name} = {_of(each, 'old')}" for name, each in count.key.items()]
    where = " AND ".join([*here, "writer = 0", _of(count.only, "old")])
    taken = ", ".join(f"{name} = {name} - ({_of(each, 'old')})" for name, each in count.numbers.items())
    nothing = " AND ".join(f"{name} = 0" for name in _NUMBERS)
    return f"UPDATE {count.table} SET {taken} WHERE {where}; DELETE FROM {count.table} WHERE {where} AND {nothing};"  # noqa: S608


def _postgres_triggers() -> None:
    steps = "".join(
        f"INSERT INTO {each.table} ({each.columns}) "
        f"{each.row('r', 'txid_current()', 'sign * ')} {each.more};\n"
        for each in _COUNTS
    )
    op.execute(
        "CREATE FUNCTION mention_place_tally(r mention, sign integer) RETURNS void LANGUAGE plpgsql AS "
        f"$$\nBEGIN\n{steps}END $$"
    )
    op.execute(
        "CREATE FUNCTION mention_place_changed() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
        "IF TG_OP <> 'INSERT' THEN PERFORM mention_place_tally(OLD, -1); END IF;\n"
        "IF TG_OP <> 'DELETE' THEN PERFORM mention_place_tally(NEW, 1); END IF;\n"
        "RETURN NULL;\nEND $$"
    )
    op.execute(
        f"CREATE TRIGGER mention_place AFTER INSERT OR DELETE OR UPDATE OF {_WATCHED} ON mention "
        "FOR EACH ROW EXECUTE FUNCTION mention_place_changed()"
    )
