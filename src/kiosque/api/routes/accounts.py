"""Tokens, keys and users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Form, Path, Query, Request, Response

from kiosque.api.auth import user_scopes
from kiosque.api.context import ApiDep, CallerDep
from kiosque.api.keys import make_key
from kiosque.api.lists import answer_list, list_responses, map_page, slice_page
from kiosque.api.route import NEEDS_ADMIN, NEEDS_READ, OPEN_TO_ALL, PREFIX, ApiRoute, problems
from kiosque.api.schemas.accounts import (
    CallerAnswer,
    KeyAnswer,
    KeyBody,
    KeyListing,
    NewKeyAnswer,
    PasswordBody,
    TokenAnswer,
    TokenForm,
    UserAnswer,
    UserBody,
    UserChangeBody,
    UserListing,
    UserName,
    in_order,
    key_fields,
)
from kiosque.api.schemas.base import ListQuery
from kiosque.api.scopes import Caller, Scope, Via, parse_scopes
from kiosque.core.clock import to_utc
from kiosque.core.errors import Conflict, InvalidInput, Unauthenticated
from kiosque.http.problems import problem_responses
from kiosque.store import keys, users
from kiosque.store.paging import Page

router = APIRouter(prefix=PREFIX, tags=["accounts"], route_class=ApiRoute)

_NO_STORE = {"Cache-Control": "no-store"}
_KEY = {
    "reading": {
        "summary": "For a notebook that reads, for a year",
        "value": {"name": "notebook", "scopes": ["read"], "expires_at": "2030-01-01T00:00:00Z"},
    }
}
_USER = {
    "editor": {
        "summary": "Someone who may write",
        "value": {"name": "ana", "password": "a long pass phrase", "scopes": ["write"]},
    }
}
_DISABLE = {"disable": {"summary": "Lock someone out", "value": {"disabled": True}}}
_PASSWORD = {
    "new": {
        "summary": "Another password",
        "value": {"current": "the reader's pass phrase", "new": "an even longer pass phrase"},
    }
}
_FORM = {
    "login": {
        "summary": "A token that may only read",
        "value": {
            "grant_type": "password",
            "username": "writer",
            "password": "the writer's pass phrase",
            "scope": "read",
        },
    }
}
KeyId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the key.", examples=[1])]
UserPath = Annotated[UserName, Path(description="Name of the user.", examples=["reader"])]


@router.post(
    "/token",
    summary="Get a token with user name and password",
    operation_id="issue_token",
    dependencies=OPEN_TO_ALL,
    responses=problem_responses(400, 401, 413, 422, 429, 500, 503),
)
def issue_token(
    request: Request,
    api: ApiDep,
    response: Response,
    form: Annotated[TokenForm, Form(openapi_examples=_FORM)],
) -> TokenAnswer:
    """The OAuth2 password form. The token is sent like a key: `Authorization: Bearer …`."""
    scopes = frozenset(Scope) if not form.scope else parse_scopes(form.scope.split())
    user = api.authenticator.log_in(form.username, form.password, request.state.address)
    response.headers.update(_NO_STORE)
    return TokenAnswer(
        access_token=api.authenticator.issue_token(user, scopes),
        expires_in=int(api.tokens.lifetime.total_seconds()),
        scope=" ".join(in_order(scopes & user_scopes(user))),
    )


@router.get(
    "/me",
    summary="Who is asking",
    operation_id="get_me",
    dependencies=NEEDS_READ,
    responses=problems(),
)
def get_me(response: Response, caller: CallerDep) -> CallerAnswer:
    """As whom this request counts, and what it may do."""
    response.headers.update(_NO_STORE)
    return CallerAnswer.of(caller)


@router.put(
    "/me/password",
    summary="Change one's password",
    operation_id="change_my_password",
    dependencies=NEEDS_READ,
    status_code=204,
    response_class=Response,
    responses=problems(400, 409, 413),
)
def change_my_password(
    request: Request,
    api: ApiDep,
    caller: CallerDep,
    body: Annotated[PasswordBody, Body(openapi_examples=_PASSWORD)],
) -> None:
    """For someone who came with a token. Every token got with the old password fails from then on."""
    if caller.via is Via.NOTHING:
        raise Unauthenticated("Whose password?", hint="Ask with a token from POST token.")
    if caller.via is Via.KEY:
        raise Conflict("Only a user has a password.", hint="Ask with a token from POST token.")
    user = api.authenticator.log_in(caller.name, body.current, request.state.address)
    hashed = api.authenticator.hash_password(body.new)
    with api.database.write() as tx:
        users.set_password(tx, user.name, hashed)


@router.get(
    "/keys",
    summary="API keys",
    operation_id="list_keys",
    dependencies=NEEDS_ADMIN,
    response_model=None,
    responses=list_responses(KeyListing) | problems(),
)
def list_keys(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """Newest first, revoked ones included. The keys themselves are not kept."""

    def fetch(limit: int, cursor: str | None) -> Page[KeyAnswer]:
        with api.database.read() as tx:
            found = keys.everything(tx)
        return map_page(slice_page(found, limit, cursor), KeyAnswer.of)

    return _private(answer_list(request, query, fetch, KeyListing, KeyAnswer, "keys"))


@router.post(
    "/keys",
    summary="Make an API key",
    operation_id="create_key",
    dependencies=NEEDS_ADMIN,
    status_code=201,
    responses=problems(400, 404, 413),
)
def create_key(
    api: ApiDep, response: Response, body: Annotated[KeyBody, Body(openapi_examples=_KEY)]
) -> NewKeyAnswer:
    """The answer holds the key. It is shown this once."""
    now, new = api.clock(), make_key()
    expires_at = to_utc(body.expires_at) if body.expires_at else None
    if expires_at and expires_at <= now:
        raise InvalidInput("`expires_at` has passed.", hint="Give a moment in the future, or none.")
    with api.database.write() as tx:
        if body.owner:
            users.get(tx, body.owner)
        key = keys.add(
            tx,
            name=body.name,
            prefix=new.prefix,
            digest=new.digest,
            scopes=tuple(in_order(frozenset(body.scopes))),
            at=now,
            owner=body.owner,
            expires_at=expires_at,
        )
    response.headers.update(_NO_STORE)
    return NewKeyAnswer.model_validate({**key_fields(key), "key": new.text})


@router.delete(
    "/keys/{key}",
    summary="Revoke an API key",
    operation_id="revoke_key",
    dependencies=NEEDS_ADMIN,
    responses=problems(404),
)
def revoke_key(api: ApiDep, response: Response, key: KeyId) -> KeyAnswer:
    """At once. It stays in the list."""
    with api.database.write() as tx:
        keys.revoke(tx, key, api.clock())
        found = keys.get(tx, key)
    response.headers.update(_NO_STORE)
    return KeyAnswer.of(found)


@router.get(
    "/users",
    summary="Users",
    operation_id="list_users",
    dependencies=NEEDS_ADMIN,
    response_model=None,
    responses=list_responses(UserListing) | problems(),
)
def list_users(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """By name."""

    def fetch(limit: int, cursor: str | None) -> Page[UserAnswer]:
        with api.database.read() as tx:
            found = users.everyone(tx)
        return map_page(slice_page(found, limit, cursor), UserAnswer.of)

    return _private(answer_list(request, query, fetch, UserListing, UserAnswer, "users"))


@router.post(
    "/users",
    summary="Add a user",
    operation_id="create_user",
    dependencies=NEEDS_ADMIN,
    status_code=201,
    responses=problems(400, 409, 413),
)
def create_user(
    api: ApiDep, response: Response, body: Annotated[UserBody, Body(openapi_examples=_USER)]
) -> UserAnswer:
    """Who may log in with a password."""
    hashed = api.authenticator.hash_password(body.password)
    scopes = tuple(in_order(frozenset(body.scopes)))
    with api.database.write() as tx:
        user = users.add(tx, body.name, password_hash=hashed, scopes=scopes, at=api.clock())
    response.headers.update(_NO_STORE)
    return UserAnswer.of(user)


@router.patch(
    "/users/{user}",
    summary="Change a user",
    operation_id="change_user",
    dependencies=NEEDS_ADMIN,
    responses=problems(400, 404, 409, 413),
)
def change_user(
    api: ApiDep,
    response: Response,
    caller: CallerDep,
    user: UserPath,
    body: Annotated[UserChangeBody, Body(openapi_examples=_DISABLE)],
) -> UserAnswer:
    """Password, scopes, disabled. It holds from the next request on."""
    if body.disabled or (body.scopes is not None and Scope.ADMIN not in body.scopes):
        _not_oneself(caller, user)
    hashed = api.authenticator.hash_password(body.password) if body.password is not None else None
    with api.database.write() as tx:
        users.get(tx, user)
        if hashed is not None:
            users.set_password(tx, user, hashed)
        if body.scopes is not None:
            users.set_scopes(tx, user, tuple(in_order(frozenset(body.scopes))))
        if body.disabled is not None:
            users.set_disabled(tx, user, body.disabled)
        changed = users.get(tx, user)
    response.headers.update(_NO_STORE)
    return UserAnswer.of(changed)


@router.delete(
    "/users/{user}",
    summary="Delete a user",
    operation_id="delete_user",
    dependencies=NEEDS_ADMIN,
    status_code=204,
    response_class=Response,
    responses=problems(404, 409),
)
def delete_user(api: ApiDep, caller: CallerDep, user: UserPath) -> None:
    """With the keys that they own."""
    _not_oneself(caller, user)
    with api.database.write() as tx:
        users.delete(tx, user)


def _not_oneself(caller: Caller, user: str) -> None:
    if caller.via in (Via.TOKEN, Via.SESSION) and caller.name.casefold() == user.casefold():
        raise Conflict(
            "You cannot take away your own rights.", hint="Let another administrator do it, or use a key."
        )


def _private(response: Response) -> Response:
    response.headers.update(_NO_STORE)
    return response
