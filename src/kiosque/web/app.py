"""Putting the pages into the application that already has the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from os import PathLike, stat_result
from typing import Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kiosque.core.errors import KiosqueError, StoreUnavailable, Unauthenticated
from kiosque.web.explained import Explanations
from kiosque.web.language import ENGLISH, LanguageChoice, current, gettext
from kiosque.web.pages import (
    account,
    administration,
    alerts,
    articles,
    elections,
    files,
    jobs,
    manual,
    models,
    operations,
    people,
    playground,
    reading,
    searches,
    shelves,
    today,
    verdicts,
    words,
    workings,
)
from kiosque.web.render import STATIC, bare_page, here, house, page
from kiosque.web.session import Sessions, need_reader
from kiosque.web.terms import term

# `files` first: /elections/1860.csv is no year
_PAGES = (
    files,
    today,
    people,
    articles,
    searches,
    alerts,
    elections,
    shelves,
    reading,
    models,
    operations,
    jobs,
    administration,
    workings,
    manual,
    playground,
    verdicts,
    words,
)
LOOK_AGAIN = 10
"""Seconds after which a page that needs the database is tried again while that does not answer."""
_NOT_PAGES = ("/api/", "/static/", "/livez", "/readyz", "/metrics")

Handler = Callable[[Request, Exception], Response | Awaitable[Response]]


class _Static(StaticFiles):
    """Files whose address names what is in them, by its digest: a browser need not ask for them again."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        if b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def install_pages(app: FastAPI, *, secure_cookies: bool = False) -> None:
    """Add every page and the static files. `install_api` must have run: pages use what it put into the state.

    `secure_cookies`: a proxy that ends TLS stands in front, so that cookies can be kept off plain HTTP.
    """
    app.state.sessions = Sessions(app.state.api, secure=secure_cookies)
    app.add_middleware(LanguageChoice, secure=secure_cookies)
    app.state.explanations = Explanations()
    app.mount("/static", _Static(directory=STATIC), name="static")
    for module in _PAGES:
        app.include_router(module.router, include_in_schema=False, dependencies=[Depends(need_reader)])
    for open_router in (account.open_router, manual.open_router, searches.open_router, alerts.open_router):
        app.include_router(open_router, include_in_schema=False)
    for kind in (KiosqueError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _pages_or(app.exception_handlers[kind]))


def _pages_or(otherwise: Handler) -> Handler:
    """Errors of pages are pages; those of the API stay problems."""

    async def handle(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(_NOT_PAGES):
            answer = otherwise(request, error)
            return answer if isinstance(answer, Response) else await answer
        return await run_in_threadpool(_problem_page, request, error)

    return handle


def _problem_page(request: Request, error: Exception) -> Response:
    if isinstance(error, Unauthenticated) and request.method in ("GET", "HEAD"):
        return RedirectResponse(f"/login?next={quote(here(request), safe='')}", status_code=303)
    status, title, detail, hint = _told(error)
    spoken = current().code if _said_by_pages(error) else ENGLISH
    values: dict[str, Any] = {
        "status": status,
        "title": term(title),
        "detail": detail,
        "hint": hint,
        "spoken": spoken,
        "without_store": isinstance(error, StoreUnavailable),
    }
    if isinstance(error, StoreUnavailable):
        address = here(request) if request.method == "GET" else "/"
        return bare_page("problem.html", **values, here=address, headers={"Retry-After": str(LOOK_AGAIN)})
    try:
        with house(request).database.read() as tx:
            return page(request, tx, "problem.html", **values)
    except KiosqueError:  # the database is wrong, too
        return bare_page("problem.html", **values)


def _said_by_pages(error: Exception) -> bool:
    """Whether the words of `error` come from a page, and so are in its language; all others are English."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    name = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return isinstance(error, RequestValidationError) or name.startswith("kiosque.web.")


def _told(error: Exception) -> tuple[int, str, str, str | None]:
    if isinstance(error, KiosqueError):
        return error.status, error.title, error.detail, error.hint
    if isinstance(error, HTTPException):
        return error.status_code, HTTPStatus(error.status_code).phrase, f"{error.detail}.", None
    return (
        422,
        gettext("That address cannot be read"),
        gettext("A part of it is not what this page expects."),
        gettext("Take it out and try again."),
    )
