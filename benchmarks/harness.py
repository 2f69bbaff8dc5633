"""How everything here is measured: each side in turns, A B A B, and each number kept.

Machines differ and do other things besides, so what one second of one of them did says little. What says something
is how two sides compare that were measured right after one another: a ratio is taken within each round, and the
median of the rounds is told, with the smallest and the largest beside it.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

KIOSQUE = "Kiosque"
"""The side that ratios compare the others with."""
CACHE = Path(os.environ.get("KIOSQUE_BENCH_CACHE") or Path.home() / ".cache" / "kiosque-bench")
"""Environments of the peers, and what takes long to make: catalogues, databases."""
CHECKOUT = Path(__file__).resolve().parents[1]

Side = Callable[[], float]
"""Measures once; returns a number in the case's unit."""


@dataclass
class Case:
    """One question asked of several sides: the values of every round, by side, in `unit`."""

    name: str
    unit: str
    values: dict[str, list[float]]
    more_is_better: bool = True
    x: float | None = None
    """The size, where the cases of this unit are one growing thing: they are drawn as lines."""

    def ratio(self, side: str, base: str = KIOSQUE) -> tuple[float, float, float] | None:
        """How many times better `base` is than `side`: median, smallest and largest of the rounds."""
        if not self.values.get(side) or not self.values.get(base):
            return None
        pairs = zip(self.values[base], self.values[side], strict=False)
        ratios = [b / s if self.more_is_better else s / b for b, s in pairs if b and s]
        return (median(ratios), min(ratios), max(ratios)) if ratios else None


@dataclass
class Goal:
    """What was wanted, and what came out. `why` says what stands in the way of one that was not met."""

    text: str
    wanted: float
    got: float | None
    at_least: bool = True
    why: str = ""

    @property
    def met(self) -> bool | None:
        """None where it could not be measured here."""
        if self.got is None:
            return None
        return self.got >= self.wanted if self.at_least else self.got <= self.wanted


@dataclass
class Measured:
    """Everything that one measure found. `missing` says of each side that is not there why."""

    seconds: float = 0.0
    cases: list[Case] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def case(self, name: str, unit: str) -> Case | None:
        return next((c for c in self.cases if (c.name, c.unit) == (name, unit)), None)

    def ratio(self, name: str, unit: str, side: str) -> float | None:
        """The median ratio of Kiosque to `side` in one case; None where that was not measured."""
        found = self.case(name, unit)
        ratio = found.ratio(side) if found else None
        return ratio[0] if ratio else None


class Bench:
    """What a measure is given: how large it may be, and where its findings go."""

    def __init__(
        self, *, quick: bool, huge: bool = False, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self.quick, self.huge = quick, huge
        self.found = Measured()
        self._say = say

    def choose(self, quick: Any, full: Any, huge: Any = None) -> Any:
        """One of them, by how long this run may take. `huge` adds sizes that take hours to make."""
        return quick if self.quick else huge if self.huge and huge is not None else full

    def compare(
        self,
        name: str,
        unit: str,
        sides: Mapping[str, Side],
        *,
        rounds: int | None = None,
        more_is_better: bool = True,
        x: float | None = None,
    ) -> Case:
        """Ask every side once a round, the next round beginning with the next side. A side that fails is missing."""
        case = Case(name, unit, {side: [] for side in sides}, more_is_better, x)
        self.found.cases.append(case)
        left = list(sides)
        for number in range(rounds or self.choose(2, 5)):
            for side in rotated(left, number):
                self._say(f"{name}: {side}, round {number + 1}")
                try:
                    case.values[side].append(sides[side]())
                except Exception as error:  # noqa: BLE001 - a peer may fail in its own way; the others go on
                    self.missing(f"{side} ({name})", str(error))
                    left.remove(side)
                    case.values.pop(side)
        return case

    def record(
        self,
        name: str,
        unit: str,
        values: Mapping[str, list[float]],
        *,
        more_is_better: bool = True,
        x: float | None = None,
    ) -> Case:
        """A case whose values came out of measuring something else."""
        case = Case(name, unit, {side: list(each) for side, each in values.items()}, more_is_better, x)
        self.found.cases.append(case)
        return case

    def missing(self, side: str, reason: str) -> None:
        self._say(f"without {side}: {reason}")
        self.found.missing[side] = (
            reason.strip().splitlines()[-1][:300] if reason.strip() else "no reason given"
        )

    def goal(self, text: str, got: float | None, wanted: float, *, at_least: bool = True) -> None:
        """`text` begins with the name of the measure and a colon or comma: the page tells goals apart by it."""
        self.found.goals.append(Goal(text, wanted, got, at_least))

    def note(self, text: str) -> None:
        self.found.notes.append(text)


def rotated(items: list[str], by: int) -> list[str]:
    """`items` beginning with another one each round, so that no side is always the one after the same other."""
    start = by % len(items) if items else 0
    return items[start:] + items[:start]


class Results:
    """One run as a file: measures that are finished are not done again when it is broken off and begun anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.measures: dict[str, Measured] = {}
        self.machine = machine()
        if path.exists():
            raw = json.loads(path.read_text(encoding="utf-8"))
            self.machine = raw["machine"]
            self.measures = {name: _measured(each) for name, each in raw["measures"].items()}

    def add(self, name: str, found: Measured) -> None:
        self.measures[name] = found
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = {"machine": self.machine, "measures": {n: asdict(m) for n, m in self.measures.items()}}
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        temporary.replace(self.path)


def _measured(raw: dict[str, Any]) -> Measured:
    lists = {"cases": [Case(**c) for c in raw["cases"]], "goals": [Goal(**g) for g in raw["goals"]]}
    return Measured(**{**raw, **lists})


def machine() -> dict[str, str]:
    """What the numbers were measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "processors": str(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        ),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "day": time.strftime("%Y-%m-%d"),
    }


def _memory() -> str:
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
