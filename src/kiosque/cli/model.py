"""`kiosque model`: versions of models."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, say
from kiosque.core.errors import NotFound, PreconditionFailed
from kiosque.modelstore.aliases import CHAMPION

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Versions: list, promote, roll back, verify."
)

Name = Annotated[str, typer.Argument(help="polarity or books.")]
VersionId = Annotated[str, typer.Argument(help="A version's id, as `list` shows it.")]
Why = Annotated[str, typer.Option(help="Why, for the history.")]


@app.command("list")
def list_versions(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One model; all without it.")] = None,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """List the versions in the model store, oldest first."""
    with house_of(ctx) as house:
        store = house.model_store
        rows = [
            {
                "model": model,
                "version": version.id,
                "aliases": [alias for alias, held in store.aliases(model).items() if held == version.id],
                "published_at": version.published_at,
                "format": version.manifest.fields.get("format"),
                "bytes": sum(entry.size for entry in version.manifest.files.values()),
            }
            for model in ([name] if name else store.names())
            for version in store.versions(model)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def show(ctx: typer.Context, name: Name, version: VersionId) -> None:
    """Print a version's manifest: files, digests, metrics, recipe."""
    with house_of(ctx) as house:
        found = house.model_store.get(name, version)
        files = {path: {"sha256": f.sha256, "size": f.size} for path, f in found.manifest.files.items()}
        emit_object(
            {"name": name, "version": version, "published_at": found.published_at, "files": files}
            | dict(found.manifest.fields)
        )


@app.command()
def card(ctx: typer.Context, name: Name, version: Annotated[str | None, typer.Argument()] = None) -> None:
    """Print a version's model card; without a version, the champion's."""
    with house_of(ctx) as house:
        store = house.model_store
        found = store.get(name, version) if version else store.champion(name)
        path = found.folder / "card.md"
        if not path.is_file():
            raise NotFound(f"{name} {found.id} has no card.")
        typer.echo(path.read_text(encoding="utf-8"))


@app.command()
def promote(ctx: typer.Context, name: Name, version: VersionId, why: Why = "") -> None:
    """Make a version the champion: the one that answers. Servers take it within seconds."""
    with house_of(ctx) as house:
        move = house.model_store.move_alias(
            name, CHAMPION, version, who=getpass.getuser(), why=why or "promoted", clock=house.clock
        )
        say(f"The champion of {name} is {version} (was {move.from_version or 'none'}).")


@app.command()
def rollback(ctx: typer.Context, name: Name, why: Why = "") -> None:
    """Make the champion before the present one champion again."""
    with house_of(ctx) as house:
        store = house.model_store
        moves = [m for m in store.history(name) if m.alias == CHAMPION]
        if not moves or moves[-1].from_version is None:
            raise PreconditionFailed(
                f"{name} has no earlier champion.", hint=f"See: kiosque model history {name}"
            )
        move = store.move_alias(
            name,
            CHAMPION,
            moves[-1].from_version,
            who=getpass.getuser(),
            why=why or "rolled back",
            clock=house.clock,
            expected=moves[-1].to_version,
        )
        say(f"The champion of {name} is {move.to_version} again (was {move.from_version}).")


@app.command()
def history(
    ctx: typer.Context, name: Name, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """Who moved which alias when, from, to, and why."""
    from dataclasses import asdict

    with house_of(ctx) as house:
        rows = [asdict(move) for move in house.model_store.history(name)]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def verify(ctx: typer.Context, name: Annotated[str | None, typer.Argument()] = None) -> None:
    """Read every byte of every version again and compare it with its manifest."""
    with house_of(ctx) as house:
        store = house.model_store
        for model in [name] if name else store.names():
            for version in store.versions(model):
                store.verify(version)
                say(f"{model} {version.id}: intact")


@app.command()
def seed(ctx: typer.Context) -> None:
    """Copy the versions that ship with Kiosque into the model store."""
    from kiosque.modelstore.seed import seed as seed_store
    from kiosque.wiring import shipped_data

    with house_of(ctx) as house:
        for seeded in seed_store(house.model_store, shipped_data() / "models", clock=house.clock):
            say(f"{seeded.name} {seeded.version}: {seeded.reason}")
