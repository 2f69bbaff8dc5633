"""The root command: its options, and the nouns below it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Noun(NamedTuple):
    """Where a command is and what `--help` says of it. `attribute` is a `typer.Typer` in `module`."""

    module: str
    attribute: str
    help: str
    panel: str


_RUN, _NEWS, _MODELS, _CARE = "Run", "News", "Models", "Care"
NOUNS: dict[str, Noun] = {
    "up": Noun("serve", "up", "Everything in one process: pages, API, sources, models.", _RUN),
    "web": Noun("serve", "web", "The pages and the read API.", _RUN),
    "producer": Noun("serve", "producer", "Polls the sources and publishes what is new.", _RUN),
    "consumer": Noun("serve", "consumer", "Matches, scores and stores what was published.", _RUN),
    "predict": Noun("serve", "predict", "The model server: polarity and books over HTTP.", _RUN),
    "healthcheck": Noun("healthcheck", "app", "Ask a process of this machine whether it is ready.", _RUN),
    "doctor": Noun("doctor", "app", "Say what is wrong with this installation.", _RUN),
    "source": Noun("source", "app", "Where news comes from: list, add, poll.", _NEWS),
    "entity": Noun("entity", "app", "Who is watched: list, add, import, rematch.", _NEWS),
    "article": Noun("article", "app", "What came in: list, show.", _NEWS),
    "search": Noun("search", "app", "Saved searches: list, remove.", _NEWS),
    "alert": Noun("alert", "app", "Rules that watch someone: list, add, preview, test, remove.", _NEWS),
    "import": Noun("importing", "app", "Read articles from a JSONL or CSV file.", _NEWS),
    "backfill": Noun("backfill", "app", "Fetch past months from an archive.", _NEWS),
    "export": Noun("exporting", "app", "Write articles, mentions or corrections to a file.", _NEWS),
    "polarity": Noun("polarity", "app", "Score, explain, evaluate, train.", _MODELS),
    "books": Noun("books", "app", "Recommend, build, evaluate, import.", _MODELS),
    "model": Noun("model", "app", "Versions: list, promote, roll back, verify.", _MODELS),
    "corpus": Noun("corpus", "app", "Training data: rehydrate the published labels.", _MODELS),
    "rescore": Noun("rescore", "app", "Score history with the model that is now current.", _MODELS),
    "db": Noun("db", "app", "The database: init, migrate, status, backup, restore.", _CARE),
    "user": Noun("user", "app", "People who may log in.", _CARE),
    "key": Noun("key", "app", "API keys: add, list, revoke.", _CARE),
    "dead-letter": Noun(
        "dead_letter", "app", "Messages that were given up: list, show, replay, remove.", _CARE
    ),
    "settings": Noun("setting", "app", "Every setting, its value and where it comes from.", _CARE),
}


class NounGroup(TyperGroup):
    """Lists the nouns from the table above and imports a noun's module only when it is used."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {
            name: TyperCommand(name, help=noun.help, rich_help_panel=noun.panel)
            for name, noun in NOUNS.items()
        }

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(NOUNS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in NOUNS:
            self.commands[args[0]] = load_noun(args[0])
        return super().resolve_command(ctx, args)


def load_noun(name: str) -> Any:
    """The real command behind `name`."""
    noun = NOUNS[name]
    command = typer.main.get_command(getattr(import_module(f"kiosque.cli.{noun.module}"), noun.attribute))
    command.name = name
    return command


def _print_version(wanted: bool) -> None:
    if wanted:
        from kiosque import __version__

        typer.echo(f"kiosque {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=NounGroup,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback(epilog="Data goes to stdout, messages and progress to stderr. Settings: kiosque settings list.")
def root(
    ctx: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of everything that Kiosque keeps.", envvar="KIOSQUE_DATA_DIR")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    version: Annotated[  # noqa: ARG001 - acts through its callback
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Who is in the news, how does the news speak of them, and which book goes deeper?"""
    ctx.obj = {"data_dir": data_dir, "log_level": log_level}
