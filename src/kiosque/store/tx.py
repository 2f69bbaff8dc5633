"""What every function of the store takes first."""

from __future__ import annotations

from sqlalchemy import Connection

Tx = Connection
"""One transaction, made by `Database.read()` or `Database.write()`. Callers pass it on and ask nothing of it."""
