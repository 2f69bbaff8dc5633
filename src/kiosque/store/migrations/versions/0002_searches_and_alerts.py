"""Saved searches, alerts with what they fired, and the outbox of what is to be sent. Adds tables, changes none."""

from __future__ import annotations

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
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

# The types as they were in this version: a migration does not follow what `columns` becomes later.
_BIG = BigInteger().with_variant(Integer(), "sqlite")
_WORDS = Text().with_variant(Text(collation="C"), "postgresql")
_MOMENT = DateTime(timezone=True).with_variant(String(26), "sqlite")
_JSON = JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    _searches()
    _rules()
    _events()
    _outbox()


def _searches() -> None:
    op.create_table(
        "saved_search",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("folded_name", _WORDS, nullable=False),
        Column("question", _JSON, nullable=False),
        Column("made_by", _WORDS, nullable=False),
        Column("created_at", _MOMENT, nullable=False),
        Column("feed_nonce", _WORDS, nullable=False),
        PrimaryKeyConstraint("pk", name="pk_saved_search"),
        UniqueConstraint("folded_name", name="uq_saved_search_folded_name"),
    )


def _rules() -> None:
    op.create_table(
        "alert",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("name", _WORDS, nullable=False),
        Column("folded_name", _WORDS, nullable=False),
        Column("entity_pk", _BIG, nullable=False),
        Column("measure", _WORDS, nullable=False),
        Column("kind", _WORDS, nullable=False),
        Column("side", _WORDS, nullable=False),
        Column("bound", Double(), nullable=False),
        Column("stretch", _WORDS, nullable=False),
        Column("min_articles", Integer(), nullable=False),
        Column("cool_down", Integer(), nullable=False),
        Column("digest", _WORDS, nullable=False),
        Column("webhook", _WORDS, nullable=True),
        Column("emails", _JSON, nullable=False),
        Column("secret_nonce", _WORDS, nullable=False),
        Column("feed_nonce", _WORDS, nullable=False),
        Column("enabled", Boolean(), nullable=False),
        Column("made_by", _WORDS, nullable=False),
        Column("created_at", _MOMENT, nullable=False),
        ForeignKeyConstraint(["entity_pk"], ["entity.pk"], name="fk_alert_entity_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("pk", name="pk_alert"),
        UniqueConstraint("folded_name", name="uq_alert_folded_name"),
    )
    op.create_index("ix_alert_entity_pk", "alert", ["entity_pk"], unique=False)


def _events() -> None:
    op.create_table(
        "alert_event",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("id", _WORDS, nullable=False),
        Column("alert_pk", _BIG, nullable=False),
        Column("window_start", Date(), nullable=False),
        Column("window_end", Date(), nullable=False),
        Column("value", Double(), nullable=False),
        Column("expected", Double(), nullable=True),
        Column("score", Double(), nullable=True),
        Column("articles", Integer(), nullable=False),
        Column("fired_at", _MOMENT, nullable=False),
        ForeignKeyConstraint(["alert_pk"], ["alert.pk"], name="fk_alert_event_alert_pk", ondelete="CASCADE"),
        PrimaryKeyConstraint("pk", name="pk_alert_event"),
        UniqueConstraint("id", name="uq_alert_event_id"),
        UniqueConstraint("alert_pk", "window_start", name="uq_alert_event_alert_pk_window_start"),
    )


def _outbox() -> None:
    op.create_table(
        "alert_delivery",
        Column("pk", _BIG, autoincrement=True, nullable=False),
        Column("id", _WORDS, nullable=False),
        Column("alert_pk", _BIG, nullable=True),
        Column("channel", _WORDS, nullable=False),
        Column("target", _WORDS, nullable=False),
        Column("batch", _WORDS, nullable=False),
        Column("state", _WORDS, nullable=False),
        Column("attempts", Integer(), nullable=False),
        Column("next_try_at", _MOMENT, nullable=False),
        Column("reason", _WORDS, nullable=True),
        Column("settled_at", _MOMENT, nullable=True),
        ForeignKeyConstraint(
            ["alert_pk"], ["alert.pk"], name="fk_alert_delivery_alert_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("pk", name="pk_alert_delivery"),
        UniqueConstraint("id", name="uq_alert_delivery_id"),
        UniqueConstraint("channel", "target", "batch", name="uq_alert_delivery_channel_target_batch"),
    )
    op.create_index("ix_alert_delivery_alert_pk", "alert_delivery", ["alert_pk"], unique=False)
    op.create_index("ix_alert_delivery_due", "alert_delivery", ["state", "next_try_at"], unique=False)
    op.create_table(
        "alert_delivery_event",
        Column("delivery_pk", _BIG, nullable=False),
        Column("event_pk", _BIG, nullable=False),
        ForeignKeyConstraint(
            ["delivery_pk"],
            ["alert_delivery.pk"],
            name="fk_alert_delivery_event_delivery_pk",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["event_pk"], ["alert_event.pk"], name="fk_alert_delivery_event_event_pk", ondelete="CASCADE"
        ),
        PrimaryKeyConstraint("delivery_pk", "event_pk", name="pk_alert_delivery_event"),
    )
    op.create_index("ix_alert_delivery_event_event_pk", "alert_delivery_event", ["event_pk"], unique=False)
