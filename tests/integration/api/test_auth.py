"""Keys, tokens and passwords, over HTTP and on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.api.keys import make_key
from kiosque.store import keys, users
from kiosque.testing.seeded import KEYS, NOW, PASSWORDS, SeededApi

ME = "/api/v1/me"


def log_in(client: TestClient, user: str = "writer", password: str | None = None, **more: str) -> Any:
    form = {"username": user, "password": password or PASSWORDS.get(user, "x" * 12), **more}
    return client.post("/api/v1/token", data=form)


def with_token(api: SeededApi, user: str, **more: str) -> TestClient:
    client = api.client()
    client.headers["Authorization"] = f"Bearer {log_in(client, user, **more).json()['access_token']}"
    return client


def test_a_key_says_who_asks_and_what_they_may(api: SeededApi) -> None:
    assert api.client("write").get(ME).json() == {
        "name": "write key",
        "via": "key",
        "scopes": ["read", "write"],
    }


def test_a_token_is_for_the_user_and_no_longer_than_said(api: SeededApi) -> None:
    answer = log_in(api.client())
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 3600
    assert answer.json()["scope"] == "read write"
    assert answer.headers["cache-control"] == "no-store"
    client = with_token(api, "writer")
    assert client.get(ME).json() == {"name": "writer", "via": "token", "scopes": ["read", "write"]}
    api.context.clock.move(3600)  # type: ignore[attr-defined]
    assert client.get(ME).status_code == 401


def test_a_token_may_be_asked_to_do_less_than_its_user(api: SeededApi) -> None:
    assert with_token(api, "admin", scope="read").get(ME).json()["scopes"] == ["read"]


def test_a_token_may_not_do_more_than_its_user(api: SeededApi) -> None:
    assert with_token(api, "reader", scope="admin").get("/api/v1/users").status_code == 403


def test_what_a_user_loses_their_tokens_lose_at_once(api: SeededApi) -> None:
    client = with_token(api, "admin")
    assert client.get("/api/v1/users").status_code == 200
    with api.context.database.write() as tx:
        users.set_scopes(tx, "admin", ("read",))
    assert client.get("/api/v1/users").status_code == 403
    with api.context.database.write() as tx:
        users.set_disabled(tx, "admin", True)
    assert client.get(ME).status_code == 401


def test_a_new_password_ends_the_tokens_of_the_old_one(api: SeededApi) -> None:
    client = with_token(api, "reader")
    body = {"current": PASSWORDS["reader"], "new": "another pass phrase"}
    assert client.put("/api/v1/me/password", json=body).status_code == 204
    assert client.get(ME).status_code == 401
    assert log_in(api.client(), "reader").status_code == 401
    assert log_in(api.client(), "reader", "another pass phrase").status_code == 200


def test_the_current_password_is_needed_for_a_new_one(api: SeededApi) -> None:
    body = {"current": "not the current one", "new": "another pass phrase"}
    assert with_token(api, "reader").put("/api/v1/me/password", json=body).status_code == 401


def test_a_key_has_no_password(api: SeededApi) -> None:
    body = {"current": "not the current one", "new": "another pass phrase"}
    assert api.client("admin").put("/api/v1/me/password", json=body).status_code == 409


@pytest.mark.parametrize("user", ["writer", "nobody", "disabled"])
def test_every_refused_login_looks_the_same(api: SeededApi, user: str) -> None:
    with api.context.database.write() as tx:
        users.add(
            tx,
            "disabled",
            password_hash=api.context.passwords.hash("right but disabled"),
            scopes=("admin",),
            at=NOW,
        )
        users.set_disabled(tx, "disabled", True)
    refused = log_in(api.client(), user, "right but disabled")
    assert refused.status_code == 401
    assert refused.json()["detail"] == "Wrong user name or password."
    assert refused.headers["www-authenticate"] == 'Bearer realm="kiosque"'


def test_guessing_is_slowed_down_and_told_when_to_come_back(api: SeededApi) -> None:
    client = api.client()
    statuses = [log_in(client, "admin", f"guess number {n}").status_code for n in range(8)]
    assert statuses[:5] == [401] * 5
    assert statuses[5:] == [429] * 3
    refused = log_in(client, "admin")
    assert refused.status_code == 429, "even the right password waits"
    assert int(refused.headers["retry-after"]) >= 1
    assert log_in(client, "reader").status_code == 200


def test_logging_in_is_recorded(api: SeededApi) -> None:
    log_in(api.client(), "reader")
    with api.context.database.read() as tx:
        assert users.get(tx, "reader").last_login_at == NOW


def test_a_revoked_key_is_refused_from_the_next_request_on(api: SeededApi) -> None:
    client = api.client("write")
    assert client.get(ME).status_code == 200
    assert api.client("admin").delete("/api/v1/keys/2").json()["revoked_at"]
    assert client.get(ME).status_code == 401


def test_a_key_ends_when_it_says(api: SeededApi) -> None:
    body = {"name": "for a day", "scopes": ["read"], "expires_at": (NOW + timedelta(days=1)).isoformat()}
    made = api.client("admin").post("/api/v1/keys", json=body)
    assert made.status_code == 201
    client = api.client()
    client.headers["Authorization"] = f"Bearer {made.json()['key']}"
    assert client.get(ME).json()["name"] == "for a day"
    api.context.clock.move(86_400)  # type: ignore[attr-defined]
    assert client.get(ME).status_code == 401


def test_a_key_is_shown_once_and_only_its_digest_is_kept(api: SeededApi) -> None:
    admin = api.client("admin")
    made = admin.post("/api/v1/keys", json={"name": "notebook", "scopes": ["read"]})
    assert made.headers["cache-control"] == "no-store"
    secret = made.json()["key"]
    listed = admin.get("/api/v1/keys").text
    assert made.json()["prefix"] in listed
    assert secret not in listed
    for file in api.folder.glob("kiosque.sqlite*"):
        assert secret.encode() not in file.read_bytes()


def test_the_key_of_a_disabled_user_is_refused(api: SeededApi) -> None:
    body = {"name": "of reader", "scopes": ["read"], "owner": "reader"}
    key = api.client("admin").post("/api/v1/keys", json=body).json()["key"]
    client = api.client()
    client.headers["Authorization"] = f"Bearer {key}"
    assert client.get(ME).status_code == 200
    assert api.client("admin").patch("/api/v1/users/reader", json={"disabled": True}).status_code == 200
    assert client.get(ME).status_code == 401


def test_the_use_of_a_key_is_recorded_once_a_minute(api: SeededApi) -> None:
    def last_used() -> Any:
        with api.context.database.read() as tx:
            return keys.get(tx, 1).last_used_at

    client = api.client("read")
    client.get(ME)
    assert last_used() == NOW
    api.context.clock.move(30)  # type: ignore[attr-defined]
    client.get(ME)
    assert last_used() == NOW
    api.context.clock.move(30)  # type: ignore[attr-defined]
    client.get(ME)
    assert last_used() == NOW + timedelta(seconds=60)


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("Basic YWRtaW46YWRtaW4=", "Bearer"),
        ("Bearer", ""),
        ("Bearer ", ""),
        (f"Bearer {make_key().text}", "revoked"),
        (f"Bearer {KEYS['admin']}x", ""),
        ("Bearer a.b.c", ""),
        ("Bearer \xff\xfe", ""),
    ],
)
def test_anything_else_is_refused_even_where_reading_is_open(make_api: Any, header: str, hint: str) -> None:
    client = make_api(open_reading=True).client()
    assert client.get(ME).status_code == 200
    refused = client.get(ME, headers={"Authorization": header.encode("latin-1")})  # type: ignore[dict-item]
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert hint in refused.json().get("hint", "")


def test_logging_in_works_with_an_expired_token_still_in_the_header(api: SeededApi) -> None:
    client = api.client("expired")
    assert log_in(client, "reader").status_code == 200


def test_a_session_counts_for_reading_only(make_api: Any) -> None:
    """What the pages know of their visitor lets their scripts read, and no foreign page write."""
    from kiosque.api.context import Hooks
    from kiosque.api.scopes import Caller, Scope, Via

    visitor = Caller(id="user:ana", name="ana", scopes=frozenset(Scope), via=Via.SESSION)
    client = make_api(hooks=Hooks(session=lambda _: visitor)).client()
    assert client.get(ME).json()["name"] == "ana"
    assert client.post("/api/v1/rematch").status_code == 401


def test_requests_are_limited_by_who_asks(make_api: Any) -> None:
    api = make_api(rate_limit="3/hour")
    client = api.client("read")
    remaining = [client.get(ME).headers["ratelimit-remaining"] for _ in range(3)]
    assert remaining == ["2", "1", "0"]
    refused = client.get(ME)
    assert refused.status_code == 429
    assert refused.json()["code"] == "rate_limited"
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["ratelimit-limit"] == "3"
    assert api.client("write").get(ME).status_code == 200


def test_wrong_keys_do_not_buy_fresh_limits(make_api: Any) -> None:
    client = make_api(rate_limit="3/hour").client()
    statuses = []
    for _ in range(5):
        client.headers["Authorization"] = f"Bearer {make_key().text}"
        statuses.append(client.get(ME).status_code)
    assert statuses == [401, 401, 401, 429, 429]


def test_limits_are_said_on_errors_too(make_api: Any) -> None:
    client = make_api(rate_limit="9/hour").client("read")
    for path in ("/api/v1/nonsense", "/api/v1/users", "/api/v1/articles?nonsense=1"):
        assert "ratelimit-remaining" in client.get(path).headers
