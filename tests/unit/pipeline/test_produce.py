"""From sources onto the bus: what is published when, and what is remembered of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from kiosque.bus.protocol import Message
from kiosque.core.article import Article
from kiosque.core.book import Book, ListPlacement
from kiosque.core.errors import (
    BusUnavailable,
    Conflict,
    InvalidSettings,
    KiosqueError,
    NotFound,
    PreconditionFailed,
    RateLimited,
    SourceUnavailable,
    StoreUnavailable,
    TooLarge,
    TryAgain,
)
from kiosque.core.message import decode_article
from kiosque.ops.metrics import Metrics
from kiosque.pipeline.decide import Backoff
from kiosque.pipeline.produce import Producer, ProducerPolicy
from kiosque.pipeline.worker import Stop, Workers
from kiosque.sources.protocol import Cursor, Page, Reason, Skipped, Source, SourceKind
from kiosque.sources.seen import Seen
from kiosque.store import articles, books, sources
from kiosque.store.books import BooksChange
from kiosque.store.database import Database
from kiosque.store.sources import SourceState
from kiosque.testing.pipeline import ManualClock, PagedSource, RecordedBus, pages_of
from kiosque.testing.waiting import wait_until

MakeArticle = Callable[..., Article]
POLICY = ProducerPolicy(tick=0.001, backoff=Backoff(first=30.0, cap=3600.0))


@dataclass
class Setting:
    bus: RecordedBus
    database: Database
    clock: ManualClock
    producer: Producer
    adapters: dict[str, Any] = field(default_factory=dict)
    changes: list[BooksChange] = field(default_factory=list)

    def add(self, *adapters: Source) -> None:
        with self.database.write() as tx:
            for adapter in adapters:
                self.adapters[adapter.id] = adapter
                sources.save(tx, adapter.id, adapter.kind.value, {})

    def state(self, source_id: str = "paged") -> SourceState:
        with self.database.read() as tx:
            return sources.get(tx, source_id)

    def due_in(self, source_id: str = "paged") -> float:
        next_at = self.state(source_id).next_poll_at
        assert next_at is not None
        return (next_at - self.clock()).total_seconds()


@pytest.fixture
def setting(database: Database, clock: ManualClock, metrics: Metrics) -> Setting:
    bus = RecordedBus()
    made = Setting(bus, database, clock, producer=None)  # type: ignore[arg-type]
    made.producer = Producer(
        bus,
        database,
        lambda state: made.adapters[state.id],
        clock=clock,
        metrics=metrics,
        policy=POLICY,
        on_books=made.changes.append,
    )
    return made


def page(*found: Article, skipped: Sequence[Skipped] = (), **other: Any) -> Page:
    return Page(cursor={}, articles=found, skipped=tuple(skipped), **other)


def test_pages_are_published_and_the_cursor_stands_behind_the_last(
    setting: Setting, article: MakeArticle
) -> None:
    setting.add(PagedSource(pages_of([page(article("a"), article("b")), page(article("c"))])))
    report = setting.producer.poll_now("paged")
    assert [decode_article(m.data).key for m in setting.bus.published] == ["a", "b", "c"]
    assert (report.pages, report.read, report.new, report.complete) == (2, 3, 3, True)
    state = setting.state()
    assert state.cursor == {"at": 2}
    assert (state.articles_read, state.articles_new) == (3, 3)
    assert state.last_success_at == setting.clock()


def test_the_cursor_moves_only_after_the_page_is_safe(setting: Setting, article: MakeArticle) -> None:
    setting.add(PagedSource(pages_of([page(article("a")), page(article("b"))])))
    stood: list[Cursor | None] = []
    setting.bus.on_publish = lambda _: stood.append(setting.state().cursor)
    setting.producer.poll_now("paged")
    assert stood == [None, {"at": 1}]


def test_a_page_that_the_bus_does_not_take_is_polled_again(setting: Setting, article: MakeArticle) -> None:
    setting.add(PagedSource(pages_of([page(article("a")), page(article("b"))])))

    def fail_at_b(messages: Sequence[Message]) -> None:
        if b'"key":"b"' in messages[0].data:
            raise BusUnavailable("down")

    setting.bus.on_publish = fail_at_b
    with pytest.raises(BusUnavailable):
        setting.producer.poll_now("paged")
    assert setting.state().cursor == {"at": 1}
    assert setting.state().consecutive_errors == 0, "the source is not to blame"
    setting.bus.on_publish = None
    setting.producer.poll_now("paged")
    assert [decode_article(m.data).key for m in setting.bus.published] == ["a", "b"]
    assert setting.state().consecutive_errors == 0


def test_articles_that_the_store_has_are_not_counted_as_new(
    setting: Setting, database: Database, clock: ManualClock, article: MakeArticle
) -> None:
    with database.write() as tx:
        articles.save(tx, [article("a")], clock())
    setting.add(PagedSource(pages_of([page(article("a"), article("b"))])))
    assert setting.producer.poll_now("paged").new == 1
    assert len(setting.bus.published) == 2, "it may be an update: the consumer decides"


def test_what_is_skipped_is_counted_by_reason(
    setting: Setting, article: MakeArticle, metrics: Metrics
) -> None:
    skipped = [Skipped("1", Reason.NO_DATE), Skipped("2", Reason.NO_DATE), Skipped("3", Reason.NO_TEXT)]
    setting.add(PagedSource(pages_of([page(article(), skipped=skipped)])))
    report = setting.producer.poll_now("paged")
    assert report.skipped == {"no_date": 2, "no_text": 1}
    assert report.read == 4
    assert setting.state().articles_skipped == 3
    labels = {"source": "paged", "reason": "no_date"}
    assert metrics.registry.get_sample_value("kiosque_documents_skipped_total", labels) == 2


def test_books_go_to_the_catalogue_and_the_change_is_told(setting: Setting, database: Database) -> None:
    book = Book(key="work:lives/a", title="Lives", author="A. Author")
    placement = ListPlacement(book.key, "hardcover-fiction", "2024-03-31", 1)
    pages = pages_of([page(books=(book,), placements=(placement,))])
    setting.add(PagedSource(pages))
    assert setting.producer.poll_now("paged").books == 1
    with database.read() as tx:
        assert books.get(tx, book.key) == book
        assert books.placements(tx, book.key) == (placement,)
    assert [change.added for change in setting.changes] == [1]
    setting.adapters["paged"] = PagedSource([pages[0], *pages_of([page(books=(book,))])])
    setting.producer.poll_now("paged")
    assert len(setting.changes) == 1, "the same books again change nothing"


def test_after_success_the_source_is_due_in_its_own_interval(setting: Setting, article: MakeArticle) -> None:
    setting.add(PagedSource(pages_of([page(article())]), interval=900.0))
    setting.producer.poll_now("paged")
    assert setting.due_in() == 900.0


def test_a_source_that_asks_for_patience_gets_it(setting: Setting) -> None:
    setting.add(PagedSource(pages_of([page(wait=7200.0)])))
    setting.producer.poll_now("paged")
    assert setting.due_in() == 7200.0


def test_a_source_that_would_be_polled_sooner_keeps_to_its_interval(setting: Setting) -> None:
    setting.add(PagedSource(pages_of([page(wait=5.0)])))
    setting.producer.poll_now("paged")
    assert setting.due_in() == 300.0


def test_errors_are_recorded_and_stretch_the_wait(setting: Setting, metrics: Metrics) -> None:
    setting.add(_failing(SourceUnavailable("no answer")))
    waits = []
    for _ in range(3):
        with pytest.raises(SourceUnavailable):
            setting.producer.poll_now("paged")
        waits.append(setting.due_in())
    assert waits == [30.0, 60.0, 120.0]
    state = setting.state()
    assert state.consecutive_errors == 3
    assert state.last_error == "SourceUnavailable: no answer"
    labels = {"source": "paged", "outcome": "source_unavailable"}
    assert metrics.registry.get_sample_value("kiosque_polls_total", labels) == 3


@pytest.mark.parametrize(
    "error", [BusUnavailable("down"), StoreUnavailable("down"), PreconditionFailed("not so large a stream")]
)
def test_an_outage_of_ours_is_not_blamed_on_the_source(
    setting: Setting, article: MakeArticle, error: KiosqueError
) -> None:
    setting.add(PagedSource(pages_of([page(article())])))

    def fail(_: Sequence[Message]) -> None:
        raise error

    setting.bus.on_publish = fail
    for _ in range(12):
        with pytest.raises(type(error)):
            setting.producer.poll_now("paged")
    state = setting.state()
    assert (state.consecutive_errors, state.last_error, state.cursor) == (0, None, None)
    assert setting.producer._held_back["paged"] <= time.monotonic() + 15.0
    assert setting.producer.tick() == (), "for some seconds it is left alone"
    setting.bus.on_publish = None
    assert setting.producer.poll_now("paged").read == 1
    assert setting.producer._held_back == {}


def test_a_used_up_quota_waits_until_it_is_free_again(setting: Setting) -> None:
    setting.add(_failing(RateLimited("used up", retry_after=40_000.0)))
    with pytest.raises(RateLimited):
        setting.producer.poll_now("paged")
    assert setting.due_in() == 40_000.0


def test_what_came_before_an_error_stays(setting: Setting, article: MakeArticle) -> None:
    source = PagedSource(pages_of([page(article("a")), page(article("b"))]), fail_at=1)
    setting.add(source)
    with pytest.raises(RuntimeError):
        setting.producer.poll_now("paged")
    assert setting.state().cursor == {"at": 1}
    source.fail_at = None
    setting.producer.poll_now("paged")
    assert [decode_article(m.data).key for m in setting.bus.published] == ["a", "b"]


def test_a_source_that_cannot_be_made_is_an_error_of_that_source(setting: Setting) -> None:
    setting.add(PagedSource([]))

    class Keyless(dict[str, Source]):
        def __missing__(self, key: str) -> Source:
            raise InvalidSettings("KIOSQUE_NYT_API_KEY is not set.")

    setting.adapters = Keyless()
    with pytest.raises(InvalidSettings):
        setting.producer.poll_now("paged")
    assert "KIOSQUE_NYT_API_KEY" in str(setting.state().last_error)


def test_an_unknown_source_is_not_found(setting: Setting) -> None:
    with pytest.raises(NotFound):
        setting.producer.poll_now("nobody")


def test_a_stop_ends_the_poll_between_two_pages_and_it_goes_on_later(
    setting: Setting, article: MakeArticle
) -> None:
    setting.add(PagedSource(pages_of([page(article("a")), page(article("b"))])))
    stop = Stop()
    setting.bus.on_publish = lambda _: stop.request()
    report = setting.producer.poll_now("paged", stop)
    assert not report.complete
    assert setting.state().cursor == {"at": 1}
    assert setting.due_in() == 0.0
    setting.producer.poll_now("paged")
    assert [decode_article(m.data).key for m in setting.bus.published] == ["a", "b"]


def test_a_poll_that_is_broken_off_by_the_stop_is_no_error_of_the_source(setting: Setting) -> None:
    setting.add(_failing(TryAgain("Kiosque is stopping.")))
    stop = Stop()
    stop.request()
    with pytest.raises(TryAgain):
        setting.producer.poll_now("paged", stop)
    assert setting.state().consecutive_errors == 0


# ---- what the bus does not take


@dataclass
class RollingSource:
    """Shows its newest stories only, as feeds do; asked again after `interval` seconds."""

    shown: list[Article] = field(default_factory=list)
    interval: float = 0.0
    polls: int = 0
    error: Exception | None = None
    id: str = "rolling"
    kind: SourceKind = SourceKind.FEED

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        self.polls += 1
        if self.error is not None:
            raise self.error
        seen = Seen.of(cursor)
        new = tuple(story for story in self.shown if story not in seen)
        yield Page(cursor={"seen": seen.with_newest(self.shown).to_json()}, articles=new)


def refuse(_: Sequence[Message]) -> None:
    raise BusUnavailable("full")


def published(setting: Setting) -> list[str]:
    return [decode_article(message.data).key for message in setting.bus.published]


def held(metrics: Metrics) -> float | None:
    return metrics.registry.get_sample_value("kiosque_articles_held")


def test_what_was_fetched_while_the_bus_took_nothing_is_not_lost_when_the_feed_has_moved_on(
    setting: Setting, article: MakeArticle, metrics: Metrics
) -> None:
    feed = RollingSource()
    setting.add(feed)
    setting.bus.on_publish = refuse
    for shown in (["a", "b"], ["b", "c"], ["d", "e"]):
        feed.shown = [article(key) for key in shown]
        with pytest.raises(BusUnavailable):
            setting.producer.poll_now("rolling")
    assert setting.state("rolling").cursor is None, "nothing of it is safe yet"
    assert held(metrics) == 5
    setting.bus.on_publish = None
    feed.shown = [article("f")]
    report = setting.producer.poll_now("rolling")
    assert published(setting) == ["a", "b", "c", "d", "e", "f"], "once each, in order"
    assert (report.read, report.new, report.complete) == (6, 6, True)
    assert held(metrics) == 0
    assert article("e") in Seen.of(setting.state("rolling").cursor)


def test_while_articles_wait_for_the_bus_their_source_is_asked_no_more_often_than_else(
    setting: Setting, article: MakeArticle
) -> None:
    feed = RollingSource([article("a")], interval=300.0)
    setting.add(feed)
    setting.bus.on_publish = refuse
    for _ in range(5):
        with pytest.raises(BusUnavailable):
            setting.producer.poll_now("rolling")
    setting.bus.on_publish = None
    setting.clock.move(100.0)
    setting.producer.poll_now("rolling")
    assert (feed.polls, published(setting)) == (1, ["a"])
    assert setting.due_in("rolling") == 200.0, "one interval after it was asked"


def test_pages_wait_in_order_and_the_cursor_follows_those_that_are_safe(
    setting: Setting, article: MakeArticle
) -> None:
    setting.add(PagedSource(pages_of([page(article(key)) for key in "abc"])))
    setting.bus.on_publish = refuse
    with pytest.raises(BusUnavailable):
        setting.producer.poll_now("paged")

    def refuse_c(messages: Sequence[Message]) -> None:
        if b'"key":"c"' in messages[0].data:
            raise BusUnavailable("full again")

    setting.bus.on_publish = refuse_c
    with pytest.raises(BusUnavailable, match="again"):
        setting.producer.poll_now("paged")
    assert setting.state().cursor == {"at": 2}
    setting.bus.on_publish = None
    setting.producer.poll_now("paged")
    assert published(setting) == ["a", "b", "c"]
    assert setting.state().cursor == {"at": 3}
    assert len(setting.adapters["paged"].polls) == 1


def test_a_database_out_of_reach_costs_no_story_either(
    setting: Setting, article: MakeArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = RollingSource([article("a")])
    setting.add(feed)

    def locked(*_: object) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr("kiosque.store.articles.known", locked)
        with pytest.raises(StoreUnavailable):
            setting.producer.poll_now("rolling")
    feed.shown = [article("b")]
    setting.producer.poll_now("rolling")
    assert published(setting) == ["a", "b"]


def test_a_source_that_fails_while_its_articles_wait_does_not_keep_them_waiting(
    setting: Setting, article: MakeArticle
) -> None:
    feed = RollingSource([article("a")])
    setting.add(feed)
    setting.bus.on_publish = refuse
    with pytest.raises(BusUnavailable):
        setting.producer.poll_now("rolling")
    feed.error = RateLimited("slower", retry_after=3600.0)
    for _ in range(3):
        with pytest.raises(BusUnavailable):
            setting.producer.poll_now("rolling")
    assert feed.polls == 2, "it asked to be left alone"
    assert setting.state("rolling").consecutive_errors == 0
    setting.bus.on_publish = None
    with pytest.raises(RateLimited):
        setting.producer.poll_now("rolling")
    assert published(setting) == ["a"]
    assert (setting.state("rolling").consecutive_errors, setting.due_in("rolling")) == (1, 3600.0)


def test_only_so_many_articles_wait_and_then_the_sources_are_left_alone(
    database: Database, clock: ManualClock, metrics: Metrics, article: MakeArticle
) -> None:
    bus = RecordedBus()
    many = PagedSource(pages_of([page(article(f"m{n}")) for n in range(10)]), id="many")
    other = PagedSource(pages_of([page(article("o"))]), id="other")
    adapters = {"many": many, "other": other}
    with database.write() as tx:
        sources.save(tx, "many", "feed", {})
    producer = Producer(
        bus,
        database,
        lambda state: adapters[state.id],
        clock=clock,
        metrics=metrics,
        policy=ProducerPolicy(most_held=6, outage=Backoff(first=0.0)),
    )
    bus.on_publish = refuse
    for _ in range(3):
        with pytest.raises(BusUnavailable):
            producer.poll_now("many")
    assert held(metrics) == 3
    with database.write() as tx:
        sources.save(tx, "other", "feed", {})
    assert producer.tick() == ("many",), "it may hand over what it holds; others would only add to it"
    wait_until(lambda: not producer.polling())
    assert other.polls == []
    bus.on_publish = None
    producer.poll_now("many")
    assert [decode_article(m.data).key for m in bus.published] == [f"m{n}" for n in range(10)]
    assert len(producer.tick()) == 1, "there is room again"
    wait_until(lambda: not producer.polling())
    assert len(other.polls) == 1


def test_an_article_that_the_bus_can_never_take_is_an_error_of_its_source(
    setting: Setting, article: MakeArticle, metrics: Metrics
) -> None:
    setting.add(RollingSource([article("a")]))

    def too_large(_: Sequence[Message]) -> None:
        raise TooLarge("a message")

    setting.bus.on_publish = too_large
    with pytest.raises(TooLarge):
        setting.producer.poll_now("rolling")
    assert setting.state("rolling").consecutive_errors == 1
    assert held(metrics) == 0


def test_what_a_source_brought_that_is_there_no_more_waits_no_longer(
    setting: Setting, article: MakeArticle, metrics: Metrics
) -> None:
    setting.add(RollingSource([article("a")]))
    setting.bus.on_publish = refuse
    with pytest.raises(BusUnavailable):
        setting.producer.poll_now("rolling")
    with setting.database.write() as tx:
        sources.delete(tx, "rolling")
    setting.producer.tick()
    assert held(metrics) == 0


# ---- the loop


def _failing(error: Exception) -> PagedSource:
    return PagedSource(pages_of([page()]), fail_at=0, error=error)


@dataclass
class SlowSource(PagedSource):
    """Does not answer until it is let go."""

    begun: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        self.begun.set()
        self.let_go.wait(30)
        yield from super().poll(cursor)


@contextmanager
def running(producer: Producer) -> Iterator[Workers]:
    workers = Workers()
    workers.add("producer", producer.run)
    workers.start()
    try:
        yield workers
    finally:
        workers.stop()


def test_what_is_due_is_polled_and_what_is_not_is_left(setting: Setting, article: MakeArticle) -> None:
    due, later, off = (
        PagedSource(pages_of([page(article(name, source=name))]), id=name) for name in ("due", "later", "off")
    )
    setting.add(due, later, off)
    with setting.database.write() as tx:
        sources.record_success(
            tx,
            "later",
            sources.PollCounts(),
            at=setting.clock(),
            next_poll_at=setting.clock() + timedelta(hours=1),
        )
        sources.set_enabled(tx, "off", False)
    with running(setting.producer):
        wait_until(lambda: setting.state("due").last_success_at is not None)
    assert [m.subject for m in setting.bus.published] == ["due"]
    assert later.polls == off.polls == []


def test_a_slow_source_holds_up_no_other(setting: Setting, article: MakeArticle) -> None:
    slow = SlowSource(pages_of([page(article("s"))]), id="slow")
    quick = PagedSource(pages_of([page(article("q"))]), id="quick")
    setting.add(slow, quick)
    with running(setting.producer):
        assert slow.begun.wait(10)
        wait_until(lambda: setting.state("quick").last_success_at is not None)
        # What was fetched is stored a moment before the poll counts as ended.
        wait_until(lambda: setting.producer.polling() == {"slow"})
        slow.let_go.set()
        wait_until(lambda: setting.state("slow").last_success_at is not None)


def test_a_failing_source_holds_up_no_other(setting: Setting, article: MakeArticle) -> None:
    bad = PagedSource(pages_of([page()]), id="bad", fail_at=0)
    setting.add(bad, PagedSource(pages_of([page(article())]), id="good"))
    with running(setting.producer):
        wait_until(lambda: setting.state("good").last_success_at is not None)
        wait_until(lambda: setting.state("bad").consecutive_errors == 1)


def test_a_source_is_not_polled_twice_at_once(setting: Setting) -> None:
    slow = SlowSource(pages_of([page()]), id="slow")
    setting.add(slow)
    setting.producer.request("slow")
    assert slow.begun.wait(10)
    with pytest.raises(Conflict):
        setting.producer.request("slow")
    with pytest.raises(Conflict):
        setting.producer.poll_now("slow")
    assert setting.producer.tick() == ()
    slow.let_go.set()
    wait_until(lambda: not setting.producer.polling())
    assert len(slow.polls) == 1


def test_only_so_many_sources_are_polled_at_once(
    database: Database, clock: ManualClock, metrics: Metrics
) -> None:
    adapters = {name: SlowSource(pages_of([page()]), id=name) for name in ("a", "b", "c")}
    with database.write() as tx:
        for name in adapters:
            sources.save(tx, name, "feed", {})
    producer = Producer(
        RecordedBus(),
        database,
        lambda state: adapters[state.id],
        clock=clock,
        metrics=metrics,
        policy=ProducerPolicy(parallel=2),
    )
    assert len(producer.tick()) == 2
    assert producer.tick() == ()
    for adapter in adapters.values():
        adapter.let_go.set()
    wait_until(lambda: not producer.polling())
    assert len(producer.tick()) == 1
    wait_until(lambda: not producer.polling())


def test_stopping_waits_for_the_page_in_hand(setting: Setting, article: MakeArticle) -> None:
    slow = SlowSource(pages_of([page(article("a")), page(article("b"))]), id="slow")
    setting.add(slow)
    with running(setting.producer) as workers:
        assert slow.begun.wait(10)
        stopper = threading.Thread(target=workers.stop)
        stopper.start()
        wait_until(workers.stopping.is_set)
        slow.let_go.set()
        stopper.join(10)
    assert setting.state("slow").cursor == {"at": 1}
    assert [decode_article(m.data).key for m in setting.bus.published] == ["a"]


def test_without_a_database_a_failing_source_is_not_polled_all_the_time(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _failing(SourceUnavailable("no answer"))
    setting.add(source)

    @contextmanager
    def locked() -> Iterator[None]:
        raise StoreUnavailable("locked")
        yield

    monkeypatch.setattr(setting.database, "write", locked)
    assert setting.producer.tick() == ("paged",)
    wait_until(lambda: not setting.producer.polling())
    assert setting.producer.tick() == ()
    assert len(source.polls) == 1
