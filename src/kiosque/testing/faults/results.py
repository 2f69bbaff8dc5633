"""What a run has found, kept in one JSON file after every round, so that it can be broken off and go on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

FORMAT = "kiosque.faults/1"


@dataclass(frozen=True, slots=True)
class Round:
    """One fault and what came of it. Times in seconds, from the end of the fault.

    `ready`: until every process answered ready again. `drained`: until everything published was stored.
    """

    number: int
    kind: str
    victim: str
    articles: int
    corrections: int
    foreign: int
    fault_seconds: float
    ready: float | None
    drained: float | None
    problems: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    """Processes that ended although nobody killed them, with their exit codes."""


@dataclass
class Results:
    """A run, by its seed."""

    seed: str
    quick: bool = True
    rounds: list[Round] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Kinds of fault that this machine could not have, and why."""
    judged: dict[str, int] = field(default_factory=dict)
    """What the oracle counted at last over all articles of each installation of this run, by kind of problem;
    `articles` and `mentions` are what it saw.
    """

    @classmethod
    def open(cls, path: Path | None, seed: str, *, quick: bool) -> Results:
        """What `path` holds of the run of this seed; a new run where there is nothing."""
        if path is None or not path.exists():
            return cls(seed, quick)
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.get("format") != FORMAT or document["seed"] != seed:
            raise ValueError(f"{path} is of another run (seed {document.get('seed')}); name another file.")
        rounds = [
            Round(**{**each, "problems": tuple(each["problems"]), "exits": tuple(each["exits"])})
            for each in document["rounds"]
        ]
        return cls(seed, document["quick"], rounds, document["skipped"], document["judged"])

    def save(self, path: Path | None) -> None:
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(json.dumps(self.document(), indent=1), encoding="utf-8")
        unfinished.replace(path)

    def document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "seed": self.seed,
            "quick": self.quick,
            "machine": {
                "cores": os.cpu_count(),
                "system": platform.system(),
                "python": platform.python_version(),
            },
            "summary": self.summary(),
            "skipped": self.skipped,
            "judged": self.judged,
            "rounds": [asdict(each) for each in self.rounds],
        }

    def summary(self) -> dict[str, Any]:
        """The figures that are reported: of all rounds, and by kind."""
        kinds = sorted({each.kind for each in self.rounds})
        return {
            "rounds": len(self.rounds),
            "articles": sum(each.articles for each in self.rounds),
            "corrections": sum(each.corrections for each in self.rounds),
            "foreign": sum(each.foreign for each in self.rounds),
            "problems": sum(len(each.problems) for each in self.rounds) + self.wrong,
            "lost": self.judged.get("lost", 0),
            "duplicated": self.judged.get("duplicated", 0),
            "exits": sum(len(each.exits) for each in self.rounds),
            "all": _times(self.rounds),
            "kinds": {kind: _times(each for each in self.rounds if each.kind == kind) for kind in kinds},
        }

    @property
    def wrong(self) -> int:
        """Problems that the last judgement over everything found."""
        return sum(count for kind, count in self.judged.items() if kind not in ("articles", "mentions"))

    @property
    def ok(self) -> bool:
        return not self.wrong and not any(each.problems for each in self.rounds)


def _times(rounds: Iterable[Round]) -> dict[str, Any]:
    some = list(rounds)
    found: dict[str, Any] = {"rounds": len(some), "problems": sum(len(each.problems) for each in some)}
    for name in ("ready", "drained"):
        values = [value for each in some if (value := getattr(each, name)) is not None]
        found[name] = {"median": round(median(values), 2), "max": round(max(values), 2)} if values else None
    return found
