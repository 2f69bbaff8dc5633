"""What processes take, sampled from /proc for as long as a run lasts: memory, file handles, threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kiosque.testing.faults.supervised import Supervised
from kiosque.testing.proctree import read_processes, with_descendants

HOUR = 3600.0


class Usage(NamedTuple):
    """One process with its children at one moment. `megabytes` is memory of its own, shared pages left out."""

    megabytes: float
    handles: float
    threads: float


@dataclass(frozen=True, slots=True)
class Sample:
    """`at` is seconds since the watch began."""

    at: float
    usage: Mapping[str, Usage]


class Watch:
    """Looks at `processes` every `every` seconds in a thread, until it is closed."""

    def __init__(self, processes: Sequence[Supervised], *, every: float) -> None:
        self.samples: list[Sample] = []
        self._processes = processes
        self._every = every
        self._began = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="usage", daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        return time.monotonic() - self._began

    def close(self) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(self._every):
            found = {each.name: usage_of(each.pid) for each in self._processes if each.pid is not None}
            self.samples.append(Sample(self.now, {name: usage for name, usage in found.items() if usage}))


def usage_of(group: int) -> Usage | None:
    """Of all processes of a group and their children; None where none is left."""
    found = [usage for pid in _members(group) if (usage := _of_process(pid))]
    if not found:
        return None
    return Usage(*(sum(values) for values in zip(*found, strict=True)))


def _members(group: int) -> list[int]:
    """The processes of a group and all that descend from them: PostgreSQL gives each of its own a group."""
    processes = read_processes()
    return with_descendants((pid for pid, of in processes.items() if of.group == group), processes)


def _of_process(pid: int) -> Usage | None:
    try:
        status = dict(
            line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
        )
        handles = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    kilobytes = status.get("RssAnon", "0").split()[0]
    return Usage(int(kilobytes) / 1024, handles, int(status["Threads"]))


def slopes(samples: Sequence[Sample], *, since: float) -> dict[str, dict[str, float]]:
    """For each process what its memory, handles and threads grow by in an hour: least squares over the samples
    from `since` seconds on, when what is read at the first use is read. Fewer than three samples say nothing.
    """
    chosen = [sample for sample in samples if sample.at >= since]
    names = sorted({name for sample in chosen for name in sample.usage})
    found = {}
    for name in names:
        series = [(sample.at, sample.usage[name]) for sample in chosen if name in sample.usage]
        if len(series) >= 3:
            found[name] = {
                kind: round(_slope([at for at, _ in series], [usage[n] for _, usage in series]) * HOUR, 2)
                for n, kind in enumerate(Usage._fields)
            }
    return found


def extremes(samples: Sequence[Sample]) -> dict[str, dict[str, list[float]]]:
    """For each process the first, the largest and the last value of each kind."""
    found: dict[str, dict[str, list[float]]] = {}
    for name in sorted({name for sample in samples for name in sample.usage}):
        series = [sample.usage[name] for sample in samples if name in sample.usage]
        found[name] = {
            kind: [round(float(value), 1) for value in (values[0], max(values), values[-1])]
            for kind, values in zip(Usage._fields, zip(*series, strict=True), strict=True)
        }
    return found


def _slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    return (
        sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread if spread else 0.0
    )
