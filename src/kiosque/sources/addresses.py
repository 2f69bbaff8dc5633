"""Keeping sources off this machine's own network: which addresses may be connected to, and connecting to just those.

A name is resolved here, each of its addresses is judged, and the connection goes to the address that was judged, so
that a name cannot mean something else a moment later (DNS rebinding). Every redirect passes the same way.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

Resolve = Callable[[str, int], list[str]]
"""The addresses of a host name, in order of preference. Raises OSError where there are none."""

_WRAPPING = (ip_network("64:ff9b::/96"), ip_network("::/96"))
_LOCAL_NAMES = (".localhost", ".local", ".internal", ".home.arpa", ".lan")


class AddressRefused(httpx2.ConnectError):
    """The host lies on loopback, a private or a reserved network."""


def resolve(host: str, port: int) -> list[str]:
    """Asks the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open internet; what is no IP address does not."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    ip = _inner(ip)
    return ip.is_global and not ip.is_multicast


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one that only wraps it (mapped, compatible, 6to4, Teredo, NAT64)."""
    if isinstance(ip, IPv4Address):
        return ip
    if any(ip in network for network in _WRAPPING):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


class PublicOnly(httpx2.BaseTransport):
    """Passes requests on to `inner`, addressed to a judged IP address; refuses hosts that are not public.

    Host header, TLS server name and certificate check stay those of the name. `inner` must not keep connections
    alive: its pool would take two names on one address for the same.
    """

    def __init__(self, inner: httpx2.BaseTransport, *, resolve: Resolve = resolve) -> None:
        self._inner = inner
        self._resolve = resolve

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.raw_host.decode("ascii").strip("[]")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        failure = httpx2.ConnectError(f"{host} has no address")
        for address in self._judged(host, port):
            try:
                return self._inner.handle_request(_addressed(request, host, address))
            except httpx2.ConnectError as error:
                failure = error
        raise failure

    def _judged(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(f"{host} cannot be resolved") from error
        if not all(is_public(address) for address in addresses):
            raise AddressRefused(f"{host} is not on the public internet")
        return addresses

    def close(self) -> None:
        self._inner.close()


class PublicNames(httpx2.BaseTransport):
    """The weaker check for requests through a proxy, which resolves names itself: literal and local names only."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host.strip("[]").rstrip(".").lower()
        if not (is_public(host) if _is_literal(host) else _is_public_name(host)):
            raise AddressRefused(f"{host} is not on the public internet")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def outbound(
    *, allow_private_hosts: bool, proxy: str | None = None, resolver: Resolve = resolve
) -> httpx2.BaseTransport:
    """The network, without loopback, private and reserved addresses unless they are allowed."""
    network = httpx2.HTTPTransport(proxy=proxy, limits=httpx2.Limits(max_keepalive_connections=0))
    if allow_private_hosts:
        return network
    return PublicNames(network) if proxy else PublicOnly(network, resolve=resolver)


def _is_literal(host: str) -> bool:
    """Whether a host is an IP address in any of its spellings: 127.0.0.1, 0x7f.1, 2130706433, ::1."""
    return ":" in host or re.fullmatch(r"(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+))*", host) is not None


def _is_public_name(host: str) -> bool:
    return "." in host and not f".{host}".endswith(_LOCAL_NAMES)


def _addressed(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    extensions = dict(request.extensions)
    if request.url.scheme == "https":
        extensions["sni_hostname"] = host
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address.partition("%")[0]),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )
