"""Loops: started, restarted after a crash, stopped in time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kiosque.core.errors import BusUnavailable, TryAgain
from kiosque.pipeline.decide import Backoff
from kiosque.pipeline.worker import STUCK_SECONDS, Stop, Workers, WorkerState, stop_on_signals
from kiosque.testing.waiting import wait_until

QUICK = Backoff(first=0.001, cap=0.002)


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(clock=lambda: datetime(2024, 1, 1, tzinfo=UTC), backoff=QUICK)
    yield made
    made.stop(5)


def only(workers: Workers) -> WorkerState:
    (state,) = workers.states()
    return state


def test_a_loop_runs_until_it_is_asked_to_stop(workers: Workers) -> None:
    running, ended = threading.Event(), threading.Event()

    def loop(stop: Stop) -> None:
        running.set()
        while not stop.wait(60):
            pass
        ended.set()

    workers.add("loop", loop)
    workers.start()
    assert running.wait(10)
    assert only(workers).running
    assert workers.stop() == ()
    assert ended.is_set()
    assert not only(workers).running


def test_a_crashed_loop_is_restarted_and_the_crash_visible(workers: Workers) -> None:
    runs = 0

    def loop(stop: Stop) -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise RuntimeError("broken pipe")
        stop.wait(60)

    workers.add("loop", loop)
    workers.start()
    wait_until(lambda: runs == 4 and only(workers).running)
    state = only(workers)
    assert state.crashes == 3
    assert state.last_error == "RuntimeError: broken pipe"
    assert state.last_crash_at == "2024-01-01T00:00:00+00:00"
    workers.check()


def test_one_crashing_loop_leaves_the_others_alone(workers: Workers) -> None:
    turns = 0

    def steady(stop: Stop) -> None:
        nonlocal turns
        while not stop.wait(0.001):
            turns += 1

    def crashing(_: Stop) -> None:
        raise BusUnavailable("no broker")

    workers.add("steady", steady)
    workers.add("crashing", crashing)
    workers.start()
    wait_until(lambda: workers.states()[1].crashes >= 3 and turns > 3)
    assert workers.states()[0].crashes == 0


def test_a_loop_that_is_down_makes_the_process_not_ready() -> None:
    workers = Workers(backoff=Backoff(first=60.0, cap=60.0))

    def crashing(_: Stop) -> None:
        raise BusUnavailable("no broker")

    workers.add("consumer", crashing)
    workers.start()
    wait_until(lambda: only(workers).crashes == 1 and not only(workers).running)
    with pytest.raises(TryAgain, match=r"consumer .*no broker"):
        workers.check()
    assert workers.stop(5) == (), "a loop in its pause must end at once"


def test_a_loop_that_has_not_moved_for_long_makes_the_process_not_ready(workers: Workers) -> None:
    begun, release = threading.Event(), threading.Event()

    def stuck(stop: Stop) -> None:
        stop.last_pulse -= STUCK_SECONDS + 1
        begun.set()
        release.wait(60)

    workers.add("stuck", stuck)
    workers.start()
    assert begun.wait(10)
    with pytest.raises(TryAgain, match=r"stuck \(has not moved for 90"):
        workers.check()
    release.set()


def test_those_added_as_last_are_stopped_after_the_others(workers: Workers) -> None:
    """A producer that waits for its messages to be handled needs a consumer that still handles them."""
    handled, ended = threading.Event(), list[str]()

    def consume(stop: Stop) -> None:
        while not stop.wait(0.005):
            if workers.stopping.is_set():
                handled.set()
        ended.append("consumer")

    def produce(stop: Stop) -> None:
        stop.wait(60)
        assert handled.wait(10)
        ended.append("producer")

    workers.add("consumer", consume, last=True)
    workers.add("producer", produce)
    workers.start()
    assert workers.stop() == ()
    assert ended == ["producer", "consumer"]


def test_a_loop_that_loses_what_it_needs_while_stopping_is_no_crash(workers: Workers) -> None:
    def loop(stop: Stop) -> None:
        stop.wait(60)
        raise BusUnavailable("closed")

    workers.add("loop", loop)
    workers.start()
    assert workers.stop() == ()
    assert only(workers).crashes == 0


def test_a_loop_that_returns_is_done_and_not_restarted(workers: Workers) -> None:
    runs = 0

    def loop(_: Stop) -> None:
        nonlocal runs
        runs += 1

    workers.add("once", loop)
    workers.start()
    wait_until(lambda: runs == 1 and not only(workers).running)
    assert workers.stop() == ()
    assert runs == 1


def test_stopping_does_not_wait_for_ever_and_says_who_was_late() -> None:
    workers = Workers()
    release = threading.Event()

    def stuck(_: Stop) -> None:
        release.wait(60)

    workers.add("stuck", stuck)
    workers.start()
    try:
        assert workers.stop(0.05) == ("stuck",)
    finally:
        release.set()


def test_an_announced_stop_is_heard_at_once_by_all_but_the_last(workers: Workers) -> None:
    heard, ended = threading.Event(), threading.Event()

    def produce(stop: Stop) -> None:
        stop.wait(60)
        heard.set()

    def consume(stop: Stop) -> None:
        stop.wait(60)
        ended.set()

    workers.add("producer", produce)
    workers.add("consumer", consume, last=True)
    workers.start()
    workers.announce_stop()
    assert heard.wait(10)
    assert workers.stopping.is_set()
    assert not ended.is_set()
    assert workers.stop() == ()
    assert ended.is_set()


def test_what_was_waited_for_since_the_announcement_is_not_waited_for_again() -> None:
    workers = Workers()
    release = threading.Event()

    def stuck(_: Stop) -> None:
        release.wait(60)

    workers.add("stuck", stuck)
    workers.start()
    workers.announce_stop()
    begun = workers._announced_at
    workers.announce_stop()
    assert workers._announced_at == begun
    try:
        assert workers.stop(0.0) == ("stuck",)
    finally:
        release.set()


def test_looking_whether_to_stop_is_the_pulse() -> None:
    stop = Stop()
    stop.last_pulse = 0.0
    assert not stop.requested()
    assert stop.last_pulse > 0.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_the_old_handler_comes_back(number: int) -> None:
    before = signal.getsignal(number)
    with stop_on_signals(Stop()) as stop:
        os.kill(os.getpid(), number)
        assert stop.wait(10)
    assert signal.getsignal(number) is before


def test_a_second_interrupt_interrupts() -> None:
    with stop_on_signals(Stop()) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.wait(10)
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal may arrive a moment later
            os.kill(os.getpid(), signal.SIGINT)
            stop.wait(1)
            threading.Event().wait(1)
