"""From the sources onto the bus: poll what is due, publish, and only then move the cursor.

What the bus does not take, or the database cannot remember, is kept and offered again; meanwhile the source is
asked no more often than else, from where it was left off, since feeds do not wait: what they no longer show is not
had again.

Each poll runs in a thread of its own, so that a slow source holds up no other; what sources share
(the NYT quota, the pacing of a host) they share through the objects that the factory gives them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from kiosque.bus.protocol import Bus, Message
from kiosque.core.article import Article
from kiosque.core.clock import Clock
from kiosque.core.errors import Conflict, KiosqueError, TryAgain
from kiosque.core.message import encode_article
from kiosque.ops.metrics import Metrics
from kiosque.pipeline import decide
from kiosque.pipeline.decide import Backoff, PollPolicy
from kiosque.pipeline.librarian import Librarian
from kiosque.pipeline.worker import Stop
from kiosque.sources.protocol import Cursor, Page, Source
from kiosque.store import articles as article_rows
from kiosque.store import sources as source_rows
from kiosque.store.books import BooksChange
from kiosque.store.database import Database
from kiosque.store.sources import PollCounts, SourceState

_log = structlog.get_logger(__name__)

SourceFactory = Callable[[SourceState], Source]
"""Makes the adapter for a stored source; raises a KiosqueError when it lacks something, e.g. a key."""


@dataclass(frozen=True, slots=True)
class ProducerPolicy:
    """How a producer works. Seconds; `parallel` is how many sources are polled at once."""

    tick: float = 1.0
    parallel: int = 8
    backoff: Backoff = field(default_factory=lambda: Backoff(first=30.0, cap=6 * 3600.0))
    outage: Backoff = field(default_factory=lambda: Backoff(first=1.0, cap=15.0))
    """After a poll that failed because our own broker or database was out of reach: the source is not to blame."""
    most_held: int = 10_000
    """Fetched articles, and pages of them, that may wait in memory; then sources are left alone."""


@dataclass(frozen=True, slots=True)
class PollReport:
    """What one poll brought. `skipped` counts documents by reason; `complete` is False when it was stopped."""

    source: str
    pages: int = 0
    read: int = 0
    new: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    books: int = 0
    complete: bool = True
    wait: float | None = None
    """Seconds for which the source asked to be left alone."""


@dataclass(slots=True)
class _Held:
    """What was fetched of one source and is not safe yet, in order, and how far it was fetched."""

    cursor: Cursor | None
    asked_at: datetime
    ask_at: float = 0.0
    """When the source may be asked again, by the monotonic clock."""
    pages: tuple[Page, ...] = ()
    failure: Exception | None = None
    """Why the source could not be asked the last time, kept until what is held is safe."""

    @property
    def articles(self) -> int:
        return sum(len(page.articles) for page in self.pages)

    def add(self, page: Page) -> None:
        self.cursor = page.cursor
        if self.pages and page == Page(page.cursor, progress=page.progress, wait=page.wait):
            # It brought nothing: there is nothing more to keep.
            self.pages = (*self.pages[:-1], replace(self.pages[-1], cursor=page.cursor))
        else:
            self.pages = (*self.pages, page)

    def rest(self, seconds: float) -> None:
        """The source is not to be asked for so long from now."""
        self.ask_at = max(self.ask_at, time.monotonic() + seconds)


class Producer:
    """Polls the sources that the store knows. One per installation."""

    def __init__(
        self,
        bus: Bus,
        database: Database,
        make_source: SourceFactory,
        *,
        clock: Clock,
        metrics: Metrics,
        policy: ProducerPolicy | None = None,
        on_books: Callable[[BooksChange], None] | None = None,
    ) -> None:
        self._bus = bus
        self._database = database
        self._make_source = make_source
        self._clock = clock
        self._metrics = metrics
        self._policy = policy or ProducerPolicy()
        self._on_books = on_books
        self._librarian = Librarian()
        self._lock = threading.Lock()
        self._polling: dict[str, threading.Thread] = {}
        self._held: dict[str, _Held] = {}
        """By source; those of which nothing is held have no entry but while they are polled."""
        self._held_back: dict[str, float] = {}
        self._outages: dict[str, int] = {}
        """How many polls of a source in a row met an outage of ours."""
        self._stop = Stop()

    # ---- the loop

    def run(self, stop: Stop) -> None:
        """Poll what is due until asked to stop, then wait for the polls that run. Raises StoreUnavailable."""
        self._stop = stop
        while not stop.requested():
            self.tick()
            stop.wait(self._policy.tick)
        for thread in self._running():
            thread.join()

    def tick(self) -> tuple[str, ...]:
        """Begin to poll what is due, as far as there is room; returns which sources."""
        with self._database.read() as tx:
            due = source_rows.due(tx, self._clock())
            if self._held:
                self._forget_all_but({state.id for state in source_rows.everything(tx, enabled=True)})
        return tuple(state.id for state in due if self._may_start(state.id) and self._start(state))

    def request(self, source_id: str) -> None:
        """Begin to poll a source now, in the background. NotFound; Conflict while it is being polled."""
        if not self._start(self._state(source_id)):
            raise _already(source_id)

    def poll_now(self, source_id: str, stop: Stop | None = None) -> PollReport:
        """Poll a source now and wait. NotFound; Conflict while it is being polled; what the poll raises."""
        state = self._state(source_id)
        if not self._claim(source_id, threading.current_thread()):
            raise _already(source_id)
        try:
            return self._poll(state, stop or self._stop)
        finally:
            self._release(source_id)

    def polling(self) -> frozenset[str]:
        """The sources that are being polled at this moment."""
        with self._lock:
            return frozenset(self._polling)

    # ---- who polls

    def _state(self, source_id: str) -> SourceState:
        with self._database.read() as tx:
            return source_rows.get(tx, source_id)

    def _may_start(self, source_id: str) -> bool:
        with self._lock:
            room = len(self._polling) < self._policy.parallel and (
                source_id in self._held or self._held_size() < self._policy.most_held
            )
            return room and self._held_back.get(source_id, 0.0) <= time.monotonic()

    def _start(self, state: SourceState) -> bool:
        """Poll in a thread; False when the source is being polled already."""
        thread = threading.Thread(
            target=self._poll_in_background, args=(state,), name=f"poll-{state.id}", daemon=True
        )
        if not self._claim(state.id, thread):
            return False
        thread.start()
        return True

    def _claim(self, source_id: str, thread: threading.Thread) -> bool:
        with self._lock:
            if source_id in self._polling:
                return False
            self._polling[source_id] = thread
            return True

    def _release(self, source_id: str) -> None:
        with self._lock:
            self._polling.pop(source_id, None)

    def _running(self) -> list[threading.Thread]:
        with self._lock:
            return [thread for thread in self._polling.values() if thread is not threading.current_thread()]

    def _poll_in_background(self, state: SourceState) -> None:
        try:
            self._poll(state, self._stop)
        except Exception as error:  # noqa: BLE001 - it is recorded with the source; the other sources go on
            _log.debug("poll.ended", source=state.id, error=decide.describe(error))
        finally:
            self._release(state.id)

    # ---- one poll

    def _poll(self, state: SourceState, stop: Stop) -> PollReport:
        with self._lock:
            held = self._held.setdefault(state.id, _Held(state.cursor, self._clock()))
        started = self._clock()
        try:
            with self._metrics.poll_seconds.labels(state.id).time():
                source = self._make_source(state)
                report = self._read(source, held, stop)
        except Exception as error:
            if not (stop.requested() and isinstance(error, TryAgain)):  # else it was broken off, not at fault
                self._record_failure(state, error, started)
            raise
        finally:
            self._let_go(state.id, held)
        self._record_success(state, source, report, held)
        return report

    def _read(self, source: Source, held: _Held, stop: Stop) -> PollReport:
        """Raises the outage, if there is one, once everything that was fetched is held."""
        tally = _Tally(source.id)
        self._hand_over(held, tally)
        if held.ask_at <= time.monotonic() and self._has_room(tally):
            try:
                self._fetch(source, held, tally, stop)
            except Exception as error:
                if tally.outage is None:
                    raise
                # To blame the source now would have what is held wait for its back-off.
                held.failure = error
                held.rest(getattr(error, "retry_after", None) or 0.0)
        if trouble := tally.outage or held.failure:
            raise trouble
        return tally.report()

    def _fetch(self, source: Source, held: _Held, tally: _Tally, stop: Stop) -> None:
        held.asked_at = self._clock()
        held.ask_at, held.failure = 0.0, None
        held.rest(source.interval)
        for page in source.poll(held.cursor):
            held.add(page)
            held.rest(page.wait or 0.0)
            if tally.outage is None:
                self._hand_over(held, tally)
            if stop.requested() or not self._has_room(tally):
                tally.complete = False
                held.ask_at = 0.0
                break

    def _hand_over(self, held: _Held, tally: _Tally) -> None:
        """Make safe what is held, as far as that is possible; `tally` says what is in the way."""
        while held.pages:
            try:
                self._take_page(tally.source_id, held.pages[0], tally)
            except Exception as error:
                if not decide.is_ours(error):
                    held.pages = ()  # the cursor still stands before them
                    raise
                tally.outage = error
                return
            held.pages = held.pages[1:]

    def _has_room(self, tally: _Tally) -> bool:
        """Whether to fetch: always where it can be handed over."""
        if tally.outage is None:
            return True
        with self._lock:
            return self._held_size() < self._policy.most_held

    def _held_size(self) -> int:
        return sum(held.articles + len(held.pages) for held in self._held.values())

    def _let_go(self, source_id: str, held: _Held) -> None:
        with self._lock:
            if not held.pages:
                self._held.pop(source_id, None)
            self._metrics.held.set(sum(each.articles for each in self._held.values()))

    def _forget_all_but(self, known: set[str]) -> None:
        """What is held of sources that are there no more, or switched off."""
        for source_id in set(self._held) - known - self.polling():
            self._let_go(source_id, _Held(None, self._clock()))

    def _take_page(self, source_id: str, page: Page, tally: _Tally) -> None:
        """Make everything in the page safe, then move the cursor behind it."""
        new = self._new_among(page.articles)
        change = self._save_books(page)
        if page.articles:
            self._bus.publish([message_of(article) for article in page.articles])
        with self._database.write() as tx:
            source_rows.move_cursor(tx, source_id, page.cursor)
        tally.add(page, new)
        self._metrics.published.labels(source_id).inc(len(page.articles))
        for reason, count in page.reasons.items():
            self._metrics.skipped.labels(source_id, reason.value).inc(count)
        for warning in page.warnings:
            _log.warning("poll.odd", source=source_id, warning=warning)
        if change is not None and (change.added or change.updated):
            _log.info("catalogue.changed", source=source_id, added=change.added, updated=change.updated)
            if self._on_books is not None:
                self._on_books(change)

    def _new_among(self, articles: Sequence[Article]) -> int:
        if not articles:
            return 0
        with self._database.read() as tx:
            return len(articles) - len(article_rows.known(tx, [article.key for article in articles]))

    def _save_books(self, page: Page) -> BooksChange | None:
        if not page.books and not page.placements:
            return None
        with self._database.write() as tx:
            return self._librarian.file(tx, page.books, page.placements, self._clock())

    # ---- what is remembered of it

    def _record_success(self, state: SourceState, source: Source, report: PollReport, held: _Held) -> None:
        now = self._clock()
        policy = PollPolicy(interval=source.interval, backoff=self._policy.backoff)
        next_at = decide.next_poll(
            held.asked_at, now, policy, patience=report.wait, unfinished=not report.complete
        )
        counts = PollCounts(read=report.read, new=report.new, skipped=sum(report.skipped.values()))
        with self._database.write() as tx:
            source_rows.record_success(tx, state.id, counts, at=now, next_poll_at=next_at)
        self._held_back.pop(state.id, None)
        self._outages.pop(state.id, None)
        self._metrics.polls.labels(state.id, "ok" if report.complete else "stopped").inc()
        _log.info(
            "poll.finished",
            source=state.id,
            pages=report.pages,
            read=report.read,
            new=report.new,
            books=report.books,
            skipped=dict(report.skipped),
            next_poll_at=next_at.isoformat(),
        )

    def _record_failure(self, state: SourceState, error: Exception, started: datetime) -> None:
        if decide.is_ours(error):
            self._record_outage(state, error)
            return
        failures = state.consecutive_errors + 1
        now = self._clock()
        policy = PollPolicy(backoff=self._policy.backoff)
        asked = getattr(error, "retry_after", None)
        next_at = decide.next_poll(started, now, policy, failures=failures, retry_after=asked)
        # Should the database be what is out of reach, this keeps the source from being polled all the time.
        self._held_back[state.id] = time.monotonic() + self._policy.backoff.delay(failures)
        outcome = error.code if isinstance(error, KiosqueError) else "crashed"
        self._metrics.polls.labels(state.id, outcome).inc()
        _log.warning(
            "poll.failed",
            source=state.id,
            error=decide.describe(error),
            failures=failures,
            next_poll_at=next_at.isoformat(),
            exc_info=None if isinstance(error, KiosqueError) else error,
        )
        try:
            with self._database.write() as tx:
                source_rows.record_failure(tx, state.id, decide.describe(error), at=now, next_poll_at=next_at)
        except KiosqueError as second:
            _log.warning("poll.not_recorded", source=state.id, error=decide.describe(second))

    def _record_outage(self, state: SourceState, error: Exception) -> None:
        """The source is asked again soon, and keeps its good name: it stays due, and nothing is written."""
        outages = self._outages[state.id] = self._outages.get(state.id, 0) + 1
        wait = self._policy.outage.delay(outages)
        self._held_back[state.id] = time.monotonic() + wait
        self._metrics.polls.labels(
            state.id, error.code if isinstance(error, KiosqueError) else "crashed"
        ).inc()
        _log.warning("poll.outage", source=state.id, error=decide.describe(error), again_in=wait)


class _Tally:
    """What one poll has brought so far."""

    def __init__(self, source_id: str) -> None:
        self.source_id = source_id
        self.pages = self.read = self.new = self.books = 0
        self.skipped: dict[str, int] = {}
        self.complete = True
        self.wait: float | None = None
        self.outage: Exception | None = None

    def add(self, page: Page, new: int) -> None:
        self.pages += 1
        self.read += len(page.articles) + len(page.skipped) + page.repeats
        self.new += new
        self.books += len(page.books)
        self.wait = page.wait if page.wait is not None else self.wait
        for reason, count in page.reasons.items():
            self.skipped[reason.value] = self.skipped.get(reason.value, 0) + count

    def report(self) -> PollReport:
        return PollReport(
            source=self.source_id,
            pages=self.pages,
            read=self.read,
            new=self.new,
            skipped=self.skipped,
            books=self.books,
            complete=self.complete,
            wait=self.wait,
        )


def message_of(article: Article) -> Message:
    """`article` as it travels; its source is the subject."""
    data = encode_article(article)
    return Message(decide.message_key(article, data), article.source, data)


def _already(source_id: str) -> Conflict:
    return Conflict(f"{source_id} is being polled just now.", hint="Wait for it to end.")
