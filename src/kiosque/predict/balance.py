"""Connections to every replica behind one name.

A DNS name such as `predict` may stand for several servers, and a kept connection would stay with one of them for
ever. Here the name is resolved anew every few seconds, requests go round the addresses, and an address that does
not connect is passed over for a while.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from time import monotonic

import httpx2
import structlog

log = structlog.get_logger(__name__)

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host; OSError where it has none."""

RESOLVE_SECONDS = 5.0
AVOID_SECONDS = 5.0
"""How long an address that did not connect is passed over, unless all of them are."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host`, sorted, each once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found})


class BalancingTransport(httpx2.BaseTransport):
    """Sends each request to the next address of its host, over `inner`, which keeps the connections."""

    def __init__(
        self,
        inner: httpx2.BaseTransport,
        *,
        resolver: Resolve = resolve,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._inner = inner
        self._resolve = resolver
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: dict[tuple[str, int], _Addresses] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Tries every address once. Raises ConnectError when none connects or the name is unknown."""
        failure: httpx2.TransportError | None = None
        addresses, order = self._order(request.url.host, request.url.port or _default_port(request.url))
        for address in order:
            try:
                return self._inner.handle_request(_to(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                log.info("predict.address_avoided", address=address, reason=str(error))
                addresses.avoid(address, self._clock() + AVOID_SECONDS)
                failure = error
        raise failure or httpx2.ConnectError(f"{request.url.host} has no address")

    def close(self) -> None:
        self._inner.close()

    def _order(self, host: str, port: int) -> tuple[_Addresses, list[str]]:
        now = self._clock()
        with self._lock:
            addresses = self._hosts.setdefault((host, port), _Addresses())
            if now >= addresses.resolve_at:
                self._look_up(addresses, host, port, now)
            return addresses, list(addresses.turn(now))

    def _look_up(self, addresses: _Addresses, host: str, port: int, now: float) -> None:
        try:
            addresses.known = self._resolve(host, port)
        except OSError as error:
            if not addresses.known:
                raise httpx2.ConnectError(f"{host} cannot be resolved: {error}") from error
        addresses.resolve_at = now + RESOLVE_SECONDS


class _Addresses:
    """The addresses of one host, and whose turn it is."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self.resolve_at = 0.0
        self._next = 0
        self._avoided: dict[str, float] = {}

    def avoid(self, address: str, until: float) -> None:
        self._avoided[address] = until

    def turn(self, now: float) -> Iterator[str]:
        """All of them, from the next one on, those to be avoided last."""
        self._next += 1
        first = self._next % len(self.known) if self.known else 0
        order = self.known[first:] + self.known[:first]
        return iter(sorted(order, key=lambda address: self._avoided.get(address, 0.0) > now))


class PinnedTransport(httpx2.BaseTransport):
    """Sends every request to one address, whatever its host's name stands for; `inner` is the caller's to close."""

    def __init__(self, inner: httpx2.BaseTransport, address: str) -> None:
        self._inner = inner
        self._address = address

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._inner.handle_request(_to(request, self._address))


def _to(request: httpx2.Request, address: str) -> httpx2.Request:
    """`request` addressed to `address`; its Host header and the name that TLS checks stay."""
    name = f"[{address}]" if isinstance(ip_address(address.partition("%")[0]), IPv6Address) else address
    extensions = {**request.extensions, "sni_hostname": request.url.host}
    return httpx2.Request(
        method=request.method,
        url=request.url.copy_with(host=name),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _default_port(url: httpx2.URL) -> int:
    return 443 if url.scheme == "https" else 80
