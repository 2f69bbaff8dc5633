"""Articles as they come in: over a real connection, and in the unit that reads the database for all."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import uvicorn

from kiosque.api import live
from kiosque.api.live import Arrival, LiveArticles
from kiosque.core.article import Article
from kiosque.core.errors import StoreUnavailable, TryAgain
from kiosque.http.server import bind
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.intake import Intake
from kiosque.store import articles
from kiosque.store.database import Database
from kiosque.testing.pipeline import ManualClock
from kiosque.testing.seeded import ARTICLES, NOW, SeededApi, SeededPredictor

POLL = 0.02


def article(number: int, headline: str = "Lincoln Speaks Again") -> Article:
    return replace(ARTICLES[0], key=f"new:{number}", headline=f"{headline} {number}")


def take(database: Database, *new: Article) -> None:
    Intake(database, SeededPredictor(), clock=ManualClock(NOW), metrics=Metrics()).take(new)


def listen(database: Database, **changes: Any) -> LiveArticles:
    settings = {"poll_seconds": POLL, "max_listeners": 10, "stopping": lambda: False, **changes}
    return LiveArticles(database, **settings)


async def collect(
    feed: LiveArticles, count: int, *, after: int | None = None, then: Callable[[], None] = lambda: None
) -> list[Arrival]:
    """The first `count` arrivals; `then` is called once someone listens."""
    found: list[Arrival] = []
    listening = feed.follow(after)
    waiting = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(5 * POLL)
    await asyncio.to_thread(then)
    while True:
        arrival = await asyncio.wait_for(waiting, 20)
        if arrival is not None:
            found.append(arrival)
        if len(found) == count:
            break
        waiting = asyncio.ensure_future(anext(listening))
    await listening.aclose()  # type: ignore[attr-defined]
    return found


def headlines(arrivals: list[Arrival]) -> list[str]:
    return [json.loads(arrival.json)["headline"] for arrival in arrivals]


def test_one_who_listens_gets_what_comes_from_then_on(api: SeededApi) -> None:
    database = api.context.database
    found = asyncio.run(collect(listen(database), 2, then=lambda: take(database, article(1), article(2))))
    assert sorted(headlines(found)) == ["Lincoln Speaks Again 1", "Lincoln Speaks Again 2"]
    assert all(arrival.entities == {"abraham-lincoln"} for arrival in found)


def test_one_who_comes_back_gets_what_was_missed_and_nothing_twice(api: SeededApi) -> None:
    database = api.context.database
    with database.read() as tx:
        last = max(row.pk for row in articles.latest(tx, 50))
    take(database, article(1), article(2))
    found = asyncio.run(
        collect(listen(database), 4, after=last, then=lambda: take(database, article(3), article(4)))
    )
    assert sorted(headlines(found)) == [f"Lincoln Speaks Again {n}" for n in (1, 2, 3, 4)]
    assert len({arrival.id for arrival in found}) == 4


@pytest.mark.parametrize("after", [0, 2**63 - 1])
def test_any_number_is_a_place_to_go_on(api: SeededApi, after: int) -> None:
    database = api.context.database
    count = 8 if after == 0 else 1
    found = asyncio.run(
        collect(listen(database), count, after=after, then=lambda: take(database, article(1)))
    )
    assert len(found) == count


def test_one_who_comes_back_late_gets_the_newest(api: SeededApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BACKLOG", 3)
    found = asyncio.run(collect(listen(api.context.database), 3, after=0))
    assert len(found) == 3


def test_an_import_of_many_is_cut_to_the_newest(api: SeededApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "BACKLOG", 3)
    monkeypatch.setattr(live, "OVERLAP", 2)
    database = api.context.database
    many = [article(n) for n in range(20)]
    found = asyncio.run(collect(listen(database), 3, then=lambda: take(database, *many)))
    with database.read() as tx:
        newest = sorted(row.pk for row in articles.latest(tx, 50))[-3:]
    assert [arrival.id for arrival in found] == newest


def test_what_was_committed_late_with_an_older_number_is_not_missed(api: SeededApi) -> None:
    """On PostgreSQL numbers are handed out before the commit. Here: one is hidden until the next is there."""
    database = api.context.database
    feed = listen(database, poll_seconds=0.0)
    feed.look()
    take(database, article(1), article(2))
    with database.read() as tx:
        late, early = sorted(row.pk for row in articles.latest(tx, 2))
    real = articles.iterate

    def without_late(tx: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        return (row for row in real(tx, *args, **kwargs) if row.pk != late)

    articles.iterate = without_late  # type: ignore[assignment]
    try:
        feed.look()
    finally:
        articles.iterate = real
    feed.look()
    feed.look()
    assert [arrival.id for _, arrival in feed._recent] == [early, late]


def test_many_listeners_cost_one_look(api: SeededApi) -> None:
    looks: list[int] = []

    class Counting:
        def read(self) -> Any:
            looks.append(1)
            return api.context.database.read()

    feed = listen(Counting(), poll_seconds=30.0)  # type: ignore[arg-type]

    async def listen_all() -> None:
        waiting = [asyncio.ensure_future(anext(feed.follow())) for _ in range(8)]
        await asyncio.sleep(0.5)
        assert feed.listeners == 8
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(listen_all())
    assert len(looks) == 1
    assert feed.listeners == 0


def test_there_are_no_more_listeners_than_allowed(api: SeededApi) -> None:
    feed = listen(api.context.database, max_listeners=1)

    async def two() -> None:
        first = feed.follow()
        waiting = asyncio.ensure_future(anext(first))
        await asyncio.sleep(5 * POLL)
        with pytest.raises(TryAgain, match="1 streams"):
            await anext(feed.follow())
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    asyncio.run(two())
    assert feed.listeners == 0
    feed.check_room()


def test_silence_is_broken_now_and_then(api: SeededApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.05)

    async def first() -> Any:
        return await asyncio.wait_for(anext(listen(api.context.database).follow()), 20)

    assert asyncio.run(first()) is None


def test_a_stream_outlives_a_database_that_is_away_for_a_while(api: SeededApi) -> None:
    class Flaky:
        away = False

        def read(self) -> Any:
            if self.away:
                raise StoreUnavailable("away")
            return api.context.database.read()

    flaky = Flaky()

    def then() -> None:
        flaky.away = True
        time.sleep(5 * POLL)
        take(api.context.database, article(1))
        flaky.away = False

    found = asyncio.run(collect(listen(flaky), 1, then=then))  # type: ignore[arg-type]
    assert headlines(found) == ["Lincoln Speaks Again 1"]


def test_streams_end_when_the_process_does(api: SeededApi) -> None:
    ending = threading.Event()
    feed = listen(api.context.database, stopping=ending.is_set)

    async def follow() -> list[Any]:
        asyncio.get_running_loop().call_later(0.1, ending.set)
        return [arrival async for arrival in feed.follow()]

    assert asyncio.run(asyncio.wait_for(follow(), 20)) == []


@contextmanager
def served(api: SeededApi) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(api.app, log_config=None, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1/stream"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def events(lines: Iterator[str], count: int) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    event: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            event[name] = value
        elif event:
            found.append(event)
            event = {}
        if len(found) == count:
            break
    return found


def test_a_browser_gets_events_that_it_can_resume_from(make_api: Any) -> None:
    api = make_api(stream_poll_seconds=POLL, open_reading=True)
    with (
        served(api) as url,
        httpx2.stream(
            "GET", url, params={"entity": "john-bell"}, headers={"Last-Event-ID": "0"}, timeout=20
        ) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        retry, event = events(answer.iter_lines(), 2)
    assert retry == {"retry": "3000"}
    assert event["event"] == "article"
    assert int(event["id"]) > 0
    assert "Bell and Breckinridge" in json.loads(event["data"])["headline"]


def test_one_listener_too_many_is_told_to_wait(make_api: Any) -> None:
    api = make_api(max_listeners=0)
    refused = api.client("read").get("/api/v1/stream")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")


@pytest.mark.parametrize("last", ["-1", "one", "9" * 20, "1e3", ""])
def test_what_is_no_event_s_id_is_refused(api: SeededApi, last: str) -> None:
    refused = api.client("read").get("/api/v1/stream", headers={"Last-Event-ID": last})
    assert refused.status_code == 422


def test_a_stranger_hears_nothing(api: SeededApi) -> None:
    assert api.client().get("/api/v1/stream").status_code == 401
