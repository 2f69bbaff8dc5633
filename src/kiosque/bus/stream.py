"""The stream and its consumer as the broker is to have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nats.js.api as js_api
import nats.js.errors
import structlog
from nats.js.client import JetStreamContext

log = structlog.get_logger(__name__)

_NEVER_DROP = 1_000_000
"""Deliveries after which the broker would drop a message. Kiosque's consumer gives up long before that, and keeps
a dead letter; brokers before 2.10 want a number next to a back-off."""
_NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How the stream and its consumer are made. All times in seconds.

    `max_age` is how long a message is kept for replay, handled or not; `max_bytes` how much the stream may take of
    the broker's disk, 0 for any amount; `duplicate_window` how long a key is remembered; `ack_wait` how long a
    consumer may hold a message without a word. The consumer has no BackOff of the broker's: it would be added to
    the delays that a consumer asks for.
    """

    name: str = "articles"
    consumer: str = "consumer"
    replicas: int = 1
    max_age: float = 30 * 86_400.0
    max_bytes: int = 0
    duplicate_window: float = 600.0
    ack_wait: float = 60.0
    max_ack_pending: int = 8192


async def ensure_stream(js: JetStreamContext, stream: StreamSettings) -> None:
    """Create the stream, or bring the one that exists up to the settings; the same from many processes at once."""
    wanted: dict[str, Any] = {
        "subjects": [f"{stream.name}.>"],
        "num_replicas": stream.replicas,
        "max_age": stream.max_age,
        "max_bytes": stream.max_bytes or _NO_LIMIT,
        "discard": js_api.DiscardPolicy.NEW,
        "duplicate_window": min(stream.duplicate_window, stream.max_age),
    }
    try:
        config = (await js.stream_info(stream.name)).config
    except nats.js.errors.NotFoundError:
        fixed = js_api.StreamConfig(
            name=stream.name, retention=js_api.RetentionPolicy.LIMITS, storage=js_api.StorageType.FILE
        )
        config = (await js.add_stream(fixed, **wanted)).config
    if any(getattr(config, name) != value for name, value in wanted.items()):
        await js.update_stream(config, **wanted)
        log.info("bus.stream_updated", stream=stream.name)


async def make_room(js: JetStreamContext, stream: StreamSettings) -> bool:
    """Drop the older half of what consumers have settled; what waits or is in hand stays. False: all of it does."""
    state = (await js.stream_info(stream.name)).state
    floor = (await js.consumer_info(stream.name, stream.consumer)).ack_floor
    settled = 0 if floor is None else floor.stream_seq - state.first_seq + 1
    if settled <= 0:
        return False
    await js.purge_stream(stream.name, seq=state.first_seq + (settled + 1) // 2)
    log.info("bus.made_room", stream=stream.name, settled=settled)
    return True


async def ensure_consumer(js: JetStreamContext, stream: StreamSettings) -> None:
    wanted: dict[str, Any] = {
        "ack_wait": stream.ack_wait,
        "max_ack_pending": stream.max_ack_pending,
        "max_deliver": _NEVER_DROP,
    }
    try:
        config = (await js.consumer_info(stream.name, stream.consumer)).config
    except nats.js.errors.NotFoundError:
        config = js_api.ConsumerConfig(
            durable_name=stream.consumer,
            ack_policy=js_api.AckPolicy.EXPLICIT,
            deliver_policy=js_api.DeliverPolicy.ALL,
        )
    if any(getattr(config, name) != value for name, value in wanted.items()):
        await js.add_consumer(stream.name, config, **wanted)
