"""How many CPUs there are, and what a broken file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.core.errors import CorruptModel
from kiosque.polarity.scorer import Scorer, cgroup_cpus, count_cpus


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


def test_missing_and_broken_files_are_a_corrupt_model(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="tokenizer"):
        Scorer(tmp_path, max_tokens=16)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CorruptModel, match="tokenizer"):
        Scorer(tmp_path, max_tokens=16)
