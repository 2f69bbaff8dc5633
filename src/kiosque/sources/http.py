"""The one way in which sources reach the network: polite, bounded, and silent about keys.

Each answer is limited in size (as sent and as unpacked) and in time; ETag and Last-Modified are sent back; requests
to one host are spaced; what may pass is tried again after an exponential pause with jitter; Retry-After is obeyed,
across calls too; redirects are few, and each is judged anew. What goes wrong is SourceUnavailable or RateLimited.

A key is added to the request behind the client, in the transport: it is in no address that the client, its log, an
exception or a `repr` could show.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

import httpx2
import structlog

from kiosque.core.clock import Clock
from kiosque.core.errors import InvalidInput, KiosqueError, RateLimited, SourceUnavailable
from kiosque.sources.addresses import AddressRefused, PublicOnly, Resolve, outbound, resolve
from kiosque.sources.keys import QueryKey, WithKeys, shown
from kiosque.sources.politeness import Hosts, Wait, parse_retry_after, read_max_age

log = structlog.get_logger(__name__)

_MOVED = frozenset({301, 302, 303, 307, 308})
_MOVED_FOR_GOOD = frozenset({301, 308})
_PASSING = frozenset({408, 425, 500, 502, 503, 504})
_CHUNK = 65_536
_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F:.]+")


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask later whether something changed."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value and _is_header_value(value)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `body` is empty when nothing changed, and when it went into a file."""

    url: str
    """Where it came from in the end."""
    unchanged: bool = False
    body: bytes = b""
    content_type: str = ""
    validators: Validators = Validators()
    moved_to: str | None = None
    """The new address, if every redirect said that it is for good."""
    max_age: float | None = None
    """Seconds for which the server says that its answer stays good."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Numbers that bound one request. Seconds and bytes."""

    timeout: float = 30.0
    """Longest silence."""
    total_timeout: float = 300.0
    """Longest time for one answer, however steadily it drips."""
    max_bytes: int = 20_971_520
    retries: int = 2
    backoff: float = 1.0
    """First pause before a new try; doubled each time."""
    longest_wait: float = 75.0
    """Asked to wait for longer than this, a call gives up instead: more than a minute, for quotas by the minute."""
    pace: float = 1.0
    """Shortest time between two requests to one host."""
    redirects: int = 5


class HttpClient:
    """One for all sources of a process; may be used by several threads.

    `keys` maps hosts to the key that requests to them carry, over https only. `transport` replaces the network in
    tests; addresses are then not judged unless a `resolver` is given as well. `jitter` returns a number from 0 to 1.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Clock,
        wait: Wait = time.sleep,
        jitter: Callable[[], float],
        limits: Limits = Limits(),
        keys: Mapping[str, QueryKey] | None = None,
        allow_private_hosts: bool = False,
        proxy: str | None = None,
        transport: httpx2.BaseTransport | None = None,
        resolver: Resolve | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits
        self._clock = clock
        self._wait = wait
        self._jitter = jitter
        self._monotonic = monotonic
        self._keys = {host: key for host, key in (keys or {}).items() if key.value.get_secret_value()}
        self._hosts = Hosts(limits.pace, monotonic)
        judged = _judging(transport, allow_private_hosts=allow_private_hosts, proxy=proxy, resolver=resolver)
        self._client = httpx2.Client(
            transport=WithKeys(judged, self._keys),
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"},
            timeout=limits.timeout,
            follow_redirects=False,
            trust_env=False,
        )

    def fetch(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        validators: Validators | None = None,
        accept: str = "*/*",
        admit: Callable[[], None] | None = None,
        max_bytes: int | None = None,
        into: BinaryIO | None = None,
    ) -> Answer:
        """GETs `url`; the body goes `into` a file if one is given.

        `admit` is called before each request that goes out and may wait or raise: a quota. Raises InvalidInput for
        what is no http(s) address, SourceUnavailable or RateLimited for everything else that goes wrong.
        """
        address = _checked(url, params)
        headers = {"Accept": accept, **(validators.headers() if validators else {})}
        order = _Order(address, headers, admit, max_bytes or self.limits.max_bytes, into)
        for attempt in range(self.limits.retries + 1):
            try:
                return self._follow(order)
            except _Passing as passing:
                if attempt == self.limits.retries:
                    raise passing.error from None
                self._pause(passing, attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _pause(self, passing: _Passing, attempt: int) -> None:
        """Exponential, plus up to the same again by chance, so that many clients do not come back in step."""
        seconds = self.limits.backoff * 2**attempt * (1 + self._jitter())
        seconds = max(seconds, passing.error.retry_after or 0)
        if seconds > self.limits.longest_wait:
            raise passing.error from None
        log.info("fetch.retry", host=passing.host, reason=passing.error.detail, seconds=round(seconds, 1))
        self._wait(seconds)

    def _follow(self, order: _Order) -> Answer:
        address, for_good = order.address, True
        for _ in range(self.limits.redirects + 1):
            step = self._step(order, address)
            if isinstance(step, Answer):
                moved = str(address) if for_good and address != order.address else None
                return replace(step, moved_to=moved)
            for_good = for_good and step[1]
            address = self._onward(address, step[0])
        raise SourceUnavailable(f"{shown(order.address)} redirects too often.", hint="Check the address.")

    def _step(self, order: _Order, address: httpx2.URL) -> Answer | tuple[httpx2.URL, bool]:
        """One request: the answer, or where it sends us on to and whether for good."""
        host = address.host
        self._hosts.check(host)
        if order.admit:
            order.admit()
        if delay := self._hosts.reserve(host):
            self._wait(delay)
        began = self._monotonic()
        try:
            with self._client.stream("GET", address, headers=order.headers) as response:
                if response.status_code in _MOVED and "location" in response.headers:
                    return address.join(response.headers["location"]), response.status_code in _MOVED_FOR_GOOD
                self._raise_for(response, address)
                body = self._receive(response, order, began)
                return self._answer(response, address, body)
        except httpx2.HTTPError as error:
            raise _translate(error, address) from None
        except (httpx2.InvalidURL, httpx2.StreamError, UnicodeError, ValueError) as error:
            raise SourceUnavailable(
                f"{shown(address)} answered with nonsense ({type(error).__name__})."
            ) from None

    def _receive(self, response: httpx2.Response, order: _Order, began: float) -> bytes:
        """The unpacked body, counted on both sides of unpacking: a small archive bomb is stopped at the limit."""
        sink = order.into or BytesIO()
        if order.into:
            sink.seek(0)
            sink.truncate()
        if response.status_code == 304:
            return b""
        response.stream = _Metered(response.stream, lambda size: self._check_progress(order, size, began))
        size = 0
        for chunk in response.iter_bytes(_CHUNK):
            size += len(chunk)
            self._check_progress(order, size, began)
            sink.write(chunk)
        return sink.getvalue() if isinstance(sink, BytesIO) and not order.into else b""

    def _check_progress(self, order: _Order, size: int, began: float) -> None:
        if size > order.max_bytes:
            ours = order.max_bytes == self.limits.max_bytes
            raise SourceUnavailable(
                f"{shown(order.address)} answered with more than {order.max_bytes:,} bytes.",
                hint="Raise KIOSQUE_FETCH_MAX_BYTES if that is right for this source." if ours else None,
            )
        if self._monotonic() - began > self.limits.total_timeout:
            raise SourceUnavailable(
                f"{shown(order.address)} took longer than {self.limits.total_timeout:.0f} s."
            )

    def _answer(self, response: httpx2.Response, address: httpx2.URL, body: bytes) -> Answer:
        return Answer(
            url=str(address),
            unchanged=response.status_code == 304,
            body=body,
            content_type=response.headers.get("content-type", ""),
            validators=Validators(
                _header(response, "etag"),
                _header(response, "last-modified"),
            ),
            max_age=read_max_age(response.headers.get("cache-control", "")),
        )

    def _raise_for(self, response: httpx2.Response, address: httpx2.URL) -> None:
        """Raises what an error status means. The body is not quoted: the NYT's names the account."""
        status = response.status_code
        if 200 <= status < 300 or status == 304:
            return
        retry_after = parse_retry_after(response.headers.get("retry-after"), self._clock())
        if retry_after and status in {429, 503}:
            self._hosts.leave_alone(address.host, retry_after)
        if status == 429:
            raise RateLimited(f"{shown(address)} says: too many requests.", retry_after=retry_after)
        error = SourceUnavailable(
            f"{shown(address)} answered {status}.",
            hint=_hint(status, address, self._keys),
            retry_after=retry_after,
        )
        raise _Passing(error, address.host) if status in _PASSING else error

    def _onward(self, origin: httpx2.URL, address: httpx2.URL) -> httpx2.URL:
        """Where a redirect leads, without a key that the server put back into it."""
        if address.scheme not in {"http", "https"} or not address.host:
            raise SourceUnavailable(f"{shown(origin)} redirects to what is no web address.")
        for key in self._keys.values():
            address = address.copy_remove_param(key.parameter) if key.parameter in address.params else address
            if key.value.get_secret_value() in str(address):
                raise SourceUnavailable(
                    f"{shown(origin)} redirects with an API key in the address; not followed."
                )
        return address


@dataclass(frozen=True, slots=True)
class _Order:
    address: httpx2.URL
    headers: Mapping[str, str]
    admit: Callable[[], None] | None
    max_bytes: int
    into: BinaryIO | None


class _Metered(httpx2.SyncByteStream):
    """Bytes as they were sent, counted: an endless stream that unpacks to nothing is seen too."""

    def __init__(self, inner: object, check: Callable[[int], None]) -> None:
        self._inner = inner
        self._check = check

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:  # type: ignore[attr-defined]
            size += len(chunk)
            self._check(size)
            yield chunk

    def close(self) -> None:
        if isinstance(self._inner, httpx2.SyncByteStream):
            self._inner.close()


class _Passing(Exception):
    """Something that may have passed by the next try."""

    def __init__(self, error: SourceUnavailable, host: str) -> None:
        super().__init__(error.detail)
        self.error = error
        self.host = host


def _judging(
    transport: httpx2.BaseTransport | None,
    *,
    allow_private_hosts: bool,
    proxy: str | None,
    resolver: Resolve | None,
) -> httpx2.BaseTransport:
    if transport is not None:
        return (
            transport if resolver is None or allow_private_hosts else PublicOnly(transport, resolve=resolver)
        )
    return outbound(allow_private_hosts=allow_private_hosts, proxy=proxy, resolver=resolver or resolve)


def _checked(url: str, params: Mapping[str, str] | None) -> httpx2.URL:
    try:
        address = httpx2.URL(url)
        address = address.copy_merge_params(dict(params)) if params else address
        shown(address)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise InvalidInput("Not a web address.", hint="It begins with http:// or https://.") from None
    if address.scheme not in {"http", "https"} or not _HOST.fullmatch(address.host):
        raise InvalidInput(
            f"Not a web address: {shown(address)!r}.", hint="It begins with http:// or https://."
        )
    return address


def _translate(error: httpx2.HTTPError, address: httpx2.URL) -> KiosqueError | _Passing:
    where = shown(address)
    if isinstance(error, AddressRefused):
        return SourceUnavailable(
            f"{address.host} is not on the public internet.",
            hint="Set KIOSQUE_ALLOW_PRIVATE_HOSTS=true to allow sources on your own network.",
        )
    if isinstance(error, httpx2.DecodingError):
        return SourceUnavailable(f"{where} sent what cannot be unpacked.")
    if isinstance(error, httpx2.TimeoutException):
        return _Passing(SourceUnavailable(f"{where} did not answer in time."), address.host)
    reason = _cause(error)
    unavailable = SourceUnavailable(
        f"{where} cannot be reached ({reason}).", hint="Check the address and the network."
    )
    return _Passing(unavailable, address.host) if isinstance(error, httpx2.TransportError) else unavailable


def _cause(error: httpx2.HTTPError) -> str:
    """What a transport error says, unless it quotes an address."""
    message = str(error)
    return type(error).__name__ if not message or "?" in message or "://" in message else message[:200]


def _hint(status: int, address: httpx2.URL, keys: Mapping[str, QueryKey]) -> str | None:
    if status in {401, 403} and address.host in keys:
        return "Check the API key, and that it may use this API."
    if status in {401, 403}:
        return "The source does not let us in; it may block programs by their User-Agent."
    if status in {404, 410}:
        return "The address may have changed; look it up and add the new one."
    return None


def _header(response: httpx2.Response, name: str) -> str | None:
    value = response.headers.get(name)
    return value if value and _is_header_value(value) else None


def _is_header_value(value: str) -> bool:
    return len(value) <= 512 and value.isascii() and value.isprintable()
