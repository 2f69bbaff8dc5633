"""A feed that moves on while a real bus is full: what was fetched is stored, what nobody saw is told apart."""

from __future__ import annotations

import random
from uuid import uuid4

import pytest

from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.stream import StreamSettings
from kiosque.core.clock import system_clock
from kiosque.core.errors import BusUnavailable
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.produce import Producer, message_of
from kiosque.settings import Settings
from kiosque.sources.seen import Seen
from kiosque.store import sources
from kiosque.testing.bus_contract import fetch_count, settle_all
from kiosque.testing.faults.news import WIRE, Feed, NewsStand, Writer
from kiosque.testing.waiting import wait_until
from kiosque.wiring import open_house

SHOWN, MOST = 3, 20


@pytest.fixture
def parts(tmp_path, nats, monkeypatch):
    """A feed over HTTP, a bus that takes MOST waiting messages, and a producer."""
    monkeypatch.setattr("kiosque.bus.jetstream._LOOK_EVERY", 0.0)
    feed = Feed("feed-one", "127.0.0.1")
    stand = NewsStand([feed])
    settings = Settings(_env_file=None, data_dir=tmp_path, allow_private_hosts=True)
    bus = JetStreamBus(nats.url, stream=StreamSettings(name=f"test-{uuid4().hex}"), max_pending=MOST)
    with open_house(settings) as house:
        with house.migrated.write() as tx:
            sources.save(tx, feed.id, "feed", {"url": stand.url(feed), "interval": 0.0})
        producer = Producer(bus, house.migrated, house.sources.make, clock=system_clock, metrics=Metrics())
        yield feed, bus, producer, house.migrated
    bus.close()
    stand.close()


def test_what_a_feed_showed_while_the_bus_was_full_is_published_when_there_is_room(parts):
    feed, bus, producer, database = parts
    writer, chance = Writer("rolling"), random.Random(1)
    bus.publish([message_of(writer.story(chance, WIRE).article) for _ in range(MOST + 1)])
    wait_until(lambda: bus.lag().pending == MOST + 1)

    told = []
    for _ in range(4):
        stories = [writer.story(chance, feed.id).article for _ in range(SHOWN)]
        told += stories
        feed.add(stories)
        feed.put_aside(SHOWN)
        with pytest.raises(BusUnavailable):
            producer.poll_now(feed.id)
    unseen = [writer.story(chance, feed.id).article for _ in range(2)]
    feed.add(unseen)
    feed.add([writer.story(chance, feed.id).article for _ in range(SHOWN)])
    feed.put_aside(SHOWN)
    assert feed.rolled_off() == {article.key for article in unseen}

    assert len(settle_all(bus)) == MOST + 1
    producer.poll_now(feed.id)
    arrived = {delivery.message.key.partition("#")[0] for delivery in fetch_count(bus, 5 * SHOWN)}
    assert arrived == feed.fetched == {article.key for article in told} | set(feed.stories)
    with database.read() as tx:
        seen = Seen.of(sources.get(tx, feed.id).cursor)
    assert all(article in seen for article in feed.stories.values())
