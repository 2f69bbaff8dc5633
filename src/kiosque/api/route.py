"""What all routes of the API share: a declared scope, strict query parameters, ETags."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import Any, get_origin

from fastapi import Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.params import Depends
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer, OAuth2PasswordBearer
from pydantic import BaseModel
from starlette.responses import Response

from kiosque.api.scopes import Caller, Scope
from kiosque.core.errors import InvalidInput
from kiosque.http.problems import problem_responses

PREFIX = "/api/v1"

_token = OAuth2PasswordBearer(
    tokenUrl=f"{PREFIX}/token",
    scheme_name="Token",
    scopes={
        Scope.READ: "Read everything but accounts; ask the models.",
        Scope.WRITE: "Watch entities, give feedback, run sources and dead letters.",
        Scope.ADMIN: "Move models; users and keys.",
    },
    description="A short-lived token, got with user name and password from `POST token`.",
    auto_error=False,
)
_key = HTTPBearer(
    scheme_name="ApiKey",
    bearerFormat="kq_<8 hex digits>_<43 characters>",
    description="An API key, sent as `Authorization: Bearer kq_…`.",
    auto_error=False,
)


def _needs(scope: Scope) -> list[Depends]:
    return [Security(_token, scopes=[scope.value]), Security(_key)]


NEEDS_READ = _needs(Scope.READ)
NEEDS_WRITE = _needs(Scope.WRITE)
NEEDS_ADMIN = _needs(Scope.ADMIN)


class _OpenToAll:
    """Marks a route as open to everybody."""

    def __call__(self) -> None:
        return None


OPEN_TO_ALL: list[Depends] = [Depends(_OpenToAll())]

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ApiRoute(APIRoute):
    """A route that checks the caller before it reads the body, and says 304 where nothing changed.

    The scope is declared by `dependencies=NEEDS_…`; a route that declares none cannot be made.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        scope = declared_scope(self)
        known = dict(_query_parameters(self.dependant))

        async def handler(request: Request) -> Response:
            _admit(request, scope)
            _refuse_odd_parameters(request, known)
            response = await handle(request)
            return _conditional(request, response)

        return handler


def declared_scope(route: APIRoute) -> Scope | None:
    """The scope that `route` needs; None where it is open to all. Raises TypeError when it does not say."""
    for dependency in route.dependencies:
        scopes = getattr(dependency, "scopes", None)
        if scopes:
            return Scope(scopes[0])
        if isinstance(dependency.dependency, _OpenToAll):
            return None
    raise TypeError(f"{route.path} does not declare who may call it")


def _admit(request: Request, scope: Scope | None) -> None:
    if scope is None:
        return
    request.state.required_scope = scope.value
    if request.state.refusal:
        raise request.state.refusal
    caller: Caller = request.state.caller
    caller.require(scope)


def _query_parameters(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """The names of all query parameters, those inside models included, and whether one may occur more than once."""
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, info in annotation.model_fields.items():
                yield info.alias or name, get_origin(info.annotation) is list
        else:
            yield field.alias, get_origin(annotation) is list
    for inner in dependant.dependencies:
        yield from _query_parameters(inner)


def _refuse_odd_parameters(request: Request, known: Mapping[str, bool]) -> None:
    """Raises InvalidInput for a parameter that is not known, or given again where one would win silently."""
    for name in request.query_params:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"Did you mean {close[0]!r}? " if close else ""
            takes = f"It takes: {', '.join(known)}." if known else "It takes none."
            raise InvalidInput(f"Unknown query parameter {name[:80]!r}.", hint=meant + takes)
        if not known[name] and len(request.query_params.getlist(name)) > 1:
            raise InvalidInput(f"The query parameter {name!r} is given more than once.", hint="Give it once.")


def _conditional(request: Request, response: Response) -> Response:
    """`response` with an ETag out of its content, or 304 if that is what the client has."""
    if request.method != "GET" or response.status_code != 200 or not hasattr(response, "body"):
        return response
    response.headers.setdefault("Cache-Control", "private, no-cache")
    if "no-store" in response.headers["Cache-Control"]:
        return response
    digest = hashlib.blake2b(bytes(response.body), digest_size=12).hexdigest()
    etag = f'W/"{digest}"'
    response.headers["ETag"] = etag
    response.headers.add_vary_header("Accept")
    response.headers.add_vary_header("Authorization")
    if not _matches(request.headers.get("if-none-match"), etag):
        return response
    kept = ("cache-control", "etag", "vary", "link")
    return Response(
        status_code=304, headers={name: response.headers[name] for name in kept if name in response.headers}
    )


def _matches(condition: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names `etag`, compared weakly."""
    if condition is None:
        return False
    wanted = etag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in (wanted, "*") for part in condition.split(","))


Responses = dict[int | str, dict[str, Any]]
"""How answers are documented, by status."""


def text_response(description: str, media_type: str) -> Responses:
    """A 200 whose body is text of this type."""
    return {200: {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}}


def problems(*more: int) -> Responses:
    """What any guarded route may answer instead, and `more`, for OpenAPI."""
    return problem_responses(*sorted({401, 403, 422, 429, 500, 503, *more}))
