"""`kiosque dead-letter`: messages that were given up."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, say

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Messages that were given up: list, show, replay, remove.",
)

LetterId = Annotated[int, typer.Argument(help="The id that `list` shows.")]


@app.command("list")
def list_letters(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: Json = False,
    as_jsonl: JsonLines = False,
    as_csv: Csv = False,
) -> None:
    """List them, newest first, with the reason."""
    from kiosque.store import dead_letters

    with house_of(ctx) as house, house.migrated.read() as tx:
        rows = [
            {
                "id": letter.id,
                "at": letter.at,
                "source": letter.subject,
                "key": letter.key,
                "reason": letter.reason,
                "attempts": letter.attempts,
                "replayed_at": letter.replayed_at,
            }
            for letter in dead_letters.page(tx, limit=limit).items
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def show(ctx: typer.Context, letter_id: LetterId) -> None:
    """Print one with its message."""
    from kiosque.store import dead_letters

    with house_of(ctx) as house, house.migrated.read() as tx:
        letter = dead_letters.get(tx, letter_id)
    emit_object(
        {
            "id": letter.id,
            "at": letter.at,
            "reason": letter.reason,
            "key": letter.key,
            "message": letter.data.decode("utf-8", "replace"),
        }
    )


@app.command("replay")
def replay_letter(ctx: typer.Context, letter_id: LetterId) -> None:
    """Put its message on the bus again. Should it fail again it comes back."""
    from kiosque.pipeline.replay import replay
    from kiosque.store import dead_letters

    with house_of(ctx) as house:
        with house.consuming():
            replay(letter_id, house.bus, house.migrated, house.clock)
        with house.migrated.read() as tx:
            again = dead_letters.get(tx, letter_id).replayed_at is None
    say("It failed again; the reason is on record." if again else "It went through.")


@app.command()
def remove(ctx: typer.Context, letter_id: LetterId) -> None:
    """Throw one away."""
    from kiosque.store import dead_letters

    with house_of(ctx) as house, house.migrated.write() as tx:
        dead_letters.delete(tx, letter_id)
    say(f"Removed {letter_id}.")
