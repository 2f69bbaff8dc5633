"""Asking the New York Times APIs: one host, one key, one quota."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

from kiosque.core.errors import RateLimited
from kiosque.sources.http import Answer, HttpClient
from kiosque.sources.json_stream import parse_json
from kiosque.sources.quota import Quota

HOST = "api.nytimes.com"
KEY_PARAMETER = "api-key"
_BASE = f"https://{HOST}/svc"
_PAUSE = 60.0
"""Seconds to keep still after the NYT said "too many requests" without saying for how long: its shortest window."""


class NytApi:
    """GETs from the NYT within the quota. The key is the client's business: see `HttpClient(keys={HOST: …})`."""

    def __init__(self, client: HttpClient, quota: Quota) -> None:
        self._client = client
        self._quota = quota

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        max_bytes: int | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        """Raises RateLimited when the quota, or the NYT, allows no request now; otherwise as `HttpClient.fetch`."""
        admitted = False

        def admit() -> None:
            nonlocal admitted
            self._quota.take()
            admitted = True

        try:
            return self._client.fetch(
                f"{_BASE}/{path}",
                params=params,
                accept="application/json",
                admit=admit,
                max_bytes=max_bytes,
                into=into,
            )
        except RateLimited as error:
            if admitted:
                self._quota.close_for(error.retry_after or _PAUSE)
            raise

    def get_json(self, path: str, params: Mapping[str, str] | None = None) -> object:
        return parse_json(self.get(path, params).body)
