"""How many CPUs there are: what a cgroup allows."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.core.cpus import cgroup_cpus, count_cpus


@pytest.mark.parametrize(
    ("content", "cpus"), [("150000 100000", 1.5), ("max 100000", None), ("garbage", None), ("0 100", None)]
)
def test_reads_the_quota_of_cgroup_version_2(tmp_path: Path, content: str, cpus: float | None) -> None:
    (tmp_path / "cpu.max").write_text(content + "\n")
    assert cgroup_cpus(tmp_path) == cpus


def test_reads_the_quota_of_cgroup_version_1(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("400000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert cgroup_cpus(tmp_path) == 4


def test_there_is_always_a_cpu() -> None:
    assert count_cpus() >= 1
