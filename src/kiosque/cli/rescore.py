"""`kiosque rescore`: history with the model that is now current."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import DryRun, Json, choose_format, emit_object, progress
from kiosque.pipeline.worker import Stop, stop_on_signals

app = typer.Typer(add_completion=False)


@app.command("rescore")
def rescore(
    ctx: typer.Context,
    since: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="Only articles published since this day."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Score the articles that the current model has not scored. What older versions said stays on record."""
    form = choose_format(as_json)
    with house_of(ctx) as house:
        pending = house.rescorer.pending()
        if dry_run:
            emit_object({"articles": pending}, form)
            return
        day: date | None = since.date() if since else None
        with stop_on_signals(Stop()) as stop, progress("Scoring", pending) as advance:
            seen = 0

            def show(done: int, _: int) -> None:
                nonlocal seen
                advance(done - seen, "")
                seen = done

            emit_object(house.rescorer.run(since=day, progress=show, stop=stop), form)
