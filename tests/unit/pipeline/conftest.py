from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from kiosque.core.article import Article
from kiosque.core.entity import Alias, Entity, EntityKind, Watchlist
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.intake import Intake
from kiosque.store import entities
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock, ScriptedPredictor

MakeArticle = Callable[..., Article]

WATCHLIST = Watchlist(
    id="people",
    name="People",
    entities=(
        Entity("ada-lane", "Ada Lane", EntityKind.PERSON, (Alias("Ada Lane"), Alias("Lane"))),
        Entity("bo-reed", "Bo Reed", EntityKind.PERSON, (Alias("Bo Reed"), Alias("Reed"))),
        Entity(
            "cy-moss",
            "Cy Moss",
            EntityKind.PERSON,
            (Alias("Cy Moss"), Alias("Moss", valid_from=date(2000, 1, 1))),
        ),
    ),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def database(sqlite_store: Database, clock: ManualClock) -> Database:
    """SQLite with three people on the watch list."""
    with sqlite_store.write() as tx:
        entities.save_watchlist(tx, WATCHLIST, clock())
    return sqlite_store


@pytest.fixture
def predictor() -> ScriptedPredictor:
    return ScriptedPredictor()


@pytest.fixture
def intake(database: Database, predictor: ScriptedPredictor, clock: ManualClock, metrics: Metrics) -> Intake:
    return Intake(database, predictor, clock=clock, metrics=metrics)


@pytest.fixture
def article() -> MakeArticle:
    def make(key: str = "k1", headline: str = "Ada Lane Wins", **other: object) -> Article:
        values: dict[str, object] = {
            "source": "wire",
            "published_at": datetime(2024, 11, 6, 9, tzinfo=UTC),
            "abstract": "",
            **other,
        }
        return Article(key=key, headline=headline, **values)  # type: ignore[arg-type]

    return make
