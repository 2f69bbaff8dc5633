"""The manual that is written from the code: `make docs` writes it, a test fails when it is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiosque.core.errors import KiosqueError

_HEAD = "<!-- Written by `make docs` from the code. Do not edit. -->\n\n"


def settings_page() -> str:
    """Every setting with its default and meaning."""
    from kiosque.settings import PREFIX, Settings, secret_names

    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "–" if field.default is None else f"`{field.default}`"
        if field.default_factory is not None:
            default = "`~/.local/share/kiosque`"
        if field.default in ((), ""):
            default = "–"
        secret = " Secret: can be read from a file." if name in secret_names() else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description}{secret} |")
    return (
        f"{_HEAD}# Settings\n\n"
        "Set them in the environment or in a file `.env` in the working directory. A secret `KIOSQUE_X` can also be\n"
        "given as `KIOSQUE_X_FILE`, the path of a file that holds it. `kiosque settings list` shows what is set.\n\n"
        + "\n".join(rows)
        + "\n"
    )


def errors_page() -> str:
    """Every error code with its HTTP status, exit code and meaning."""
    rows = ["| code | HTTP | exit | meaning |", "|---|---|---|---|"]
    rows += [
        f"| <a id='{error.code}'></a>`{error.code}` | {error.status} | {error.exit_code} | {_first_line(error)} |"
        for error in all_errors()
    ]
    rows.append(
        "| <a id='method_not_allowed'></a>`method_not_allowed` | 405 | – | The route has no such method. |"
    )
    return (
        f"{_HEAD}# Errors\n\n"
        "Every error of the API is problem+json ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with a "
        "`code`\nout of this table; the command line ends with the exit code. 0 is success, 130 is Ctrl-C.\n\n"
        + "\n".join(rows)
        + "\n"
    )


def all_errors(base: type[KiosqueError] = KiosqueError) -> Iterator[type[KiosqueError]]:
    """`base` and everything below it, parents first."""
    yield base
    for child in base.__subclasses__():
        if child.__module__ == KiosqueError.__module__:
            yield from all_errors(child)


def metrics_page() -> str:
    """Every metric with its type, labels and meaning."""
    from kiosque.ops.metrics import Metrics

    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for part in vars(Metrics()).values():
        for family in part.describe() if hasattr(part, "describe") else ():
            labels = ", ".join(f"`{label}`" for label in part._labelnames) or "–"  # noqa: SLF001 - no public way
            suffix = "_total" if family.type == "counter" else ""
            rows.append(f"| `{family.name}{suffix}` | {family.type} | {labels} | {family.documentation} |")
    return f"{_HEAD}# Metrics\n\nEvery process serves them at `/metrics`.\n\n" + "\n".join(rows) + "\n"


def commands_page() -> str:
    """Every command with its arguments and options."""
    from kiosque.cli.root import NOUNS, load_noun

    parts = [
        f"{_HEAD}# Commands\n",
        "Data goes to stdout, messages and progress to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage or input,",
        "3 not found, 4 something must be done first, 5 try again later, 130 interrupted.\n",
    ]
    for name in NOUNS:
        parts += _command_lines(f"kiosque {name}", load_noun(name), level=2)
    return "\n".join(parts) + "\n"


def _command_lines(path: str, command: Any, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{path}`\n"
    if command.help:
        yield " ".join(command.help.split()) + "\n"
    rows = [_parameter_row(p) for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"
    for name, child in sorted(getattr(command, "commands", {}).items()):
        yield from _command_lines(f"{path} {name}", child, level + 1)


def _parameter_row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    names = (
        ", ".join(f"`{n}`" for n in (*parameter.opts, *parameter.secondary_opts))
        if is_option
        else f"`{parameter.name.upper()}`"
    )
    meaning = " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")
    return f"| {names}{' (required)' if parameter.required else ''} | {meaning} |"


def api_page(documents: dict[str, dict[str, Any]]) -> str:
    """Every route of every process, out of their OpenAPI documents."""
    parts = [
        f"{_HEAD}# HTTP\n",
        "Errors are problem+json: see [errors](errors.md). Each process serves its OpenAPI document.\n",
    ]
    for title, document in documents.items():
        parts.append(f"## {title}\n")
        parts.append("| route | what it does |\n|---|---|")
        for path, operations in sorted(document["paths"].items()):
            for method, operation in operations.items():
                parts.append(f"| `{method.upper()} {path}` | {operation['summary']} |")
        parts.append("")
    return "\n".join(parts)


def _first_line(error: type[KiosqueError]) -> str:
    return (error.__doc__ or "").strip().splitlines()[0]
