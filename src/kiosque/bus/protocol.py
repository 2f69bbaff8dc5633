"""What a bus is. `inline` and `jetstream` keep the same promises and pass the same contract tests.

When `publish` returns, its messages survive a crash of any process: JetStream has stored them; the
inline bus has had them handled, which is why the producer may move its cursor then, and only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """`key` tells duplicates apart (the article's key); `subject` is the source's id."""

    key: str
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the consumers are behind: messages waiting and messages handed out but not settled."""

    pending: int
    in_flight: int


class Delivery(Protocol):
    """One message in a consumer's hands. Settle it once: ack, nak or term."""

    @property
    def message(self) -> Message: ...

    @property
    def attempt(self) -> int:
        """1 on the first delivery."""
        ...

    @property
    def told_at(self) -> datetime | None:
        """When the bus took the message, where it may hand out messages in another order; see `Article.told_at`."""
        ...

    def ack(self) -> None:
        """Done; never deliver it again."""
        ...

    def nak(self, delay: float = 0.0) -> None:
        """Not done; deliver it again after `delay` seconds."""
        ...

    def term(self, reason: str) -> None:
        """Hopeless; never deliver it again."""
        ...

    def in_progress(self) -> None:
        """Still at it; start the time for settling anew."""
        ...


class Bus(Protocol):
    """Raises BusUnavailable from any method when the broker is out of reach."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Returns when every message is safe. A message with a key seen shortly before may be dropped."""
        ...

    def fetch(self, limit: int, timeout: float) -> list[Delivery]:
        """Up to `limit` deliveries, as soon as there are some; empty after `timeout` seconds without any."""
        ...

    def lag(self) -> Lag: ...

    def check(self) -> None:
        """Returns if the broker answers; raises BusUnavailable otherwise."""
        ...

    def close(self) -> None: ...
