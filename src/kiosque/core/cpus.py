"""How many processors this process may use."""

from __future__ import annotations

import os
from pathlib import Path


def count_cpus() -> int:
    """CPUs that this process may use: the smaller of its affinity and its cgroup's quota, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_cpus(Path("/sys/fs/cgroup"))
    return max(1, min(affinity, int(quota)) if quota else affinity)


def cgroup_cpus(root: Path) -> float | None:
    """The CPU quota of a cgroup (version 2, then 1) in CPUs; None without one."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return int(quota) / int(period) if quota.isdigit() and int(quota) > 0 else None
