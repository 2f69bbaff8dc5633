"""Loops that keep two gauges true: how far consumers are behind, and what is left of a quota."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from kiosque.bus.protocol import Bus
from kiosque.core.errors import KiosqueError
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.worker import Loop, Stop

if TYPE_CHECKING:
    # only the producer has sources
    from kiosque.sources.quota import Quota

EVERY = 15.0
"""Seconds between two looks: Prometheus usually asks as often."""

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
