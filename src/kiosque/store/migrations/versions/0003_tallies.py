"""What pages count over all times is counted beforehand: mentions, articles by section and month, what was scored.

Triggers add to the tallies in the transaction of the change, whoever makes it. On SQLite there is one writer at a
time and one row a key. On PostgreSQL every transaction adds to rows of its own (`writer`), so that none waits for
another; readers add up, and `tallies.fold` puts together.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_BIG = BigInteger().with_variant(Integer(), "sqlite")
_WORDS = Text().with_variant(Text(collation="C"), "postgresql")
_POLARITIES = (("negative", -1), ("neutral", 0), ("positive", 1), ("unscored", 2))


class _Tally(NamedTuple):
    """One table: what its rows are of, what they repeat and what they count, as expressions of a row `r` of `of`."""

    name: str
    of: str
    key: dict[str, tuple[TypeEngine[Any], str]]
    repeated: dict[str, str]
    numbers: dict[str, str]
    depends_on: str
    """The columns of `of` whose change changes the tally."""

    @property
    def columns(self) -> str:
        return ", ".join((*self.key, *self.repeated, "writer", *self.numbers))

    def values(self, row: str, writer: str, sign: str = "") -> str:
        numbers = (f"{sign}({each})" for each in self.numbers.values())
        given = (*(each for _, each in self.key.values()), *self.repeated.values(), writer, *numbers)
        return ", ".join(given).replace("r.", f"{row}.")

    @property
    def conflict(self) -> str:
        more = ", ".join(f"{name} = {self.name}.{name} + excluded.{name}" for name in self.numbers)
        return f"ON CONFLICT ({', '.join(self.key)}, writer) DO UPDATE SET {more}"


_BY_POLARITY = {name: f"CASE r.polarity WHEN {number} THEN 1 ELSE 0 END" for name, number in _POLARITIES}
_VERSION: tuple[TypeEngine[Any], str] = (_BIG, "r.version_pk")
_ENTITY: tuple[TypeEngine[Any], str] = (_BIG, "r.entity_pk")
_TALLIES = (
    _Tally(
        "mention_day",
        "mention",
        {"version_pk": _VERSION, "entity_pk": _ENTITY, "day": (Integer(), "r.day")},
        {"month": "r.month"},
        _BY_POLARITY,
        "version_pk, entity_pk, day, month, polarity",
    ),
    _Tally(
        "mention_month",
        "mention",
        {"version_pk": _VERSION, "entity_pk": _ENTITY, "month": (Integer(), "r.month")},
        {},
        _BY_POLARITY,
        "version_pk, entity_pk, day, month, polarity",
    ),
    _Tally(
        "section_month",
        "article",
        {"section": (_WORDS, "coalesce(r.section, '')"), "month": (Integer(), "r.month")},
        {},
        {"articles": "1"},
        "section, month",
    ),
    _Tally("scoring_total", "article_scoring", {"version_pk": _VERSION}, {}, {"articles": "1"}, "version_pk"),
)


def upgrade() -> None:
    for tally in _TALLIES:
        _make(tally)
    _article_month()
    postgres = op.get_bind().dialect.name == "postgresql"
    for of in dict.fromkeys(tally.of for tally in _TALLIES):
        tallies = [tally for tally in _TALLIES if tally.of == of]
        (_postgres_triggers if postgres else _sqlite_triggers)(of, tallies)


def _make(tally: _Tally) -> None:
    op.create_table(
        tally.name,
        *(Column(name, kind, nullable=False) for name, (kind, _) in tally.key.items()),
        Column("writer", BigInteger(), nullable=False),
        *(Column(name, Integer(), nullable=False) for name in (*tally.repeated, *tally.numbers)),
        PrimaryKeyConstraint(*tally.key, "writer", name=f"pk_{tally.name}"),
        sqlite_with_rowid=False,
    )
    places = [*(each for _, each in tally.key.values()), *tally.repeated.values()]
    sums = [f"sum({each})" for each in tally.numbers.values()]
    op.execute(
        f"INSERT INTO {tally.name} ({tally.columns}) SELECT {', '.join([*places, '0', *sums])} "  # noqa: S608
        f"FROM {tally.of} r GROUP BY {', '.join(places)}"
    )


def _article_month() -> None:
    op.create_table(
        "article_month",
        Column("month", Integer(), nullable=False),
        Column("source", _WORDS, nullable=False),
        Column("articles", Integer(), nullable=False),
        PrimaryKeyConstraint("month", "source", name="pk_article_month"),
    )
    op.execute(
        "INSERT INTO article_month (month, source, articles) "
        "SELECT month, source, sum(articles) FROM article_day GROUP BY month, source"
    )


def _sqlite_triggers(of: str, tallies: list[_Tally]) -> None:
    more = " ".join(
        f"INSERT INTO {each.name} ({each.columns}) VALUES ({each.values('new', '0')}) {each.conflict};"  # noqa: S608
        for each in tallies
    )
    less = " ".join(_sqlite_less(each) for each in tallies)
    op.execute(f"CREATE TRIGGER {of}_tally_insert AFTER INSERT ON {of} BEGIN {more} END")
    op.execute(f"CREATE TRIGGER {of}_tally_delete AFTER DELETE ON {of} BEGIN {less} END")
    op.execute(
        f"CREATE TRIGGER {of}_tally_update AFTER UPDATE OF {tallies[0].depends_on} ON {of} "
        f"BEGIN {less} {more} END"
    )


def _sqlite_less(tally: _Tally) -> str:
    """Takes one off; a row that counts nothing any more goes."""
    here = [f"{name} = {each.replace('r.', 'old.')}" for name, (_, each) in tally.key.items()]
    where = " AND ".join([*here, "writer = 0"])
    numbers = {name: each.replace("r.", "old.") for name, each in tally.numbers.items()}
    taken = ", ".join(f"{name} = {name} - ({each})" for name, each in numbers.items())
    nothing = " AND ".join(f"{name} = 0" for name in numbers)
    return f"UPDATE {tally.name} SET {taken} WHERE {where}; DELETE FROM {tally.name} WHERE {where} AND {nothing};"  # noqa: S608


def _postgres_triggers(of: str, tallies: list[_Tally]) -> None:
    steps = "".join(
        f"INSERT INTO {each.name} ({each.columns}) "  # noqa: S608
        f"VALUES ({each.values('r', 'txid_current()', 'sign * ')}) {each.conflict};\n"
        for each in tallies
    )
    op.execute(
        f"CREATE FUNCTION {of}_tally(r {of}, sign integer) RETURNS void LANGUAGE plpgsql AS "
        f"$$\nBEGIN\n{steps}END $$"
    )
    op.execute(
        f"CREATE FUNCTION {of}_tally_changed() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
        f"IF TG_OP <> 'INSERT' THEN PERFORM {of}_tally(OLD, -1); END IF;\n"
        f"IF TG_OP <> 'DELETE' THEN PERFORM {of}_tally(NEW, 1); END IF;\n"
        "RETURN NULL;\nEND $$"
    )
    op.execute(
        f"CREATE TRIGGER {of}_tally AFTER INSERT OR DELETE OR UPDATE OF {tallies[0].depends_on} ON {of} "
        f"FOR EACH ROW EXECUTE FUNCTION {of}_tally_changed()"
    )
