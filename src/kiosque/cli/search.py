"""`kiosque search`: searches that somebody keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_rows, say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Saved searches: list, remove.")


@app.command("list")
def list_searches(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List them with the path of each one's feed."""
    from kiosque.api.feed_tokens import FeedOf, feed_path
    from kiosque.store import saved_searches

    with house_of(ctx) as house, house.migrated.read() as tx:
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "query": each.where.query,
                "entities": list(each.where.entities),
                "made_by": each.made_by,
                "feed": feed_path(FeedOf.SEARCH, each.id),
            }
            for each in saved_searches.everything(tx)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def remove(
    ctx: typer.Context, search_id: Annotated[int, typer.Argument(help="The id that `list` shows.")]
) -> None:
    """Remove a search with its feed."""
    from kiosque.store import saved_searches

    with house_of(ctx) as house, house.migrated.write() as tx:
        saved_searches.delete(tx, search_id)
    say(f"Removed {search_id}.")
