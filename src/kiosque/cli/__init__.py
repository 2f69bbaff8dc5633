"""The command line: one module per noun, loaded when its noun is used. `kiosque --help` loads none of them."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of `kiosque`. Ends the process with the exit code that docs/reference/cli.md lists."""
    from kiosque.cli.root import app
    from kiosque.core.errors import KiosqueError

    try:
        app()
    except KiosqueError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has seen enough (`kiosque article list | head`).
        sys.stderr.close()
        sys.exit(0)


def _complain(error: Exception) -> None:
    from kiosque.cli.output import messages
    from kiosque.core.errors import KiosqueError

    console = messages()
    detail, hint = (error.detail, error.hint) if isinstance(error, KiosqueError) else (str(error), None)
    console.print(f"[bold red]Error:[/] {_plain(detail)}", highlight=False, soft_wrap=True)
    if hint:
        console.print(_plain(hint), highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
