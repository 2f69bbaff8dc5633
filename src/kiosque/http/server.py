"""Running an application: uvicorn on one address, ended by SIGTERM or Ctrl-C."""

from __future__ import annotations

import gc
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from kiosque.core.errors import InvalidSettings, PreconditionFailed
from kiosque.http.patience import PatientProtocol

DRAIN_SECONDS = 7
"""What open requests get to finish; container engines kill after ten seconds, and something may be left to do."""
_log = structlog.get_logger(__name__)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PreconditionFailed, saying what to do, when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; without, each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror):
            raise InvalidSettings(f"KIOSQUE_HOST: {host!r} is no address of this machine.") from error
        raise PreconditionFailed(
            f"Port {port} on {host} is not free ({error.strerror}).",
            hint="Stop what uses it, or choose another with --port or KIOSQUE_PORT.",
        ) from error
    listener.listen(1024)
    return listener


def serve(
    app: FastAPI,
    listener: socket.socket,
    *,
    on_ready: Callable[[str], None] | None = None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests until a signal ends it; open requests get `DRAIN_SECONDS` to finish.

    `on_ready` is told the address once requests are answered; `on_stop` is called when the signal has come, before
    open requests are waited for: what never ends by itself (a stream) must hear of it.
    """
    config = uvicorn.Config(
        app,
        http=PatientProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=75,
    )
    server = _Server(config, on_ready, on_stop)
    server.run(sockets=[listener])


def _spare_the_collector() -> None:
    """What is there at the start stays; and every request makes so many objects that cycles were looked for, in vain,
    in a quarter of its time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


class _Server(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[str], None] | None, on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's own, but does not raise the signal again: what comes after serving must run, too."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {
            number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _spare_the_collector()
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            _log.info("server.ready", address=address)
            if self._on_ready:
                self._on_ready(address)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)
