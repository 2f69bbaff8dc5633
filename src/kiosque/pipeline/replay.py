"""Dead letters back on the bus, once what made them fail is mended."""

from __future__ import annotations

from dataclasses import replace

import structlog

from kiosque.bus.protocol import Bus, Message
from kiosque.core.clock import Clock
from kiosque.core.errors import KiosqueError
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
    # Marked before it travels: should it fail again, it must be found waiting, not be marked afterwards.
    with database.write() as tx:
        dead_letters.mark_replayed(tx, letter_id, now)
    try:
        bus.publish([Message(replay_key(letter.key, letter_id, now), letter.subject, letter.data)])
    except KiosqueError:
        _put_back(letter, database)
        raise
    _log.info("dead_letter.replayed", id=letter_id, key=letter.key)
    return replace(letter, replayed_at=now)


def _put_back(letter: DeadLetter, database: Database) -> None:
    """It did not get onto the bus: it waits as before."""
    with database.write() as tx:
        dead_letters.add(
            tx,
            key=letter.key,
            subject=letter.subject,
            data=letter.data,
            reason=letter.reason,
            attempts=letter.attempts,
            at=letter.at,
        )
