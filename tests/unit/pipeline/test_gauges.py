"""Gauges that are kept true."""

from __future__ import annotations

from pathlib import Path

from kiosque.bus.protocol import Message
from kiosque.core.drift import Observed, Reference, compare
from kiosque.core.errors import StoreUnavailable
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.drift import DriftReport
from kiosque.pipeline.gauges import drift_loop, lag_loop, quota_loop, show_drift
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


REFERENCE = Reference(1000, (0.2, 0.6, 0.2), 0.7, (0.0, 0.7, 1.0001), (0.4, 0.6), None, 0.0)


def report(version: str = "v1", answers: int = 300) -> DriftReport:
    seen = Observed(answers, answers, 0, (answers, 0, 0), 0.7 * answers, 0.5 * answers, (0, answers))
    return DriftReport(version, REFERENCE, seen, None, compare(REFERENCE, seen))


def test_drift_is_shown_beside_its_reference(metrics: Metrics) -> None:
    turn(drift_loop(report, metrics))
    value = metrics.registry.get_sample_value
    labels = {"model_version": "v1", "signal": "negative"}
    assert value("kiosque_drift_now", labels) == 1.0
    assert value("kiosque_drift_reference", labels) == 0.2
    assert value("kiosque_drift_answers", {"model_version": "v1"}) == 300
    assert (value("kiosque_drift_stability", {"model_version": "v1", "of": "class"}) or 0) > 0.25


def test_too_few_answers_show_no_share_and_no_index(metrics: Metrics) -> None:
    show_drift(report(answers=3), metrics)
    value = metrics.registry.get_sample_value
    assert value("kiosque_drift_now", {"model_version": "v1", "signal": "negative"}) is None
    assert value("kiosque_drift_stability", {"model_version": "v1", "of": "class"}) is None
    assert value("kiosque_drift_answers", {"model_version": "v1"}) == 3


def test_a_version_that_no_longer_answers_goes(metrics: Metrics) -> None:
    show_drift(report("v1"), metrics)
    show_drift(report("v2"), metrics)
    value = metrics.registry.get_sample_value
    assert value("kiosque_drift_answers", {"model_version": "v1"}) is None
    assert value("kiosque_drift_answers", {"model_version": "v2"}) == 300
    show_drift(None, metrics)
    assert value("kiosque_drift_answers", {"model_version": "v2"}) is None


def test_a_database_that_is_away_keeps_the_gauges(metrics: Metrics) -> None:
    def away() -> DriftReport:
        raise StoreUnavailable("away")

    show_drift(report(), metrics)
    turn(drift_loop(away, metrics))
    assert metrics.registry.get_sample_value("kiosque_drift_answers", {"model_version": "v1"}) == 300
