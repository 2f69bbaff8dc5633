"""API keys on their way into requests, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class QueryKey:
    """An API key that goes into the query of requests to one host."""

    parameter: str
    value: SecretStr


class WithKeys(httpx2.BaseTransport):
    """Adds the key to requests to its host, over https."""

    def __init__(self, inner: httpx2.BaseTransport, keys: Mapping[str, QueryKey]) -> None:
        self._inner = inner
        self._keys = keys

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        key = self._keys.get(request.url.host)
        if key is None or request.url.scheme != "https":
            return self._inner.handle_request(request)
        with_key = httpx2.Request(
            request.method,
            request.url.copy_merge_params({key.parameter: key.value.get_secret_value()}),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(with_key)

    def close(self) -> None:
        self._inner.close()


def shown(address: httpx2.URL | str) -> str:
    """An address as it may be logged: without user, password, query and fragment."""
    parts = urlsplit(str(address))
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"[:300]
