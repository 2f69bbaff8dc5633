"""The API for people: its routes as its OpenAPI document has them, and what each error code means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from kiosque.core.errors import KiosqueError
from kiosque.web.render import bare_page, page, reading_if_possible, visitor_values

router = APIRouter()
open_router = APIRouter()
"""What anybody may read: every problem of the API points to it."""

_OF_HTTP = (
    (
        "method_not_allowed",
        405,
        "Method not allowed",
        "The address exists; `Allow` names what it understands.",
    ),
    ("internal", 500, "Internal error", "Something unexpected happened; the log of the server says what."),
)


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One route with its method."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    parameters: tuple[Parameter, ...]
    body: str
    """An example of what to send, as JSON; empty where nothing is sent."""


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    description: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of error."""

    code: str
    status: int
    title: str
    meaning: str


@router.get("/api")
def api_page(request: Request) -> HTMLResponse:
    document = request.app.openapi()
    with reading_if_possible(request) as tx:
        return page(
            request,
            tx,
            "api.html",
            section="/api",
            chapters=chapters_of(document),
            address=str(request.base_url).rstrip("/"),
        )


@open_router.get("/docs/errors")
def error_page(request: Request) -> HTMLResponse:
    return bare_page("errors.html", **visitor_values(request), codes=error_codes())


def chapters_of(document: dict[str, Any]) -> list[Chapter]:
    """The operations by tag, in the order of the document."""
    chapters = []
    for tag in document.get("tags", []):
        found = tuple(op for op in _operations(document, tag["name"]))
        if found:
            chapters.append(Chapter(tag["name"], tag.get("description", ""), found))
    return chapters


def _operations(document: dict[str, Any], tag: str) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, given in methods.items():
            if tag in given.get("tags", ()):
                yield Operation(
                    id=given.get("operationId", f"{method}-{path}"),
                    method=method.upper(),
                    path=path,
                    summary=given.get("summary", ""),
                    description=given.get("description", ""),
                    scope=_scope(given),
                    parameters=tuple(_parameter(p) for p in given.get("parameters", ())),
                    body=_body(given),
                )


def _parameter(given: dict[str, Any]) -> Parameter:
    words = given.get("description") or given.get("schema", {}).get("description", "")
    return Parameter(given["name"], given["in"], bool(given.get("required")), words)


def _scope(given: dict[str, Any]) -> str:
    """The scope that a caller needs; empty where anybody may."""
    for way in given.get("security", ()):
        for scopes in way.values():
            if scopes:
                return str(scopes[0])
    return ""


def _body(given: dict[str, Any]) -> str:
    for content in given.get("requestBody", {}).get("content", {}).values():
        for example in content.get("examples", {}).values():
            return json.dumps(example["value"], indent=2, ensure_ascii=False)
    return ""


def error_codes() -> list[Code]:
    """Every code that a problem can have, by status."""
    codes = [Code(e.code, e.status, e.title, _first_line(e)) for e in _tree(KiosqueError)]
    codes += [Code(*row) for row in _OF_HTTP]
    return sorted({code.code: code for code in codes}.values(), key=lambda code: (code.status, code.code))


def _tree(kind: type[KiosqueError]) -> Iterator[type[KiosqueError]]:
    for child in kind.__subclasses__():
        if child.__module__ == KiosqueError.__module__:
            yield child
            yield from _tree(child)


def _first_line(kind: type[KiosqueError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]
