"""Slow and silent clients, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from kiosque.http import patience
from kiosque.http.limits import BodyLimit
from kiosque.http.patience import PatientProtocol
from kiosque.http.server import bind
from kiosque.testing.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server that waits half a second for a head and for a body."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.5)
    app = FastAPI()
    app.get("/")(lambda: {"a": 1})
    app.post("/")(lambda: {"a": 2})
    app.add_middleware(BodyLimit, limit=1_000)
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=PatientProtocol, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    wait_until(lambda: server.started)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def everything(client: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    while piece := client.recv(65_536):
        received += piece
    return received


def answer(client: socket.socket) -> bytes:
    """One answer to `GET /`, head and body."""
    received = b""
    while not received.endswith(b'{"a":1}'):
        received += client.recv(65_536)
    return received


@pytest.mark.parametrize("sent", [b"", GET, b"GET / HT"], ids=["nothing", "half a head", "half a line"])
def test_a_head_that_does_not_come_is_given_up(port: int, sent: bytes) -> None:
    with connect(port) as client:
        client.sendall(sent)
        assert everything(client) == b""


def test_a_client_that_drips_is_given_up_too(port: int) -> None:
    with connect(port) as client:
        client.sendall(GET)
        pieces = 0
        try:
            while pieces < 500:
                client.sendall(b"X-A: b\r\n")
                pieces += 1
                threading.Event().wait(0.05)
        except OSError:
            pass
        assert pieces < 500


def test_the_second_request_of_a_connection_is_watched_as_the_first(port: int) -> None:
    with connect(port) as client:
        client.sendall(GET + b"\r\n")
        assert answer(client).startswith(b"HTTP/1.1 200")
        client.sendall(GET)
        assert everything(client) == b""


def test_a_connection_between_two_requests_may_rest(port: int) -> None:
    with connect(port) as client:
        for _ in range(2):
            client.sendall(GET + b"\r\n")
            assert answer(client).startswith(b"HTTP/1.1 200")
            threading.Event().wait(0.8)


def test_a_body_that_does_not_come_is_answered_408(port: int) -> None:
    with connect(port) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        refusal = everything(client)
    assert refusal.startswith(b"HTTP/1.1 408")
    assert b'"request_timeout"' in refusal


def test_headers_without_end_are_refused(port: int) -> None:
    with connect(port) as client:
        try:
            client.sendall(GET + b"X-A: " + b"b" * 200_000)
            assert everything(client).startswith(b"HTTP/1.1 400")
        except ConnectionError:
            pass  # closed while we were still sending: refused all the same


def test_every_server_is_patient_only_so_long() -> None:
    import kiosque.http.server as server

    assert "http=PatientProtocol" in Path(server.__file__).read_text()
