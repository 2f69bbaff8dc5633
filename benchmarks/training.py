"""Training: seconds and memory for a small sample, and from two sizes what a thousand more texts cost.

Reading, one epoch, export, quantisation and calibration, on all processors, by the encoder and the vocabulary of the
default recipe. A whole training is extrapolated: the cost of a text and epoch times the texts and epochs that the
recipe has, plus what does not grow.
"""

from __future__ import annotations

import tempfile

from benchmarks.harness import KIOSQUE, Bench
from benchmarks.peers import TRAIN, PeerMissing, Worker, python_of

UNIT, PEAK = "s to train and export", "MB at most"


def measure(bench: Bench) -> None:
    try:
        python_of(TRAIN)
    except PeerMissing as error:
        bench.missing("training", str(error))
        return
    small, large = bench.choose((100, 400), (300, 1_200))
    seconds: dict[int, list[float]] = {small: [], large: []}
    peaks: dict[int, list[float]] = {small: [], large: []}
    for _ in range(bench.choose(1, 2)):
        for size in (small, large):
            found = _train(size)
            seconds[size].append(found["seconds"])
            peaks[size].append(found["peak"])
    for size in (small, large):
        bench.record(f"{size:,} texts, one epoch", UNIT, {KIOSQUE: seconds[size]}, more_is_better=False)
    for size in (small, large):
        bench.record(f"{size:,} texts, one epoch", PEAK, {KIOSQUE: peaks[size]}, more_is_better=False)
    thousand = (min(seconds[large]) - min(seconds[small])) / (large - small) * 1000
    fixed = min(seconds[small]) - thousand * small / 1000
    if thousand > 0:
        bench.note(
            f"A thousand more texts cost {thousand:.0f} s an epoch; what does not grow takes {fixed:.0f} s."
        )
    else:
        bench.note("The samples were too small for this machine to tell what a thousand more texts cost.")


def _train(size: int) -> dict[str, float]:
    with (
        tempfile.TemporaryDirectory(prefix="kiosque-bench-") as folder,
        Worker(TRAIN, "training.py", folder) as worker,
    ):
        found: dict[str, float] = worker.ask("train", examples=size, epochs=1)
    return found
