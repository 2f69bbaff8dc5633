"""How often each entity is named, by day and by month, and how many articles a month has: counted beforehand.

On SQLite there is one writer at a time, and a trigger adds to the row of the day. On PostgreSQL every transaction
adds to a row of its own (`writer`), so that none waits for another; `tallies.fold` puts them together.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

_BIG = BigInteger().with_variant(Integer(), "sqlite")
_WORDS = Text().with_variant(Text(collation="C"), "postgresql")
_KINDS = (("negative", -1), ("neutral", 0), ("positive", 1), ("unscored", 2))
_NAMES = ", ".join(name for name, _ in _KINDS)
_TABLES = {
    "mention_day": (("version_pk", "entity_pk", "day"), ("month",)),
    "mention_month": (("version_pk", "entity_pk", "month"), ()),
}
"""Table → what a row is of, and what it repeats besides."""


def upgrade() -> None:
    for table, (key, repeated) in _TABLES.items():
        _mention_table(table, key, repeated)
    _article_month()
    if op.get_bind().dialect.name == "postgresql":
        _postgres_triggers()
    else:
        _sqlite_triggers()


def _mention_table(table: str, key: tuple[str, ...], repeated: tuple[str, ...]) -> None:
    op.create_table(
        table,
        Column("version_pk", _BIG, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column(key[-1], Integer(), nullable=False),
        Column("writer", BigInteger(), nullable=False),
        *(Column(name, Integer(), nullable=False) for name in repeated),
        *(Column(name, Integer(), nullable=False) for name, _ in _KINDS),
        PrimaryKeyConstraint(*key, "writer", name=f"pk_{table}"),
        sqlite_with_rowid=False,
    )
    columns = ", ".join((*key, *repeated))
    numbers = ", ".join(f"sum(CASE polarity WHEN {number} THEN 1 ELSE 0 END)" for _, number in _KINDS)
    op.execute(
        f"INSERT INTO {table} ({columns}, writer, {_NAMES}) "  # noqa: S608
        f"SELECT {columns}, 0, {numbers} FROM mention GROUP BY {columns}"
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


def _sqlite_triggers() -> None:
    more = "".join(_sqlite_more(*each) for each in _TABLES.items())
    less = "".join(_sqlite_less(*each) for each in _TABLES.items())
    changed = "UPDATE OF polarity, day, month, entity_pk, version_pk"
    op.execute(f"CREATE TRIGGER mention_tally_insert AFTER INSERT ON mention BEGIN {more} END")
    op.execute(f"CREATE TRIGGER mention_tally_delete AFTER DELETE ON mention BEGIN {less} END")
    op.execute(f"CREATE TRIGGER mention_tally_update AFTER {changed} ON mention BEGIN {less} {more} END")


def _sqlite_more(table: str, columns: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    key, repeated = columns
    names = (*key, *repeated)
    values = ", ".join([*(f"new.{name}" for name in names), "0", *(f"new.polarity = {n}" for _, n in _KINDS)])
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name, _ in _KINDS)
    return (
        f"INSERT INTO {table} ({', '.join(names)}, writer, {_NAMES}) VALUES ({values}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}, writer) DO UPDATE SET {added};"
    )


def _sqlite_less(table: str, columns: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    here = " AND ".join([*(f"{name} = old.{name}" for name in columns[0]), "writer = 0"])
    taken = ", ".join(f"{name} = {name} - (old.polarity = {number})" for name, number in _KINDS)
    nothing = " AND ".join(f"{name} = 0" for name, _ in _KINDS)
    return f"UPDATE {table} SET {taken} WHERE {here}; DELETE FROM {table} WHERE {here} AND {nothing};"  # noqa: S608


def _postgres_triggers() -> None:
    op.execute(
        "CREATE FUNCTION mention_tally(m mention, sign integer) RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n"
        + "".join(_postgres_more(*each) for each in _TABLES.items())
        + "END $$"
    )
    op.execute(
        "CREATE FUNCTION mention_tally_changed() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
        "IF TG_OP <> 'INSERT' THEN PERFORM mention_tally(OLD, -1); END IF;\n"
        "IF TG_OP <> 'DELETE' THEN PERFORM mention_tally(NEW, 1); END IF;\n"
        "RETURN NULL;\nEND $$"
    )
    op.execute(
        "CREATE TRIGGER mention_tally AFTER INSERT OR DELETE OR UPDATE OF "
        "polarity, day, month, entity_pk, version_pk ON mention "
        "FOR EACH ROW EXECUTE FUNCTION mention_tally_changed()"
    )


def _postgres_more(table: str, columns: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    key, repeated = columns
    names = (*key, *repeated)
    numbers = (f"CASE m.polarity WHEN {number} THEN sign ELSE 0 END" for _, number in _KINDS)
    values = ", ".join([*(f"m.{name}" for name in names), "txid_current()", *numbers])
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name, _ in _KINDS)
    return (
        f"INSERT INTO {table} ({', '.join(names)}, writer, {_NAMES}) VALUES ({values}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}, writer) DO UPDATE SET {added};\n"
    )
