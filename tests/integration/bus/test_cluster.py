"""Three brokers, three copies: the leader of the stream is killed while articles are published and consumed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import nats
import pytest
from nats.js.api import StreamInfo

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.protocol import Message
from kiosque.bus.stream import StreamSettings
from kiosque.core.errors import BusUnavailable
from kiosque.testing.servers import NatsServer, nats_cluster
from kiosque.testing.waiting import wait_until

KEYS = [f"key-{i}" for i in range(90)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, nats) -> Iterator[Mapping[str, NatsServer]]:
    """Asks for the shared broker so that it skips where there is none."""
    with nats_cluster(tmp_path_factory.mktemp("cluster")) as servers:
        yield servers


@pytest.fixture
def stream():
    return StreamSettings(name=f"test-{uuid4().hex}", replicas=3, ack_wait=2.0)


@pytest.fixture
def buses(cluster, stream):
    """One bus to publish with and two to consume with, each knowing all the brokers."""
    url = ",".join(server.url for server in cluster.values())
    buses = [JetStreamBus(url, stream=stream, timeout=15.0) for _ in range(3)]
    wait_until(lambda: _is_ready(buses[0]))
    yield buses
    for bus in buses:
        bus.close()


def _is_ready(bus: JetStreamBus) -> bool:
    try:
        bus.lag()
    except BusUnavailable:
        return False
    return True


def _stream_info(cluster: Mapping[str, NatsServer], stream: StreamSettings) -> StreamInfo:
    async def ask() -> StreamInfo:
        client = await nats.connect([server.url for server in cluster.values()])
        try:
            return await client.jetstream(timeout=10).stream_info(stream.name)
        finally:
            await client.close()

    return asyncio.run(ask())


def _leader(cluster: Mapping[str, NatsServer], stream: StreamSettings) -> str:
    found = []

    def has_leader() -> bool:
        with suppress(nats.errors.Error):
            found.append(_stream_info(cluster, stream).cluster.leader)
        return bool(found and found[-1])

    wait_until(has_leader)
    return found[-1]


def _publish(bus: JetStreamBus) -> None:
    for key in KEYS:
        wait_until(lambda key=key: _is_published(bus, key))


def _is_published(bus: JetStreamBus, key: str) -> bool:
    try:
        bus.publish([Message(key, "demo", b"x")])
    except BusUnavailable:
        return False
    return True


def _consume(bus: JetStreamBus, seen: set[str]) -> None:
    while len(seen) < len(KEYS):
        with suppress(BusUnavailable):
            for delivery in bus.fetch(10, 0.5):
                seen.add(delivery.message.key)
                delivery.ack()


def test_killing_the_leader_twice_loses_nothing_and_stores_nothing_twice(cluster, stream, buses):
    publisher, *consumers = buses
    seen: set[str] = set()
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(_publish, publisher), *(pool.submit(_consume, bus, seen) for bus in consumers)]
        for count in (20, 50):
            wait_until(lambda count=count: len(seen) >= count)
            leader = cluster[_leader(cluster, stream)]
            leader.kill()
            leader.start()
        for future in running:
            future.result(120)

    assert seen == set(KEYS)
    _leader(cluster, stream)  # the cluster may still be choosing one, and answers nobody until then
    info = _stream_info(cluster, stream)
    assert info.state.messages == len(KEYS), "the broker knew again what it was sent a second time"
    assert info.config.num_replicas == 3
