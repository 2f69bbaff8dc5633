"""The whole way of an article on real parts: SQLite with the inline bus, PostgreSQL with JetStream."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from kiosque.bus.inline import InlineBus
from kiosque.bus.jetstream import JetStreamBus
from kiosque.bus.protocol import Bus
from kiosque.bus.stream import StreamSettings
from kiosque.core.clock import system_clock
from kiosque.core.entity import Alias, Entity, EntityKind, Watchlist
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.consume import Consumer, ConsumerPolicy
from kiosque.pipeline.decide import Backoff, RetryPolicy
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.worker import Workers
from kiosque.store import articles, dead_letters, entities, mentions
from kiosque.store.database import Database
from kiosque.testing.pipeline import ScriptedPredictor

WATCHLIST = Watchlist(
    id="people",
    name="People",
    entities=(
        Entity("ada-lane", "Ada Lane", EntityKind.PERSON, (Alias("Ada Lane"), Alias("Lane"))),
        Entity("bo-reed", "Bo Reed", EntityKind.PERSON, (Alias("Bo Reed"), Alias("Reed"))),
    ),
)
_numbers = itertools.count()


@dataclass
class House:
    """A store, a bus, a predictor, and as many consumers as a test starts."""

    database: Database
    open_bus: Callable[[], Bus]
    predictor: ScriptedPredictor = field(default_factory=ScriptedPredictor)
    metrics: Metrics = field(default_factory=Metrics)
    max_deliveries: int = 3
    batch_size: int = 32

    def __post_init__(self) -> None:
        self.bus = self.open_bus()
        self._running = ExitStack()

    def consumer(self, bus: Bus | None = None) -> Consumer:
        policy = ConsumerPolicy(
            batch_size=self.batch_size,
            fetch_timeout=0.2,
            heartbeat=0.3,
            retry=RetryPolicy(self.max_deliveries, Backoff(first=0.05, cap=0.2)),
        )
        return Consumer(
            bus or self.bus,
            self.intake(),
            self.database,
            clock=system_clock,
            metrics=self.metrics,
            policy=policy,
        )

    def intake(self) -> Intake:
        return Intake(self.database, self.predictor, clock=system_clock, metrics=self.metrics)

    def start_consumers(self, number: int = 1) -> Workers:
        workers = Workers(backoff=Backoff(first=0.05, cap=0.2))
        for n in range(number):
            workers.add(f"consumer-{n}", self.consumer().run)
        workers.start()
        self._running.callback(workers.stop)
        return workers

    def close(self) -> None:
        self._running.close()
        self.bus.close()

    # what came of it

    def stored(self) -> list[str]:
        with self.database.read() as tx:
            return sorted(row.article.key for row in articles.iterate(tx))

    def mentions(self) -> int:
        with self.database.read() as tx:
            return mentions.count(tx)

    def letters(self) -> list[dead_letters.DeadLetter]:
        with self.database.read() as tx:
            return list(dead_letters.page(tx).items)


@pytest.fixture(params=["sqlite+inline", "postgresql+jetstream"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "sqlite+inline":
        made = House(request.getfixturevalue("sqlite_store"), lambda: InlineBus(stall_seconds=20.0))
    else:
        url = request.getfixturevalue("nats").url
        stream = StreamSettings(name=f"pipeline{next(_numbers)}", ack_wait=1.0)
        database = request.getfixturevalue("postgres_database")
        made = House(database, lambda: JetStreamBus(url, stream=stream))
    with made.database.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, system_clock())
    yield made
    made.close()
