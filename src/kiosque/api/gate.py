"""Before any route: who is asking, and whether they ask too often. After it: the headers that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiosque.api.auth import AfterwardsTask, Identified
from kiosque.api.context import Api
from kiosque.api.ratelimit import Allowance, client_of
from kiosque.core.errors import KiosqueError, RateLimited, Unauthenticated
from kiosque.http.problems import respond_to

_REALM = 'Bearer realm="kiosque"'


AllowedMethods = Callable[[str], Iterable[str]]
"""The methods that a path understands. Starlette names only those of the first route that fits."""


class Gate:
    """Middleware for the addresses under `prefix`.

    Puts into the request's state: `caller`, and `refusal`, the error of a key or token that is not valid
    (a route that is open to everybody ignores it).
    """

    def __init__(self, app: ASGIApp, api: Api, prefix: str, allowed: AllowedMethods) -> None:
        self.app = app
        self._api = api
        self._prefix = prefix
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        state = scope.setdefault("state", {})
        try:
            afterwards = await self._identify(connection, state)
        except KiosqueError as error:  # the database is away
            await respond_to(error)(scope, receive, send)
            return
        allowance = self._api.limiter.take(state["caller"].id)
        decorated = self._decorate(send, allowance, scope)
        if allowance and not allowance.allowed:
            await respond_to(_too_many(allowance))(scope, receive, decorated)
            return
        await self.app(scope, receive, decorated)
        if afterwards:
            await run_in_threadpool(afterwards)

    async def _identify(self, connection: HTTPConnection, state: dict[str, object]) -> AfterwardsTask | None:
        """Put `caller` and `refusal` into `state`."""
        address = client_of(connection.client.host if connection.client else None)
        state["caller"] = self._api.authenticator.nobody(address)
        state["refusal"] = None
        state["address"] = address
        try:
            identified = await self._known_caller(connection)
        except Unauthenticated as error:
            state["refusal"] = error
            return None
        if identified is None:
            return None
        state["caller"] = identified.caller
        return identified.afterwards

    async def _known_caller(self, connection: HTTPConnection) -> Identified | None:
        header = connection.headers.get("authorization")
        if header is not None:
            scheme, _, bearer = header.partition(" ")
            if scheme.lower() != "bearer":
                raise Unauthenticated(
                    "Only bearer authentication is understood.", hint="Send `Authorization: Bearer …`."
                )
            return await run_in_threadpool(self._api.authenticator.identify, bearer.strip())
        session = self._api.context.hooks.session
        if session and connection.scope["method"] in ("GET", "HEAD"):
            caller = await run_in_threadpool(session, connection)
            return Identified(caller) if caller else None
        return None

    def _decorate(self, send: Send, allowance: Allowance | None, scope: Scope) -> Send:
        """`send` that adds `RateLimit-*` to every answer and says in refusals what was missing."""

        async def decorated(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if allowance:
                    headers.update(allowance.headers())
                challenge = _challenge(message["status"], scope["state"])
                if challenge:
                    headers["WWW-Authenticate"] = challenge
                if message["status"] == 405:
                    headers["Allow"] = ", ".join(self._allowed(scope["path"]))
            await send(message)

        return decorated


def _too_many(allowance: Allowance) -> RateLimited:
    return RateLimited(
        f"More than {allowance.limit:,} requests in {allowance.window} seconds.",
        hint="Wait as long as Retry-After says; ask for more per request.",
        retry_after=allowance.reset,
    )


def _challenge(status: int, state: dict[str, object]) -> str | None:
    """`WWW-Authenticate` as RFC 6750 wants it."""
    scope = state.get("required_scope")
    wanted = f', scope="{scope}"' if scope else ""
    if status == 401:
        error = ', error="invalid_token"' if state.get("refusal") else ""
        return f"{_REALM}{error}{wanted}"
    if status == 403:
        return f'{_REALM}, error="insufficient_scope"{wanted}'
    return None
