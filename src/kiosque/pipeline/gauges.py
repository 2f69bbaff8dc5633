"""Loops that keep gauges true: how far consumers are behind, what is left of a quota, how far answers drifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from kiosque.bus.protocol import Bus
from kiosque.core.drift import Verdict
from kiosque.core.errors import KiosqueError
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.drift import DriftReport
from kiosque.pipeline.worker import Loop, Stop

if TYPE_CHECKING:
    # only the producer has sources
    from kiosque.sources.quota import Quota

EVERY = 15.0
"""Seconds between two looks: Prometheus usually asks as often."""

DRIFT_EVERY = 300.0
"""Answers do not drift in seconds, and to count them takes some milliseconds."""

_log = structlog.get_logger(__name__)


def lag_loop(bus: Bus, metrics: Metrics, *, every: float = EVERY) -> Loop:
    """For the `Workers` of a consumer. While the broker is out of reach the gauges keep their last value."""

    def run(stop: Stop) -> None:
        while not stop.requested():
            try:
                lag = bus.lag()
            except KiosqueError as error:
                _log.debug("lag.unknown", error=str(error))
            else:
                metrics.lag_pending.set(lag.pending)
                metrics.lag_in_flight.set(lag.in_flight)
            stop.wait(every)

    return run


def quota_loop(quotas: Sequence[Quota], metrics: Metrics, *, every: float = EVERY) -> Loop:
    """For the `Workers` of a producer."""

    def run(stop: Stop) -> None:
        while not stop.requested():
            for quota in quotas:
                state = quota.state()
                metrics.quota_left.labels(quota.name, "minute").set(state.minute.left)
                metrics.quota_left.labels(quota.name, "day").set(state.day.left)
            stop.wait(every)

    return run


def drift_loop(
    look: Callable[[], DriftReport | None], metrics: Metrics, *, every: float = DRIFT_EVERY
) -> Loop:
    """For the `Workers` of a process that has the model store. `look` gives None where there is no model."""

    def run(stop: Stop) -> None:
        while not stop.requested():
            try:
                show_drift(look(), metrics)
            except KiosqueError as error:
                _log.debug("drift.unknown", error=str(error))
            stop.wait(every)

    return run


def show_drift(report: DriftReport | None, metrics: Metrics) -> None:
    """Set the gauges to what `report` says; those of a version that no longer answers go."""
    gauges = (metrics.drift_now, metrics.drift_reference, metrics.drift_stability, metrics.drift_answers)
    for gauge in gauges:
        gauge.clear()
    if report is None or report.drift is None or report.seen is None:
        return
    version, drift = report.version, report.drift
    metrics.drift_answers.labels(version).set(report.seen.answered)
    for signal in drift.signals:
        metrics.drift_reference.labels(version, signal.name).set(signal.reference)
        if signal.now is not None and signal.verdict is not Verdict.TOO_FEW:
            metrics.drift_now.labels(version, signal.name).set(signal.now)
    indexes = (("class", drift.class_stability), ("confidence", drift.confidence_stability))
    for of, stability in indexes:
        if stability is not None:
            metrics.drift_stability.labels(version, of).set(stability)
