"""Run the fuzzer on every target, share by share, and say what came of it; `make fuzz` calls it.

    python tests/security/run_fuzzers.py [--runs 1000000] [--seed 1] [--json FILE] [--corpus FOLDER]

Inputs that found something new are kept in the corpus folder. The share of a target is run in portions, each with a
seed of its own, and what was done stands in FILE after each: a run that was broken off goes on from there.
Status 1 if a target fails; the input that did it lies in the folder of findings.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

HERE = Path(__file__).parent
SHARES = {
    "message": 0.34,
    "books": 0.2,
    "wire": 0.2,
    "archive": 0.15,
    "file": 0.05,
    "watchlist": 0.04,
    "feed": 0.02,
}
"""Of all executions: by what an input costs, from 0.2 ms for a message to 10 ms for a feed."""
PORTION = 25_000
"""Executions at a time; what a portion finds is the next one's corpus."""
console = Console(stderr=True)
Figures = dict[str, Any]


def run_target(name: str, runs: int, seed: int, folder: Path) -> Figures:
    """One portion of a target."""
    corpus, findings, log = folder / name, folder / "findings", folder / f"{name}.log"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
    ]
    started = time.monotonic()
    with log.open("w") as out:
        status = subprocess.run(
            [sys.executable, str(HERE / "fuzz_adapters.py"), name, *options, str(corpus)],
            stderr=out,
            stdout=out,
        ).returncode
    text = log.read_text(errors="replace")
    done = re.findall(r"number_of_executed_units:\s*(\d+)", text) or re.findall(r"Done (\d+) runs", text)
    coverage = re.findall(r"cov: (\d+)", text)
    return {
        "executions": int(done[-1]) if done else 0,
        "findings": int(status != 0),
        "seconds": round(time.monotonic() - started, 1),
        "branches_reached": int(coverage[-1]) if coverage else 0,
    }


def run_share(name: str, runs: int, seed: int, folder: Path, done: Figures, save: Callable[[], None]) -> None:
    """Portions of a target until `done` has `runs` executions or a finding."""
    while done["executions"] < runs and not done["findings"]:
        portion = min(PORTION, runs - done["executions"])
        more = run_target(name, portion, seed + done["portions"], folder)
        done["portions"] += 1
        done["executions"] += more["executions"]
        done["findings"] += more["findings"]
        done["seconds"] = round(done["seconds"] + more["seconds"], 1)
        done["branches_reached"] = max(done["branches_reached"], more["branches_reached"])
        save()
        if not more["executions"]:
            return


def begin(path: Path | None, seed: int) -> dict[str, Figures]:
    """What `path` says of an earlier part of this run, by target."""
    fresh = {"portions": 0, "executions": 0, "findings": 0, "seconds": 0.0, "branches_reached": 0}
    before = json.loads(path.read_text()) if path and path.exists() else {}
    if before.get("seed") != seed:
        before = {}
    return {name: {**fresh, **before.get("targets", {}).get(name, {})} for name in SHARES}


def report_of(seed: int, targets: dict[str, Figures]) -> Figures:
    return {
        "seed": seed,
        "executions": sum(each["executions"] for each in targets.values()),
        "findings": sum(each["findings"] for each in targets.values()),
        "targets": targets,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path("build/fuzz"))
    given = parser.parse_args()
    targets = begin(given.json, given.seed)

    def save() -> None:
        if given.json:
            given.json.parent.mkdir(parents=True, exist_ok=True)
            given.json.write_text(json.dumps(report_of(given.seed, targets), indent=2) + "\n")

    for name, share in SHARES.items():
        runs = max(1, round(given.runs * share))
        with console.status(f"{name}: {runs:,} executions …"):
            run_share(name, runs, given.seed, given.corpus, targets[name], save)
        console.print(f"{name}: {targets[name]}", highlight=False)
    report = report_of(given.seed, targets)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 1 if report["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
