"""`kiosque user`: people who may log in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kiosque.api.scopes import Scope
from kiosque.cli.context import house_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_rows, say
from kiosque.core.errors import InvalidInput

app = typer.Typer(add_completion=False, no_args_is_help=True, help="People who may log in.")

Name = Annotated[str, typer.Argument(help="The user's name.")]
SHORTEST_PASSWORD = 10


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    scope: Annotated[list[Scope] | None, typer.Option(help="What they may do; may be repeated.")] = None,
) -> None:
    """Add a user. The password is asked for, or read from a pipe: `pwgen 20 1 | kiosque user add ada`."""
    from kiosque.api.passwords import Passwords
    from kiosque.store import users

    scopes = tuple(scope or [Scope.READ])
    hashed = Passwords().hash(ask_password())
    with house_of(ctx) as house, house.migrated.write() as tx:
        users.add(tx, name, password_hash=hashed, scopes=scopes, at=house.clock())
    say(f"Added {name}.")


@app.command("list")
def list_users(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List the users."""
    from kiosque.store import users

    with house_of(ctx) as house, house.migrated.read() as tx:
        rows = [
            {
                "name": user.name,
                "scopes": list(user.scopes),
                "disabled": user.disabled,
                "created_at": user.created_at,
                "last_login_at": user.last_login_at,
            }
            for user in users.everyone(tx)
        ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command()
def password(ctx: typer.Context, name: Name) -> None:
    """Set a user's password; tokens made with the old one stop working."""
    from kiosque.api.passwords import Passwords
    from kiosque.store import users

    hashed = Passwords().hash(ask_password())
    with house_of(ctx) as house, house.migrated.write() as tx:
        users.set_password(tx, name, hashed)
    say(f"The password of {name} is changed.")


@app.command()
def disable(ctx: typer.Context, name: Name) -> None:
    """Lock a user out, at once."""
    _set_disabled(ctx, name, disabled=True)


@app.command()
def enable(ctx: typer.Context, name: Name) -> None:
    """Let a disabled user in again."""
    _set_disabled(ctx, name, disabled=False)


@app.command()
def delete(ctx: typer.Context, name: Name) -> None:
    """Delete a user and the keys they own."""
    from kiosque.store import users

    with house_of(ctx) as house, house.migrated.write() as tx:
        users.delete(tx, name)
    say(f"Deleted {name}.")


def ask_password() -> str:
    """From the terminal, twice; else the first line of stdin."""
    if sys.stdin.isatty():
        secret: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    if len(secret) < SHORTEST_PASSWORD:
        raise InvalidInput(f"A password needs at least {SHORTEST_PASSWORD} characters.")
    return secret


def _set_disabled(ctx: typer.Context, name: str, *, disabled: bool) -> None:
    from kiosque.store import users

    with house_of(ctx) as house, house.migrated.write() as tx:
        users.set_disabled(tx, name, disabled)
    say(f"{name} is {'disabled' if disabled else 'enabled'}.")
