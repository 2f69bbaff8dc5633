"""Start and size: how long a cold process takes to its first answer, how much memory it holds, how much is installed.

The servers of `serving`, each started by itself on all processors. Memory counts every process that belongs to a
server, what they share once (PSS); under load means after a thousand texts. Installed is everything in an
environment.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

from benchmarks.corpus import pairs
from benchmarks.harness import CHECKOUT, KIOSQUE, Bench
from benchmarks.peers import OWN, PeerMissing, Worker, python_of
from benchmarks.servers import PEERS, running, wait_for

START, MEMORY, DISK = "s to the first answer", "MB of memory", "MB installed"
ENVS = {"FastAPI + onnxruntime": "fastapi", "LitServe": "litserve", "BentoML": "bentoml"}
IDLE, LOADED = "idle", "after 1,000 texts"


def measure(bench: Bench) -> None:
    drawn = pairs(64)
    memory: dict[str, defaultdict[str, list[float]]] = {IDLE: defaultdict(list), LOADED: defaultdict(list)}
    with Worker(OWN, "load.py") as generator:

        def started(name: str) -> float:
            with running(name) as server:
                seconds = wait_for(server, partial(_answers, generator), drawn[0])
                memory[IDLE][name].append(server.resident_megabytes())
                body = server.body(drawn[:32])
                for _ in range(32):
                    generator.ask("answers", port=server.port, path=server.path, body=body)
                memory[LOADED][name].append(server.resident_megabytes())
            return seconds

        sides = {name: partial(started, name) for name in (KIOSQUE, *PEERS)}
        bench.compare("from nothing", START, sides, rounds=bench.choose(1, 3), more_is_better=False)
    for when, values in memory.items():
        bench.record(when, MEMORY, values, more_is_better=False)
    bench.record("environment", DISK, _installed(bench), more_is_better=False)
    _goals(bench)


def _answers(generator: Worker, port: int, path: str, body: str) -> bool:
    return bool(generator.ask("answers", port=port, path=path, body=body))


def _installed(bench: Bench) -> dict[str, list[float]]:
    """Megabytes of each server's environment; for Kiosque those of the process predict, and what ships with it."""
    sizes = {}
    for side, env in {KIOSQUE: "predict", **ENVS, "transformers": "transformers"}.items():
        try:
            packages = next(python_of(env).parents[1].glob("lib/python*/site-packages"))
            sizes[side] = [_megabytes(packages)]
        except (PeerMissing, StopIteration) as error:
            bench.missing(f"{side}, installed", str(error))
    if KIOSQUE in sizes:
        sizes[KIOSQUE][0] += _megabytes(CHECKOUT / "src") + _megabytes(CHECKOUT / "data")
    return sizes


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _goals(bench: Bench) -> None:
    first = bench.found.case("from nothing", START)
    loaded = bench.found.case(LOADED, MEMORY)
    seconds = sorted(first.values[KIOSQUE]) if first and first.values.get(KIOSQUE) else []
    bench.goal(
        "start: predict answers within 2 s",
        seconds[len(seconds) // 2] if seconds else None,
        2,
        at_least=False,
    )
    most = max(loaded.values[KIOSQUE]) if loaded and loaded.values.get(KIOSQUE) else None
    bench.goal("start: predict holds ≤ 250 MB under load", most, 250, at_least=False)
