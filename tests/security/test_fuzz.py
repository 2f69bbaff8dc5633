"""A short run of the fuzzer on every target; `make fuzz` runs it for long."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNS = os.environ.get("KIOSQUE_FUZZ_RUNS", "2000")


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not installed: make test-security"
)
def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    program = Path(__file__).with_name("run_fuzzers.py")
    done = subprocess.run(
        [sys.executable, str(program), "--runs", RUNS, "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
    )
    report = json.loads(done.stdout)
    assert report["findings"] == 0, [file.read_text()[-2000:] for file in tmp_path.glob("*.log")]
    assert all(target["executions"] > 0 for target in report["targets"].values())
    assert done.returncode == 0
