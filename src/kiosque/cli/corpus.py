"""`kiosque corpus`: training data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Json, choose_format, emit_object
from kiosque.store.tx import Tx

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Training data: rehydrate the published labels."
)

LABELS = "corpus/nyt-labels.csv.gz"


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
    from kiosque.polarity.train.rehydrate import rehydrate as join
    from kiosque.wiring import shipped_data

    labels = shipped_data() / LABELS
    with house_of(ctx) as house:
        if headlines:
            emit_object(join(labels, _from_files(headlines), out), choose_format(as_json))
            return
        with house.migrated.read() as tx:
            emit_object(join(labels, _from_store(tx), out), choose_format(as_json))


def _from_store(tx: Tx) -> Iterator[tuple[str, str]]:
    from kiosque.store import articles

    for stored in articles.iterate(tx):
        yield stored.article.headline, stored.article.published_at.isoformat()


def _from_files(paths: list[Path]) -> Iterator[tuple[str, str]]:
    from kiosque.sources.files import ArticleFile

    for path in paths:
        for page in ArticleFile(path).poll(None):
            for article in page.articles:
                yield article.headline, article.published_at.isoformat()
