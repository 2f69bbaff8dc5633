"""Of two texts of a story the one told later holds, in whatever order a broker hands them out."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, DateTime, String

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

_MOMENT = DateTime(timezone=True).with_variant(String(26), "sqlite")


def upgrade() -> None:
    op.add_column("article", Column("told_at", _MOMENT, nullable=True))
