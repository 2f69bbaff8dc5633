"""The OpenAPI document says what the API does, and its examples work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from starlette.testclient import TestClient

from kiosque.api.app import api_routes
from kiosque.testing.openapi import ExampleRequest, Operation, operations
from kiosque.testing.seeded import PASSWORDS, SeededApi, api_document

MakeApi = Callable[..., SeededApi]
LISTED = Path(__file__).with_name("operations.txt")
OPERATIONS = operations(api_document())
EXAMPLES = [(operation, example) for operation in OPERATIONS for example in operation.examples()]
STREAMS = {"stream_articles"}


def named(value: Any) -> str:
    return value.id if isinstance(value, Operation) else str(getattr(value, "name", value))


def send(client: TestClient, operation: Operation, example: ExampleRequest) -> Any:
    return client.request(
        operation.method,
        example.path,
        params=list(example.query),
        json=example.json,
        data=dict(example.form) if example.form else None,
    )


def test_operations_change_only_on_purpose() -> None:
    """`operations.txt` is the list that clients rely on: ids, addresses, and who may call them."""
    lines = sorted(f"{o.id} {o.method} {o.path} {o.scope or 'open'}" for o in OPERATIONS)
    assert lines == LISTED.read_text().splitlines()


def test_the_document_is_openapi_3_1_and_has_every_route() -> None:
    document = api_document()
    assert document["openapi"].startswith("3.1")
    routes = {(method, route.path_format) for route in api_routes() for method in route.methods or ()}
    assert routes == {(operation.method, operation.path) for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_operation_is_described(operation: Operation) -> None:
    spec = operation.spec
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation.id)
    assert len(spec["summary"]) >= 5
    assert spec["description"].strip().endswith((".", "`."))
    assert len(spec["tags"]) == 1


def test_every_tag_is_described() -> None:
    described = {tag["name"] for tag in api_document()["tags"] if tag["description"]}
    assert {operation.spec["tags"][0] for operation in OPERATIONS} == described


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_operation_documents_its_errors_as_problems(operation: Operation) -> None:
    responses = operation.spec["responses"]
    expected = {"401", "422", "429", "500", "503"}
    if operation.scope:
        expected.add("403")
    if "requestBody" in operation.spec:
        expected |= {"400", "413"}
    assert expected <= set(responses)
    for status, response in responses.items():
        if status >= "400":
            assert list(response["content"]) == ["application/problem+json"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_operation_documents_its_answer(operation: Operation) -> None:
    [status] = [status for status in operation.spec["responses"] if status < "300"]
    response = operation.spec["responses"][status]
    if status == "204":
        assert "content" not in response
    else:
        assert all(media["schema"] for media in response["content"].values())


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_parameter_of_a_path_has_an_example_and_every_parameter_a_type(operation: Operation) -> None:
    for parameter in operation.parameters("path"):
        assert parameter["schema"]["examples"]
        assert parameter["description"]
    for parameter in operation.parameters("query"):
        assert parameter["schema"].get("examples") or not parameter["required"]
        assert parameter["schema"].get("type") or parameter["schema"].get("anyOf") or "$ref" in str(parameter)


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_body_has_examples(operation: Operation) -> None:
    for media in operation.spec.get("requestBody", {}).get("content", {}).values():
        assert media["examples"]


def test_every_schema_is_described() -> None:
    generated = {name for name in api_document()["components"]["schemas"] if name.startswith("Body_")}
    assert not generated
    missing = [
        name
        for name, schema in api_document()["components"]["schemas"].items()
        if not schema.get("description")
    ]
    assert missing == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_documented_bodies_are_what_their_schema_says(operation: Operation) -> None:
    for media_type, media in operation.spec.get("requestBody", {}).get("content", {}).items():
        schema = operation.request_schema(media_type)
        assert schema is not None
        validator = jsonschema_rs.validator_for(schema)
        for example in media["examples"].values():
            validator.validate(example["value"])


@pytest.mark.parametrize(
    ("operation", "example"), [each for each in EXAMPLES if each[0].id not in STREAMS], ids=named
)
def test_documented_examples_work(make_api: MakeApi, operation: Operation, example: ExampleRequest) -> None:
    client = make_api().client("admin")
    if operation.id == "change_my_password":
        client.headers["Authorization"] = f"Bearer {token(client, 'reader')}"
    response = send(client, operation, example)
    assert response.status_code < 300, response.text
    assert str(response.status_code) in operation.spec["responses"]
    schema = operation.answer_schema(response.status_code)
    if schema and response.headers["content-type"] == "application/json":
        jsonschema_rs.validator_for(schema).validate(response.json())


def token(client: TestClient, user: str) -> str:
    form = {"username": user, "password": PASSWORDS[user]}
    return str(client.post("/api/v1/token", data=form).json()["access_token"])
