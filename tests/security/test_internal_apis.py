"""schemathesis with all its checks over the APIs of predict, producer and consumer, with their token and without.

`KIOSQUE_FUZZ_EXAMPLES` asks for more examples of each operation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consumer_app import consumer_app
from kiosque.pipeline.guard import bearer
from kiosque.pipeline.produce import Producer
from kiosque.pipeline.producer_app import QuotaOut, producer_app
from kiosque.predict.app import ServerSettings, create_app
from kiosque.predict.local import LocalPredictor
from kiosque.store import dead_letters, sources
from kiosque.store.database import Database, sqlite_database
from kiosque.testing.pipeline import ManualClock, PagedSource, RecordedBus, pages_of
from kiosque.testing.predictor import publish_toy, toy_loaders

TOKEN = "a token of this test"
FUZZ = settings(
    max_examples=int(os.environ.get("KIOSQUE_FUZZ_EXAMPLES", "10")),
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Not said in a schema: spans inside the text, ids given once, one of several fields, which cursors are good.
BEYOND_SCHEMA = {"/v1/polarity", "/v1/polarity/explain", "/v1/books", "/v1/dead-letters"}
REFUSED = (400, 401, 403, 404, 405, 413, 415, 422)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One source, one dead letter."""
    made = sqlite_database(tmp_path_factory.mktemp("internal") / "kiosque.sqlite")
    made.migrate()
    with made.write() as tx:
        sources.save(tx, "paged", "feed", {})
        now = ManualClock()()
        dead_letters.add(tx, key="k", subject="wire", data=b"\xff", reason="not_ours", attempts=1, at=now)
    yield made
    made.close()


@pytest.fixture(scope="module")
def predict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    store, metrics = ModelStore(tmp_path_factory.mktemp("models")), Metrics()
    for name, version in (("polarity", "p1"), ("books", "b1")):
        publish_toy(store, name, version, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    predictor = LocalPredictor(store, loaders=toy_loaders(lambda _: None), metrics=metrics)
    app = create_app(predictor, metrics, ServerSettings(token=TOKEN))
    with TestClient(app):
        yield app
    predictor.close()


@pytest.fixture(scope="module")
def producer(database: Database) -> FastAPI:
    clock, metrics, bus = ManualClock(), Metrics(), RecordedBus()
    polled = Producer(bus, database, lambda _: PagedSource(pages_of([])), clock=clock, metrics=metrics)
    return producer_app(
        polled,
        database,
        clock=clock,
        metrics=metrics,
        authorise=bearer(TOKEN),
        checks={"database": database.check},
        quotas=lambda: [QuotaOut(name="nyt", left_this_minute=4, left_today=499)],
    )


@pytest.fixture(scope="module")
def consumer(database: Database) -> FastAPI:
    checks = {"database": database.check}
    return consumer_app(
        RecordedBus(),
        database,
        clock=ManualClock(),
        metrics=Metrics(),
        authorise=bearer(TOKEN),
        checks=checks,
    )


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("process", ["predict", "producer", "consumer"])
def test_what_is_documented_is_what_happens(
    process: str, mode: GenerationMode, request: pytest.FixtureRequest
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", request.getfixturevalue(process))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 5
    for operation in operations:
        if mode is GenerationMode.POSITIVE or has_input(operation):
            check(operation, mode)


def has_input(operation: Any) -> bool:
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


def check(operation: Any, mode: GenerationMode) -> None:
    """With the token, then without: the answer is one that is documented, and no stranger's write is accepted."""
    excluded = [positive_data_acceptance] if operation.path in BEYOND_SCHEMA else None

    @FUZZ
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, excluded_checks=excluded)
        case.headers.pop("Authorization", None)
        answer = case.call()
        assert answer.status_code < 500, answer.text
        if case.method == "POST":
            assert answer.status_code in REFUSED, answer.text

    run()
