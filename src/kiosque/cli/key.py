"""`kiosque key`: API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from kiosque.api.scopes import Scope
from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_object, emit_rows, say

app = typer.Typer(add_completion=False, no_args_is_help=True, help="API keys: add, list, revoke.")


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="What it may do; may be repeated.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days until it expires; never without it.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it, once: only its digest is kept."""
    from kiosque.api.keys import make_key
    from kiosque.store import keys

    scopes = tuple(scope or [Scope.READ])
    new = make_key()
    with house_of(ctx) as house, house.migrated.write() as tx:
        now = house.clock()
        expires = now + timedelta(days=days) if days else None
        stored = keys.add(
            tx, name=name, prefix=new.prefix, digest=new.digest, scopes=scopes, at=now, expires_at=expires
        )
    emit_object(
        {"id": stored.id, "key": new.text, "scopes": scopes, "expires_at": expires}, choose_format(as_json)
    )
    say("Keep the key: it cannot be shown again.")


@app.command("list")
def list_keys(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List the keys, by what they start with."""
    from kiosque.store import keys

    with house_of(ctx) as house, house.migrated.read() as tx:
        rows = [
            {
                "id": key.id,
                "name": key.name,
                "prefix": key.prefix,
                "scopes": list(key.scopes),
                "created_at": key.created_at,
                "expires_at": key.expires_at,
                "last_used_at": key.last_used_at,
                "revoked_at": key.revoked_at,
            }
            for key in keys.everything(tx)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def revoke(
    ctx: typer.Context, key_id: Annotated[int, typer.Argument(help="The id that `list` shows.")]
) -> None:
    """Revoke a key, at once."""
    from kiosque.store import keys

    with house_of(ctx) as house, house.migrated.write() as tx:
        keys.revoke(tx, key_id, house.clock())
    say(f"Key {key_id} is revoked.")
