"""Middleware for every HTTP process: limits of requests and bodies, request ids, timing, security headers."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable

import structlog
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosque.core.errors import TooLarge, TryAgain
from kiosque.http import patience
from kiosque.http.problems import problem_response, respond_to
from kiosque.ops.metrics import Metrics

MOST_REQUESTS = 1024
"""Requests that are answered at a time; uvicorn's own limit refuses without saying when to come again."""
_SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def install_limits(app: FastAPI, metrics: Metrics, *, max_body_bytes: int) -> None:
    """What a request goes through first, in every process. What the limits refuse is counted and has an id, too."""
    app.add_middleware(BodyLimit, limit=max_body_bytes)
    app.add_middleware(RequestLimit, limit=MOST_REQUESTS)
    app.add_middleware(Telemetry, metrics=metrics)


class RequestLimit:
    """Answers 503 with `Retry-After` while `limit` requests are being answered already, streams included."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._open >= self.limit:
            await respond_to(self._full())(scope, receive, send)
        else:
            self._open += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._open -= 1

    def _full(self) -> TryAgain:
        return TryAgain(
            f"{self.limit:,} requests are being answered already.", hint="Try again shortly.", retry_after=1.0
        )


class BodyLimit:
    """Answers 413 as soon as a body exceeds `limit` bytes, whatever its headers claim; 408 to a slow one."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _declared_length(scope) > self.limit:
            await self._refuse(scope, receive, send)
            return
        try:
            async with asyncio.timeout(patience.BODY_SECONDS):
                body = await self._read(receive)
        except TimeoutError:
            await _too_slow()(scope, receive, send)
            return
        if body is None:
            await self._refuse(scope, receive, send)
            return
        await self.app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> list[Message] | None:
        """The messages of the body, or None when it is too large."""
        messages: list[Message] = []
        size = 0
        while True:
            message = await receive()
            messages.append(message)
            size += len(message.get("body", b""))
            if size > self.limit:
                return None
            if not message.get("more_body", False):
                return messages

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(
            f"The body exceeds {self.limit:,} bytes.", hint="Send less at a time, e.g. in several requests."
        )
        await respond_to(error)(scope, receive, send)


def _too_slow() -> Response:
    return problem_response(
        408,
        "request_timeout",
        "Request Timeout",
        f"The body did not arrive within {patience.BODY_SECONDS:g} seconds.",
        hint="Send less at a time, e.g. in several requests.",
        headers={"Connection": "close"},
    )


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _replay(messages: list[Message], receive: Receive) -> Receive:
    remaining = iter(messages)

    async def replay() -> Message:
        return next(remaining, None) or await receive()

    return replay


class Telemetry:
    """Gives each request an id, counts and times it by route, and adds the security headers."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.app = app
        self.metrics = metrics
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        started = self.clock()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            finally:
                self._observe(scope, status, self.clock() - started)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        # The template of the route, never the address: addresses are unbounded.
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self.metrics.http_requests.labels(method, route, str(status)).inc()
        self.metrics.http_seconds.labels(method, route).observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _add_headers(message: Message, request_id: str) -> None:
    headers = list(message.get("headers", ()))
    present = {name.lower() for name, _ in headers}
    headers += [pair for pair in _SECURITY_HEADERS if pair[0] not in present]
    headers.append((b"x-request-id", request_id.encode()))
    message["headers"] = headers
