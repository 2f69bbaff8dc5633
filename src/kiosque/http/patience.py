"""Clients that take their time: a connection on which no request arrives whole is closed."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 20.0
"""From the first byte of a request, or the opening of a connection, to the end of its headers."""
BODY_SECONDS = 60.0
"""For the whole body. What is sent here is at most some megabytes."""


class PatientProtocol(H11Protocol):
    """uvicorn's, which waits for ever for the rest of a request's head; this one waits `HEAD_SECONDS`.

    Idle connections between two requests stay uvicorn's to close (`timeout_keep_alive`).
    """

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before or self._is_answering():
            self._forget()
        else:
            self._watch()

    def _is_answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _watch(self) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _forget(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _give_up(self) -> None:
        self._limit = None
        if not self._is_answering() and not self.transport.is_closing():
            self.transport.close()
