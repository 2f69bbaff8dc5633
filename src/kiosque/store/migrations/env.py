"""Run by Alembic: migrates the connection that `schema.upgrade` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from kiosque.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
