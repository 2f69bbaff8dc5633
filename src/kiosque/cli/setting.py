"""`kiosque settings`: what can be set, and what is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from kiosque.cli.context import settings_of
from kiosque.cli.output import Csv, Json, JsonLines, choose_format, emit_rows, say
from kiosque.core.secrets import HIDDEN

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Every setting, its value and where it comes from."
)


@app.callback()
def settings() -> None:
    """Every setting, its value and where it comes from."""


@app.command("list")
def list_settings(
    ctx: typer.Context, as_json: Json = False, as_jsonl: JsonLines = False, as_csv: Csv = False
) -> None:
    """List every setting. Secrets are not shown, only whether they are set."""
    from kiosque.settings import PREFIX, Settings

    values = settings_of(ctx)
    rows = [
        {
            "name": f"{PREFIX}{name.upper()}",
            "value": _shown(getattr(values, name)),
            "from": "you" if name in values.model_fields_set else "default",
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    emit_rows(rows, choose_format(as_json, as_jsonl, as_csv))


@app.command("make-secrets")
def make_secrets(
    folder: Annotated[Path, typer.Argument(help="Where `KIOSQUE_*_FILE` will look for them.")],
    apart: Annotated[
        bool,
        typer.Option("--apart", help="Each in a folder of its own name, to be handed out one by one."),
    ] = False,
) -> None:
    """Make the secrets of a split installation, each once, as files that their owner and group may read."""
    from kiosque.wiring import make_secrets

    made = make_secrets(folder, apart=apart)
    say(f"Made in {folder}: {', '.join(made) or 'nothing, they were there'}.")


def _shown(value: Any) -> Any:
    from kiosque.settings import shown_value

    if isinstance(value, SecretStr):
        return HIDDEN
    return value if isinstance(value, (int, float, bool)) else shown_value(value)
