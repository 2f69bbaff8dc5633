"""`kiosque source`: where news comes from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, say
from kiosque.core.errors import InvalidInput

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Where news comes from: list, add, poll.")

SourceId = Annotated[str, typer.Argument(help="The source's id, as `list` shows it.")]
KINDS = ("feed", "nyt_wire", "nyt_search", "nyt_archive", "nyt_books")


@app.command("list")
def list_sources(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List the sources and how each fares."""
    from kiosque.store import sources

    with house_of(ctx) as house, house.migrated.read() as tx:
        rows = [
            {
                "id": state.id,
                "kind": state.kind,
                "enabled": state.enabled,
                "last_success_at": state.last_success_at,
                "next_poll_at": state.next_poll_at,
                "errors": state.consecutive_errors,
                "last_error": state.last_error,
                "read": state.articles_read,
                "new": state.articles_new,
                "skipped": state.articles_skipped,
            }
            for state in sources.everything(tx)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def add(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    option: Annotated[
        list[str] | None,
        typer.Argument(
            help="NAME=VALUE: url (feed); section (nyt_wire); query, filter, since (nyt_search); first, last."
        ),
    ] = None,
    source_id: Annotated[
        str | None, typer.Option("--id", help="What to call it; made from the rest without it.")
    ] = None,
) -> None:
    """Add a source, e.g. `kiosque source add feed url=https://www.example.org/rss`."""
    from kiosque.sources.feeds import feed_id
    from kiosque.store import sources

    if kind not in KINDS:
        raise InvalidInput(f"There is no kind {kind!r}.", hint=f"Kinds: {', '.join(KINDS)}.")
    config: dict[str, Any] = dict(_pair(text) for text in option or ())
    chosen = source_id or (
        feed_id(config["url"]) if kind == "feed" and "url" in config else kind.replace("_", "-")
    )
    with house_of(ctx) as house:
        house.sources.make(
            sources.SourceState(chosen, kind, config)
        )  # says what is wrong with it before it is kept
        with house.migrated.write() as tx:
            new = sources.save(tx, chosen, kind, config)
    say(f"{'Added' if new else 'Changed'} {chosen}.")


@app.command()
def poll(ctx: typer.Context, source_id: SourceId, as_json: Json = False) -> None:
    """Poll a source now and wait for what it brings."""
    from kiosque.pipeline.worker import Stop, stop_on_signals

    with house_of(ctx) as house, stop_on_signals(Stop()) as stop, house.consuming():
        emit_object(house.producer.poll_now(source_id, stop), choose_format(as_json))


@app.command()
def enable(ctx: typer.Context, source_id: SourceId) -> None:
    """Poll the source on its schedule again."""
    _set_enabled(ctx, source_id, enabled=True)


@app.command()
def disable(ctx: typer.Context, source_id: SourceId) -> None:
    """Stop polling the source; what it brought stays."""
    _set_enabled(ctx, source_id, enabled=False)


@app.command()
def remove(ctx: typer.Context, source_id: SourceId) -> None:
    """Forget the source; what it brought stays."""
    from kiosque.store import sources

    with house_of(ctx) as house, house.migrated.write() as tx:
        sources.delete(tx, source_id)
    say(f"Removed {source_id}.")


@app.command()
def quota(ctx: typer.Context, as_json: Json = False) -> None:
    """Say what is left of the New York Times quota."""
    with house_of(ctx) as house:
        state = house.sources.quota.state()
        emit_object(
            {
                "left_this_minute": state.minute.left,
                "left_today": state.day.left,
                "per_minute": state.minute.limit,
                "per_day": state.day.limit,
                "closed_until": state.closed_until,
            },
            choose_format(as_json),
        )


def _set_enabled(ctx: typer.Context, source_id: str, *, enabled: bool) -> None:
    from kiosque.store import sources

    with house_of(ctx) as house, house.migrated.write() as tx:
        sources.set_enabled(tx, source_id, enabled)
    say(f"{source_id} is {'on' if enabled else 'off'}.")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(
            f"{text!r} is not NAME=VALUE.", hint="For example: url=https://www.example.org/rss"
        )
    return name, value
