"""Logging in and out, and one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kiosque.api.ratelimit import client_of
from kiosque.api.scopes import Scope
from kiosque.core.errors import InvalidInput, KiosqueError, RateLimited, Unauthenticated
from kiosque.store import keys, users
from kiosque.web.language import gettext
from kiosque.web.pages.administration import checked_password
from kiosque.web.render import house, page
from kiosque.web.session import Sessions, safe_return, sender, sessions_of, visitor_of

open_router = APIRouter()
"""Pages that nobody needs to be logged in for."""

MAX_FIELD = 1000


@open_router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    return _form(request, safe_return(next))


@open_router.post("/login")
def log_in(
    request: Request,
    username: Annotated[str, Form(max_length=MAX_FIELD)] = "",
    password: Annotated[str, Form(max_length=MAX_FIELD)] = "",
    next: Annotated[str, Form(max_length=MAX_FIELD)] = "/",  # noqa: A002
    form_token: Annotated[str, Form(max_length=MAX_FIELD)] = "",
) -> Response:
    target = safe_return(next)
    sessions = _sessions(request)
    sessions.check_form(request, form_token)
    response = RedirectResponse(target, status_code=303)
    try:
        sessions.log_in(request, response, username, password)
    except (Unauthenticated, RateLimited) as error:
        return _form(request, target, username=username, problem=str(error), status=error.status)
    return response


@open_router.post("/logout")
def log_out(request: Request, form_token: Annotated[str, Form(max_length=MAX_FIELD)] = "") -> Response:
    sessions = _sessions(request)
    response = RedirectResponse("/", status_code=303)
    if sessions.caller(request) is not None:
        sessions.check_form(request, form_token)
    sessions.log_out(request, response)
    return response


@open_router.get("/account")
def own_account(request: Request, sent: str = "") -> Response:
    return _account(request, sent=sent)


@open_router.post("/account/password")
def change_password(
    request: Request,
    current: Annotated[str, Form(max_length=MAX_FIELD)] = "",
    new: Annotated[str, Form(max_length=MAX_FIELD)] = "",
    again: Annotated[str, Form(max_length=MAX_FIELD)] = "",
    form_token: Annotated[str, Form(max_length=MAX_FIELD)] = "",
) -> Response:
    """Every session and token got with the old password ends; this browser gets a new one."""
    caller = sender(request, form_token, Scope.READ)
    api = house(request)
    address = client_of(request.client.host if request.client else None)
    response = RedirectResponse("/account?sent=password", status_code=303)
    try:
        user = api.authenticator.log_in(caller.name, current, address)
        if new != again:
            raise InvalidInput(
                gettext("The two new passwords differ."), hint=gettext("Type the same one twice.")
            )
        hashed = api.authenticator.hash_password(checked_password(new))
        with api.database.write() as tx:
            users.set_password(tx, user.name, hashed)
        _sessions(request).log_in(request, response, caller.name, new)
    except KiosqueError as error:
        return _account(request, problem=error)
    return response


def _account(request: Request, *, sent: str = "", problem: KiosqueError | None = None) -> Response:
    visitor = visitor_of(request)
    if not visitor.logged_in:
        raise Unauthenticated(gettext("Log in to see your account."))
    with house(request).database.read() as tx:
        return page(
            request,
            tx,
            "account.html",
            section="/account",
            status=problem.status if problem else 200,
            user=users.get(tx, visitor.caller.name),
            keys=[key for key in keys.everything(tx, owner=visitor.caller.name) if not key.revoked_at],
            sent=sent,
            problem=problem,
        )


def _form(
    request: Request, target: str, *, username: str = "", problem: str = "", status: int = 200
) -> Response:
    sessions = _sessions(request)
    seed, token = sessions.begin_visit(request)
    with house(request).database.read() as tx:
        response = page(
            request,
            tx,
            "login.html",
            status=status,
            target=target,
            username=username,
            problem=problem,
            login_token=token,
            nobody=users.count(tx) == 0,
        )
    sessions.keep_visit(response, seed)
    return response


def _sessions(request: Request) -> Sessions:
    sessions = sessions_of(request)
    assert sessions is not None
    return sessions
