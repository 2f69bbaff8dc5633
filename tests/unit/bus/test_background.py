from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from kiosque.bus.background import BackgroundLoop, LoopStopped


@pytest.fixture
def loop():
    loop = BackgroundLoop("test-loop")
    yield loop
    loop.stop(_nothing(), 1.0)


async def _nothing() -> None:
    return None


async def _thread_name() -> str:
    return threading.current_thread().name


async def _for_ever(ended: threading.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_no_thread_before_the_first_call_and_none_after_the_stop():
    loop = BackgroundLoop("lazy-loop")
    assert "lazy-loop" not in _threads()
    loop.call(_nothing(), 5)
    assert "lazy-loop" in _threads()
    loop.stop(_nothing(), 5)
    assert "lazy-loop" not in _threads()


def test_calls_run_in_the_thread_and_return(loop):
    assert loop.call(_thread_name(), 5) == "test-loop"


def test_what_a_call_raises_comes_back(loop):
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        loop.call(fail(), 5)


def test_a_call_that_takes_too_long_is_cancelled(loop):
    ended = threading.Event()
    with pytest.raises(TimeoutError):
        loop.call(_for_ever(ended), 0.05)
    assert ended.wait(5)


def test_stopping_ends_running_calls_and_runs_the_last_one(loop):
    started, ended, last = threading.Event(), threading.Event(), threading.Event()

    async def run() -> None:
        started.set()
        await _for_ever(ended)

    async def finish() -> None:
        last.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(loop.call, run(), 30)
        assert started.wait(5)
        loop.stop(finish(), 5)
        with pytest.raises(LoopStopped):
            running.result(5)
    assert ended.is_set()
    assert last.is_set()
    with pytest.raises(LoopStopped):
        loop.call(_nothing(), 1)


def test_a_last_call_that_hangs_does_not_keep_the_thread(loop):
    loop.call(_nothing(), 5)
    loop.stop(_for_ever(threading.Event()), 0.05)
    assert "test-loop" not in _threads()
