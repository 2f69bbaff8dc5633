"""Pulling messages from JetStream, with requests of our own.

Long pulls hang after a reconnect, and nats-py's `fetch` does not tell "no messages" from "no answer"; see
docs/decisions/0020.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import Callable

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from kiosque.bus.stream import StreamSettings

log = structlog.get_logger(__name__)

_GRACE = 2.0
"""Seconds to wait for the broker's word that a pull has ended, or for the next message of it."""


class Puller:
    """Asks for messages, one request at a time; what arrives late for one is kept for the next.

    A message arrives under the subject to which it was published; only the broker's status lines arrive under
    the inbox of their request.
    """

    def __init__(self, client: Client, stream: StreamSettings, distrust: Callable[[], None]) -> None:
        self.client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream.name}.{stream.consumer}"
        self._distrust = distrust
        self._inbox = client.new_inbox()
        self._numbers = itertools.count()
        self._arrived: deque[Msg] = deque()
        self._statuses: dict[str, str] = {}
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        await self.client.subscribe(f"{self._inbox}.*", cb=self._receive)

    async def give_back(self) -> None:
        """Let others have at once what has arrived and nobody has fetched."""
        while self._arrived:
            await self.client.publish(self._arrived.popleft().reply, Msg.Ack.Nak)

    async def pull(self, limit: int, wait: float) -> list[Msg]:
        """What is there, up to `limit`; else what comes within `wait` seconds."""
        if limit < 1:
            return []
        async with self._turn:
            answered = bool(self._arrived) or await self._request(limit)
            if answered and not self._arrived and wait > 0:
                await self._request(1, wait)
                if self._arrived and limit > 1:
                    await self._request(limit - 1)
            return [self._arrived.popleft() for _ in range(min(limit, len(self._arrived)))]

    async def _request(self, batch: int, wait: float = 0.0) -> bool:
        """Returns when `batch` more messages have arrived, or the broker has said that no more will come.

        False where it said nothing: the request was lost in a reconnect, or the consumer is gone.
        """
        inbox, enough = f"{self._inbox}.{next(self._numbers)}", len(self._arrived) + batch
        options = {"batch": batch, "expires": int(wait * 1e9)} if wait else {"batch": batch, "no_wait": True}
        self._statuses.clear()
        await self.client.publish(self._subject, json.dumps(options).encode(), reply=inbox)
        patience = wait + _GRACE
        while len(self._arrived) < enough and inbox not in self._statuses:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                self._distrust()
                return False
            patience = _GRACE if self._arrived else patience
        if (status := self._statuses.get(inbox)) not in _ORDINARY_ENDS:
            log.info("bus.pull_refused", status=status)
            self._distrust()
        return True

    async def _receive(self, message: Msg) -> None:
        status = None if message.reply else (message.headers or {}).get("Status")
        if status is None:
            self._arrived.append(message)
        else:
            self._statuses[message.subject] = status
        self._news.set()


_ORDINARY_ENDS = (None, "404", "408")
"""All messages there, no messages, time is up. Others: the consumer is gone, or its leader is moving."""
