import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kiosque.core.errors import StoreUnavailable
from kiosque.http.health import health_router
from kiosque.ops.metrics import Metrics


def broken():
    raise StoreUnavailable("The database does not answer.", hint="Start it.")


@pytest.fixture
def metrics():
    return Metrics()


def client_with(checks, metrics):
    app = FastAPI()
    app.include_router(health_router(checks, metrics.registry))
    return TestClient(app)


def test_a_process_with_broken_dependencies_is_alive_but_not_ready(metrics):
    client = client_with({"database": broken, "bus": lambda: None}, metrics)
    assert client.get("/livez").status_code == 200
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "checks": {"database": "The database does not answer. Start it.", "bus": "ok"},
    }


def test_ready_when_everything_answers(metrics):
    response = client_with({"bus": lambda: None}, metrics).get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")


def test_a_remark_is_shown_and_keeps_nobody_from_being_ready(metrics):
    response = client_with({"model": lambda: "the newer version was refused"}, metrics).get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"model": "ok (the newer version was refused)"}


def test_metrics_are_exposed(metrics):
    metrics.published.labels("demo").inc(3)
    text = client_with({}, metrics).get("/metrics").text
    assert 'kiosque_articles_published_total{source="demo"} 3.0' in text


def test_every_metric_is_named_and_explained(metrics):
    for family in metrics.registry.collect():
        assert family.name.startswith("kiosque_")
        assert family.documentation.endswith(".")
