"""What people and programs send by mistake or on purpose, on both databases: never a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from kiosque.api.app import create_api
from kiosque.store.database import Database
from kiosque.testing.openapi import Operation, operations
from kiosque.testing.seeded import ARTICLE_ID, KEYS, api_document, publish_models, seed, seeded_context

OPERATIONS = [operation for operation in operations(api_document()) if operation.id != "stream_articles"]
NASTY = [
    "\x00",
    "a\x00b",
    "\ufffd",
    "\u202egnirts",
    "' OR 1=1 --",
    '"; DROP TABLE article; --',
    "%",
    "_",
    "*",
    '"',
    '""',
    "-",
    "AND OR NOT NEAR(",
    "a" * 400,
    "😀" * 50,
    "İ",
    "..",
    "{{7*7}}",
]


@pytest.fixture
def client(database: Database, tmp_path: Path) -> TestClient:
    """The API on SQLite and on PostgreSQL."""
    seed(database)
    publish_models(tmp_path / "models")
    app = create_api(seeded_context(database, tmp_path))
    return TestClient(
        app, headers={"Authorization": f"Bearer {KEYS['admin']}"}, raise_server_exceptions=False
    )


def is_free_text(parameter: dict[str, Any]) -> bool:
    """Whether the text reaches the database: patterns, numbers and enumerations stop it before (test_schema_fuzz)."""
    options = [parameter["schema"], *parameter["schema"].get("anyOf", [])]
    return any(
        option.get("type") == "string" and not {"pattern", "format", "enum"} & set(option)
        for option in options
    )


def assert_no_crash(answer: Any, what: object) -> None:
    assert answer.status_code < 500, f"{what}: {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


def test_nasty_text_in_every_parameter_that_takes_any_text(client: TestClient) -> None:
    for operation in OPERATIONS:
        if operation.method != "GET":
            continue
        path = operation.examples()[0].path
        for parameter in filter(is_free_text, operation.parameters("query")):
            for text in NASTY:
                answer = client.get(path, params={parameter["name"]: text})
                assert_no_crash(answer, (operation.id, parameter["name"], text))


def test_nasty_text_in_every_path(client: TestClient) -> None:
    for operation in OPERATIONS:
        for parameter in operation.parameters("path"):
            for text in (*NASTY, "0", "9" * 30, "nyt://article/1", "https://x.example/a?b=c#d"):
                assert_no_crash(send_to(client, operation, parameter["name"], text), (operation.id, text))


def send_to(client: TestClient, operation: Operation, parameter: str, text: str) -> Any:
    path = operation.path
    for each in operation.parameters("path"):
        value = text if each["name"] == parameter else str(each["schema"]["examples"][0])
        path = path.replace(f"{{{each['name']}}}", quote(value, safe=""))
    example = operation.examples()[0]
    return client.request(operation.method, path, params=list(example.query), json=example.json)


@pytest.mark.parametrize("escaped", [r"\u0000", r"\ud800", r"\udfff\ud800", r"\u0007", r"\u2028"])
def test_escapes_that_no_database_takes_in_every_text_of_every_body(client: TestClient, escaped: str) -> None:
    for operation in OPERATIONS:
        if not operation.request_schema("application/json"):
            continue
        for example in operation.examples():
            for path in texts_in(example.json):
                content = json.dumps(marked(example.json, path)).replace("MARK", escaped)
                answer = client.request(
                    operation.method,
                    example.path,
                    content=content,
                    headers={"Content-Type": "application/json"},
                )
                assert_no_crash(answer, (operation.id, path))


@pytest.mark.parametrize("name", [r"\u0000", r"\ud800"])
def test_escapes_in_the_names_of_fields(client: TestClient, name: str) -> None:
    answer = client.post(
        "/api/v1/polarity",
        content=f'{{"headline": "x", "targets": ["x"], "{name}": 1}}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400])
def test_numbers_that_are_none(client: TestClient, number: str) -> None:
    for body in (
        f'{{"text": "x", "min_score": {number}}}',
        f'{{"text": "x", "k": {number}}}',
        f'{{"reader": [{{"text": "x", "weight": {number}}}]}}',
    ):
        answer = client.post("/api/v1/books", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
    assert client.get("/api/v1/articles", params={"min_confidence": number}).status_code == 422


def test_json_that_nests_without_end(client: TestClient) -> None:
    content = '{"headline": ' + "[" * 20_000 + "]" * 20_000 + "}"
    answer = client.post("/api/v1/polarity", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


def test_days_at_the_edge_of_time(client: TestClient) -> None:
    for day in ("1000-01-01", "8999-12-31", "0001-01-01", "9999-12-31", "1860-02-30", "0", "-1", "1e9"):
        for path in ("articles", "entities/abraham-lincoln/timeline", "entities/abraham-lincoln/breakdown"):
            for name in ("from", "to"):
                assert_no_crash(client.get(f"/api/v1/{path}", params={name: day}), (path, name, day))
        query = {"from": "1000-01-01", "to": day}
        assert_no_crash(client.get("/api/v1/stats/ranking", params=query), day)


def test_an_election_at_the_edge_of_time(client: TestClient) -> None:
    for year, day in ((1000, "1000-01-01"), (8999, "8999-12-31")):
        body = {
            "id": f"edge-{year}",
            "name": "Edge",
            "entities": [{"id": "john-bell", "name": "John Bell"}],
            "candidacies": [
                {"election_year": year, "election_date": day, "entity": "john-bell", "party": "None"}
            ],
        }
        assert client.post("/api/v1/watchlists", json=body).status_code == 200
        answer = client.get(f"/api/v1/elections/{year}", params={"weeks": 104})
        assert answer.status_code == 200


@pytest.mark.parametrize("text", NASTY)
def test_nasty_text_in_every_field_of_the_login_form(client: TestClient, text: str) -> None:
    form = {"username": "reader", "password": "the reader's pass phrase", "scope": "read"}
    for field in form:
        answer = client.post("/api/v1/token", data={**form, field: text})
        assert_no_crash(answer, field)


def test_parameters_given_twice(client: TestClient) -> None:
    assert client.get("/api/v1/articles?entity=john-bell&entity=john-bell").status_code == 200
    refused = client.get("/api/v1/articles?limit=1&limit=2")
    assert refused.status_code == 422
    assert "'limit' is given more than once" in refused.json()["detail"]


def test_a_correction_with_nothing_but_blanks_left(client: TestClient) -> None:
    body = {"article": ARTICLE_ID, "entity": "abraham-lincoln", "polarity": "neutral", "note": "\x00\x00"}
    assert client.post("/api/v1/feedback/corrections", json=body).status_code == 200


def texts_in(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where the texts of a document are."""
    if isinstance(node, str):
        yield path
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from texts_in(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from texts_in(value, (*path, index))


def marked(document: Any, path: tuple[Any, ...]) -> Any:
    """`document` with MARK after the text at `path`."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] += "MARK"
    return copy
