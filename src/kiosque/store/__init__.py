"""The database: SQLite and PostgreSQL behind the same functions. All SQL is here."""
