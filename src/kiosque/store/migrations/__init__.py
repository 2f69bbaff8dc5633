"""Alembic migrations, run by `kiosque.store.schema`."""
