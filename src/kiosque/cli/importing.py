"""`kiosque import`: articles from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Json, choose_format, emit_object, say, steps
from kiosque.pipeline.worker import Stop, stop_on_signals

app = typer.Typer(add_completion=False)


@app.command("import")
def import_file(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="JSONL or CSV, plain, .gz or .zst.")],
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=FIELD for a CSV, e.g. title=headline; may be repeated."),
    ] = None,
    source: Annotated[str, typer.Option(help="What the articles' source is called.")] = "import",
    rejects: Annotated[
        Path | None, typer.Option(help="File for what cannot be read; beside the data without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read articles from a file, match, score and store them. Broken off, the same command goes on."""
    from kiosque.pipeline.imports import file_job_id
    from kiosque.sources.columns import parse_mapping
    from kiosque.sources.files import ArticleFile

    mapping = parse_mapping(column or ())
    with house_of(ctx) as house:
        file = ArticleFile(path, mapping=mapping, source=source)
        reject_file = rejects or house.settings.data_dir / "rejects" / f"{path.name}.jsonl"
        with stop_on_signals(Stop()) as stop, steps(f"Importing {path.name}") as show:
            summary = house.importer.run(
                file,
                job_id=file_job_id(path, source),
                rejects=reject_file,
                stop=stop,
                progress=lambda done, share: show(share, f"{done.read:,} read, {done.new:,} new"),
            )
    emit_object(summary, choose_format(as_json))
    if summary.rejected:
        say(f"{summary.rejected:,} were rejected; {reject_file} says which and why.")
    if not summary.complete:
        say("Stopped. Run the same command again to go on.")
        raise typer.Exit(130)
