"""Keys and users over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.testing.seeded import PASSWORDS, SeededApi

USER = {"name": "ana", "password": "a long pass phrase", "scopes": ["write"]}


def with_token(api: SeededApi, user: str) -> TestClient:
    client = api.client()
    form = {"username": user, "password": PASSWORDS[user]}
    client.headers["Authorization"] = (
        f"Bearer {client.post('/api/v1/token', data=form).json()['access_token']}"
    )
    return client


def test_a_new_user_can_log_in_and_nobody_sees_the_hash(api: SeededApi) -> None:
    admin = api.client("admin")
    made = admin.post("/api/v1/users", json=USER)
    assert made.status_code == 201
    assert set(made.json()) == {"name", "scopes", "disabled", "created_at", "last_login_at"}
    form = {"username": "ANA", "password": USER["password"]}
    assert api.client().post("/api/v1/token", data=form).status_code == 200
    assert "argon2" not in admin.get("/api/v1/users").text


def test_a_name_is_taken_whatever_its_case(admin: TestClient) -> None:
    admin.post("/api/v1/users", json=USER)
    assert admin.post("/api/v1/users", json={**USER, "name": "Ana"}).status_code == 409


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "a/b"},
        {"name": "x" * 65},
        {"password": "short"},
        {"password": "x" * 257},
        {"scopes": []},
        {"scopes": ["root"]},
    ],
)
def test_a_user_that_cannot_be_is_refused(admin: TestClient, changes: dict[str, Any]) -> None:
    refused = admin.post("/api/v1/users", json={**USER, **changes})
    assert refused.status_code == 422
    assert str(changes.get("password", "no password")) not in refused.text


def test_a_user_is_changed_part_by_part(api: SeededApi) -> None:
    admin = api.client("admin")
    url = "/api/v1/users/reader"
    assert admin.patch(url, json={"scopes": ["admin", "read"]}).json()["scopes"] == ["read", "admin"]
    assert admin.patch(url, json={"password": "another pass phrase"}).json()["disabled"] is False
    form = {"username": "reader", "password": "another pass phrase"}
    assert api.client().post("/api/v1/token", data=form).json()["scope"] == "read write admin"
    assert admin.patch(url, json={"disabled": True}).json()["disabled"] is True
    assert api.client().post("/api/v1/token", data=form).status_code == 401


def test_nobody_takes_away_their_own_rights(api: SeededApi) -> None:
    client = with_token(api, "admin")
    url = "/api/v1/users/Admin"
    assert client.patch(url, json={"disabled": True}).status_code == 409
    assert client.patch(url, json={"scopes": ["read"]}).status_code == 409
    assert client.delete(url).status_code == 409
    assert client.patch(url, json={"password": "another pass phrase"}).status_code == 200


def test_a_deleted_user_takes_their_keys_along(api: SeededApi) -> None:
    admin = api.client("admin")
    body = {"name": "of reader", "scopes": ["read"], "owner": "reader"}
    key = admin.post("/api/v1/keys", json=body).json()["key"]
    assert admin.delete("/api/v1/users/reader").status_code == 204
    client = api.client()
    client.headers["Authorization"] = f"Bearer {key}"
    assert client.get("/api/v1/me").status_code == 401
    assert admin.delete("/api/v1/users/reader").status_code == 404


def test_a_key_for_nobody_is_not_made(admin: TestClient) -> None:
    body = {"name": "of nobody", "scopes": ["read"], "owner": "nobody"}
    assert admin.post("/api/v1/keys", json=body).status_code == 404


@pytest.mark.parametrize(
    "expires_at", ["2026-11-03T12:00:00Z", "2020-01-01T00:00:00Z", "tomorrow", 1893456000, "2030-01-01"]
)
def test_a_key_that_has_expired_before_it_is_made_is_refused(admin: TestClient, expires_at: Any) -> None:
    body = {"name": "x", "scopes": ["read"], "expires_at": expires_at}
    assert admin.post("/api/v1/keys", json=body).status_code == 422


def test_revoking_again_changes_nothing(api: SeededApi) -> None:
    admin = api.client("admin")
    first = admin.delete("/api/v1/keys/1").json()
    api.context.clock.move(60)  # type: ignore[attr-defined]
    assert admin.delete("/api/v1/keys/1").json()["revoked_at"] == first["revoked_at"]


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"username": "admin"},
        {"username": "", "password": "x"},
        {"username": "admin", "password": "x", "grant_type": "client_credentials"},
        {"username": "admin", "password": "x", "surprise": "1"},
        {"username": "x" * 201, "password": "x"},
        {"username": "admin", "password": "x" * 257},
    ],
)
def test_a_login_form_that_is_not_one_is_refused(api: SeededApi, form: dict[str, str]) -> None:
    assert api.client().post("/api/v1/token", data=form).status_code == 422


def test_a_login_as_json_is_refused(api: SeededApi) -> None:
    body = {"username": "admin", "password": PASSWORDS["admin"]}
    assert api.client().post("/api/v1/token", json=body).status_code == 422


def test_fields_of_oauth2_clients_are_accepted(api: SeededApi) -> None:
    form = {
        "username": "reader",
        "password": PASSWORDS["reader"],
        "grant_type": "password",
        "client_id": "a client",
        "client_secret": "its secret",
        "scope": "",
    }
    assert api.client().post("/api/v1/token", data=form).status_code == 200
