"""Dead letters back on the bus."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.errors import BusUnavailable, NotFound
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer, ConsumerPolicy
from kiosque.pipeline.decide import RetryPolicy
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.produce import message_of
from kiosque.pipeline.replay import replay
from kiosque.store import articles, dead_letters
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, RecordedBus, ScriptedPredictor

MakeArticle = Callable[..., Article]


@pytest.fixture
def bus() -> RecordedBus:
    return RecordedBus()


@pytest.fixture
def consumer(
    bus: RecordedBus, intake: Intake, database: Database, clock: ManualClock, metrics: Metrics
) -> Consumer:
    policy = ConsumerPolicy(retry=RetryPolicy(max_deliveries=1))
    return Consumer(bus, intake, database, clock=clock, metrics=metrics, policy=policy)


def only_letter(database: Database) -> dead_letters.DeadLetter:
    with database.read() as tx:
        (letter,) = dead_letters.page(tx).items
    return letter


def test_what_failed_is_stored_once_the_fault_is_mended(
    bus: RecordedBus,
    consumer: Consumer,
    database: Database,
    predictor: ScriptedPredictor,
    clock: ManualClock,
    article: MakeArticle,
) -> None:
    predictor.poison = "Lane"
    bus.prepare(message_of(article()))
    consumer.step()
    letter = only_letter(database)

    predictor.poison = None
    clock.move(60)
    assert replay(letter.id, bus, database, clock).replayed_at == clock()
    bus.prepare(*bus.published)
    consumer.step()
    with database.read() as tx:
        assert articles.get(tx, "k1").article == article()
        assert dead_letters.count(tx, replayed=False) == 0
        assert dead_letters.count(tx, replayed=True) == 1


def test_what_fails_again_is_the_same_letter_waiting_again(
    bus: RecordedBus, consumer: Consumer, database: Database, clock: ManualClock
) -> None:
    bus.prepare(Message("odd", "stranger", b"?"))
    consumer.step()
    before = only_letter(database)
    replay(before.id, bus, database, clock)
    bus.prepare(*bus.published)
    consumer.step()
    after = only_letter(database)
    assert (after.id, after.key, after.replayed_at) == (before.id, "odd", None)


def test_each_replay_travels_under_a_key_that_no_bus_has_seen(
    bus: RecordedBus, consumer: Consumer, database: Database, clock: ManualClock
) -> None:
    bus.prepare(Message("odd", "stranger", b"?"))
    consumer.step()
    for _ in range(2):
        clock.move(1)
        replay(only_letter(database).id, bus, database, clock)
    keys = [message.key for message in bus.published]
    assert len({"odd", *keys}) == 3
    assert [m.data for m in bus.published] == [b"?", b"?"]


def test_a_letter_that_is_not_there_is_not_found(
    bus: RecordedBus, database: Database, clock: ManualClock
) -> None:
    with pytest.raises(NotFound):
        replay(404, bus, database, clock)
    assert bus.published == []


def test_a_letter_that_the_bus_does_not_take_waits_as_before(
    bus: RecordedBus, consumer: Consumer, database: Database, clock: ManualClock
) -> None:
    bus.prepare(Message("odd", "stranger", b"?"))
    consumer.step()
    before = only_letter(database)
    bus.down = True
    with pytest.raises(BusUnavailable):
        replay(before.id, bus, database, clock)
    assert only_letter(database) == before
