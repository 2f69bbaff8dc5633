"""Dead letters back on the bus, once what made them fail is mended."""

from __future__ import annotations

from dataclasses import replace

import structlog

from kiosque.bus.protocol import Bus, Message
from kiosque.core.clock import Clock
from kiosque.pipeline.decide import replay_key
from kiosque.store import dead_letters
from kiosque.store.database import Database
from kiosque.store.dead_letters import DeadLetter

_log = structlog.get_logger(__name__)


def replay(letter_id: int, bus: Bus, database: Database, clock: Clock) -> DeadLetter:
    """Publish the message again and mark the letter. Raises NotFound, BusUnavailable.

    On the inline bus this returns when the message has been handled, so what fails again is a dead
    letter again by then.
    """
    now = clock()
    with database.read() as tx:
        letter = dead_letters.get(tx, letter_id)
    with (
        database.write() as tx
    ):  # before publishing: a message that fails again must find it marked, not mark it after
        dead_letters.mark_replayed(tx, letter_id, now)
    bus.publish([Message(replay_key(letter.key, letter_id, now), letter.subject, letter.data)])
    _log.info("dead_letter.replayed", id=letter_id, key=letter.key)
    return replace(letter, replayed_at=now)
