"""Which processes of this installation run: each says so every few seconds, in `meta`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from kiosque.core.clock import parse_rfc3339, rfc3339
from kiosque.store.statements import upsert
from kiosque.store.tables import meta
from kiosque.store.tx import Tx

_PREFIX = "process:"
FORGOTTEN = timedelta(days=1)
"""How long a process that has fallen silent is still named."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One process at the moment at which it last said how it fares."""

    id: str
    """Kind, host and process number."""
    kind: str
    host: str
    version: str
    started_at: datetime
    at: datetime
    troubles: tuple[str, ...] = ()
    """What it says of its own loops and of what it needs."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else it knows: how many messages wait, what is left of a quota."""


def say(tx: Tx, presence: Presence) -> None:
    """Keep what a process says of itself, and forget those that were silent for `FORGOTTEN`."""
    document = {
        "kind": presence.kind,
        "host": presence.host,
        "version": presence.version,
        "started_at": rfc3339(presence.started_at),
        "at": rfc3339(presence.at),
        "troubles": list(presence.troubles),
        "facts": dict(presence.facts),
    }
    upsert(tx, meta, [{"name": _PREFIX + presence.id, "value": json.dumps(document)}], ["name"])
    for other in everyone(tx):
        if presence.at - other.at > FORGOTTEN:
            leave(tx, other.id)


def leave(tx: Tx, process_id: str) -> None:
    """The process has ended as it should."""
    tx.execute(delete(meta).where(meta.c.name == _PREFIX + process_id))


def everyone(tx: Tx) -> tuple[Presence, ...]:
    """All processes that have said something and have not left, by kind."""
    rows = tx.execute(
        select(meta.c.name, meta.c.value)
        .where(meta.c.name.startswith(_PREFIX, autoescape=True))
        .order_by(meta.c.name)
    )
    return tuple(_read(name, value) for name, value in rows)


def _read(name: str, value: str) -> Presence:
    document = json.loads(value)
    return Presence(
        id=name.removeprefix(_PREFIX),
        kind=document["kind"],
        host=document["host"],
        version=document["version"],
        started_at=parse_rfc3339(document["started_at"]),
        at=parse_rfc3339(document["at"]),
        troubles=tuple(document["troubles"]),
        facts=document["facts"],
    )
