from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from kiosque.predict.app import ServerSettings, create_app
from kiosque.predict.local import LocalPredictor
from kiosque.testing.openapi import operations
from kiosque.testing.predictor import DEMO_BOOKS, toy_loaders
from kiosque.testing.waiting import wait_until

ADA = {"id": "ada", "name": "Ada"}


@contextmanager
def serve(store, metrics, settings=None, on_load=lambda _: None):
    predictor = LocalPredictor(store, loaders=toy_loaders(on_load), metrics=metrics)
    with TestClient(create_app(predictor, metrics, settings), raise_server_exceptions=False) as client:
        yield client
    predictor.close()


@pytest.fixture
def client(store, metrics, publish):
    publish("polarity", "p1")
    publish("books", "b1")
    with serve(store, metrics) as client:
        yield client


def test_one_text_is_scored(client):
    answer = client.post("/v1/polarity", json={"texts": [{"headline": "Ada wins", "targets": [ADA]}]})

    assert answer.status_code == 200
    assert answer.json()["model_version"] == "p1"
    [[score]] = answer.json()["scores"]
    assert (score["target_id"], score["outcome"], score["polarity"]) == ("ada", "scored", "positive")
    assert score["spans"][0]["start"] == 0
    assert sum(score["probabilities"].values()) == pytest.approx(1)


def test_words_are_explained(client):
    body = {"text": {"headline": "Ada wins"}, "target": ADA}
    words = client.post("/v1/polarity/explain", json=body).json()["words"]
    assert [(w["word"], w["contribution"]) for w in words] == [("Ada", 0.0), ("wins", 1.0)]


def test_books_come_with_their_reasons(client):
    shelves = client.post("/v1/books", json={"queries": [{"text": "Truman"}, {"text": "zzzz"}]}).json()[
        "shelves"
    ]

    assert shelves[0]["recommendations"][0]["book"]["key"] == DEMO_BOOKS[0].key
    assert shelves[0]["recommendations"][0]["sentence"] == "shares: truman"
    assert shelves[1]["recommendations"] == []
    assert shelves[1]["note"]


def test_models_say_what_answers(client):
    models = client.get("/v1/models").json()["models"]
    assert [(m["name"], m["version"], m["trouble"]) for m in models] == [
        ("polarity", "p1", None),
        ("books", "b1", None),
    ]
    assert models[0]["fields"] == {"format": "toy/1"}


TEXT = {"headline": "Ada", "targets": [ADA]}


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/v1/polarity", {"texts": []}, "body.texts"),
        ("/v1/polarity", {"texts": [TEXT] * 257}, "body.texts"),
        ("/v1/polarity", {}, "body.texts"),
        ("/v1/polarity", {"texts": [TEXT], "any_languge": True}, "body.any_languge"),
        ("/v1/polarity", {"texts": [{"headline": "x" * 100_001}]}, "body.texts.0.headline"),
        ("/v1/polarity", {"texts": [{"targets": [ADA] * 4097}]}, "body.texts.0.targets"),
        (
            "/v1/polarity",
            {"texts": [{"targets": [{**ADA, "name": "x" * 501}]}]},
            "body.texts.0.targets.0.name",
        ),
        ("/v1/polarity", {"texts": [{"targets": [{**ADA, "kind": "robot"}]}]}, "body.texts.0.targets.0.kind"),
        (
            "/v1/polarity",
            {"texts": [{"targets": [{**ADA, "spans": [{"start": -1, "end": 2}]}]}]},
            "body.texts.0.targets.0.spans.0.start",
        ),
        ("/v1/polarity/explain", {"text": TEXT}, "body.target"),
        ("/v1/books", {"queries": [{"text": "x"}] * 65}, "body.queries"),
        (
            "/v1/books",
            {"queries": [{"reader": [{"text": "x", "weight": -1}]}]},
            "body.queries.0.reader.0.weight",
        ),
    ],
)
def test_limits_are_kept_and_the_place_is_named(client, path, body, where):
    answer = client.post(path, json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_input"
    assert where in {error["where"] for error in answer.json()["errors"]}


def test_numbers_that_are_none_are_refused(client):
    answer = client.post(
        "/v1/books",
        content=b'{"queries":[{"text":"x","min_score":NaN}]}',
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/polarity", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem(client, method, path, status, code):
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_unknown_book_is_not_found(client):
    answer = client.post("/v1/books", json={"queries": [{"book_key": "isbn:0"}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_body_above_the_limit_is_refused(store, metrics, publish):
    publish("polarity", "p1")
    with serve(store, metrics, ServerSettings(max_body_bytes=2048)) as client:
        answer = client.post("/v1/polarity", json={"texts": [{"headline": "x" * 3000}]})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    "header", [None, "Bearer wrong", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret"]
)
def test_without_the_token_nothing_is_answered(store, metrics, publish, header):
    publish("polarity", "p1")
    with serve(store, metrics, ServerSettings(token="s3cret")) as client:
        headers = {"authorization": header} if header else {}
        for path, method in (("/v1/models", "GET"), ("/v1/polarity", "POST")):
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/v1/models", headers={"authorization": "Bearer s3cret"}).status_code == 200
        for path in ("/livez", "/readyz", "/metrics"):
            assert client.get(path).status_code == 200


def test_without_a_model_the_reason_is_said_and_the_process_lives(store, metrics):
    with serve(store, metrics) as client:
        answer = client.post("/v1/polarity", json={"texts": [TEXT]})
        assert (answer.status_code, answer.json()["code"]) == (503, "no_model")
        assert answer.json()["hint"]
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "champion" in ready.json()["checks"]["polarity"]
        assert ready.json()["checks"]["books"].startswith("ok (")


def test_a_refused_version_is_told_by_readyz_and_metrics_while_the_old_one_answers(store, metrics, publish):
    publish("polarity", "p1")
    publish("books", "b1")
    with serve(store, metrics, ServerSettings(poll_seconds=0.01)) as client:
        assert client.get("/readyz").json()["checks"] == {"polarity": "ok", "books": "ok"}
        publish("polarity", "p2", faulty=True)
        wait_until(lambda: client.get("/readyz").json()["checks"]["polarity"] != "ok")

        ready = client.get("/readyz")
        assert ready.status_code == 200
        assert "p2 was refused" in ready.json()["checks"]["polarity"]
        exposed = client.get("/metrics").text
        assert 'kiosque_model_swaps_total{model="polarity",outcome="refused"} 1.0' in exposed
        assert 'kiosque_model_info{model="polarity",version="p1"} 1.0' in exposed
        assert client.post("/v1/polarity", json={"texts": [TEXT]}).json()["model_version"] == "p1"


def test_livez_answers_while_a_model_loads(store, metrics, publish):
    publish("polarity", "p1")
    loading, go_on = threading.Event(), threading.Event()

    def hold(_) -> None:
        loading.set()
        assert go_on.wait(30)

    with serve(store, metrics, on_load=hold) as client:
        assert loading.wait(30)
        assert client.get("/livez").json() == {"status": "ok"}
        go_on.set()
        assert client.post("/v1/polarity", json={"texts": [TEXT]}).status_code == 200


def test_requests_are_counted_by_route(client):
    client.post("/v1/polarity", json={"texts": [TEXT]})
    exposed = client.get("/metrics").text
    assert 'kiosque_http_requests_total{method="POST",route="/v1/polarity",status="200"} 1.0' in exposed
    assert 'kiosque_predictions_total{model_version="p1",polarity="neutral"} 1.0' in exposed


@pytest.mark.parametrize(
    ("path", "schema"),
    [("/v1/polarity", "PolarityBody"), ("/v1/polarity/explain", "ExplainBody"), ("/v1/books", "BooksBody")],
)
def test_the_documented_examples_are_answered(client, path, schema):
    document = client.get("/openapi.json").json()
    reference = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"][
        "$ref"
    ]
    assert reference.endswith(f"/{schema}")
    examples = document["components"]["schemas"][schema]["examples"]
    assert examples
    for example in examples:
        answer = client.post(path, json=example)
        assert answer.status_code == 200, answer.text


def test_every_route_documents_its_problems(client):
    for operation in operations(client.get("/openapi.json").json()):
        if operation.path.startswith("/v1"):
            assert "503" in operation.spec["responses"]
            assert operation.spec["summary"]
