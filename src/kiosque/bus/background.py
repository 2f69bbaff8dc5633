"""An event loop in a thread of its own, for synchronous code that needs an asynchronous library."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

T = TypeVar("T")


class LoopStopped(Exception):
    """The loop was stopped before or while the call ran."""


class BackgroundLoop:
    """Starts its thread at the first call."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def call(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        """Run `coroutine` there and wait for what it returns or raises.

        Raises TimeoutError, after cancelling it, when it takes longer than `timeout` seconds; LoopStopped when
        the loop stops.
        """
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        except LoopStopped:
            coroutine.close()
            raise
        try:
            return future.result(timeout)
        except FutureTimeout:
            future.cancel()
            raise
        except CancelledError:
            raise LoopStopped from None

    def stop(self, last: Coroutine[Any, Any, None], timeout: float) -> None:
        """Run `last`, at most `timeout` seconds, cancel what else runs, and end the thread."""
        with self._lock:
            already, self._stopped = self._stopped, True
            loop, thread = self._loop, self._thread
        if already or loop is None or thread is None:
            last.close()
            return
        asyncio.run_coroutine_threadsafe(_finish(last, timeout), loop)
        thread.join()
        loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._stopped:
                raise LoopStopped
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop


async def _finish(last: Coroutine[Any, Any, None], patience: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait_for(last, patience)
    except (TimeoutError, asyncio.CancelledError):
        pass
    finally:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        loop.call_soon(loop.stop)
