"""The bus on NATS JetStream: one stream on disk, one durable consumer that all consumer processes share.

nats-py is asynchronous; it runs in one background thread, and everything here that is public is synchronous.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeVar

import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext
from nats.js.errors import NoStreamResponseError, ServiceUnavailableError

from kiosque.bus.background import BackgroundLoop, LoopStopped
from kiosque.bus.connection import Connection
from kiosque.bus.names import header_of, key_of, source_of, subject_of
from kiosque.bus.protocol import Delivery, Lag, Message
from kiosque.bus.stream import StreamSettings, make_room
from kiosque.core.errors import BusUnavailable, PreconditionFailed, TooLarge

log = structlog.get_logger(__name__)
T = TypeVar("T")

_KEY_HEADER = "Nats-Msg-Id"
_LONGEST_PULL = 1.0
"""Seconds. A pull that was lost in a reconnect costs no more than this."""
_IN_FLIGHT = 512
"""Publications whose acknowledgement is awaited at a time."""
_PATIENCE = 3.0
"""Seconds to wait for one acknowledgement before sending again; the broker drops what it has already."""
_RETRY_PAUSE = 0.1
_LOOK_EVERY = 1.0
"""Seconds for which the number of waiting messages is taken as known."""


class JetStreamBus:
    """Implements `Bus`. Connects at the first call and again, for ever, when the connection is lost.

    `timeout` is how many seconds a call may wait for the broker before it raises BusUnavailable.
    `url` may name several servers of one cluster, separated by commas. While more than `max_pending` messages
    wait for consumers, `publish` takes none (back-pressure); 0 takes any number. Neither does it while those that
    wait fill the stream (`max_bytes`); settled ones make room for new ones, the oldest first.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        stream: StreamSettings | None = None,
        timeout: float = 10.0,
        max_pending: int = 0,
    ) -> None:
        self._stream = stream or StreamSettings()
        self._timeout = timeout
        self._max_pending = max_pending
        self._room_until = 0.0
        """Until when the last look at how many messages wait is good enough, by the monotonic clock."""
        self._making_room = asyncio.Lock()
        self._connection = Connection(url, token, self._stream)
        self._loop = BackgroundLoop("kiosque-nats")
        self._closed = False

    def publish(self, messages: Sequence[Message]) -> None:
        """Returns when the broker has stored every message.

        Raises BusUnavailable otherwise, or while too many messages wait; publishing all of them again is right, since
        the broker drops those it has (`duplicate_window`). Raises TooLarge for a message above the broker's limit.
        """
        if messages:
            # Each message may use the whole time-out; waves of them follow one another.
            waves = 1 + len(messages) // _IN_FLIGHT
            self._call(self._publish(messages), self._timeout * waves)
        else:
            self._refuse_if_closed()

    def fetch(self, limit: int, timeout: float) -> list[Delivery]:
        """See `Bus.fetch`. A fetch that waits while the bus is closed comes back empty or raises BusUnavailable."""
        found = self._call(self._fetch(limit, timeout), timeout + self._timeout)
        return [_JetStreamDelivery(self, message) for message in found]

    def lag(self) -> Lag:
        return self._call(self._lag(), self._timeout)

    def check(self) -> None:
        self._call(self._check(), self._timeout)

    def close(self) -> None:
        """Send what is still to be sent, and disconnect; at most `timeout` seconds."""
        self._closed = True
        self._loop.stop(self._connection.close(), self._timeout)

    # Below here everything async runs in the background thread.

    def _call(self, coroutine: Coroutine[Any, Any, T], timeout: float) -> T:
        """`coroutine`'s result, with what nats-py raises translated. It gets a second to notice that time is up."""
        try:
            with _translating(self._connection):
                return self._loop.call(coroutine, timeout + 1.0)
        except LoopStopped:
            raise _closed() from None

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise _closed()

    async def _publish(self, messages: Sequence[Message]) -> None:
        await self._refuse_if_full()
        slots = asyncio.Semaphore(_IN_FLIGHT)
        tasks = [asyncio.ensure_future(self._publish_one(message, slots)) for message in messages]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _refuse_if_full(self) -> None:
        if not self._max_pending or monotonic() < self._room_until:
            return
        waiting = (await self._lag()).pending
        if waiting > self._max_pending:
            raise BusUnavailable(
                f"{waiting} messages wait for consumers already; the bus takes no more than {self._max_pending}.",
                hint="Start more consumers, or raise KIOSQUE_NATS_MAX_PENDING.",
            )
        self._room_until = monotonic() + _LOOK_EVERY

    async def _publish_one(self, message: Message, slots: asyncio.Semaphore) -> None:
        subject = subject_of(self._stream.name, message.subject)
        headers = {_KEY_HEADER: header_of(message.key)}
        async with slots:
            deadline = monotonic() + self._timeout
            while not await self._is_stored(subject, message.data, headers, deadline):
                pass

    async def _is_stored(self, subject: str, data: bytes, headers: dict[str, str], deadline: float) -> bool:
        """Send once. False, after a pause, where another try is worth it; after `deadline` what this one raised."""
        js = await self._connection.jetstream(deadline)
        patience = max(0.01, min(_PATIENCE, deadline - monotonic()))
        try:
            await js.publish(subject, data, timeout=patience, headers=headers)
        except (NoStreamResponseError, ServiceUnavailableError, TimeoutError) as error:
            if _is_full(error):
                await self._make_room(js, deadline)
                return False
            # The acknowledgement was lost in a reconnect, or JetStream is still starting or has no leader.
            if monotonic() > deadline:
                raise
            self._connection.distrust()
            await asyncio.sleep(_RETRY_PAUSE)
            return False
        return True

    async def _make_room(self, js: JetStreamContext, deadline: float) -> None:
        """Raises BusUnavailable where all that the stream holds is still waited for."""
        await self._connection.puller(deadline)
        async with self._making_room:
            if monotonic() > deadline or not await make_room(js, self._stream):
                raise BusUnavailable(
                    f"What waits for consumers fills the stream of {self._stream.max_bytes:,} bytes.",
                    hint="Start more consumers, or raise KIOSQUE_NATS_MAX_BYTES.",
                )

    async def _fetch(self, limit: int, wait: float) -> list[Msg]:
        deadline = monotonic() + wait
        while True:
            puller = await self._connection.puller(monotonic() + self._timeout)
            found = await puller.pull(limit, min(deadline - monotonic(), _LONGEST_PULL))
            if found or monotonic() >= deadline:
                return found
            await asyncio.sleep(0.01)  # a broker that refuses every pull at once must not be hammered

    async def _lag(self) -> Lag:
        deadline = monotonic() + self._timeout
        await self._connection.puller(deadline)
        js = await self._connection.jetstream(deadline)
        info = await js.consumer_info(self._stream.name, self._stream.consumer)
        return Lag(pending=info.num_pending or 0, in_flight=info.num_ack_pending or 0)

    async def _check(self) -> None:
        js = await self._connection.jetstream(monotonic() + self._timeout)
        await js.stream_info(self._stream.name)

    def _answer(self, message: Msg, answer: bytes) -> None:
        """Send `answer` for a delivery. While the connection is lost it waits in nats-py's buffer."""
        self._call(self._connection.send(message.reply, answer), self._timeout)


class _JetStreamDelivery:
    """One delivery; settling it twice, or late, does no harm."""

    def __init__(self, bus: JetStreamBus, raw: Msg) -> None:
        self._bus = bus
        self._raw = raw
        self._settled = False
        header = (raw.headers or {}).get(_KEY_HEADER)
        # Only others than Kiosque publish without the header.
        key = key_of(header) if header else f"sequence:{raw.metadata.sequence.stream}"
        self.message = Message(key, source_of(raw.subject), raw.data)
        self.attempt = raw.metadata.num_delivered
        self.told_at = raw.metadata.timestamp

    def ack(self) -> None:
        self._settle(Msg.Ack.Ack)

    def nak(self, delay: float = 0.0) -> None:
        options = json.dumps({"delay": int(delay * 1e9)}).encode()
        self._settle(Msg.Ack.Nak + (b" " + options if delay > 0 else b""))

    def term(self, reason: str) -> None:
        """The reason goes to the log: brokers before 2.10.4 do not understand one."""
        log.info("bus.terminated", key=self.message.key, reason=reason)
        self._settle(Msg.Ack.Term)

    def in_progress(self) -> None:
        if not self._settled:
            self._bus._answer(self._raw, Msg.Ack.Progress)  # noqa: SLF001  # two halves of one thing

    def _settle(self, answer: bytes) -> None:
        if not self._settled:
            self._bus._answer(self._raw, answer)  # noqa: SLF001
            self._settled = True


@contextmanager
def _translating(connection: Connection) -> Iterator[None]:
    """What nats-py raises, in our words."""
    try:
        yield
    except nats.errors.MaxPayloadError as error:
        raise TooLarge(
            "A message is larger than the broker takes.",
            hint="Raise max_payload in the broker's configuration.",
        ) from error
    except nats.js.errors.APIError as error:
        raise _of_api(error) from error
    except (nats.errors.Error, OSError, TimeoutError) as error:
        reason = str(error) or connection.last_error or type(error).__name__
        raise BusUnavailable(
            f"The broker did not answer: {reason}.",
            hint="Kiosque keeps trying; see whether the broker runs and its disk has space.",
        ) from error


def _is_full(error: Exception) -> bool:
    return (
        isinstance(error, ServiceUnavailableError)
        and error.err_code == _NOT_STORED
        and "maximum bytes" in (error.description or "")
    )


def _of_api(error: nats.js.errors.APIError) -> BusUnavailable | PreconditionFailed:
    detail = f"The broker refused: {error.description} (error {error.err_code})."
    if error.err_code == _NO_STORAGE:
        return PreconditionFailed(
            detail,
            hint="Lower KIOSQUE_NATS_MAX_BYTES, or raise max_file_store in the broker's configuration.",
        )
    if isinstance(error, nats.js.errors.BadRequestError) or error.err_code == _NO_REPLICAS:
        return PreconditionFailed(
            detail,
            hint="Check KIOSQUE_NATS_REPLICAS, KIOSQUE_NATS_STREAM and KIOSQUE_NATS_MAX_BYTES against the broker.",
        )
    return BusUnavailable(detail, hint="Is JetStream enabled, and has its disk space?")


_NO_REPLICAS = 10074
"""JSStreamReplicasNotSupportedErr of nats-server: more copies than a single server can keep."""

_NO_STORAGE = 10047
"""JSStorageResourcesExceededErr: the stream's `max_bytes` are more than the broker has left to promise."""
_NOT_STORED = 10077
"""JSStreamStoreFailedF: its description says why."""


def _closed() -> BusUnavailable:
    return BusUnavailable("The bus is closed.", hint="It closes when the process stops.")
