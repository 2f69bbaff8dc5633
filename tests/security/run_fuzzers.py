"""Run the fuzzer on every target, share by share, and say what came of it; `make fuzz` calls it.

    python tests/security/run_fuzzers.py [--runs 1000000] [--seed 1] [--json FILE] [--corpus FOLDER]

Inputs that found something new are kept in the corpus folder, so that a run that was broken off goes on from them.
Status 1 if a target fails; the input that did it lies in the folder of findings.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

HERE = Path(__file__).parent
SHARES = {
    "archive": 0.28,
    "wire": 0.25,
    "books": 0.25,
    "message": 0.1,
    "file": 0.05,
    "watchlist": 0.04,
    "feed": 0.03,
}
"""Of all executions: by what an input costs, from 0.2 ms for a message to 10 ms for a feed."""
console = Console(stderr=True)


def run_target(name: str, runs: int, seed: int, folder: Path) -> dict[str, Any]:
    corpus, findings = folder / name, folder / "findings"
    corpus.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-artifact_prefix={findings}/{name}-",
        "-print_final_stats=1",
    ]
    started = time.monotonic()
    with (folder / f"{name}.log").open("w") as log:
        status = subprocess.run(
            [sys.executable, str(HERE / "fuzz_adapters.py"), name, *options, str(corpus)],
            stderr=log,
            stdout=log,
        ).returncode
    text = (folder / f"{name}.log").read_text(errors="replace")
    done = [
        int(n)
        for n in re.findall(r"number_of_executed_units:\s*(\d+)|Done (\d+) runs", text)[-1:]
        for n in n
        if n
    ]
    coverage = [int(n) for n in re.findall(r"cov: (\d+)", text)]
    return {
        "executions": done[0] if done else 0,
        "findings": int(status != 0),
        "seconds": round(time.monotonic() - started, 1),
        "branches_reached": coverage[-1] if coverage else 0,
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
    results = {}
    for name, share in SHARES.items():
        with console.status(f"{name}: {round(given.runs * share):,} executions …"):
            results[name] = run_target(name, max(1, round(given.runs * share)), given.seed, given.corpus)
        console.print(f"{name}: {results[name]}", highlight=False)
    report = {
        "seed": given.seed,
        "executions": sum(r["executions"] for r in results.values()),
        "findings": sum(r["findings"] for r in results.values()),
        "targets": results,
    }
    text = json.dumps(report, indent=2)
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(text + "\n")
    sys.stdout.write(text + "\n")
    return 1 if report["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
