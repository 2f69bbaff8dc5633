"""Who may ask a worker process to do something: whoever sends its bearer token."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import Request

from kiosque.core.errors import Forbidden, Unauthenticated

Authorise = Callable[[Request], None]
"""Returns when the request may write, raises Unauthenticated or Forbidden when not."""


def bearer(token: str | None) -> Authorise:
    """Lets requests pass that send `token`; without a token nobody may write."""

    def authorise(request: Request) -> None:
        if not token:
            raise Forbidden(
                "Writing is switched off: no token is set.",
                hint="Set KIOSQUE_PREDICT_TOKEN for this process and send it as a bearer token.",
            )
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise Unauthenticated("This needs a token.", hint="Send `Authorization: Bearer …`.")
        if not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise Unauthenticated(
                "The token is not right.", hint="See KIOSQUE_PREDICT_TOKEN of this process."
            )

    return authorise
