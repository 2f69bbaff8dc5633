"""A script that is asked and answers: one JSON object a line, in on stdin and out on stdout.

Standard library only, for it runs in every environment.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

_ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print goes to stderr, so that it does not get between the answers


def serve(handlers: dict[str, Callable[..., Any]]) -> None:
    """Answer until stdin ends."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": handlers[asked.pop("do")](**asked)}
        except Exception as error:  # noqa: BLE001 - whatever a library raises is this peer's answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        _ANSWERS.write(json.dumps(answer) + "\n")
        _ANSWERS.flush()


def seconds(work: Callable[[], Any], *, clock: Callable[[], float] = time.perf_counter) -> float:
    """How long `work` took: in wall time, or by `processor` where one thread of this process does all of it."""
    started = clock()
    work()
    return clock() - started


processor = time.process_time
"""Seconds that this process worked. Other programs on the machine move them little."""


def peak_megabytes() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
