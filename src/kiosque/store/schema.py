"""The schema's versions: which one this program needs, and the way there."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kiosque.core.errors import SchemaMismatch
from kiosque.store.failures import MIGRATE
from kiosque.store.tx import Tx

FOLDER = Path(__file__).with_name("migrations")


@cache
def head() -> str:
    """The revision that this program works with."""
    revision = _scripts().get_current_head()
    if revision is None:
        raise SchemaMismatch(
            f"There are no migrations in {FOLDER}.", hint="The installation is broken: install again."
        )
    return revision


@cache
def known_revisions() -> frozenset[str]:
    """Every revision that this program can start from."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def current(tx: Tx) -> str | None:
    """The revision of the database; None for an empty one."""
    return MigrationContext.configure(tx).get_current_revision()


def require(revision: str | None) -> None:
    """Returns if `revision` is what this program works with; raises SchemaMismatch otherwise."""
    if revision is None:
        raise SchemaMismatch("The database is empty.", hint=MIGRATE)
    if revision not in known_revisions():
        raise SchemaMismatch(
            f"The database is newer ({revision}) than this program ({head()}).",
            hint="Install a newer Kiosque.",
        )
    if revision != head():
        raise SchemaMismatch(
            f"The database is older ({revision}) than this program ({head()}).", hint=MIGRATE
        )


def require_known(revision: str) -> None:
    """Returns if this program can start from `revision`; raises SchemaMismatch for one that is newer."""
    if revision not in known_revisions():
        require(revision)


def upgrade(tx: Tx) -> bool:
    """Migrate inside `tx`; True if anything was done. Raises SchemaMismatch for a database that is newer."""
    if tx.dialect.name == "postgresql":
        # two processes that start at once: the second waits here, then finds the work done
        tx.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('kiosque.migrate'))")
    revision = current(tx)
    if revision == head():
        return False
    if revision is not None:
        require_known(revision)
    config = _config()
    config.attributes["connection"] = tx
    command.upgrade(config, "head")
    return True


def _config() -> Config:
    config = Config(stdout=io.StringIO())
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
