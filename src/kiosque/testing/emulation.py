"""Programs on an emulated older processor: what a network answers there must be what it answers here."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys

import pytest

needs_emulator = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("qemu-x86_64") is None,
    reason="needs qemu-x86_64 (Debian: apt-get install qemu-user), on such a processor",
)


def run_without_vnni(program: str, *arguments: str) -> str:
    """What a Python program prints on an Intel processor of 2013, with the packages of this one.

    Raises AssertionError with the end of what it complained of when it fails.
    """
    command = ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", program, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout
