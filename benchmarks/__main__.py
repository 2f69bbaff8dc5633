"""Run the benchmarks: `python -m benchmarks [--quick | --huge] [--only scoring,books]`.

A full run writes benchmarks/results/DAY.json, the tables of docs/performance.md and its plots; broken off, the same
command goes on after the last measure that was finished. A quick one writes build/bench/ and prints its tables.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import signal
import sys
import time
from pathlib import Path

import structlog

from benchmarks import report
from benchmarks.harness import CHECKOUT, Bench, Results, say

MEASURES = ("scoring", "serving", "pipeline", "matching", "queries", "books", "start", "training")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    for number in (signal.SIGTERM, signal.SIGHUP):  # so that servers and workers are ended on the way out
        signal.signal(number, lambda *_: sys.exit("stopped"))
    asked = _parse()
    results = Results(asked.results or _default_path(quick=asked.quick))
    for name in asked.only or MEASURES:
        if name in results.measures and not asked.again:
            say(f"{name}: done before")
            continue
        results.add(name, _measure(name, quick=asked.quick, huge=asked.huge).found)
    if asked.quick:
        print(report.everything(results))
    if asked.page or not asked.quick:
        report.write(results)


def _measure(name: str, *, quick: bool, huge: bool) -> Bench:
    bench = Bench(quick=quick, huge=huge, say=lambda text: say(f"{name}: {text}"))
    started = time.monotonic()
    importlib.import_module(f"benchmarks.{name}").measure(bench)
    bench.found.seconds = round(time.monotonic() - started, 1)
    return bench


def _default_path(*, quick: bool) -> Path:
    day = time.strftime("%Y-%m-%d")
    return (
        CHECKOUT / "build" / "bench" / f"{day}.json"
        if quick
        else CHECKOUT / "benchmarks" / "results" / f"{day}.json"
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer rounds")
    parser.add_argument("--huge", action="store_true", help="also sizes that take hours: 10 million mentions")
    parser.add_argument("--only", type=_names, help=f"some of {', '.join(MEASURES)}")
    parser.add_argument("--again", action="store_true", help="also what this day's file has already")
    parser.add_argument("--page", action="store_true", help="write the page from a quick run, too")
    parser.add_argument("--results", type=Path, help="the file to go on with")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(MEASURES):
        raise argparse.ArgumentTypeError(f"no such measure: {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    main()
