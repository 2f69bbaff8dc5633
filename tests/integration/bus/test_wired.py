"""The bus and its consumer as settings make them, on a real broker."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import nats as nats_client
import pytest

from kiosque.bus.protocol import Lag
from kiosque.core.article import Article
from kiosque.core.clock import system_clock
from kiosque.pipeline.produce import message_of
from kiosque.settings import Settings
from kiosque.store import entities
from kiosque.testing.faults.news import WATCHLIST
from kiosque.testing.pipeline import ScriptedPredictor
from kiosque.testing.waiting import wait_until
from kiosque.wiring import open_house


@pytest.fixture
def settings(tmp_path, nats):
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        bus="jetstream",
        nats_url=nats.url,
        nats_stream=f"test-{uuid4().hex}",
        nats_ack_wait=1.0,
        nats_max_age_days=7.0,
        nats_max_bytes=1_000_000,
    )


def test_what_takes_longer_than_the_broker_waits_for_a_word_stays_with_its_consumer(settings):
    predictor = ScriptedPredictor()
    predictor.on_polarity = lambda _: time.sleep(2.5)
    story = Article("https://news.example/1", "demo", "Ada Lane wins", datetime(2024, 11, 6, tzinfo=UTC))
    with open_house(settings) as house, open_house(settings) as other, ThreadPoolExecutor(1) as pool:
        house.__dict__["predictor"] = predictor
        with house.migrated.write() as tx:
            entities.save_watchlist(tx, WATCHLIST, system_clock())
        house.bus.publish([message_of(story)])
        working = pool.submit(house.consumer.step)
        wait_until(lambda: other.bus.lag().in_flight == 1)
        assert other.bus.fetch(1, 2.0) == []
        assert working.result(30) == 1
        wait_until(lambda: other.bus.lag() == Lag(0, 0))
    assert len(predictor.scored) == 1


def test_who_only_looks_leaves_stream_and_consumer_as_they_are(settings):
    with open_house(settings) as house:
        house.bus.lag()
        house.lookout.lag()
        house.lookout.check()
    stream, consumer = asyncio.run(_configs(settings))
    assert (stream.max_age, stream.max_bytes, stream.discard) == (7 * 86_400.0, 1_000_000, "new")
    assert consumer.ack_wait == 1.0


async def _configs(settings):
    client = await nats_client.connect(settings.nats_url)
    try:
        js = client.jetstream()
        stream = await js.stream_info(settings.nats_stream)
        return stream.config, (await js.consumer_info(settings.nats_stream, "consumer")).config
    finally:
        await client.close()
