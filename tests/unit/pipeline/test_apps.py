"""Producer and consumer over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.errors import PredictUnavailable
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer
from kiosque.pipeline.consumer_app import consumer_app
from kiosque.pipeline.guard import bearer
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.produce import Producer, message_of
from kiosque.pipeline.producer_app import QuotaOut, producer_app
from kiosque.sources.protocol import Page
from kiosque.store import sources
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, PagedSource, RecordedBus, ScriptedPredictor, pages_of
from kiosque.testing.waiting import wait_until

MakeArticle = Callable[..., Article]
TOKEN = "a token of this test"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def bus() -> RecordedBus:
    return RecordedBus()


@pytest.fixture
def producer(
    database: Database, bus: RecordedBus, clock: ManualClock, metrics: Metrics, article: MakeArticle
) -> Producer:
    with database.write() as tx:
        sources.save(tx, "paged", "feed", {})
        sources.save(tx, "resting", "feed", {}, enabled=False)
    page = Page(cursor={}, articles=(article(),))
    return Producer(bus, database, lambda _: PagedSource(pages_of([page])), clock=clock, metrics=metrics)


@pytest.fixture
def producer_client(
    producer: Producer, database: Database, bus: RecordedBus, clock: ManualClock, metrics: Metrics
) -> Iterator[TestClient]:
    app = producer_app(
        producer,
        database,
        clock=clock,
        metrics=metrics,
        authorise=bearer(TOKEN),
        checks={"database": database.check, "bus": bus.check},
        quotas=lambda: [QuotaOut(name="nyt", left_this_minute=4, left_today=499)],
    )
    with TestClient(app) as client:
        yield client


@pytest.fixture
def consumer(
    bus: RecordedBus, intake: Intake, database: Database, clock: ManualClock, metrics: Metrics
) -> Consumer:
    return Consumer(bus, intake, database, clock=clock, metrics=metrics)


@pytest.fixture
def consumer_api(database: Database, bus: RecordedBus, clock: ManualClock, metrics: Metrics) -> FastAPI:
    return consumer_app(
        bus,
        database,
        clock=clock,
        metrics=metrics,
        authorise=bearer(TOKEN),
        checks={"database": database.check, "bus": bus.check},
    )


@pytest.fixture
def consumer_client(consumer_api: FastAPI) -> Iterator[TestClient]:
    with TestClient(consumer_api) as client:
        yield client


# ---- health


def test_a_process_that_can_work_is_ready(producer_client: TestClient, consumer_client: TestClient) -> None:
    for client in (producer_client, consumer_client):
        assert client.get("/livez").json() == {"status": "ok"}
        assert client.get("/readyz").json() == {"status": "ok", "checks": {"database": "ok", "bus": "ok"}}
        assert "kiosque_lag_pending" in client.get("/metrics").text


def test_without_its_broker_it_lives_but_is_not_ready_and_says_why(
    producer_client: TestClient, consumer_client: TestClient, bus: RecordedBus
) -> None:
    bus.down = True
    for client in (producer_client, consumer_client):
        assert client.get("/livez").status_code == 200
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "broker is down" in answer.json()["checks"]["bus"]


# ---- producer


def test_each_source_says_how_it_fares(
    producer_client: TestClient, database: Database, clock: ManualClock
) -> None:
    def states() -> dict[str, str]:
        return {item["id"]: item["state"] for item in producer_client.get("/v1/sources").json()["items"]}

    assert states() == {"paged": "due", "resting": "off"}
    later = clock() + timedelta(minutes=5)
    with database.write() as tx:
        sources.record_success(tx, "paged", sources.PollCounts(3, 2, 1), at=clock(), next_poll_at=later)
    assert states()["paged"] == "waiting"
    with database.write() as tx:
        sources.record_failure(tx, "paged", "SourceUnavailable: no answer", at=clock(), next_poll_at=later)
    (item,) = (i for i in producer_client.get("/v1/sources").json()["items"] if i["id"] == "paged")
    assert item["state"] == "failing"
    assert item["last_error"] == "SourceUnavailable: no answer"
    assert item["next_poll_at"] == "2024-11-06T12:05:00Z"
    assert (item["articles_read"], item["articles_new"], item["articles_skipped"]) == (3, 2, 1)


def test_the_quota_left_is_shown(producer_client: TestClient) -> None:
    (quota,) = producer_client.get("/v1/sources").json()["quotas"]
    assert (quota["name"], quota["left_this_minute"], quota["left_today"]) == ("nyt", 4, 499)


def test_a_poll_on_request_begins_at_once(
    producer_client: TestClient, producer: Producer, bus: RecordedBus
) -> None:
    answer = producer_client.post("/v1/sources/paged/poll", headers=WITH_TOKEN)
    assert answer.status_code == 202
    assert answer.json() == {"source": "paged", "status": "polling"}
    wait_until(lambda: not producer.polling())
    assert [message.subject for message in bus.published] == ["wire"]


def test_an_unknown_source_is_a_problem(producer_client: TestClient) -> None:
    answer = producer_client.post("/v1/sources/nobody/poll", headers=WITH_TOKEN)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


# ---- who may write


WRITES = [("producer_client", "/v1/sources/paged/poll"), ("consumer_client", "/v1/dead-letters/1/replay")]


@pytest.mark.parametrize(("fixture", "path"), WRITES)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer"}],
)
def test_writing_needs_the_token(
    fixture: str, path: str, headers: dict[str, str], request: pytest.FixtureRequest, bus: RecordedBus
) -> None:
    answer = request.getfixturevalue(fixture).post(path, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert bus.published == []


def test_where_no_token_is_set_nobody_may_write(
    database: Database, bus: RecordedBus, clock: ManualClock, metrics: Metrics
) -> None:
    app = consumer_app(bus, database, clock=clock, metrics=metrics, authorise=bearer(None), checks={})
    with TestClient(app) as client:
        answer = client.post("/v1/dead-letters/1/replay", headers=WITH_TOKEN)
    assert answer.status_code == 403
    assert "no token is set" in answer.json()["detail"]


# ---- consumer


def test_the_latest_article_comes_out_with_its_mentions(
    consumer_client: TestClient, consumer: Consumer, bus: RecordedBus, article: MakeArticle
) -> None:
    bus.prepare(message_of(article(headline="Lane Meets Reed", url="https://example.org/1")))
    consumer.step()
    (item,) = consumer_client.get("/v1/articles/latest").json()["items"]
    assert item["id"] == article().id
    assert item["headline"] == "Lane Meets Reed"
    assert item["published_at"] == "2024-11-06T09:00:00Z"
    assert [mention["entity"] for mention in item["mentions"]] == ["ada-lane", "bo-reed"]
    for mention in item["mentions"]:
        assert mention["polarity"] in {"negative", "neutral", "positive"}
        assert mention["negative"] + mention["neutral"] + mention["positive"] == pytest.approx(1.0)


def test_the_latest_articles_are_limited_and_filtered_by_source(
    consumer_client: TestClient,
    consumer: Consumer,
    bus: RecordedBus,
    clock: ManualClock,
    article: MakeArticle,
) -> None:
    for n in range(3):
        clock.move(1)
        bus.prepare(message_of(article(f"k{n}", source="feed" if n == 0 else "wire")))
        consumer.step()

    def keys(**query: Any) -> list[str]:
        return [i["key"] for i in consumer_client.get("/v1/articles/latest", params=query).json()["items"]]

    assert keys() == ["k2"]
    assert keys(limit=2) == ["k2", "k1"]
    assert keys(limit=5, source="feed") == ["k0"]
    assert consumer_client.get("/v1/articles/latest", params={"limit": 0}).status_code == 422


def test_an_empty_store_has_no_latest_article(consumer_client: TestClient) -> None:
    assert consumer_client.get("/v1/articles/latest").json() == {"items": []}


def test_the_lag_is_what_waits_on_the_bus(
    consumer_client: TestClient, bus: RecordedBus, article: MakeArticle
) -> None:
    bus.prepare(message_of(article("a")), message_of(article("b")))
    assert consumer_client.get("/v1/lag").json() == {"pending": 2, "in_flight": 0}
    assert "kiosque_lag_pending 2.0" in consumer_client.get("/metrics").text
    bus.down = True
    answer = consumer_client.get("/v1/lag")
    assert (answer.status_code, answer.json()["code"]) == (503, "bus_unavailable")


def test_dead_letters_are_listed_page_by_page_newest_first(
    consumer_client: TestClient, consumer: Consumer, bus: RecordedBus, clock: ManualClock
) -> None:
    for n in range(5):
        clock.move(1)
        bus.prepare(Message(f"odd{n}", "stranger", b"\xff?"))
        consumer.step()
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        answer = consumer_client.get("/v1/dead-letters", params=params).json()
        seen += [item["key"] for item in answer["items"]]
        cursor = answer["next"]
    assert seen == ["odd4", "odd3", "odd2", "odd1", "odd0"]
    assert cursor is None
    (first, *_) = consumer_client.get("/v1/dead-letters").json()["items"]
    assert first["source"] == "stranger"
    assert first["reason"].startswith("not_ours")
    assert first["message"] == "\ufffd?"
    bad = consumer_client.get("/v1/dead-letters", params={"cursor": "???"})
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_input")


def test_a_replayed_letter_goes_back_to_the_bus_and_is_marked(
    consumer_client: TestClient, consumer: Consumer, bus: RecordedBus
) -> None:
    bus.prepare(Message("odd", "stranger", b"?"))
    consumer.step()
    (letter,) = consumer_client.get("/v1/dead-letters", params={"replayed": False}).json()["items"]
    answer = consumer_client.post(f"/v1/dead-letters/{letter['id']}/replay", headers=WITH_TOKEN)
    assert answer.status_code == 202
    assert answer.json()["replayed_at"] is not None
    assert [message.data for message in bus.published] == [b"?"]
    assert consumer_client.get("/v1/dead-letters", params={"replayed": False}).json()["items"] == []
    missing = consumer_client.post("/v1/dead-letters/404/replay", headers=WITH_TOKEN)
    assert missing.status_code == 404


def test_a_model_out_of_reach_shows_in_readyz_when_it_is_asked_for(
    database: Database, bus: RecordedBus, clock: ManualClock, metrics: Metrics, predictor: ScriptedPredictor
) -> None:
    def check() -> None:
        predictor.versions()

    app = consumer_app(
        bus, database, clock=clock, metrics=metrics, authorise=bearer(None), checks={"predict": check}
    )
    with TestClient(app) as client:
        assert client.get("/readyz").status_code == 200
        predictor.down = True
        assert client.get("/readyz").status_code == 503
    with pytest.raises(PredictUnavailable):
        check()


def test_every_answer_is_described(consumer_api: FastAPI) -> None:
    document = consumer_api.openapi()
    for path in ("/v1/articles/latest", "/v1/lag", "/v1/dead-letters", "/v1/dead-letters/{letter_id}/replay"):
        for operation in document["paths"][path].values():
            assert operation["summary"]
            assert any(status.startswith("2") for status in operation["responses"])
