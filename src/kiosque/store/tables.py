"""The schema. `migrations/` makes it; a test holds the two together on both dialects.

What only one dialect has (full-text indexes: FTS5 tables, a tsvector column) is in the migrations and in
`search.py`. Days and months are numbers (see `columns`), so that a GROUP BY is the same arithmetic everywhere.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

from kiosque.store.columns import Json, Moment, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _big() -> TypeEngine[int]:
    """64 bits; on SQLite INTEGER, which is the same and makes a primary key the row id."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _pk() -> Column[int]:
    return Column("pk", _big(), primary_key=True, autoincrement=True)


def _to(target: str, name: str | None = None, *, index: bool = False, nullable: bool = False) -> Column[int]:
    """A reference that goes when its target goes."""
    column = name or target.replace(".", "_")
    return Column(column, _big(), ForeignKey(target, ondelete="CASCADE"), nullable=nullable, index=index)


# `id` is derived from `key` and stands for it in every look-up: keys can be too long for an index of PostgreSQL.
article = Table(
    "article",
    metadata,
    _pk(),
    Column("id", Words, nullable=False, unique=True),
    Column("key", Words, nullable=False),
    Column("source", Words, nullable=False),
    Column("headline", Words, nullable=False),
    Column("abstract", Words, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("day", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Column("url", Words),
    Column("section", Words),
    Column("byline", Json, nullable=False),
    Column("keywords", Json, nullable=False),
    Column("language", Words),
    Column("kind", Words, nullable=False),
    Column("extra", Json, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    Column("updated_at", Moment),
    Column("told_at", Moment),
    Index("ix_article_published", "published_at", "pk"),
    Index("ix_article_first_seen", "first_seen_at", "published_at", "pk"),
    Index("ix_article_day", "day", "month"),
    Index("ix_article_source", "source", "day", "published_at", "pk", "month"),
    Index("ix_article_section", "section", "day", "published_at", "pk", "month"),
)

# How many articles each source has of each day: the denominators, kept by `articles.save` in its transaction.
article_day = Table(
    "article_day",
    metadata,
    Column("day", Integer, nullable=False),
    Column("source", Words, nullable=False),
    Column("month", Integer, nullable=False),
    Column("articles", Integer, nullable=False),
    PrimaryKeyConstraint("day", "source"),
)

# The same by month, for questions about all times.
article_month = Table(
    "article_month",
    metadata,
    Column("month", Integer, nullable=False),
    Column("source", Words, nullable=False),
    Column("articles", Integer, nullable=False),
    PrimaryKeyConstraint("month", "source"),
)

article_sighting = Table(
    "article_sighting",
    metadata,
    _to("article.pk"),
    Column("source", Words, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("url", Words),
    PrimaryKeyConstraint("article_pk", "source"),
)

model_version = Table(
    "model_version",
    metadata,
    _pk(),
    Column("name", Words, nullable=False),
    Column("version", Words, nullable=False),
    Column("first_used_at", Moment, nullable=False),
    UniqueConstraint("name", "version"),
)

current_model = Table(
    "current_model",
    metadata,
    Column("name", Words, primary_key=True),
    _to("model_version.pk", "version_pk"),
    Column("since", Moment, nullable=False),
)

article_scoring = Table(
    "article_scoring",
    metadata,
    _to("article.pk"),
    _to("model_version.pk", "version_pk"),
    Column("generation", Integer, nullable=False),
    Column("ambiguous", Integer, nullable=False),
    Column("scored_at", Moment, nullable=False),
    PrimaryKeyConstraint("article_pk", "version_pk"),
    Index("ix_article_scoring_version", "version_pk", "generation"),
)

entity = Table(
    "entity",
    metadata,
    _pk(),
    Column("id", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("sort_name", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("description", Words, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_entity_sort_name", "sort_name", "pk"),
)

# Polarities are -1, 0, 1, or 2 for a name without a score; that of a part is NULL where the part does not name it.
# `published_at`, `day`, `month`, `source` and `section` repeat those of the article, so that one index holds all
# that a timeline of an entity reads, whatever narrows it.
mention = Table(
    "mention",
    metadata,
    _to("article.pk"),
    _to("model_version.pk", "version_pk"),
    _to("entity.pk"),
    Column("outcome", Words, nullable=False),
    Column("polarity", SmallInteger, nullable=False),
    Column("negative", Double),
    Column("neutral", Double),
    Column("positive", Double),
    Column("net", Double),
    Column("confidence", Double),
    Column("headline_polarity", SmallInteger),
    Column("abstract_polarity", SmallInteger),
    Column("published_at", Moment, nullable=False),
    Column("day", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Column("source", Words, nullable=False),
    Column("section", Words),
    Column("spans", Json, nullable=False),
    PrimaryKeyConstraint("article_pk", "version_pk", "entity_pk"),
    Index(
        "ix_mention_entity",
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
    ),
    Index("ix_mention_day", "version_pk", "day", "entity_pk", "polarity", "article_pk"),
    Index("ix_mention_net", "version_pk", "net", "article_pk"),
    Index("ix_mention_entity_net", "entity_pk", "version_pk", "net", "article_pk"),
)


def _tally(name: str, *key: Column[Any], repeated: tuple[str, ...] = (), numbers: tuple[str, ...]) -> Table:
    """Counts by `key`, kept by triggers of the migrations and read by `stats` (see `tallies`).

    References nothing: what takes a mention away takes it out of here, also when an entity goes with all of its own.
    """
    return Table(
        name,
        metadata,
        *key,
        Column("writer", BigInteger, nullable=False),
        *(Column(each, Integer, nullable=False) for each in (*repeated, *numbers)),
        PrimaryKeyConstraint(*(column.name for column in key), "writer"),
        sqlite_with_rowid=False,
    )


def _number(name: str, *, big: bool = False) -> Column[int]:
    return Column(name, _big() if big else Integer(), nullable=False)


_POLARITIES = ("negative", "neutral", "positive", "unscored")
mention_day = _tally(
    "mention_day",
    _number("version_pk", big=True),
    _number("entity_pk", big=True),
    _number("day"),
    repeated=("month",),
    numbers=_POLARITIES,
)
mention_month = _tally(
    "mention_month",
    _number("version_pk", big=True),
    _number("entity_pk", big=True),
    _number("month"),
    numbers=_POLARITIES,
)
mention_year = _tally(
    "mention_year",
    _number("version_pk", big=True),
    _number("entity_pk", big=True),
    _number("year"),
    numbers=_POLARITIES,
)
# By what a mention stands in: `kind` is that of a breakdown (section, source, part), `place` its name there.
mention_place = _tally(
    "mention_place",
    _number("version_pk", big=True),
    _number("entity_pk", big=True),
    Column("kind", Words, nullable=False),
    _number("year"),
    Column("place", Words, nullable=False),
    numbers=_POLARITIES,
)
# `section` is empty for articles without one.
section_month = _tally(
    "section_month", Column("section", Words, nullable=False), _number("month"), numbers=("articles",)
)
scoring_total = _tally("scoring_total", _number("version_pk", big=True), numbers=("articles",))

alias = Table(
    "alias",
    metadata,
    _pk(),
    _to("entity.pk", index=True),
    Column("text", Words, nullable=False),
    Column("folded", Words, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("case_rule", Words, nullable=False),
)

exclude = Table(
    "exclude",
    metadata,
    _pk(),
    _to("entity.pk", index=True),
    Column("text", Words, nullable=False),
)

watchlist = Table(
    "watchlist",
    metadata,
    _pk(),
    Column("id", Words, nullable=False, unique=True),
    Column("name", Words, nullable=False),
)

watchlist_entity = Table(
    "watchlist_entity",
    metadata,
    _to("watchlist.pk"),
    _to("entity.pk", index=True),
    PrimaryKeyConstraint("watchlist_pk", "entity_pk"),
)

election = Table(
    "election",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("date", Date, nullable=False),
)

candidacy = Table(
    "candidacy",
    metadata,
    Column("election_year", Integer, ForeignKey("election.year", ondelete="CASCADE"), nullable=False),
    _to("entity.pk", index=True),
    Column("party", Words, nullable=False),
    Column("winner", Boolean, nullable=False),
    Column("popular_vote", _big()),
    Column("popular_share", Double),
    Column("electoral_votes", Integer),
    PrimaryKeyConstraint("election_year", "entity_pk"),
)

book = Table(
    "book",
    metadata,
    _pk(),
    Column("key", Words, nullable=False, unique=True),
    Column("title", Words, nullable=False),
    Column("sort_title", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("year", Integer),
    Column("isbn13", Words, index=True),
    Column("publisher", Words),
    Column("subjects", Json, nullable=False),
    Column("language", Words),
    Column("fiction", Boolean),
    Column("description", Words, nullable=False),
    Column("published_on", Words),
    Column("editions", Json, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_book_sort_title", "sort_title", "pk"),
)

book_placement = Table(
    "book_placement",
    metadata,
    _to("book.pk"),
    Column("list_name", Words, nullable=False),
    Column("week", Words, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("weeks_on_list", Integer),
    PrimaryKeyConstraint("book_pk", "list_name", "week"),
)

shelf = Table(
    "shelf",
    metadata,
    _to("article.pk"),
    _to("model_version.pk", "version_pk", index=True),
    Column("note", Words, nullable=False),
    Column("made_at", Moment, nullable=False),
    PrimaryKeyConstraint("article_pk", "version_pk"),
)

recommendation = Table(
    "recommendation",
    metadata,
    _to("article.pk"),
    _to("model_version.pk", "version_pk"),
    Column("rank", Integer, nullable=False),
    _to("book.pk"),
    Column("score", Double, nullable=False),
    Column("reasons", Json, nullable=False),
    PrimaryKeyConstraint("article_pk", "version_pk", "rank"),
    Index("ix_recommendation_book", "book_pk", "version_pk", "score", "article_pk"),
)

source = Table(
    "source",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("config", Json, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("cursor", Json),
    Column("etag", Words),
    Column("last_modified", Words),
    Column("last_poll_at", Moment),
    Column("last_success_at", Moment),
    Column("next_poll_at", Moment),
    Column("consecutive_errors", Integer, nullable=False),
    Column("last_error", Words),
    Column("articles_read", _big(), nullable=False),
    Column("articles_new", _big(), nullable=False),
    Column("articles_skipped", _big(), nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    _pk(),
    Column("key", Words, nullable=False),
    Column("subject", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("reason", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("replayed_at", Moment),
    UniqueConstraint("digest"),
)

account = Table(
    "account",
    metadata,
    _pk(),
    Column("name", Words, nullable=False),
    Column("folded_name", Words, nullable=False, unique=True),
    Column("password_hash", Words, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("last_login_at", Moment),
)

api_key = Table(
    "api_key",
    metadata,
    _pk(),
    Column("name", Words, nullable=False),
    Column("prefix", Words, nullable=False),
    Column("digest", Words, nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    _to("account.pk", index=True, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("last_used_at", Moment),
    Column("revoked_at", Moment),
)

label_correction = Table(
    "label_correction",
    metadata,
    _pk(),
    _to("article.pk"),
    _to("entity.pk", index=True),
    Column("polarity", Words),
    Column("made_by", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("note", Words, nullable=False),
    Column("model_version", Words),
    Column("model_polarity", Words),
    UniqueConstraint("article_pk", "entity_pk", "made_by"),
)

book_thumb = Table(
    "book_thumb",
    metadata,
    _pk(),
    _to("book.pk"),
    _to("article.pk", index=True, nullable=True),
    Column("text_digest", Words),
    Column("occasion", Words, nullable=False),
    Column("verdict", Words, nullable=False),
    Column("made_by", Words, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("book_pk", "occasion", "made_by"),
)

saved_search = Table(
    "saved_search",
    metadata,
    _pk(),
    Column("name", Words, nullable=False),
    Column("folded_name", Words, nullable=False, unique=True),
    Column("question", Json, nullable=False),
    Column("made_by", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("feed_nonce", Words, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    _pk(),
    Column("name", Words, nullable=False),
    Column("folded_name", Words, nullable=False, unique=True),
    _to("entity.pk", index=True),
    Column("measure", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("side", Words, nullable=False),
    Column("bound", Double, nullable=False),
    Column("stretch", Words, nullable=False),
    Column("min_articles", Integer, nullable=False),
    Column("cool_down", Integer, nullable=False),
    Column("digest", Words, nullable=False),
    Column("webhook", Words),
    Column("emails", Json, nullable=False),
    Column("secret_nonce", Words, nullable=False),
    Column("feed_nonce", Words, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("made_by", Words, nullable=False),
    Column("created_at", Moment, nullable=False),
)

# The unique key is what makes a rule fire once a window, however many processes look at it.
alert_event = Table(
    "alert_event",
    metadata,
    _pk(),
    Column("id", Words, nullable=False, unique=True),
    _to("alert.pk"),
    Column("window_start", Date, nullable=False),
    Column("window_end", Date, nullable=False),
    Column("value", Double, nullable=False),
    Column("expected", Double),
    Column("score", Double),
    Column("articles", Integer, nullable=False),
    Column("fired_at", Moment, nullable=False),
    UniqueConstraint("alert_pk", "window_start"),
)

# The outbox: what is to be sent is stored with the event, and sent afterwards until it has arrived or is given up.
alert_delivery = Table(
    "alert_delivery",
    metadata,
    _pk(),
    Column("id", Words, nullable=False, unique=True),
    _to("alert.pk", index=True, nullable=True),
    Column("channel", Words, nullable=False),
    Column("target", Words, nullable=False),
    Column("batch", Words, nullable=False),
    Column("state", Words, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", Moment, nullable=False),
    Column("reason", Words),
    Column("settled_at", Moment),
    UniqueConstraint("channel", "target", "batch"),
    Index("ix_alert_delivery_due", "state", "next_try_at"),
)

alert_delivery_event = Table(
    "alert_delivery_event",
    metadata,
    _to("alert_delivery.pk", "delivery_pk"),
    _to("alert_event.pk", "event_pk", index=True),
    PrimaryKeyConstraint("delivery_pk", "event_pk"),
)

job = Table(
    "job",
    metadata,
    Column("id", Words, primary_key=True),
    Column("kind", Words, nullable=False),
    Column("position", Json, nullable=False),
    Column("counters", Json, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

meta = Table(
    "meta",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", Words, nullable=False),
)

generation = Table(
    "generation",
    metadata,
    Column("name", Words, primary_key=True),
    Column("value", Integer, nullable=False),
)
