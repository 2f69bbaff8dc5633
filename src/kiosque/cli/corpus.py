"""`kiosque corpus`: training data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Json, choose_format, emit_object

app = typer.Typer(no_args_is_help=True, help="Training data: rehydrate the published labels.")


@app.callback()
def corpus() -> None:
    """Training data: rehydrate the published labels."""


@app.command()
def rehydrate(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="JSONL to write: {text, mentions}.")],
    headlines: Annotated[
        list[Path] | None,
        typer.Option(help="CSV with headline and date; without it, the articles in the database."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Join the labels that ship without text to headlines that you have."""
    from kiosque.cli.rehydration import rehydrate_corpus

    with house_of(ctx) as house:
        emit_object(rehydrate_corpus(house, out, headlines or []), choose_format(as_json))
