import http.client
import signal
import socket
import subprocess
import sys

import pytest

from kiosque.core.errors import InvalidSettings, PreconditionFailed
from kiosque.http.server import bind, is_loopback


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_loopback_is_told_from_public(host, expected):
    assert is_loopback(host) is expected


def test_answers_are_not_held_back_by_nagle():
    """asyncio sets TCP_NODELAY only on sockets that name their protocol, and accepted ones inherit it."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_reported_with_what_to_do():
    with bind("127.0.0.1", 0) as taken, pytest.raises(PreconditionFailed, match="--port"):
        bind("127.0.0.1", taken.getsockname()[1])


def test_a_host_that_is_not_ours_is_reported():
    with pytest.raises(InvalidSettings, match="KIOSQUE_HOST"):
        bind("no.such.host.invalid", 0)


PROGRAM = """
from fastapi import FastAPI
from kiosque.http.server import bind, serve
from kiosque.ops.logs import configure_logging
configure_logging("error")
app = FastAPI()
app.get("/")(lambda: "hello")
serve(app, bind("127.0.0.1", 0), on_ready=lambda address: print(address, flush=True))
print("drained", flush=True)
"""


def test_the_address_is_told_once_requests_are_answered_and_sigterm_ends_it():
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            host, port = address.removeprefix("http://").split(":")
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b'"hello"'
            connection.close()
            process.send_signal(signal.SIGTERM)
            assert process.stdout.read() == "drained\n"
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


STREAM = """
import asyncio, threading
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from kiosque.http.server import bind, serve
from kiosque.ops.logs import configure_logging
configure_logging("error")
app, told = FastAPI(), threading.Event()
async def lines():
    while not told.is_set():
        yield "on and on\\n"
        await asyncio.sleep(0.01)
    yield "the end\\n"
app.get("/")(lambda: StreamingResponse(lines()))
serve(app, bind("127.0.0.1", 0), on_ready=lambda address: print(address, flush=True), on_stop=told.set)
print("drained", flush=True)
"""


def test_what_never_ends_by_itself_hears_of_the_end_and_is_not_cut_off():
    with subprocess.Popen([sys.executable, "-c", STREAM], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host, port = process.stdout.readline().strip().removeprefix("http://").split(":")
            connection = http.client.HTTPConnection(host, int(port), timeout=20)
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert answer.read(10) == b"on and on\n"
            process.send_signal(signal.SIGTERM)
            assert answer.read().endswith(b"the end\n")
            connection.close()
            assert process.stdout.read() == "drained\n"
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()


def test_binding_to_port_zero_takes_a_free_one():
    with bind("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
        assert listener.family is socket.AF_INET
