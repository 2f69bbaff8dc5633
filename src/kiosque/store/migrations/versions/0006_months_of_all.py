"""Mentions by month are looked for by month, too, and not only by entity: who was named most in a few of them."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_index("ix_mention_month_month", "mention_month", ["version_pk", "month"])
