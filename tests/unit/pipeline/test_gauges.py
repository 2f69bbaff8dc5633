"""Gauges that are kept true."""

from __future__ import annotations

from pathlib import Path

from kiosque.bus.protocol import Message
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.gauges import lag_loop, quota_loop
from kiosque.pipeline.worker import Loop, Stop
from kiosque.sources.quota import Quota
from kiosque.testing.pipeline import ManualClock, RecordedBus


def turn(loop: Loop, turns: int = 1) -> None:
    """Let `loop` go round so many times."""

    class Turns(Stop):
        left = turns

        def requested(self) -> bool:
            self.left -= 1
            return self.left < 0

        def wait(self, seconds: float) -> bool:
            return False

    loop(Turns())


def test_the_lag_is_shown_and_kept_while_the_broker_is_away(metrics: Metrics) -> None:
    bus = RecordedBus()
    bus.prepare(Message("a", "s", b""), Message("b", "s", b""))
    turn(lag_loop(bus, metrics))
    bus.down = True
    turn(lag_loop(bus, metrics), 2)
    assert metrics.registry.get_sample_value("kiosque_lag_pending") == 2
    assert metrics.registry.get_sample_value("kiosque_lag_in_flight") == 0


def test_what_is_left_of_a_quota_is_shown_by_window(
    tmp_path: Path, metrics: Metrics, clock: ManualClock
) -> None:
    quota = Quota(tmp_path / "quota.sqlite", clock=clock, wait=clock.move, per_minute=5, per_day=500)
    quota.take()
    turn(quota_loop([quota], metrics))

    def left(window: str) -> float | None:
        return metrics.registry.get_sample_value("kiosque_quota_left", {"quota": "nyt", "window": window})

    assert (left("minute"), left("day")) == (4, 499)
