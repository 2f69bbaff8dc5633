import asyncio

import httpx2
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from kiosque.http.limits import install_limits
from kiosque.ops.metrics import Metrics

LIMIT = 1000


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def client(metrics):
    app = FastAPI()

    @app.post("/size/{name}")
    async def size(request: Request) -> int:
        return len(await request.body())

    install_limits(app, metrics, max_body_bytes=LIMIT)
    return TestClient(app)


def test_a_body_up_to_the_limit_arrives_whole(client):
    assert client.post("/size/a", content=b"x" * LIMIT).json() == LIMIT


def test_a_body_that_says_it_is_too_large_is_refused(client):
    response = client.post("/size/a", content=b"x" * (LIMIT + 1))
    assert response.status_code == 413
    assert response.json()["code"] == "too_large"


def test_a_body_without_a_length_is_counted(client):
    response = client.post("/size/a", content=iter([b"x" * 600, b"x" * 600]))
    assert response.status_code == 413


def test_a_chunked_body_within_the_limit_arrives_whole(client):
    assert client.post("/size/a", content=iter([b"x" * 300, b"y" * 300])).json() == 600


def test_requests_are_counted_by_route_and_never_by_address(client, metrics):
    client.post("/size/one", content=b"")
    client.post("/size/two", content=b"")
    value = metrics.registry.get_sample_value(
        "kiosque_http_requests_total", {"method": "POST", "route": "/size/{name}", "status": "200"}
    )
    assert value == 2


def test_an_unknown_method_makes_no_new_label(client, metrics):
    client.request("BREW", "/size/one")
    assert metrics.registry.get_sample_value(
        "kiosque_http_requests_total", {"method": "OTHER", "route": "unmatched", "status": "405"}
    ) or metrics.registry.get_sample_value(
        "kiosque_http_requests_total", {"method": "OTHER", "route": "/size/{name}", "status": "405"}
    )


def test_answers_carry_an_id_and_the_security_headers(client):
    first, second = client.post("/size/a", content=b""), client.post("/size/a", content=b"")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["x-frame-options"] == "DENY"


def test_more_requests_than_are_answered_at_a_time_are_counted_and_told_when_to_come_again(
    metrics, monkeypatch
):
    monkeypatch.setattr("kiosque.http.limits.MOST_REQUESTS", 2)
    free = asyncio.Event()
    app = FastAPI()
    install_limits(app, metrics, max_body_bytes=LIMIT)

    @app.get("/")
    async def wait() -> str:
        await free.wait()
        return "answered"

    async def ask() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            first = [asyncio.create_task(client.get("/")) for _ in range(2)]
            await asyncio.sleep(0.01)
            refused = await client.get("/")
            free.set()
            return [refused, *[await task for task in first], await client.get("/")]

    refused, *answered = asyncio.run(ask())
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["code"] == "try_again"
    assert len({answer.headers["x-request-id"] for answer in (refused, *answered)}) == 4
    labels = {"method": "GET", "route": "unmatched", "status": "503"}
    assert metrics.registry.get_sample_value("kiosque_http_requests_total", labels) == 1
    assert [answer.json() for answer in answered] == ["answered"] * 3
