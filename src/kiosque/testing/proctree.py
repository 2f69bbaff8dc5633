"""Which processes there are on Linux, out of /proc: who started whom, and who is in which group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """The ids of its parent and of its group."""

    parent: int
    group: int


def read_processes() -> dict[int, Process]:
    """Every process by its id. One that ends meanwhile is left out."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                # After the name, which may hold spaces and brackets: state, parent, group.
                _, parent, group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
                found[int(folder.name)] = Process(int(parent), int(group))
    return found


def with_descendants(pids: Iterable[int], processes: Mapping[int, Process]) -> list[int]:
    """`pids` and all that descend from them among `processes`, in order."""
    family = set(pids)
    while children := {pid for pid, process in processes.items() if process.parent in family} - family:
        family |= children
    return sorted(family)
