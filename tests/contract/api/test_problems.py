"""Every error of every route is a problem that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import structlog

from kiosque.core.errors import StoreUnavailable
from kiosque.testing.openapi import Operation, operations, standalone
from kiosque.testing.seeded import MAX_BODY_BYTES, SeededApi, api_document, seeded_api

DOCUMENT = api_document()
OPERATIONS = operations(DOCUMENT)
NEEDS_NO_DATABASE = {
    "get_me",
    "explain_polarity",
    "score_polarity",
    "model_history",
    "stream_articles",
    "change_my_password",
}
READS_DATABASE = [o for o in OPERATIONS if o.scope == "read" and o.id not in NEEDS_NO_DATABASE]
WITH_BODY = [operation for operation in OPERATIONS if operation.request_schema("application/json")]
PROBLEM = jsonschema_rs.validator_for(standalone(DOCUMENT["components"]["schemas"]["Problem"], DOCUMENT))


Steady = dict[bool, SeededApi]


def by_id(operation: Operation) -> str:
    return operation.id


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    PROBLEM.validate(problem)
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"].endswith(f"#{code}")
    return problem


def first(api: SeededApi, operation: Operation, key: str | None = "admin", **more: Any) -> Any:
    example = operation.examples()[0]
    arguments: dict[str, Any] = {"params": list(example.query)}
    if example.json is not None:
        arguments["json"] = example.json
    if example.form:
        arguments["data"] = dict(example.form)
    return api.client(key).request(operation.method, example.path, **{**arguments, **more})


@pytest.mark.parametrize("operation", OPERATIONS, ids=by_id)
def test_an_unknown_parameter_is_refused_with_what_is_known(steady: Steady, operation: Operation) -> None:
    if operation.id == "issue_token":
        pytest.skip("it takes no parameter, and says so")
    problem = assert_problem(first(steady[False], operation, params={"limitt": "1"}), 422, "invalid_input")
    known = [parameter["name"] for parameter in operation.parameters("query")]
    assert "limitt" in problem["detail"]
    assert ("Did you mean 'limit'?" in problem["hint"]) == ("limit" in known)
    assert all(name in problem["hint"] for name in known)


@pytest.mark.parametrize("operation", WITH_BODY, ids=by_id)
@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"[]", b"null", b"7", b'"text"', b"{}x", b"\xff\xfe", b'{"a": ' + b"9" * 5000 + b"}"],
)
def test_a_body_that_is_not_what_is_asked_for_is_refused(
    steady: Steady, operation: Operation, content: bytes
) -> None:
    response = first(
        steady[False], operation, json=None, content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code in (400, 422)
    assert_problem(response, response.status_code, response.json()["code"])


@pytest.mark.parametrize("operation", WITH_BODY, ids=by_id)
def test_a_body_with_something_unknown_in_it_is_refused(steady: Steady, operation: Operation) -> None:
    example = operation.examples()[0].json
    problem = assert_problem(
        first(steady[False], operation, json={**example, "surprise": 1}), 422, "invalid_input"
    )
    assert any("surprise" in error["where"] for error in problem["errors"])


@pytest.mark.parametrize("operation", WITH_BODY, ids=by_id)
def test_a_body_that_is_too_large_is_refused(steady: Steady, operation: Operation) -> None:
    content = b'{"x": "' + b"x" * MAX_BODY_BYTES + b'"}'
    response = first(
        steady[False], operation, json=None, content=content, headers={"Content-Type": "application/json"}
    )
    assert_problem(response, 413, "too_large")


@pytest.mark.parametrize("operation", WITH_BODY, ids=by_id)
def test_a_body_of_another_type_is_refused(steady: Steady, operation: Operation) -> None:
    response = first(
        steady[False], operation, json=None, content=b"a=1", headers={"Content-Type": "text/plain"}
    )
    assert_problem(response, 422, "invalid_input")


@pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
def test_other_methods_are_refused_with_those_that_are_not(steady: Steady, path: str) -> None:
    here = [operation for operation in OPERATIONS if operation.path == path]
    filled = here[0].examples()[0].path
    response = steady[False].client("admin").request("TRACE", filled)
    assert_problem(response, 405, "method_not_allowed")
    assert {operation.method for operation in here} <= set(response.headers["allow"].split(", "))


@pytest.mark.parametrize(
    "path", ["/api/v1/nonsense", "/api/v1/", "/api/v1/entities/a/b/c", "/api/v2/articles", "/api/v1/stats"]
)
def test_unknown_addresses_are_problems(steady: Steady, path: str) -> None:
    assert_problem(steady[False].client("admin").get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (operation.path, operation.method)
        for operation in OPERATIONS
        if "404" in operation.spec["responses"] and operation.parameters("path")
    ],
)
def test_what_is_not_there_is_a_problem_with_a_hint_or_a_name(steady: Steady, path: str, method: str) -> None:
    operation = next(o for o in OPERATIONS if (o.path, o.method) == (path, method))
    missing = path
    for parameter in operation.parameters("path"):
        numeric = parameter["schema"].get("type") == "integer"
        missing = missing.replace(f"{{{parameter['name']}}}", "4000" if numeric else "no-such-thing")
    response = first_at(steady[False], operation, missing)
    problem = assert_problem(response, 404, "not_found")
    assert "4000" in problem["detail"] or "no-such-thing" in problem["detail"]


def first_at(api: SeededApi, operation: Operation, path: str) -> Any:
    example = operation.examples()[0]
    return api.client("admin").request(operation.method, path, params=list(example.query), json=example.json)


class NoDatabase:
    """A database that does not answer."""

    def read(self) -> Any:
        raise StoreUnavailable("The database does not answer.", hint="Try again in a moment.")

    write = read


class BrokenDatabase:
    """A database with a bug."""

    def read(self) -> Any:
        raise RuntimeError("password=hunter2")


@pytest.fixture(scope="module")
def without_database(seeded_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeededApi]:
    folder = tmp_path_factory.mktemp("without-database")
    with seeded_api(seeded_template, folder, database=NoDatabase(), open_reading=True) as api:
        yield api


@pytest.mark.parametrize("operation", READS_DATABASE, ids=by_id)
def test_a_database_that_is_away_is_503(without_database: SeededApi, operation: Operation) -> None:
    problem = assert_problem(first(without_database, operation, key=None), 503, "store_unavailable")
    assert problem["hint"] == "Try again in a moment."


def test_no_key_can_be_checked_while_the_database_is_away(without_database: SeededApi) -> None:
    assert_problem(without_database.client("admin").get("/api/v1/me"), 503, "store_unavailable")


def test_what_nobody_expected_is_a_problem_that_gives_nothing_away(make_api: Any) -> None:
    api = make_api(database=BrokenDatabase(), open_reading=True)
    with structlog.testing.capture_logs() as logs:
        response = api.client().get("/api/v1/articles")
    problem = assert_problem(response, 500, "internal")
    assert "hunter2" not in str(problem)
    assert any(entry["event"] == "request.crashed" for entry in logs)
