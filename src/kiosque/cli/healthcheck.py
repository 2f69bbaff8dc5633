"""`kiosque healthcheck`: for container engines, so that an image needs no other program to be asked."""

from __future__ import annotations

import http.client
import json
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

PATIENCE = 5.0
"""Seconds to wait for the answer."""


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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/livez" if live else "/readyz")
        answer = connection.getresponse()
        ready, said = answer.status == 200, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        ready, said = False, f"No answer on port {port}: {error}"
    finally:
        connection.close()
    typer.echo(_summary(said))
    raise typer.Exit(0 if ready else 1)


def _summary(said: str) -> str:
    """The checks, one a line; an answer that is not ours as it is."""
    try:
        checks = json.loads(said).get("checks") or {"process": "ok"}
        return "\n".join(f"{name}: {words}" for name, words in checks.items())
    except (ValueError, AttributeError):
        return said
