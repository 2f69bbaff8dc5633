"""The connection to the broker, kept up for ever, and what must exist at the other end of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

import nats.errors
import structlog
from nats.aio.client import Client
from nats.js.client import JetStreamContext
from nats.js.errors import ServiceUnavailableError

from kiosque.bus.pull import Puller
from kiosque.bus.stream import StreamSettings, ensure_consumer, ensure_stream
from kiosque.core.errors import BusUnavailable

log = structlog.get_logger(__name__)


class Connection:
    """Lives in one event loop. Connects at the first call."""

    def __init__(self, url: str, token: str | None, stream: StreamSettings) -> None:
        self._servers = [part.strip() for part in url.split(",")]
        self._token = token
        self._stream = stream
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._puller: Puller | None = None
        self._stream_ready = False
        self._consumer_ready = False
        self._preparing = asyncio.Lock()
        self.last_error = ""

    async def jetstream(self, deadline: float) -> JetStreamContext:
        """Connected, and the stream exists. Raises BusUnavailable at `deadline` (of `monotonic`)."""
        js = (await self._connected(deadline)).jetstream(timeout=_patience(deadline))
        async with self._preparing:
            if not self._stream_ready:
                await _insist(lambda: ensure_stream(js, self._stream), deadline)
                self._stream_ready = True
        return js

    async def puller(self, deadline: float) -> Puller:
        """Connected, and the durable consumer exists."""
        js, client = await self.jetstream(deadline), await self._connected(deadline)
        async with self._preparing:
            if not self._consumer_ready:
                await _insist(lambda: ensure_consumer(js, self._stream), deadline)
                self._consumer_ready = True
            if self._puller is None or self._puller.client is not client:
                self._puller = Puller(client, self._stream, self.distrust)
                await self._puller.open()
            return self._puller

    async def send(self, subject: str, data: bytes) -> None:
        if self._client is None:
            raise nats.errors.ConnectionClosedError
        await self._client.publish(subject, data)

    def distrust(self) -> None:
        """Look again whether stream and consumer exist before they are used again."""
        self._stream_ready = self._consumer_ready = False

    async def close(self) -> None:
        if self._keeper:
            self._keeper.cancel()
        if self._client is None:
            return
        with suppress(nats.errors.Error, OSError):
            if self._puller and self._client.is_connected:
                await self._puller.give_back()
            if self._client.is_connected:
                await self._client.flush()
            await self._client.close()

    async def _connected(self, deadline: float) -> Client:
        if self._keeper is None or self._keeper.done():
            self._keeper = asyncio.get_running_loop().create_task(self._keep_connected())
        while not (self._client and self._client.is_connected):
            if monotonic() > deadline:
                raise BusUnavailable(
                    f"The broker at {', '.join(map(without_login, self._servers))} is out of reach"
                    f"{f' ({self.last_error})' if self.last_error else ''}.",
                    hint="Is it running, and are KIOSQUE_NATS_URL and KIOSQUE_NATS_TOKEN right?",
                )
            await asyncio.sleep(0.02)
        return self._client

    async def _keep_connected(self) -> None:
        """nats-py reconnects by itself, but gives up for good on some errors: then begin anew."""
        while True:
            closed = asyncio.Event()
            client = Client()
            try:
                await self._connect(client, closed)
            except (nats.errors.Error, OSError, ValueError) as error:  # ValueError: an address that is none
                self._note(error)
                await client.close()
                await asyncio.sleep(1.0)
                continue
            self._client, self.last_error = client, ""
            self.distrust()
            log.info("bus.connected", server=client.connected_url.netloc if client.connected_url else "")
            await closed.wait()
            await asyncio.sleep(1.0)

    async def _connect(self, client: Client, closed: asyncio.Event) -> None:
        async def on_error(error: Exception) -> None:
            self._note(error)

        async def on_disconnect() -> None:
            log.warning("bus.disconnected", reason=self.last_error)

        async def on_reconnect() -> None:
            self.last_error = ""
            self.distrust()
            log.info("bus.reconnected")

        async def on_close() -> None:
            closed.set()

        await client.connect(
            self._servers,
            name="kiosque",
            token=self._token,
            error_cb=on_error,
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            closed_cb=on_close,
            connect_timeout=2,
            reconnect_time_wait=1,
            max_reconnect_attempts=-1,
            ping_interval=10,
            max_outstanding_pings=2,
        )

    def _note(self, error: Exception) -> None:
        """Remember why there is no connection. A refused token often shows as a reset right after the refusal."""
        if not (isinstance(error, ConnectionResetError) and "Authorization" in self.last_error):
            self.last_error = str(error) or type(error).__name__


async def _insist(prepare: Callable[[], Awaitable[None]], deadline: float) -> None:
    """Try until `deadline`: for moments after a start or an election the broker drops or refuses such requests."""
    while True:
        try:
            await prepare()
        except (TimeoutError, ServiceUnavailableError):
            if monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return


def _patience(deadline: float) -> float:
    """Seconds to wait for one answer of the broker."""
    return max(0.1, min(_LONGEST_ANSWER, deadline - monotonic()))


def without_login(server: str) -> str:
    """An address as it may be shown: the name before the host may be a token, so it goes with the password."""
    return _LOGIN.sub(r"\1***@", server)


_LOGIN = re.compile(r"(://)[^/]*@")
_LONGEST_ANSWER = 3.0
