"""Logging in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from kiosque.core.errors import RateLimited, Unauthenticated
from kiosque.store import users
from kiosque.web.render import house, page
from kiosque.web.session import Sessions, safe_return, sessions_of

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
