"""Every route × whoever may ask: what is refused, and how."""

from __future__ import annotations

from typing import Any

import pytest

from kiosque.testing.openapi import Operation, operations
from kiosque.testing.seeded import SeededApi, api_document

OPERATIONS = operations(api_document())
RANKS = {None: 0, "read": 1, "write": 2, "admin": 3}
CALLERS = {"nobody": 0, "read": 1, "write": 2, "admin": 3, "expired": -1, "revoked": -1, "garbage": -1}


def send(api: SeededApi, caller: str, operation: Operation) -> Any:
    """One request; streams are not opened, for they never end."""
    client = api.client(None if caller in ("nobody", "garbage") else caller)
    if caller == "garbage":
        client.headers["Authorization"] = "Bearer kq_garbage"
    example = operation.examples()[0]
    body = {"json": example.json} if example.json is not None else {}
    if example.form:
        body = {"data": dict(example.form)}
    return client.request(operation.method, example.path, params=list(example.query), **body)


def expected(operation: Operation, caller: str, *, open_reading: bool) -> int | None:
    """The status of the refusal; None where there is none."""
    needed, rank = RANKS[operation.scope], CALLERS[caller]
    if needed == 0 or rank >= needed:
        return None
    if rank == 0:
        return None if open_reading and needed == 1 and not is_personal(operation) else 401
    return 401 if rank < 0 else 403


def is_personal(operation: Operation) -> bool:
    """Whether it needs somebody, however open reading is."""
    return operation.id == "change_my_password"


@pytest.mark.parametrize("open_reading", [False, True], ids=["closed", "open"])
@pytest.mark.parametrize("caller", list(CALLERS))
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_authorisation_matrix(
    make_api: Any, steady: dict[bool, SeededApi], operation: Operation, caller: str, *, open_reading: bool
) -> None:
    refusal = expected(operation, caller, open_reading=open_reading)
    if operation.id == "stream_articles" and refusal is None:
        pytest.skip("an open stream never ends; tests/integration/api/test_stream.py opens it")
    changes_nothing = refusal is not None or operation.method == "GET"
    api = steady[open_reading] if changes_nothing else make_api(open_reading=open_reading)
    response = send(api, caller, operation)
    if refusal is None:
        assert response.status_code not in (401, 403), response.text
        return
    assert response.status_code == refusal, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith('Bearer realm="kiosque"')
    assert f'scope="{operation.scope}"' in response.headers["www-authenticate"]
    assert response.json()["hint"]


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.scope], ids=lambda operation: operation.id)
def test_who_asks_is_settled_before_what_is_asked(
    steady: dict[bool, SeededApi], operation: Operation
) -> None:
    """A stranger learns nothing from a body or a parameter that is wrong."""
    client = steady[False].client()
    path = operation.examples()[0].path
    response = client.request(
        operation.method,
        path,
        params={"nonsense": "1"},
        content=b"{",
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 401


def test_reading_is_documented_as_open_only_where_it_is(steady: dict[bool, SeededApi]) -> None:
    for open_reading, api in steady.items():
        for operation in operations(api.app.openapi()):
            nothing_needed = {} in operation.spec.get("security", [{}])
            assert nothing_needed == (operation.scope is None or (open_reading and operation.scope == "read"))
