"""`kiosque doctor`: what is wrong with this installation."""

from __future__ import annotations

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import Format, Json, choose_format, emit_rows, say

app = typer.Typer(add_completion=False)


@app.command("doctor")
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check versions, folders, disk, database, models, broker, predict, key, clock; end with 1 if one is wrong."""
    from kiosque.checkup import examine

    with house_of(ctx, default_log_level="error") as house:
        findings = list(examine(house))
    form = choose_format(as_json)
    rows = [{"what": f.what, "state": f.state, "detail": f.detail, "remedy": f.remedy} for f in findings]
    if form is Format.TABLE:
        for f in findings:
            colour = {"ok": "green", "note": "yellow", "wrong": "red"}[f.state]
            say(
                f"[{colour}]{f.state:>5}[/]  [bold]{f.what}[/]  {f.detail}{f'  → {f.remedy}' if f.remedy else ''}"
            )
    else:
        emit_rows(rows, form)
    if any(f.state == "wrong" for f in findings):
        raise typer.Exit(1)
