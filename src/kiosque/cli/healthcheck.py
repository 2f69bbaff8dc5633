"""`kiosque healthcheck`: for whoever watches a process, so that no other program is needed to ask it."""

from __future__ import annotations

from typing import Annotated

import typer

from kiosque.ops.healthcheck import ask

app = typer.Typer(add_completion=False)


@app.command("healthcheck")
def healthcheck(
    port: Annotated[
        int, typer.Argument(min=1, max=65535, help="Port of the process on this machine.")
    ] = 8000,
    live: Annotated[
        bool, typer.Option("--live", help="Ask only whether it runs, not what it depends on.")
    ] = False,
) -> None:
    """Ask a process of this machine whether it is ready. Exits with 1 and says what is wrong when it is not."""
    ready, words = ask(port, live=live)
    typer.echo(words)
    raise typer.Exit(0 if ready else 1)
