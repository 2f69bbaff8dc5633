"""What every source must keep to, as classes that tests subclass, and a network that does as it is told."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr

from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput, KiosqueError, RateLimited, SourceUnavailable
from kiosque.sources.http import HttpClient, Limits
from kiosque.sources.keys import QueryKey
from kiosque.sources.nyt import HOST, KEY_PARAMETER, NytApi
from kiosque.sources.protocol import Cursor, Page, Source
from kiosque.sources.quota import Quota

SECRET = "k3y-that-n0body-may-see"
NOW = datetime(2024, 5, 17, 12, tzinfo=UTC)

Handler = Callable[[httpx2.Request], httpx2.Response]

GARBAGE = (
    b"",
    b" ",
    b"\x00\xff\xfe\x01" * 50,
    b"{",
    b"[]",
    b"{}",
    b"null",
    b"3",
    b'"text"',
    b"[null, 3, [], {}]",
    b'{"response": null}',
    b'{"response": {"docs": [3, null, {}]}}',
    b'{"results": 3}',
    b'{"results": [null, "x", {}]}',
    b'{"results": {"lists": 3}}',
    b'{"fault": {"faultstring": "Rate limit quota violation"}}',
    b"[" * 100_000,
    b"<html><body>Not here</body></html>",
    b"<rss><channel><item><title>" + b"<b>" * 5_000,
    b"<?xml version='1.0'?><!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><rss><title>&b;</title></rss>",
    "\ud800".encode("utf-8", "surrogatepass"),
)
FOREIGN_CURSORS: tuple[Cursor, ...] = (
    {},
    {"x": 1},
    {
        "seen": 5,
        "next": [],
        "day": {},
        "week": 3,
        "etag": 7,
        "url": "ftp://x",
        "line": -1,
        "byte": "a",
        "head": 1,
    },
    {
        "seen": [None, 3],
        "next": "2024-99",
        "day": "never",
        "week": "2024-02-31",
        "line": True,
        "length": 10**9,
    },
)


class Network:
    """Answers each request by `handler` and remembers it. Waiting takes no time here, but is counted."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[httpx2.Request] = []
        self.waits: list[float] = []
        self.now = NOW

    def client(self, *, limits: Limits | None = None, key: str = SECRET, **options: object) -> HttpClient:
        """A client of this network, with a key for the NYT."""
        return HttpClient(
            user_agent="Kiosque-Test/1",
            clock=self.clock,
            wait=self.wait,
            jitter=lambda: 0.5,
            monotonic=lambda: self.now.timestamp(),  # noqa: PLW0108 -- `now` is replaced
            limits=limits or Limits(),
            keys={HOST: QueryKey(KEY_PARAMETER, SecretStr(key))},
            transport=httpx2.MockTransport(self._answer),
            **options,  # type: ignore[arg-type]
        )

    def nyt(self, folder: Path, **options: object) -> NytApi:
        quota = Quota(folder / "quota.sqlite", clock=self.clock, wait=self.wait)
        return NytApi(self.client(**options), quota)  # type: ignore[arg-type]

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += timedelta(seconds=seconds)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return self.handler(request)


def always(body: bytes, status: int = 200, **headers: str) -> Handler:
    """The same answer to every request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx2.Response(status, content=body, headers=named)


def failing(error: Exception) -> Handler:
    def handler(request: httpx2.Request) -> httpx2.Response:
        raise error

    return handler


class SourceContract:
    """Subclass it, and say how to make the source."""

    def make(self, folder: Path, body: bytes | None = None) -> Source:
        """The source over what it reads: its good content, or `body` in place of it."""
        raise NotImplementedError

    def pages(self, source: Source, cursor: Cursor | None = None) -> list[Page]:
        return list(source.poll(cursor))

    def test_delivers_something_and_at_least_one_page(self, tmp_path: Path) -> None:
        pages = self.pages(self.make(tmp_path))
        assert pages
        assert any(page.articles or page.books for page in pages)

    def test_articles_are_whole_and_in_utc(self, tmp_path: Path) -> None:
        source = self.make(tmp_path)
        for page in self.pages(source):
            for article in page.articles:
                assert_whole(article)
                assert article.source == source.id

    def test_keys_are_unique_within_a_page(self, tmp_path: Path) -> None:
        for page in self.pages(self.make(tmp_path)):
            for things in (page.articles, page.books):
                keys = [thing.key for thing in things]
                assert len(keys) == len(set(keys))
            assert {placement.book_key for placement in page.placements} <= {book.key for book in page.books}

    def test_the_cursor_survives_json(self, tmp_path: Path) -> None:
        for page in self.pages(self.make(tmp_path)):
            assert json.loads(json.dumps(page.cursor)) == page.cursor

    def test_a_second_poll_brings_nothing_new(self, tmp_path: Path) -> None:
        source = self.make(tmp_path)
        cursor = json.loads(json.dumps(self.pages(source)[-1].cursor))
        again = self.pages(source, cursor)
        assert again
        assert not any(page.articles or page.books or page.placements for page in again)

    @pytest.mark.parametrize("cursor", FOREIGN_CURSORS, ids=range(len(FOREIGN_CURSORS)))
    def test_a_foreign_cursor_counts_as_none(self, tmp_path: Path, cursor: Cursor) -> None:
        fresh, foreign = self.pages(self.make(tmp_path)), self.pages(self.make(tmp_path), cursor)
        assert [page.articles for page in foreign] == [page.articles for page in fresh]
        assert [page.books for page in foreign] == [page.books for page in fresh]

    def test_its_name_is_short_and_stable(self, tmp_path: Path) -> None:
        first, second = self.make(tmp_path), self.make(tmp_path)
        assert re.fullmatch(r"[a-z0-9-]{1,80}", first.id)
        assert (first.id, first.kind) == (second.id, second.kind)
        assert first.interval > 0

    @pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
    def test_garbage_is_an_error_of_ours_or_is_left_out(self, tmp_path: Path, body: bytes) -> None:
        assert_survives(lambda: self.pages(self.make(tmp_path, body)))

    @pytest.mark.parametrize("share", [0.01, 0.1, 0.33, 0.5, 0.77, 0.9, 0.99])
    def test_an_answer_that_breaks_off_is_an_error_of_ours_or_is_left_out(
        self, tmp_path: Path, share: float
    ) -> None:
        good = self.good()
        assert_survives(lambda: self.pages(self.make(tmp_path, good[: int(len(good) * share)])))

    def good(self) -> bytes:
        """What a good answer looks like."""
        raise NotImplementedError


class NetworkSourceContract(SourceContract):
    """A source that asks a server."""

    def make_on(self, network: Network, folder: Path) -> Source:
        raise NotImplementedError

    def handler(self, body: bytes) -> Handler:
        return always(body)

    def make(self, folder: Path, body: bytes | None = None) -> Source:
        handler = self.handler(self.good()) if body is None else always(body)
        return self.make_on(Network(handler), folder)

    @pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 418, 500, 502, 503, 504])
    def test_a_server_error_is_source_unavailable(self, tmp_path: Path, status: int) -> None:
        source = self.make_on(Network(always(b"", status)), tmp_path)
        with pytest.raises(SourceUnavailable):
            self.pages(source)

    def test_too_many_requests_is_rate_limited_with_the_time_to_wait(self, tmp_path: Path) -> None:
        source = self.make_on(Network(always(b"", 429, retry_after="120")), tmp_path)
        with pytest.raises(RateLimited) as caught:
            self.pages(source)
        assert caught.value.retry_after == 120

    @pytest.mark.parametrize(
        "error",
        [
            httpx2.ConnectError("refused"),
            httpx2.ConnectTimeout("slow"),
            httpx2.ReadTimeout("slow"),
            httpx2.ReadError("reset"),
            httpx2.RemoteProtocolError("nonsense"),
            httpx2.DecodingError("broken gzip"),
            httpx2.ProxyError("no proxy"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_a_network_error_is_source_unavailable(self, tmp_path: Path, error: Exception) -> None:
        with pytest.raises(SourceUnavailable):
            self.pages(self.make_on(Network(failing(error)), tmp_path))

    def test_the_key_is_in_no_log_no_exception_and_no_repr(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
    ) -> None:
        caplog.set_level(logging.DEBUG)
        echo = SECRET.encode()
        handlers = [
            self.handler(self.good()),
            always(echo, 401),
            always(echo, 429),
            always(echo, 500),
            always(echo),
            failing(httpx2.ConnectError(f"https://{HOST}/?api-key={SECRET}")),
            always(b"", 302, location=f"https://{HOST}/{SECRET}?{KEY_PARAMETER}={SECRET}"),
        ]
        shown = []
        for handler in handlers:
            source = self.make_on(Network(handler), tmp_path)
            try:
                shown.append(repr(self.pages(source)))
            except KiosqueError as error:
                shown.append("".join(traceback.format_exception(error)))
                shown.append(repr(error))
            shown.append(repr(source) + repr(vars(source)))
        shown.extend(str(record.__dict__) for record in caplog.records)
        shown.extend(capsys.readouterr())
        assert not any(SECRET in text for text in shown)


def assert_whole(article: Article) -> None:
    """What the rest of Kiosque may rely on."""
    assert article.published_at.utcoffset() == timedelta(0)
    assert article.headline or article.abstract
    words = (
        article.key,
        article.headline,
        article.abstract,
        article.section or "",
        *article.byline,
        *article.keywords,
    )
    for text in words:
        text.encode()  # no lone surrogates
        assert text == text.strip()
        assert not re.search("[\x00-\x1f\x7f]", text)
    assert article.url is None or article.url.startswith(("http://", "https://"))
    assert len(article.key) <= 1_000
    assert all(value for _, value in article.extra)


def assert_survives(read: Callable[[], list[Page]]) -> None:
    """Either an error of ours, or pages that are whole."""
    try:
        pages = read()
    except (SourceUnavailable, InvalidInput):
        return
    for page in pages:
        for article in page.articles:
            assert_whole(article)


@contextmanager
def no_key_in(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Everything that is logged meanwhile is without the key."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert not any(SECRET in str(record.__dict__) for record in caplog.records)
