"""Everything that version 0.1 keeps."""

from __future__ import annotations

import unicodedata

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None


def _is_accented(character: str) -> bool:
    """Whether it is one ASCII letter with marks."""
    parts = unicodedata.normalize("NFKD", character)
    return parts[0].isascii() and len(parts) > 1 and all(map(unicodedata.combining, parts[1:]))


# The types as they were in this version: a migration does not follow what `columns` becomes later.
_BIG = BigInteger().with_variant(Integer(), "sqlite")
_WORDS = Text().with_variant(Text(collation="C"), "postgresql")
_MOMENT = DateTime(timezone=True).with_variant(String(26), "sqlite")
_JSON = JSON().with_variant(JSONB(), "postgresql")

# Full-text search. On PostgreSQL what stands between letters becomes a blank, so that "U.S." and "Trump's" are
# read as words (its parser takes them for hosts and the like), and Latin letters lose their accents, as FTS5
# does it by itself.
_BETWEEN = ":./\\@_''’&-"
_ACCENTED = "".join(c for c in map(chr, range(0xC0, 0x180)) if _is_accented(c))
_FROM = _BETWEEN + _ACCENTED
_TO = " " * len(_BETWEEN.replace("''", "'")) + "".join(unicodedata.normalize("NFKD", c)[0] for c in _ACCENTED)
_POSTGRES_SEARCH = {
    "article": (("headline", "A"), ("abstract", "B"), ("keywords", "C")),
    "book": (("title", "A"), ("author", "A"), ("subjects", "B"), ("description", "C")),
}
_SQLITE_SEARCH = {table: tuple(name for name, _ in columns) for table, columns in _POSTGRES_SEARCH.items()}


def upgrade() -> None:
    _articles()
    _models()
    _entities()
    _mentions()
    _books()
    _pipeline()
    _people()
    _facts()
    if op.get_bind().dialect.name == "postgresql":
        _postgres_search()
    else:
        _sqlite_search()


def _articles() -> None:
    """Stories, how many a day, and where else they were seen."""
    op.create_table(
        "article",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("id", _WORDS, nullable=False),
        Column("key", _WORDS, nullable=False),
        Column("source", _WORDS, nullable=False),
        Column("headline", _WORDS, nullable=False),
        Column("abstract", _WORDS, nullable=False),
        Column("published_at", _MOMENT, nullable=False),
        Column("day", Integer(), nullable=False),
        Column("month", Integer(), nullable=False),
        Column("url", _WORDS, nullable=True),
        Column("section", _WORDS, nullable=True),
        Column("byline", _JSON, nullable=False),
        Column("keywords", _JSON, nullable=False),
        Column("language", _WORDS, nullable=True),
        Column("kind", _WORDS, nullable=False),
        Column("extra", _JSON, nullable=False),
        Column("first_seen_at", _MOMENT, nullable=False),
        Column("updated_at", _MOMENT, nullable=True),
        PrimaryKeyConstraint("pk", name="pk_article"),
        UniqueConstraint("id", name="uq_article_id"),
    )
    op.create_index("ix_article_day", "article", ["day", "month"], unique=False)
    op.create_index("ix_article_first_seen", "article", ["first_seen_at", "published_at", "pk"], unique=False)
    op.create_index("ix_article_published", "article", ["published_at", "pk"], unique=False)
    op.create_index(
        "ix_article_section", "article", ["section", "day", "published_at", "pk", "month"], unique=False
    )
    op.create_index(
        "ix_article_source", "article", ["source", "day", "published_at", "pk", "month"], unique=False
    )
    op.create_table(
        "article_day",
        Column("day", Integer(), nullable=False),
        Column("source", _WORDS, nullable=False),
        Column("month", Integer(), nullable=False),
        Column("articles", Integer(), nullable=False),
        PrimaryKeyConstraint("day", "source", name="pk_article_day"),
    )
    op.create_table(
        "article_sighting",
        Column("article_pk", _BIG, nullable=False),
        Column("source", _WORDS, nullable=False),
        Column("seen_at", _MOMENT, nullable=False),
        Column("url", _WORDS, nullable=True),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_article_sighting_article_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("article_pk", "source", name="pk_article_sighting"),
    )


def _models() -> None:
    """Model versions and what they have scored."""
    op.create_table(
        "model_version",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("version", _WORDS, nullable=False),
        Column("first_used_at", _MOMENT, nullable=False),
        PrimaryKeyConstraint("pk", name="pk_model_version"),
        UniqueConstraint("name", "version", name="uq_model_version_name_version"),
    )
    op.create_table(
        "current_model",
        Column("name", _WORDS, nullable=False),
        Column("version_pk", _BIG, nullable=False),
        Column("since", _MOMENT, nullable=False),
        ForeignKeyConstraint(
            ["version_pk"], ["model_version.pk"], name="fk_current_model_version_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("name", name="pk_current_model"),
    )
    op.create_table(
        "article_scoring",
        Column("article_pk", _BIG, nullable=False),
        Column("version_pk", _BIG, nullable=False),
        Column("generation", Integer(), nullable=False),
        Column("ambiguous", Integer(), nullable=False),
        Column("scored_at", _MOMENT, nullable=False),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_article_scoring_article_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["version_pk"], ["model_version.pk"], name="fk_article_scoring_version_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("article_pk", "version_pk", name="pk_article_scoring"),
    )
    op.create_index(
        "ix_article_scoring_version", "article_scoring", ["version_pk", "generation"], unique=False
    )


def _entities() -> None:
    """Who is watched."""
    op.create_table(
        "entity",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("id", _WORDS, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("sort_name", _WORDS, nullable=False),
        Column("kind", _WORDS, nullable=False),
        Column("description", _WORDS, nullable=False),
        Column("changed_at", _MOMENT, nullable=False),
        PrimaryKeyConstraint("pk", name="pk_entity"),
        UniqueConstraint("id", name="uq_entity_id"),
    )
    op.create_index("ix_entity_sort_name", "entity", ["sort_name", "pk"], unique=False)
    op.create_table(
        "alias",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("text", _WORDS, nullable=False),
        Column("folded", _WORDS, nullable=False),
        Column("valid_from", Date(), nullable=True),
        Column("valid_to", Date(), nullable=True),
        Column("case_rule", _WORDS, nullable=False),
        ForeignKeyConstraint(["entity_pk"], ["entity.pk"], name="fk_alias_entity_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("pk", name="pk_alias"),
    )
    op.create_index("ix_alias_entity_pk", "alias", ["entity_pk"], unique=False)
    op.create_table(
        "exclude",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("text", _WORDS, nullable=False),
        ForeignKeyConstraint(["entity_pk"], ["entity.pk"], name="fk_exclude_entity_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("pk", name="pk_exclude"),
    )
    op.create_index("ix_exclude_entity_pk", "exclude", ["entity_pk"], unique=False)
    op.create_table(
        "watchlist",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("id", _WORDS, nullable=False),
        Column("name", _WORDS, nullable=False),
        PrimaryKeyConstraint("pk", name="pk_watchlist"),
        UniqueConstraint("id", name="uq_watchlist_id"),
    )
    op.create_table(
        "watchlist_entity",
        Column("watchlist_pk", _BIG, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        ForeignKeyConstraint(
            ["entity_pk"], ["entity.pk"], name="fk_watchlist_entity_entity_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["watchlist_pk"], ["watchlist.pk"], name="fk_watchlist_entity_watchlist_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("watchlist_pk", "entity_pk", name="pk_watchlist_entity"),
    )
    op.create_index("ix_watchlist_entity_entity_pk", "watchlist_entity", ["entity_pk"], unique=False)
    op.create_table(
        "election",
        Column("year", Integer(), autoincrement=False, nullable=False),
        Column("date", Date(), nullable=False),
        PrimaryKeyConstraint("year", name="pk_election"),
    )
    op.create_table(
        "candidacy",
        Column("election_year", Integer(), nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("party", _WORDS, nullable=False),
        Column("winner", Boolean(), nullable=False),
        Column("popular_vote", _BIG, nullable=True),
        Column("popular_share", Double(), nullable=True),
        Column("electoral_votes", Integer(), nullable=True),
        ForeignKeyConstraint(
            ["election_year"], ["election.year"], name="fk_candidacy_election_year", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["entity_pk"], ["entity.pk"], name="fk_candidacy_entity_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("election_year", "entity_pk", name="pk_candidacy"),
    )
    op.create_index("ix_candidacy_entity_pk", "candidacy", ["entity_pk"], unique=False)


def _mentions() -> None:
    """Who is named where, and how."""
    op.create_table(
        "mention",
        Column("article_pk", _BIG, nullable=False),
        Column("version_pk", _BIG, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("outcome", _WORDS, nullable=False),
        Column("polarity", SmallInteger(), nullable=False),
        Column("negative", Double(), nullable=True),
        Column("neutral", Double(), nullable=True),
        Column("positive", Double(), nullable=True),
        Column("net", Double(), nullable=True),
        Column("confidence", Double(), nullable=True),
        Column("headline_polarity", SmallInteger(), nullable=True),
        Column("abstract_polarity", SmallInteger(), nullable=True),
        Column("published_at", _MOMENT, nullable=False),
        Column("day", Integer(), nullable=False),
        Column("month", Integer(), nullable=False),
        Column("source", _WORDS, nullable=False),
        Column("section", _WORDS, nullable=True),
        Column("spans", _JSON, nullable=False),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_mention_article_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["entity_pk"], ["entity.pk"], name="fk_mention_entity_pk", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["version_pk"], ["model_version.pk"], name="fk_mention_version_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("article_pk", "version_pk", "entity_pk", name="pk_mention"),
    )
    op.create_index(
        "ix_mention_day",
        "mention",
        ["version_pk", "day", "entity_pk", "polarity", "article_pk"],
        unique=False,
    )
    op.create_index(
        "ix_mention_entity",
        "mention",
        [
            "version_pk",
            "entity_pk",
            "day",
            "published_at",
            "article_pk",
            "month",
            "polarity",
            "headline_polarity",
            "abstract_polarity",
            "source",
            "section",
        ],
        unique=False,
    )
    op.create_index(
        "ix_mention_entity_net", "mention", ["entity_pk", "version_pk", "net", "article_pk"], unique=False
    )
    op.create_index("ix_mention_net", "mention", ["version_pk", "net", "article_pk"], unique=False)


def _books() -> None:
    """Books, lists, shelves."""
    op.create_table(
        "book",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("key", _WORDS, nullable=False),
        Column("title", _WORDS, nullable=False),
        Column("sort_title", _WORDS, nullable=False),
        Column("author", _WORDS, nullable=False),
        Column("year", Integer(), nullable=True),
        Column("isbn13", _WORDS, nullable=True),
        Column("publisher", _WORDS, nullable=True),
        Column("subjects", _JSON, nullable=False),
        Column("language", _WORDS, nullable=True),
        Column("fiction", Boolean(), nullable=True),
        Column("description", _WORDS, nullable=False),
        Column("published_on", _WORDS, nullable=True),
        Column("editions", _JSON, nullable=False),
        Column("changed_at", _MOMENT, nullable=False),
        PrimaryKeyConstraint("pk", name="pk_book"),
        UniqueConstraint("key", name="uq_book_key"),
    )
    op.create_index("ix_book_isbn13", "book", ["isbn13"], unique=False)
    op.create_index("ix_book_sort_title", "book", ["sort_title", "pk"], unique=False)
    op.create_table(
        "book_placement",
        Column("book_pk", _BIG, nullable=False),
        Column("list_name", _WORDS, nullable=False),
        Column("week", _WORDS, nullable=False),
        Column("rank", Integer(), nullable=False),
        Column("weeks_on_list", Integer(), nullable=True),
        ForeignKeyConstraint(["book_pk"], ["book.pk"], name="fk_book_placement_book_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("book_pk", "list_name", "week", name="pk_book_placement"),
    )
    op.create_table(
        "shelf",
        Column("article_pk", _BIG, nullable=False),
        Column("version_pk", _BIG, nullable=False),
        Column("note", _WORDS, nullable=False),
        Column("made_at", _MOMENT, nullable=False),
        ForeignKeyConstraint(["article_pk"], ["article.pk"], name="fk_shelf_article_pk", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["version_pk"], ["model_version.pk"], name="fk_shelf_version_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("article_pk", "version_pk", name="pk_shelf"),
    )
    op.create_index("ix_shelf_version_pk", "shelf", ["version_pk"], unique=False)
    op.create_table(
        "recommendation",
        Column("article_pk", _BIG, nullable=False),
        Column("version_pk", _BIG, nullable=False),
        Column("rank", Integer(), nullable=False),
        Column("book_pk", _BIG, nullable=False),
        Column("score", Double(), nullable=False),
        Column("reasons", _JSON, nullable=False),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_recommendation_article_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["book_pk"], ["book.pk"], name="fk_recommendation_book_pk", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["version_pk"], ["model_version.pk"], name="fk_recommendation_version_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("article_pk", "version_pk", "rank", name="pk_recommendation"),
    )
    op.create_index(
        "ix_recommendation_book",
        "recommendation",
        ["book_pk", "version_pk", "score", "article_pk"],
        unique=False,
    )


def _pipeline() -> None:
    """How far work has come, and what failed."""
    op.create_table(
        "source",
        Column("id", _WORDS, nullable=False),
        Column("kind", _WORDS, nullable=False),
        Column("config", _JSON, nullable=False),
        Column("enabled", Boolean(), nullable=False),
        Column("cursor", _JSON, nullable=True),
        Column("etag", _WORDS, nullable=True),
        Column("last_modified", _WORDS, nullable=True),
        Column("last_poll_at", _MOMENT, nullable=True),
        Column("last_success_at", _MOMENT, nullable=True),
        Column("next_poll_at", _MOMENT, nullable=True),
        Column("consecutive_errors", Integer(), nullable=False),
        Column("last_error", _WORDS, nullable=True),
        Column("articles_read", _BIG, nullable=False),
        Column("articles_new", _BIG, nullable=False),
        Column("articles_skipped", _BIG, nullable=False),
        PrimaryKeyConstraint("id", name="pk_source"),
    )
    op.create_table(
        "dead_letter",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("key", _WORDS, nullable=False),
        Column("subject", _WORDS, nullable=False),
        Column("digest", _WORDS, nullable=False),
        Column("data", LargeBinary(), nullable=False),
        Column("reason", _WORDS, nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("at", _MOMENT, nullable=False),
        Column("replayed_at", _MOMENT, nullable=True),
        PrimaryKeyConstraint("pk", name="pk_dead_letter"),
        UniqueConstraint("digest", name="uq_dead_letter_digest"),
    )
    op.create_table(
        "job",
        Column("id", _WORDS, nullable=False),
        Column("kind", _WORDS, nullable=False),
        Column("position", _JSON, nullable=False),
        Column("counters", _JSON, nullable=False),
        Column("started_at", _MOMENT, nullable=False),
        Column("updated_at", _MOMENT, nullable=False),
        Column("finished_at", _MOMENT, nullable=True),
        PrimaryKeyConstraint("id", name="pk_job"),
    )


def _people() -> None:
    """Users, keys and what people say of the answers."""
    op.create_table(
        "account",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("folded_name", _WORDS, nullable=False),
        Column("password_hash", _WORDS, nullable=False),
        Column("scopes", _JSON, nullable=False),
        Column("created_at", _MOMENT, nullable=False),
        Column("disabled", Boolean(), nullable=False),
        Column("last_login_at", _MOMENT, nullable=True),
        PrimaryKeyConstraint("pk", name="pk_account"),
        UniqueConstraint("folded_name", name="uq_account_folded_name"),
    )
    op.create_table(
        "api_key",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("prefix", _WORDS, nullable=False),
        Column("digest", _WORDS, nullable=False),
        Column("scopes", _JSON, nullable=False),
        Column("account_pk", _BIG, nullable=True),
        Column("created_at", _MOMENT, nullable=False),
        Column("expires_at", _MOMENT, nullable=True),
        Column("last_used_at", _MOMENT, nullable=True),
        Column("revoked_at", _MOMENT, nullable=True),
        ForeignKeyConstraint(
            ["account_pk"], ["account.pk"], name="fk_api_key_account_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("pk", name="pk_api_key"),
        UniqueConstraint("digest", name="uq_api_key_digest"),
    )
    op.create_index("ix_api_key_account_pk", "api_key", ["account_pk"], unique=False)
    op.create_table(
        "label_correction",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("article_pk", _BIG, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("polarity", _WORDS, nullable=True),
        Column("made_by", _WORDS, nullable=False),
        Column("at", _MOMENT, nullable=False),
        Column("note", _WORDS, nullable=False),
        Column("model_version", _WORDS, nullable=True),
        Column("model_polarity", _WORDS, nullable=True),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_label_correction_article_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["entity_pk"], ["entity.pk"], name="fk_label_correction_entity_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("pk", name="pk_label_correction"),
        UniqueConstraint(
            "article_pk", "entity_pk", "made_by", name="uq_label_correction_article_pk_entity_pk_made_by"
        ),
    )
    op.create_index("ix_label_correction_entity_pk", "label_correction", ["entity_pk"], unique=False)
    op.create_table(
        "book_thumb",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("book_pk", _BIG, nullable=False),
        Column("article_pk", _BIG, nullable=True),
        Column("text_digest", _WORDS, nullable=True),
        Column("occasion", _WORDS, nullable=False),
        Column("verdict", _WORDS, nullable=False),
        Column("made_by", _WORDS, nullable=False),
        Column("at", _MOMENT, nullable=False),
        ForeignKeyConstraint(
            ["article_pk"], ["article.pk"], name="fk_book_thumb_article_pk", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["book_pk"], ["book.pk"], name="fk_book_thumb_book_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("pk", name="pk_book_thumb"),
        UniqueConstraint("book_pk", "occasion", "made_by", name="uq_book_thumb_book_pk_occasion_made_by"),
    )
    op.create_index("ix_book_thumb_article_pk", "book_thumb", ["article_pk"], unique=False)


def _facts() -> None:
    """Small facts and counters."""
    op.create_table(
        "meta",
        Column("name", _WORDS, nullable=False),
        Column("value", _WORDS, nullable=False),
        PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "generation",
        Column("name", _WORDS, nullable=False),
        Column("value", Integer(), nullable=False),
        PrimaryKeyConstraint("name", name="pk_generation"),
    )


def _postgres_search() -> None:
    """A weighted tsvector beside the text, kept by PostgreSQL, with a GIN index."""
    for table, columns in _POSTGRES_SEARCH.items():
        parts = " || ".join(
            f"setweight(to_tsvector('english', translate({name}::text, '{_FROM}', '{_TO}')), '{weight}')"
            for name, weight in columns
        )
        op.execute(f"ALTER TABLE {table} ADD COLUMN search tsvector GENERATED ALWAYS AS ({parts}) STORED")
        op.execute(f"CREATE INDEX ix_{table}_search ON {table} USING gin (search)")


def _sqlite_search() -> None:
    """An FTS5 index without a copy of the text, kept by triggers."""
    for table, columns in _SQLITE_SEARCH.items():
        names = ", ".join(columns)
        new = ", ".join(f"new.{name}" for name in columns)
        old = ", ".join(f"old.{name}" for name in columns)
        index = f"{table}_search"
        add = f"INSERT INTO {index} (rowid, {names}) VALUES (new.pk, {new});"  # noqa: S608
        drop = f"INSERT INTO {index} ({index}, rowid, {names}) VALUES ('delete', old.pk, {old});"  # noqa: S608
        op.execute(
            f"CREATE VIRTUAL TABLE {index} USING fts5({names}, content='{table}', content_rowid='pk', "
            "tokenize='porter unicode61 remove_diacritics 2')"
        )
        op.execute(f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {add} END")
        op.execute(f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {drop} END")
        op.execute(f"CREATE TRIGGER {index}_update AFTER UPDATE OF {names} ON {table} BEGIN {drop} {add} END")
