"""Scoring: (text, target) pairs a second, from text and name to calibrated probabilities.

Limit: the same network in a bare onnxruntime session on numbers that lie ready, one text a run as Kiosque runs it.
Peers: the transformers pipeline on an encoder of the same shapes, and a Flan-T5-base as the reference asks it, once
for each pair. All see the same pairs of 20 to 40 tokens out of the corpus that ships. With one thread the clock is
that of the processor, which other programs on the machine move little; with two it is that on the wall.
"""

from __future__ import annotations

from contextlib import ExitStack

from benchmarks.corpus import pairs, polarity_model
from benchmarks.harness import KIOSQUE, Bench, Side
from benchmarks.peers import OWN, PeerMissing, Worker

UNIT = "pairs/s"
LIMIT = "bare onnxruntime"
SIDES = {
    KIOSQUE: (OWN, "kiosque", 1),
    LIMIT: (OWN, "onnxruntime", 1),
    "transformers": ("transformers", "transformers", 3),
    "Flan-T5-base, as the reference": ("transformers", "flan-t5", 32),
}
"""Environment, kind of worker, and by how much fewer pairs it gets, so that no side takes all the time."""


def measure(bench: Bench) -> None:
    found = bench.found.ratio
    for threads in bench.choose((1,), (1, 2)):
        with ExitStack() as stack:
            _measure_with(bench, threads, stack)
        one, many = _name(threads, 1), _name(threads, 32)
        limit, hf = found(many, UNIT, LIMIT), found(many, UNIT, "transformers")
        bench.goal(f"scoring, {many}: ≥ 0.85 of bare onnxruntime", limit, 0.85)
        bench.goal(f"scoring, {many}: ≥ 5 × transformers", hf, 5)
        reference = found(one, UNIT, "Flan-T5-base, as the reference")
        bench.goal(f"scoring, {one}: ≥ 60 × the reference", reference, 60)


def _measure_with(bench: Bench, threads: int, stack: ExitStack) -> None:
    count = bench.choose(64, 128)
    drawn = pairs(count)
    workers: dict[str, tuple[Worker, int]] = {}
    for side, (env, kind, less) in SIDES.items():
        try:
            worker = stack.enter_context(
                Worker(
                    env,
                    "scoring.py",
                    kind,
                    str(polarity_model()),
                    str(threads),
                    processors=set(range(threads)),
                )
            )
            chosen = drawn[: max(2, count // less)]
            worker.ask("prepare", pairs=chosen)
            workers[side] = (worker, len(chosen))
        except (PeerMissing, RuntimeError) as error:
            bench.missing(side, str(error))
    for batch in (1, 32):
        sides = {side: _side(worker, number, batch) for side, (worker, number) in workers.items()}
        bench.compare(_name(threads, batch), UNIT, sides, rounds=bench.choose(2, 3))


def _side(worker: Worker, number: int, batch: int) -> Side:
    return lambda: number / worker.ask("score", batch=batch)


def _name(threads: int, batch: int) -> str:
    size = "one by one" if batch == 1 else f"{batch} together"
    return f"{size}, {threads} thread{'s' * (threads > 1)}"
