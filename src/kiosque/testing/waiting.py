"""Waiting for what another thread or process does: always with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 90.0
"""Seconds after which something that ought to happen is given up; never a time that a test measures."""


def wait_until(condition: Callable[[], object]) -> None:
    """Returns once `condition()` is true. Fails when that takes longer than `PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)
