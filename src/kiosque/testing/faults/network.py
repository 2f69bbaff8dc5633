"""Connections that can be slowed, cut, stalled and refused: TCP proxies on loopback, in one thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
_CHUNK = 65_536
_CONNECT = 3.0
"""Seconds to wait for a target to take a connection."""


@dataclass(eq=False)
class Link:
    """One way from a process to a server; `targets` are tried in turn, as a service in front of replicas does."""

    name: str
    port: int
    targets: Sequence[tuple[str, int]]
    delay: float = 0.0
    """Seconds that each piece is held back, each way."""
    stalled: bool = False
    """Nothing passes, and nobody is told."""
    refusing: bool = False
    """New connections are closed at once."""
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    turn: int = 0


class Network:
    """Makes links; changes to them take effect at once. Close it at the end."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._links: list[Link] = []
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()

    def link(self, name: str, *targets: tuple[str, int]) -> Link:
        """A new port of 127.0.0.1 behind which `targets` are."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        made = Link(name, listener.getsockname()[1], targets)
        self._servers.append(
            self._do(
                asyncio.start_server(lambda reader, writer: self._serve(made, reader, writer), sock=listener)
            )
        )
        self._links.append(made)
        return made

    def cut(self, link: Link) -> None:
        """Reset every connection of `link`; new ones may be made."""
        self._loop.call_soon_threadsafe(_abort_all, link)

    def mend(self) -> None:
        """All links as they were at first."""
        for link in self._links:
            link.delay, link.stalled, link.refusing = 0.0, False, False

    def close(self) -> None:
        for link in self._links:
            self.cut(link)
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._do(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _serve(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link.connections.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            if link.refusing:
                return
            opened = await self._open(link)
            if opened is None:
                return
            back, there = opened
            link.connections.add(there)
            ways = [
                asyncio.ensure_future(_pump(link, reader, there)),
                asyncio.ensure_future(_pump(link, back, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            for end in (writer, there):
                if end is not None:
                    link.connections.discard(end)
                    end.transport.abort()

    async def _open(self, link: Link) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        link.turn += 1
        for number in range(len(link.targets)):
            host, port = link.targets[(link.turn + number) % len(link.targets)]
            with suppress(OSError, TimeoutError):
                return await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT)
        return None


async def _pump(link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            if link.delay:
                await asyncio.sleep(link.delay)
            while link.stalled:  # noqa: ASYNC110 - it is changed from another thread
                await asyncio.sleep(0.02)
            writer.write(data)
            await writer.drain()


def _abort_all(link: Link) -> None:
    for writer in [*link.connections]:
        writer.transport.abort()
