"""The API as an application, and as a part of one that has pages, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from kiosque import __version__
from kiosque.api.context import Api, ApiContext
from kiosque.api.gate import Gate
from kiosque.api.manual import add_manual
from kiosque.api.route import PREFIX
from kiosque.api.routes import (
    accounts,
    alerts,
    articles,
    books,
    entities,
    feedback,
    models,
    operations,
    polarity,
    rematch,
    searches,
    stats,
    stream,
    watchlists,
)
from kiosque.http.limits import install_limits
from kiosque.http.problems import install_problem_handlers

_ROUTERS = (
    articles.router,
    stream.router,
    entities.router,
    watchlists.router,
    rematch.router,
    stats.router,
    polarity.router,
    books.router,
    models.router,
    operations.router,
    feedback.router,
    searches.router,
    alerts.router,
    accounts.router,
)
TAGS = [
    {"name": "articles", "description": "What came in: lists, search, one by one, as it comes."},
    {"name": "entities", "description": "Who is watched, under which names, and their history."},
    {"name": "statistics", "description": "Numbers over time. Every share names its denominator."},
    {"name": "polarity", "description": "How a text speaks of someone."},
    {"name": "books", "description": "Which book goes deeper."},
    {"name": "models", "description": "Model versions, and which one answers."},
    {"name": "operations", "description": "Sources and dead letters."},
    {"name": "feedback", "description": "What people say of the answers."},
    {"name": "searches", "description": "Searches that somebody keeps, with a feed each."},
    {"name": "alerts", "description": "Rules that watch someone, what they fired, and telling it."},
    {"name": "accounts", "description": "Tokens, keys and users."},
]
DESCRIPTION = """\
Who is in the news, how does it speak of them, and which book goes deeper?

**Authentication.** Send `Authorization: Bearer …` with an API key (`kq_…`) or a token from `POST token`.
Scopes: `read`, `write` (includes `read`), `admin` (includes both). On a machine of your own reading may be open.

**Lists** answer `{items, next}`; give `next` as `cursor` for the page that follows (also in the `Link` header).
With `format=csv` or `format=jsonl`, or the like in `Accept`, the whole list is streamed. In CSV a text that a
spreadsheet would take for a formula has an apostrophe before it; JSONL gives it as it is.

**Errors** are `application/problem+json` (RFC 9457): `code` is stable, `hint` says what to do. Unknown query
parameters are errors.

**Limits.** `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` say what is left; 429 has `Retry-After`.

**Caching.** Answers to GET have an `ETag`; with `If-None-Match` an unchanged one is 304.
"""


def create_api(context: ApiContext, *, max_body_bytes: int = 4_194_304) -> FastAPI:
    """An application that is the API and nothing else."""
    app = FastAPI(
        title="Kiosque",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    install_problem_handlers(app)
    install_api(app, context)
    install_limits(app, context.metrics, max_body_bytes=max_body_bytes)
    return app


def install_api(app: FastAPI, context: ApiContext) -> Api:
    """Add the routes under `/api/v1` to `app`, whose problem handlers must be installed already.

    What is returned is also at `app.state.api`; pages use its `authenticator`.
    """
    api = Api(context)
    app.state.api = api
    for router in _ROUTERS:
        app.include_router(router)
    app.add_middleware(Gate, api=api, prefix=f"{PREFIX}/", allowed=allowed_methods)
    add_manual(app)
    _describe(app, open_reading=context.open_reading)
    return api


def api_routes() -> list[APIRoute]:
    """Every route of the API."""
    return [route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def allowed_methods(path: str) -> list[str]:
    """The methods that `path` understands."""
    fitting = (route for route in api_routes() if route.path_regex.match(path))
    return sorted({method for route in fitting for method in route.methods or ()})


def _describe(app: FastAPI, *, open_reading: bool) -> None:
    """Say in the OpenAPI document what FastAPI cannot know."""
    generate: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        if open_reading:
            for operation in _operations(document):
                _make_optional(operation)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def _make_optional(operation: dict[str, Any]) -> None:
    """Where reading is open, nothing is needed in order to read."""
    security: list[dict[str, list[str]]] = operation.get("security", [])
    if {"Token": ["read"]} in security and {} not in security:
        security.append({})
