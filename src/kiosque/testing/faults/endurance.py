"""`python -m kiosque.testing.faults.endurance soak|overload`: steady load for long, and far too much of it."""

from __future__ import annotations

import json
import logging
import os
import platform
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from kiosque.testing.faults import load, usage
from kiosque.testing.faults.installation import Installation
from kiosque.testing.faults.load import Press, Sustainable
from kiosque.testing.faults.traffic import PATIENCE, Traffic

SOAK_FORMAT, OVERLOAD_FORMAT = "kiosque.soak/1", "kiosque.overload/1"
TIMES = 10.0
"""How many times the sustainable rate is too much."""
CALM = 30.0
"""Seconds at half the sustainable rate before and after an overload."""
_SAMPLES = 600
"""Samples of usage in a run, at most one a second."""
_WARM = 0.25
"""Share of a soak that is left out of the slopes: caches fill, and what is read at the first use is read."""
_DRAIN = 2.0
"""Patience until all is stored, as a multiple of what the sustainable rate would take."""
_console = Console(stderr=True)
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Seed = Annotated[str, typer.Option(envvar="KIOSQUE_TEST_SEED", help="The same seed tells the same stories.")]
Output = Annotated[Path | None, typer.Option("--json", help="File for the results.")]


@dataclass
class Run:
    """An installation under load, watched."""

    site: Installation
    press: Press
    traffic: Traffic
    can: Sustainable
    watch: usage.Watch

    def at(self, share: float) -> None:
        """News and readers at so many times the sustainable rate."""
        self.press.rate = self.can.articles * share
        self.traffic.rates = {name: rate * share for name, rate in self.can.requests.items()}

    def wait_for_answers(self) -> None:
        """Until every request is answered or given up."""
        deadline = time.monotonic() + PATIENCE + 1.0
        while self.traffic.open and time.monotonic() < deadline:
            time.sleep(0.05)


@app.command()
def soak(
    seconds: Annotated[int, typer.Option(min=10)] = 3600, seed: Seed = "", json_file: Output = None
) -> None:
    """Half the sustainable rate for SECONDS: memory, handles and threads must not grow."""
    with _running(seed, every=max(1.0, seconds / _SAMPLES)) as run:
        run.at(0.5)
        time.sleep(seconds)
        run.at(0.0)
        run.wait_for_answers()
        answers = run.traffic.collect()
        drained = load.wait_until_stored(run.site, run.press, 120.0)
        document = {
            "format": SOAK_FORMAT,
            **_facts(run, seed),
            "seconds": seconds,
            "rate": round(run.can.articles / 2, 1),
            "drained": drained,
            "slopes_per_hour": usage.slopes(run.watch.samples, since=seconds * _WARM),
            "usage": usage.extremes(run.watch.samples),
            "samples": _samples(run.watch),
            "requests": {name: found.summary() for name, found in answers.items()},
            "judged": load.judged(run.site, run.press),
            "exits": _exits(run.site),
        }
    _finish(document, json_file, ok=drained is not None and _is_clean(document))


@app.command()
def overload(
    seconds: Annotated[int, typer.Option(min=5)] = 300,
    feed_shows: Annotated[
        int, typer.Option(min=1, help="Latest stories that a feed shows.")
    ] = load.FEED_SHOWS,
    seed: Seed = "",
    json_file: Output = None,
) -> None:
    """Ten times the sustainable rate for SECONDS, with calm before and after; nothing is started again."""
    with _running(seed, every=1.0) as run:
        run.press.shown = feed_shows
        phases: dict[str, Any] = {}
        for name, share, length in (("before", 0.5, CALM), ("during", TIMES, float(seconds))):
            phases[name] = _phase(run, share, length)
        backlog, held = run.press.waiting(), load.held(run.site)
        patience = 60.0 + _DRAIN * backlog / max(run.can.articles, 1.0)
        _console.print(f"{backlog:,} articles wait; at most {patience:.0f} s for them.", highlight=False)
        drained = load.wait_until_stored(run.site, run.press, patience)
        phases["after"] = _phase(run, 0.5, CALM)
        load.wait_until_stored(run.site, run.press, 60.0)
        document = {
            "format": OVERLOAD_FORMAT,
            **_facts(run, seed),
            "seconds": seconds,
            "times": TIMES,
            "phases": phases,
            "backlog": backlog,
            "held": held,
            "feed_shows": feed_shows,
            "drained": None if drained is None else round(drained, 1),
            "refused_by_broker": run.press.refused,
            "usage": usage.extremes(run.watch.samples),
            "samples": _samples(run.watch),
            "judged": load.judged(run.site, run.press),
            "exits": _exits(run.site),
        }
    _finish(document, json_file, ok=drained is not None and _is_clean(document))


def _phase(run: Run, share: float, seconds: float) -> dict[str, Any]:
    began, told = run.watch.now, run.press.count()
    run.traffic.collect()
    run.at(share)
    time.sleep(seconds)
    ended = run.watch.now
    run.at(0.0)
    run.wait_for_answers()
    answers = run.traffic.collect()
    found = {
        "from": round(began, 1),
        "to": round(ended, 1),
        "articles_told": run.press.count() - told,
        "requests": {name: each.summary() for name, each in answers.items()},
    }
    _console.print(f"{share:g} times: {json.dumps(_short(found))}", highlight=False, soft_wrap=True)
    return found


def _short(phase: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("statuses", "p50_ms", "p95_ms")
    return {
        "articles": phase["articles_told"],
        **{name: {key: each[key] for key in kept} for name, each in phase["requests"].items()},
    }


@contextmanager
def _running(seed: str, *, every: float) -> Iterator[Run]:
    """Everything started, and what it can do measured."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    site = Installation(webs=1, small_disks=False, settings=load.SETTINGS)
    press = traffic = watch = None
    try:
        site.wait_until_ready(180)
        press = Press(site, seed or str(random.SystemRandom().randrange(10**9)))
        can = load.measure(site, press)
        _console.print(
            f"Sustainable: {can.articles} articles a second, requests {dict(can.requests)}", highlight=False
        )
        traffic = Traffic(load.readers_of(site), {})
        watch = usage.Watch(site.supervised, every=every)
        yield Run(site, press, traffic, can, watch)
    finally:
        for part in (press, traffic, watch):
            if part is not None:
                part.close()
        site.close()


def _facts(run: Run, seed: str) -> dict[str, Any]:
    return {
        "seed": seed or run.press.seed,
        "machine": {
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
        "sustainable": asdict(run.can),
        "articles": run.press.count(),
    }


def _samples(watch: usage.Watch) -> list[dict[str, Any]]:
    return [
        {
            "at": round(sample.at, 1),
            **{name: [round(v, 1) for v in used] for name, used in sample.usage.items()},
        }
        for sample in watch.samples
    ]


def _exits(site: Installation) -> dict[str, int]:
    """How often each process was started again."""
    return {each.name: each.starts - 1 for each in site.supervised if each.starts > 1}


def _is_clean(document: Mapping[str, Any]) -> bool:
    return not document["judged"]["problems"] and not document["exits"]


def _finish(document: Mapping[str, Any], json_file: Path | None, *, ok: bool) -> None:
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    shown = {name: value for name, value in document.items() if name != "samples"}
    sys.stdout.write(json.dumps(shown, indent=1) + "\n")
    raise typer.Exit(0 if ok else 1)


if __name__ == "__main__":
    app()
