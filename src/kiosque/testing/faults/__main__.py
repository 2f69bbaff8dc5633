"""`python -m kiosque.testing.faults`: rounds of faults against a split installation on this machine."""

from __future__ import annotations

import logging
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kiosque.testing.faults.breakage import FAULTS
from kiosque.testing.faults.installation import Installation
from kiosque.testing.faults.results import Results, Round
from kiosque.testing.faults.rounds import Runner, order_of

_console = Console(stderr=True)
_RENEW = 500
"""Rounds after which the installation is made anew, so that a long run does not measure the size of its logs."""


def main(
    rounds: Annotated[int, typer.Option(min=1, help="How many rounds.")] = 20,
    seed: Annotated[
        str, typer.Option(envvar="KIOSQUE_TEST_SEED", help="The same seed makes the same rounds.")
    ] = "",
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Where results are kept; a run goes on where the file ends.")
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only these faults; see --list.")] = None,
    long: Annotated[bool, typer.Option("--long", help="Faults of 20 to 30 seconds.")] = False,
    logs: Annotated[Path | None, typer.Option(help="Keep the processes' logs here.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop at the first problem.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say which faults there are.")] = False,
) -> None:
    """Kill, pause, cut and fill what Kiosque consists of, and count what is stored afterwards."""
    if listed:
        sys.stdout.write("\n".join(sorted(FAULTS)) + "\n")
        return
    # Ended from outside it must clear away what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chosen = seed or str(random.SystemRandom().randrange(10**9))
    results = Results.open(json_file, chosen, quick=not long)
    _console.print(
        f"KIOSQUE_TEST_SEED={chosen}, rounds {len(results.rounds) + 1} to {rounds}", highlight=False
    )
    try:
        while len(results.rounds) < rounds:
            until = min(rounds, len(results.rounds) + _RENEW)
            _run(results, until, kind or [], json_file, logs, stop=stop)
            if stop and not results.ok:
                break
    except KeyboardInterrupt:
        _console.print("Broken off; the same command goes on.")
        raise typer.Exit(130) from None
    _report(results)
    raise typer.Exit(0 if results.ok else 1)


def _run(
    results: Results, until: int, kinds: list[str], json_file: Path | None, logs: Path | None, *, stop: bool
) -> None:
    began = time.monotonic()
    site = Installation()
    try:
        site.wait_until_ready(120)
        _console.print(f"Everything runs after {time.monotonic() - began:.0f} s.", highlight=False)
        runner = Runner(site, results, _say)
        possible = [name for name in kinds or FAULTS if name not in results.skipped]
        for name, why in results.skipped.items():
            _console.print(f"  left out: {name}: {why}", highlight=False)
        order = order_of(results.seed, possible, until)
        try:
            with _bar(until, len(results.rounds)) as advance:
                while len(results.rounds) < until and not (stop and not results.ok):
                    number = len(results.rounds) + 1
                    runner.run(number, order[number - 1])
                    results.save(json_file)
                    advance()
            for problem in runner.judge_everything():
                _console.print(f"  [red]{problem}[/red]", highlight=False)
        finally:
            runner.close()
        results.save(json_file)
    finally:
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True)
            for each in site.supervised if hasattr(site, "processes") else ():
                shutil.copy(each.log, logs / each.log.name)
        site.close()


def _bar(total: int, done: int):  # type: ignore[no-untyped-def]
    from contextlib import contextmanager

    @contextmanager
    def bar():  # type: ignore[no-untyped-def]
        columns = (TextColumn("rounds"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=_console, disable=not _console.is_terminal) as progress:
            task = progress.add_task("", total=total, completed=done)
            yield lambda: progress.advance(task)

    return bar()


def _say(made: Round) -> None:
    times = f"ready {_seconds(made.ready)}, stored {_seconds(made.drained)}"
    exits = f", ended by itself: {', '.join(made.exits)}" if made.exits else ""
    _console.print(
        f"{made.number:>5} {made.kind:<34} {made.victim:<28} {made.articles:>2} articles, {times}{exits}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for problem in made.problems:
        _console.print(f"      {problem}", style="red", highlight=False, markup=False, soft_wrap=True)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _report(results: Results) -> None:
    summary = results.summary()
    _console.print(
        f"{summary['rounds']} rounds, {summary['articles']} articles: {summary['lost']} lost, "
        f"{summary['duplicated']} duplicated, {summary['problems']} problems; ready again after "
        f"{summary['all']['ready']}, everything stored after {summary['all']['drained']} (seconds).",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    typer.run(main)
