import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from pydantic import BaseModel

from kiosque.core.errors import NotFound, RateLimited, Unauthenticated
from kiosque.http.problems import MEDIA_TYPE, install_problem_handlers, problem_responses


class Body(BaseModel):
    number: int


@pytest.fixture
def client():
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/known")
    def known() -> None:
        raise NotFound("No such article.", hint="List them.")

    @app.get("/later")
    def later() -> None:
        raise RateLimited("Slow down.", retry_after=1.2)

    @app.get("/who")
    def who() -> None:
        raise Unauthenticated("Who are you?")

    @app.get("/http")
    def http() -> None:
        raise HTTPException(418, "short and stout")

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError("secret detail")

    @app.post("/body", responses=problem_responses(404))
    def body(body: Body) -> None: ...

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/known", 404, "not_found"),
        ("GET", "/later", 429, "rate_limited"),
        ("GET", "/who", 401, "unauthenticated"),
        ("GET", "/http", 418, "i'm_a_teapot"),
        ("GET", "/crash", 500, "internal"),
        ("POST", "/body", 422, "invalid_input"),
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/known", 405, "method_not_allowed"),
    ],
)
def test_every_error_is_a_problem(client, method, path, status, code):
    response = client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == MEDIA_TYPE
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["title"]
    assert problem["type"].endswith(code)


def test_the_hint_is_told(client):
    assert client.get("/known").json()["hint"] == "List them."


def test_retry_after_is_rounded_up(client):
    assert client.get("/later").headers["retry-after"] == "2"


def test_who_is_not_known_is_asked_for_a_bearer(client):
    assert client.get("/who").headers["www-authenticate"] == "Bearer"


def test_a_crash_tells_nothing_of_its_inside(client):
    assert "secret detail" not in client.get("/crash").text


def test_what_is_wrong_with_the_input_is_told_by_its_place(client):
    errors = client.post("/body", json={"number": "x"}).json()["errors"]
    assert errors[0]["where"] == "body.number"


def test_the_openapi_document_knows_problems_and_not_the_frameworks_own_errors(client):
    document = client.get("/openapi.json").json()
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    answers = document["paths"]["/body"]["post"]["responses"]
    assert MEDIA_TYPE in answers["422"]["content"]
    assert MEDIA_TYPE in answers["404"]["content"]
