"""`kiosque db`: the database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Json, choose_format, emit_object, say

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="The database: init, migrate, status, backup, restore."
)


@app.command()
def migrate(ctx: typer.Context) -> None:
    """Bring the schema up to this program. Safe to run again, and at every start."""
    with house_of(ctx) as house:
        changed = house.database.migrate()
        say("The schema is now up to date." if changed else "The schema was up to date.")


@app.command()
def init(
    ctx: typer.Context,
    news: Annotated[bool, typer.Option(help="Load the demo news, too; needs the predict server.")] = True,
) -> None:
    """Set a split installation up: schema, names, books, demo news. Safe to run again, and at every start."""
    from kiosque.cli.output import steps
    from kiosque.setup import install

    with house_of(ctx) as house:
        with steps("Preparing") as show:
            loaded = install(house, lambda what, share: show(share, what), news=news)
        say(f"Loaded {loaded.entities} names, {loaded.books} books, {loaded.articles} articles.")


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Say which database this is, whether its schema fits, and how much is in it."""
    from kiosque.store import articles, books, dead_letters, entities, mentions

    with house_of(ctx) as house:
        database = house.database
        database.check()
        with database.read() as tx:
            counts = {
                "articles": articles.count(tx),
                "mentions": mentions.count(tx),
                "entities": entities.count(tx),
                "books": books.count(tx),
                "dead_letters": dead_letters.count(tx),
            }
        facts = {"dialect": database.dialect, "schema": database.schema_version(), "bytes": database.size()}
        emit_object(facts | counts, choose_format(as_json))


@app.command()
def backup(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="File to write; must not exist.")],
) -> None:
    """Copy a SQLite database while it is in use. For PostgreSQL use pg_dump."""
    with house_of(ctx) as house:
        house.database.check()
        house.database.backup(path)
        say(f"Wrote {path}.")


@app.command()
def restore(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="File that `backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the database that is there.")] = False,
) -> None:
    """Put a backup back, after checking it; stop Kiosque first. For PostgreSQL use pg_restore."""
    from kiosque.store import articles

    with house_of(ctx) as house:
        house.database.restore(path, overwrite=force)
        with house.database.read() as tx:
            say(f"Restored {articles.count(tx):,} articles from {path}.")
