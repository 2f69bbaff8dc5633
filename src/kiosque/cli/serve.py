"""The processes: `kiosque up`, `web`, `producer`, `consumer`, `predict`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from kiosque.cli.context import house_of
from kiosque.cli.output import say, steps

if TYPE_CHECKING:
    from kiosque.wiring import House

up, web, producer, consumer, predict = (typer.Typer(add_completion=False) for _ in range(5))

Host = Annotated[str | None, typer.Option(help="Address to bind to.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to bind to; 0 takes a free one.")]

NEXT = """\
Next:
  kiosque article list --entity abraham-lincoln
  kiosque polarity score "Voters Turn on Truman as Dewey Surges" --target Truman
  kiosque source add feed url=https://rss.nytimes.com/services/xml/rss/nyt/HomePage.xml"""


@up.command("up")
def run_up(
    ctx: typer.Context,
    host: Host = None,
    port: Port = None,
    once: Annotated[bool, typer.Option("--prepare-only", help="Load what a start loads, then end.")] = False,
) -> None:
    """Everything in one process on SQLite: sources, models, API, pages."""
    from kiosque.processes import check_exposure, run_up
    from kiosque.setup import prepare

    with house_of(
        ctx, default_log_level="warning" if sys.stderr.isatty() else None, host=host, port=port
    ) as house:
        check_exposure(house.settings)
        with steps("Preparing") as show:
            prepared = prepare(house, progress=lambda what, share: show(share, what))
        if prepared.entities or prepared.articles:
            say(f"Loaded {prepared.entities} names, {prepared.books} books, {prepared.articles} articles.")
        if prepared.admin_key:
            say(f"Your key for writing, shown this once: {prepared.admin_key}")
        if not once:
            run_up(house, _announce)


@web.command("web")
def run_web(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """The pages and the API; articles are collected by a producer and consumers elsewhere."""
    from kiosque.processes import run_web

    _run(ctx, run_web, host, port)


@producer.command("producer")
def run_producer(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """Poll the sources and publish what is new."""
    from kiosque.processes import run_producer
    from kiosque.setup import declare_sources

    def run(house: House, on_ready: Callable[[str], None]) -> None:
        house.migrated  # noqa: B018 - the sources are rows in it
        declare_sources(house)
        run_producer(house, on_ready)

    _run(ctx, run, host, port)


@consumer.command("consumer")
def run_consumer(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """Match, score and store what was published."""
    from kiosque.processes import run_consumer

    _run(ctx, run_consumer, host, port)


@predict.command("predict")
def run_predict(ctx: typer.Context, host: Host = None, port: Port = None) -> None:
    """The model server: polarity and books over HTTP; takes a promoted version within seconds."""
    from kiosque.processes import run_predict

    _run(ctx, run_predict, host, port)


def _run(
    ctx: typer.Context,
    run: Callable[[House, Callable[[str], None]], None],
    host: str | None,
    port: int | None,
) -> None:
    with house_of(ctx, default_log_level=None, host=host, port=port) as house:
        run(house, lambda address: say(f"Ready on {address}"))


def _announce(address: str) -> None:
    say(f"Kiosque is open: {address}\n{NEXT}\nCtrl-C closes it.")
