"""Publish here, find it in the store there, whatever fails in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.clock import system_clock
from kiosque.core.polarity import ScoringRequest
from kiosque.pipeline.consumer_app import consumer_app
from kiosque.pipeline.guard import bearer
from kiosque.pipeline.imports import Importer, StoreSink
from kiosque.pipeline.produce import Producer, message_of
from kiosque.pipeline.rescore import Rescorer
from kiosque.sources.protocol import Page
from kiosque.store import articles, sources
from kiosque.testing.pipeline import PagedSource, pages_of
from kiosque.testing.waiting import wait_until

if TYPE_CHECKING:
    from tests.integration.pipeline.conftest import House


def story(key: str, headline: str = "Lane Meets Reed", source: str = "paged") -> Article:
    return Article(key, source, headline, datetime(2024, 11, 6, tzinfo=UTC))


def publish(house: House, found: Sequence[Article]) -> threading.Thread:
    """Publish in the background: on the inline bus it returns when all is handled."""
    thread = threading.Thread(target=house.bus.publish, args=([message_of(each) for each in found],))
    thread.start()
    return thread


def producer(house: House, *pages: Page) -> Producer:
    with house.database.write() as tx:
        sources.save(tx, "paged", "feed", {})
    source = PagedSource(pages_of(pages))
    return Producer(house.bus, house.database, lambda _: source, clock=system_clock, metrics=house.metrics)


def test_what_a_source_has_comes_out_scored_in_the_store(house: House) -> None:
    house.start_consumers()
    stories = [story(f"k{n}") for n in range(100)]
    report = producer(house, Page({}, tuple(stories[:60])), Page({}, tuple(stories[60:]))).poll_now("paged")
    assert (report.read, report.new) == (100, 100)
    wait_until(lambda: house.mentions() == 200)
    assert house.stored() == sorted(each.key for each in stories)


def test_published_twice_it_is_stored_once(house: House) -> None:
    house.start_consumers()
    stories = [story(f"k{n}") for n in range(10)]
    for _ in range(2):
        publish(house, stories).join(30)
    publish(house, [story("last")]).join(30)
    wait_until(lambda: "last" in house.stored())
    assert len(house.stored()) == 11
    assert house.mentions() == 22


def test_a_correction_published_right_after_is_not_taken_for_a_duplicate(house: House) -> None:
    house.start_consumers()
    publish(house, [story("k")]).join(30)
    publish(house, [story("k", "Reed Resigns")]).join(30)

    def headline() -> str:
        with house.database.read() as tx:
            found = articles.find(tx, "k")
        return found.article.headline if found else ""

    wait_until(lambda: headline() == "Reed Resigns" and house.mentions() == 1)


def test_consumers_share_the_work(house: House) -> None:
    house.batch_size = 8
    house.start_consumers(3)
    stories = [story(f"k{n}") for n in range(150)]
    publish(house, stories).join(60)
    wait_until(lambda: house.mentions() == 300)
    assert len(house.stored()) == 150
    scored = [headline for call in house.predictor.scored for headline in call]
    assert len(scored) == 150, "each was scored by one consumer"
    assert house.letters() == []


def test_consumers_that_get_the_same_stories_at_once_store_each_once(house: House) -> None:
    """As after a redelivery: the same batch in several hands at the same moment."""
    stories = [story(f"k{n}", f"Lane Meets Reed {n}") for n in range(40)]
    together = threading.Barrier(3)
    results: list[int] = []

    def take(order: Sequence[Article]) -> None:
        intake = house.intake()
        together.wait(30)
        results.append(len(intake.take(order)))

    orders = [stories, stories[::-1], stories[20:] + stories[:20]]
    threads = [threading.Thread(target=take, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [40, 40, 40]
    assert len(house.stored()) == 40
    assert house.mentions() == 80


def test_an_outage_of_the_predictor_loses_nothing_and_gives_nothing_up(house: House) -> None:
    house.predictor.down = True
    house.start_consumers()
    publishing = publish(house, [story(f"k{n}") for n in range(20)])
    outcome = "kiosque_consume_batch_seconds_count"
    wait_until(lambda: (house.metrics.registry.get_sample_value(outcome) or 0) > house.max_deliveries + 2)
    assert house.stored() == []
    house.predictor.down = False
    wait_until(lambda: house.mentions() == 40)
    publishing.join(30)
    assert house.letters() == []


def test_a_poison_article_ends_among_the_dead_letters_and_comes_back_through_the_endpoint(
    house: House,
) -> None:
    house.predictor.poison = "Cursed"
    house.start_consumers()
    batch = [story(f"k{n}", "Cursed Lane" if n == 3 else "Lane Wins") for n in range(8)]
    publish(house, [*batch]).join(60)
    house.bus.publish([Message("odd", "stranger", b"not json")])
    wait_until(lambda: len(house.letters()) == 2)
    wait_until(lambda: len(house.stored()) == 7)

    house.predictor.poison = None
    app = consumer_app(
        house.bus,
        house.database,
        clock=system_clock,
        metrics=house.metrics,
        authorise=bearer("secret"),
        checks={"bus": house.bus.check, "database": house.database.check},
    )
    with TestClient(app, headers={"Authorization": "Bearer secret"}) as client:
        letters = client.get("/v1/dead-letters").json()["items"]
        (poison,) = (each for each in letters if each["key"] == "k3")
        assert poison["attempts"] == house.max_deliveries
        assert client.post(f"/v1/dead-letters/{poison['id']}/replay").status_code == 202
        wait_until(lambda: "k3" in house.stored())
        latest = client.get("/v1/articles/latest").json()["items"][0]
        assert (latest["key"], [m["entity"] for m in latest["mentions"]]) == ("k3", ["ada-lane"])
        assert client.get("/readyz").status_code == 200
        wait_until(lambda: client.get("/v1/lag").json() == {"pending": 0, "in_flight": 0})


def test_a_consumer_that_dies_with_a_batch_in_hand_loses_nothing(house: House) -> None:
    """It fetched and never settled, as after kill -9; the bus hands the batch to the next."""
    stories = [story(f"k{n}") for n in range(10)]
    publishing = publish(house, stories)
    taken = house.bus.fetch(100, 5.0)
    assert taken
    if house.database.dialect == "sqlite":
        for delivery in taken:  # the inline bus dies with its process: what stands for that is giving back
            delivery.nak()
    house.start_consumers()
    wait_until(lambda: house.mentions() == 20)
    publishing.join(30)


def test_a_stopped_consumer_finishes_the_batch_in_hand(house: House) -> None:
    scoring, go_on = threading.Event(), threading.Event()

    def hold(_: Sequence[ScoringRequest]) -> None:
        scoring.set()
        go_on.wait(30)

    house.predictor.on_polarity = hold
    workers = house.start_consumers()
    publishing = publish(house, [story("k")])
    assert scoring.wait(30)
    stopping = threading.Thread(target=workers.stop)
    stopping.start()
    go_on.set()
    stopping.join(30)
    publishing.join(30)
    assert house.stored() == ["k"]
    wait_until(lambda: house.bus.lag().in_flight == 0)


def test_history_is_scored_by_a_new_model_while_news_comes_in(house: House) -> None:
    Importer(StoreSink(house.intake(), house.database), house.database, clock=system_clock).run(
        PagedSource(pages_of([Page({}, tuple(story(f"old{n}") for n in range(60)))])), job_id="j"
    )
    house.predictor.version = "v2"
    house.start_consumers()
    publishing = publish(house, [story(f"new{n}") for n in range(60)])
    rescorer = Rescorer(house.database, house.predictor, clock=system_clock, chunk=7)
    rescorer.run()
    publishing.join(30)
    wait_until(lambda: len(house.stored()) == 120)
    result = rescorer.run()
    assert (result.left, result.current) == (0, True)
    wait_until(lambda: house.mentions() == 240)


Check = Callable[[], bool]


@pytest.mark.parametrize("house", ["postgresql+jetstream"], indirect=True)
def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
    house: House, request: pytest.FixtureRequest
) -> None:
    broker = request.getfixturevalue("nats")
    house.start_consumers(2)
    house.batch_size = 8
    for n in range(3):
        publish(house, [story(f"k{n}-{m}") for m in range(30)]).join(30)
        if n == 1:
            broker.kill()
            broker.start()
    wait_until(lambda: house.mentions() == 180)
    assert len(house.stored()) == 90
