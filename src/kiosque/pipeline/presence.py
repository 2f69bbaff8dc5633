"""Each process says every few seconds that it is there and how it fares, so that a page can say it in a sentence."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from kiosque import __version__
from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError
from kiosque.pipeline.worker import Loop, Stop, WorkerState
from kiosque.store import presence
from kiosque.store.database import Database
from kiosque.store.presence import Presence

EVERY = 10.0
"""Seconds between two words."""

_log = structlog.get_logger(__name__)

Facts = Callable[[], Mapping[str, Any]]
"""What else a process knows; asked each time. What it raises is told as a trouble."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which process this is: kind (producer, consumer, web, up), host and process number."""

    kind: str
    host: str
    pid: int

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.host}:{self.pid}"


def this_process(kind: str) -> Identity:
    return Identity(kind, socket.gethostname(), os.getpid())


def presence_loop(
    database: Database,
    identity: Identity,
    *,
    clock: Clock,
    states: Callable[[], Sequence[WorkerState]],
    facts: Mapping[str, Facts] | None = None,
    every: float = EVERY,
) -> Loop:
    """For the `Workers` of a process. While the database is out of reach nothing is said."""

    def run(stop: Stop) -> None:
        started = clock()
        while True:
            told, troubles = _ask(facts or {})
            said = Presence(
                id=identity.id,
                kind=identity.kind,
                host=identity.host,
                version=__version__,
                started_at=started,
                at=clock(),
                troubles=(*_troubles(states()), *troubles),
                facts=told,
            )
            _write(database, said)
            if stop.wait(every):
                _leave(database, identity)
                return

    return run


def _ask(facts: Mapping[str, Facts]) -> tuple[dict[str, Any], list[str]]:
    told: dict[str, Any] = {}
    troubles: list[str] = []
    for name, ask in facts.items():
        try:
            told[name] = dict(ask())
        except KiosqueError as error:
            troubles.append(error.detail)
    return told, troubles


def _troubles(states: Sequence[WorkerState]) -> list[str]:
    """The loops that wait to be started again after a crash."""
    return [f"{s.name}: {s.last_error}" for s in states if not s.running and s.last_error]


def _write(database: Database, said: Presence) -> None:
    try:
        with database.write() as tx:
            presence.say(tx, said)
    except KiosqueError as error:
        _log.debug("presence.unsaid", error=str(error))


def _leave(database: Database, identity: Identity) -> None:
    try:
        with database.write() as tx:
            presence.leave(tx, identity.id)
    except KiosqueError as error:
        _log.debug("presence.unsaid", error=str(error))
