from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from kiosque.api.tokens import TokenIssuer
from kiosque.core.errors import Unauthenticated

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class Clock:
    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def issuer(clock: Clock | None = None, secret: str = "a secret of this installation") -> TokenIssuer:
    return TokenIssuer(
        secret, lifetime=timedelta(minutes=60), clock=clock or Clock(), new_id=lambda: "token-1"
    )


def forged(claims: dict[str, object], *, key: bytes = b"k" * 32, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, key, algorithm=algorithm)


def unpacked(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    result: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return result


def repacked(token: str, **header: object) -> str:
    """`token` with another header and no signature."""
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def test_a_token_says_who_what_and_until_when() -> None:
    claims = issuer().read(issuer().issue("ana", ["write", "read"], bound_to="print"))
    assert (claims.subject, claims.scopes, claims.token_id) == ("ana", {"read", "write"}, "token-1")
    assert (claims.issued_at, claims.expires_at) == (NOON, NOON + timedelta(minutes=60))
    assert claims.bound_to == "print"


def test_the_secret_key_itself_does_not_sign() -> None:
    token = issuer().issue("ana", ["read"])
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(
            token,
            b"a secret of this installation".ljust(32, b"\0"),
            algorithms=["HS256"],
            audience="kiosque-api",
            options={"verify_exp": False},
        )


def test_a_token_ends_to_the_second() -> None:
    clock = Clock()
    tokens = issuer(clock)
    token = tokens.issue("ana", ["read"])
    clock.now = NOON + timedelta(minutes=60) - timedelta(seconds=1)
    assert tokens.read(token).subject == "ana"
    clock.now = NOON + timedelta(minutes=60)
    with pytest.raises(Unauthenticated, match="expired"):
        tokens.read(token)


def test_a_token_from_the_future_is_refused_beyond_the_leeway() -> None:
    clock = Clock()
    tokens = issuer(clock)
    token = tokens.issue("ana", ["read"])
    clock.now = NOON - timedelta(seconds=20)
    assert tokens.read(token).subject == "ana"
    clock.now = NOON - timedelta(minutes=5)
    with pytest.raises(Unauthenticated, match="not valid yet"):
        tokens.read(token)


def test_another_installation_s_token_is_refused() -> None:
    token = issuer(secret="another installation's secret").issue("ana", ["admin"])
    with pytest.raises(Unauthenticated):
        issuer().read(token)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_no_algorithm_is_no_algorithm(algorithm: str) -> None:
    token = repacked(issuer().issue("ana", ["admin"]), alg=algorithm, typ="JWT")
    with pytest.raises(Unauthenticated):
        issuer().read(token)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_refused_even_with_the_right_key(algorithm: str) -> None:
    tokens = issuer()
    claims = unpacked(tokens.issue("ana", ["admin"]))
    key = tokens._key
    assert tokens.read(jwt.encode(claims, key, algorithm="HS256")).subject == "ana"
    with pytest.raises(Unauthenticated):
        tokens.read(jwt.encode(claims, key * 2, algorithm=algorithm))


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "scope", "jti", "iat", "exp", "bnd"])
def test_a_token_without_one_of_its_claims_is_refused(missing: str) -> None:
    tokens = issuer()
    claims = unpacked(tokens.issue("ana", ["read"]))
    del claims[missing]
    with pytest.raises(Unauthenticated):
        tokens.read(jwt.encode(claims, tokens._key, algorithm="HS256"))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 10**30},
        {"scope": ["read"]},
        {"sub": 7},
        {"jti": None},
        {"iss": "someone"},
        {"aud": "another"},
    ],
)
def test_claims_of_another_kind_are_refused(changed: dict[str, object]) -> None:
    tokens = issuer()
    claims = unpacked(tokens.issue("ana", ["read"])) | changed
    signed = jwt.api_jws.encode(json.dumps(claims).encode(), tokens._key, algorithm="HS256")
    with pytest.raises(Unauthenticated):
        tokens.read(signed)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "..", "é.é.é", "a" * 100_000, "\x00", "null"])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        issuer().read(text)


def test_a_changed_token_is_refused() -> None:
    token = issuer().issue("ana", ["read"])
    head, _, signature = token.split(".")
    claims = unpacked(token) | {"scope": "admin"}
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        issuer().read(f"{head}.{changed}.{signature}")
