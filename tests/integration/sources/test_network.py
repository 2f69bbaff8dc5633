"""The HTTP client against a real server on loopback, and the quota between real processes."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kiosque.core.clock import system_clock
from kiosque.core.errors import SourceUnavailable
from kiosque.sources.feeds import FeedSource
from kiosque.sources.http import HttpClient, Limits
from kiosque.sources.quota import Quota
from kiosque.testing.payloads import rss, rss_item

FEED = rss(rss_item(1), rss_item(2))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/silent":
            self.server.stop.wait(5)  # type: ignore[attr-defined]
            return
        if self.path == "/moved":
            self._send(301, b"", {"Location": "/feed"})
        elif self.headers.get("If-None-Match") == '"v1"':
            self._send(304, b"", {})
        else:
            self._send(200, gzip.compress(FEED), {"Content-Encoding": "gzip", "ETag": '"v1"'})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.stop.set()  # type: ignore[attr-defined]
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def make(*, private: bool = True, **limits: float) -> HttpClient:
    settings = Limits(pace=0.0, backoff=0.0, **limits)  # type: ignore[arg-type]
    return HttpClient(
        user_agent="Kiosque-Test/1",
        clock=system_clock,
        jitter=lambda: 0.0,
        limits=settings,
        allow_private_hosts=private,
    )


def test_a_feed_is_fetched_unpacked_and_then_unchanged(server: str) -> None:
    with make() as client:
        source = FeedSource(f"{server}/moved", client, clock=system_clock)
        (page,) = source.poll(None)
        assert len(page.articles) == 2
        assert page.cursor["url"] == f"{server}/feed"
        (again,) = source.poll(page.cursor)
        assert again.articles == ()
        assert again.cursor == page.cursor


def test_this_machine_is_refused_unless_allowed(server: str) -> None:
    for url in (server, server.replace("127.0.0.1", "localhost"), server.replace("127.0.0.1", "127.1")):
        with (
            make(private=False) as client,
            pytest.raises(SourceUnavailable, match="not on the public internet"),
        ):
            client.fetch(f"{url}/feed")


def test_a_server_that_says_nothing_is_given_up(server: str) -> None:
    with (
        make(timeout=0.2, retries=0) as client,
        pytest.raises(SourceUnavailable, match="did not answer in time"),
    ):
        client.fetch(f"{server}/silent")


def test_nobody_listening_is_source_unavailable() -> None:
    with make(retries=0) as client, pytest.raises(SourceUnavailable, match="cannot be reached"):
        client.fetch("http://127.0.0.1:1/feed")


TAKER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from kiosque.core.errors import RateLimited
from kiosque.sources.quota import Quota

moment = datetime(2024, 5, 17, 12, tzinfo=UTC)
quota = Quota(Path(sys.argv[1]), clock=lambda: moment, wait=lambda s: None, per_minute=40, longest_wait=0)
sys.stdin.readline()
taken = 0
for _ in range(25):
    try:
        quota.take()
        taken += 1
    except RateLimited:
        pass
print(taken)
"""


def test_processes_together_take_no_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "quota.sqlite"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [int(process.communicate()[0]) for process in processes]
    assert sum(taken) == 40
    state = Quota(path, clock=lambda: datetime(2024, 5, 17, 12, tzinfo=UTC), wait=lambda _: None).state()
    assert state.day.used == 40
