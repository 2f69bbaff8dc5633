from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.testing.predictor import publish_toy


class Seconds:
    """A clock of seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def publish(store):
    """`publish("polarity", "p1", lean=1.0)`: a toy, promoted."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def clock() -> datetime:
        nonlocal moment
        moment += timedelta(days=1)
        return moment

    def make(name: str, version: str, **more):
        return publish_toy(store, name, version, clock=clock, **more)

    return make
