"""`kiosque entity`: who is watched."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, progress, say
from kiosque.core.entity import Alias, CaseRule, Entity, EntityKind
from kiosque.pipeline.worker import Stop, stop_on_signals

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Who is watched: list, add, import, rematch."
)

EntityId = Annotated[str, typer.Argument(help="The entity's id, as `list` shows it.")]
Day = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First or last day on which the name holds.")
]
REMATCH_HINT = "See what history would gain: kiosque entity rematch --dry-run"


@app.command("list")
def list_entities(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="Part of a name.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """List who is watched, by name."""
    from kiosque.store import entities

    with house_of(ctx) as house, house.migrated.read() as tx:
        found = entities.page(tx, query=query, limit=limit).items
        total = entities.count(tx)
    rows = [{"id": e.id, "name": e.name, "kind": e.kind.value, "aliases": len(e.aliases)} for e in found]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))
    if not query and total > len(rows):
        say(f"{total - len(rows)} more; raise --limit, or name a part of the name.")


@app.command()
def show(ctx: typer.Context, entity_id: EntityId) -> None:
    """Print an entity with its names and the days on which they hold."""
    from kiosque.entities.documents import entity_document
    from kiosque.store import entities

    with house_of(ctx) as house, house.migrated.read() as tx:
        emit_object(entity_document(entities.get(tx, entity_id)))


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The full name.")],
    alias: Annotated[list[str] | None, typer.Option(help="Another name; may be repeated.")] = None,
    kind: Annotated[EntityKind, typer.Option()] = EntityKind.PERSON,
    exclude: Annotated[
        list[str] | None, typer.Option(help="A phrase in which the name is another thing.")
    ] = None,
    entity_id: Annotated[str | None, typer.Option("--id", help="Made from the name without it.")] = None,
) -> None:
    """Watch someone or something. Articles that come in from now on are matched."""
    from kiosque.entities.documents import slug
    from kiosque.store import entities

    aliases = tuple(Alias(text) for text in (name, *(alias or ())))
    entity = Entity(entity_id or slug(name), name, kind, aliases, tuple(exclude or ()))
    with house_of(ctx) as house, house.migrated.write() as tx:
        new = entities.save(tx, entity, house.clock())
    say(f"{'Added' if new else 'Changed'} {entity.id}. {REMATCH_HINT}")


@app.command()
def alias(
    ctx: typer.Context,
    entity_id: EntityId,
    text: Annotated[str, typer.Argument(help="The name.")],
    since: Day = None,
    until: Day = None,
    case: Annotated[CaseRule, typer.Option(help="Which letter case is the name.")] = CaseRule.NAME,
    remove: Annotated[bool, typer.Option("--remove", help="Take the name away instead.")] = False,
) -> None:
    """Give an entity another name, or take one away."""
    from kiosque.store import entities

    with house_of(ctx) as house, house.migrated.write() as tx:
        if remove:
            entities.remove_alias(tx, entity_id, text, house.clock())
        else:
            days = (since.date() if since else None, until.date() if until else None)
            entities.add_alias(tx, entity_id, Alias(text, *days, case), house.clock())
    say(f"{'Removed' if remove else 'Added'} {text!r}. {REMATCH_HINT}")


@app.command("import")
def import_list(
    ctx: typer.Context, path: Annotated[Path, typer.Argument(help="A watch list: .toml, .csv or .json.")]
) -> None:
    """Add the entities of a watch list, or bring those that are there up to it."""
    from kiosque.entities.watchlists import read_watchlist
    from kiosque.store import entities

    watchlist = read_watchlist(path)
    with house_of(ctx) as house, house.migrated.write() as tx:
        change = entities.save_watchlist(tx, watchlist, house.clock())
    say(f"{change.added} added, {change.updated} changed, {change.unchanged} as before. {REMATCH_HINT}")


@app.command()
def remove(ctx: typer.Context, entity_id: EntityId) -> None:
    """Stop watching an entity; its mentions go, the articles stay."""
    from kiosque.store import entities

    with house_of(ctx) as house, house.migrated.write() as tx:
        entities.delete(tx, entity_id)
    say(f"Removed {entity_id}.")


@app.command()
def rematch(
    ctx: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what history would gain and lose.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Match history anew after the watch list has changed. A mention that stands where it stood keeps its score."""
    from kiosque.pipeline.rematch import preview

    form = choose_format(as_json)
    with house_of(ctx) as house, stop_on_signals(Stop()) as stop, progress("Articles") as advance:
        seen = 0

        def show(done: int, total: int) -> None:
            nonlocal seen
            advance(done - seen, f"of {total:,} articles")
            seen = done

        if dry_run:
            emit_object(preview(house.migrated, progress=show, stop=stop), form)
        else:
            emit_object(house.rescorer.rematch(progress=show, stop=stop), form)
