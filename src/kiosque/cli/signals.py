"""Ctrl-C and SIGTERM ask a long command to stop at a good place; a second one ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from kiosque.cli.output import say
from kiosque.pipeline.worker import Stop


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """A `Stop` that the first signal requests; the second one does what it does by default."""
    stop = Stop()

    def ask(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        say("Stopping after this step; once more ends it at once.")
        stop.request()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
