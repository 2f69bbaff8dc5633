"""Every error as RFC 9457 problem+json: our own, validation, 404, 405, 413 and what nobody expected."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from kiosque.core.errors import KiosqueError, TryAgain, Unauthenticated

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)
_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    401: "unauthenticated",
    403: "forbidden",
}


class FieldProblem(BaseModel):
    """One thing that is wrong with the input."""

    where: str = Field(description="Path of the value, e.g. `body.texts.0.headline`.")
    message: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `hint` says what to do."""

    type: str = Field(
        description="Address of the documentation of `code`.", examples=["/docs/errors#not_found"]
    )
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    errors: list[FieldProblem] | None = None


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers these statuses with a problem."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_response(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    hint: str | None = None,
    errors: list[FieldProblem] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    problem = Problem(
        type=f"/docs/errors#{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        errors=errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status_code=status, headers=headers, media_type=MEDIA_TYPE
    )


def respond_to(error: KiosqueError) -> Response:
    """What a client is told of one of our own errors."""
    headers: dict[str, str] = {}
    if isinstance(error, TryAgain) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return problem_response(
        error.status, error.code, error.title, error.detail, hint=error.hint, headers=headers or None
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Make `app` answer every error with a problem, and say so in its OpenAPI document."""

    @app.exception_handler(KiosqueError)
    async def on_known(request: Request, error: KiosqueError) -> Response:
        if error.status >= 500:
            _log.warning("request.failed", route=request.url.path, code=error.code, detail=error.detail)
        return respond_to(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        problems = [
            FieldProblem(where=".".join(str(p) for p in e["loc"]), message=e["msg"])
            for e in error.errors()[:50]
        ]
        return problem_response(
            422,
            "invalid_input",
            "Invalid input",
            "; ".join(f"{p.where}: {p.message}" for p in problems[:3]),
            errors=problems,
        )

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase
        return problem_response(
            error.status_code,
            _CODES.get(error.status_code, phrase.lower().replace(" ", "_")),
            phrase,
            str(error.detail),
            hint="Send the body as JSON in UTF-8." if error.status_code == 400 else None,
            headers=dict(error.headers) if error.headers else None,
        )

    @app.exception_handler(Exception)
    async def on_unexpected(request: Request, error: Exception) -> Response:
        _log.error("request.crashed", route=request.url.path, exc_info=error)
        return problem_response(
            500, "internal", "Internal error", "Something unexpected happened; the log says what."
        )

    _describe_problems(app)


def _describe_problems(app: FastAPI) -> None:
    """Put `Problem` in the OpenAPI document and let it stand where FastAPI documents its own 422."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema:
            return app.openapi_schema
        document = generate()
        components = document.setdefault("components", {}).setdefault("schemas", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(schema.pop("$defs", {}))
        components["Problem"] = schema
        for name in ("HTTPValidationError", "ValidationError"):
            components.pop(name, None)
        for operation in _operations(document):
            if "422" in operation.get("responses", {}):
                operation["responses"]["422"] = problem_responses(422)[422]
            if "requestBody" in operation:  # FastAPI's answer to bytes that are no text
                operation["responses"].setdefault("400", problem_responses(400)[400])
        app.openapi_schema = document
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for path in document.get("paths", {}).values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]
