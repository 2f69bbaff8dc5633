"""Fakes with which the pipeline is tested: a clock, a predictor that can fail, a source made of pages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from kiosque.bus.protocol import Delivery, Lag, Message
from kiosque.core.book import Book, BookQuery, Reasons, Recommendation, Shelf
from kiosque.core.errors import BusUnavailable, NoModel, PredictUnavailable
from kiosque.core.polarity import (
    Outcome,
    Probabilities,
    ScoringRequest,
    SpanScore,
    Target,
    TargetScore,
    WordContribution,
)
from kiosque.core.prediction import ScoredBatch
from kiosque.sources.protocol import Cursor, Page, SourceKind


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime(2024, 11, 6, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class ScriptedPredictor:
    """Answers alike for the same text and target, and fails as told.

    `down`: PredictUnavailable from every method. `version` None: NoModel from polarity; `shelf` None:
    NoModel from books. A text that holds `poison` raises ValueError. `on_polarity` is called before each answer.
    """

    def __init__(self, version: str | None = "v1", *, shelf: Sequence[Book] | None = ()) -> None:
        self.version = version
        self.shelf = shelf
        self.books_version = "b1"
        self.down = False
        self.poison: str | None = None
        self.on_polarity: Callable[[Sequence[ScoringRequest]], None] | None = None
        self.scored: list[tuple[str, ...]] = []
        """The headlines of each call of `polarity`."""
        self.queries: list[BookQuery] = []

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        self._refuse_if_down()
        if self.version is None:
            raise NoModel("No polarity model.")
        self.scored.append(tuple(request.headline for request in requests))
        if self.on_polarity is not None:
            self.on_polarity(requests)
        for request in requests:
            if self.poison is not None and self.poison in request.headline + request.abstract:
                raise ValueError(f"cannot score {request.headline!r}")
        version = self.version
        return ScoredBatch(
            version,
            tuple(tuple(score_of(request, target) for target in request.targets) for request in requests),
        )

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        return ()

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        self._refuse_if_down()
        if self.shelf is None:
            raise NoModel("No books model.")
        self.queries.extend(queries)
        return [self._shelf_for(query) for query in queries]

    def versions(self) -> dict[str, str]:
        self._refuse_if_down()
        found = {"polarity": self.version, "books": self.books_version if self.shelf is not None else None}
        return {name: version for name, version in found.items() if version is not None}

    def _shelf_for(self, query: BookQuery) -> Shelf:
        chosen = [book for book in self.shelf or () if book.key not in query.exclude][: query.k]
        return Shelf(
            tuple(
                Recommendation(book, rank, 1.0 / (rank + 1), Reasons(sentence="shares: a name"))
                for rank, book in enumerate(chosen, 1)
            ),
            self.books_version,
            "" if chosen else "No good match.",
        )

    def _refuse_if_down(self) -> None:
        if self.down:
            raise PredictUnavailable("The predict server is down.")


def score_of(request: ScoringRequest, target: Target) -> TargetScore:
    """What `ScriptedPredictor` says: out of a digest of text and target, so that a test can ask for it again."""
    digest = hashlib.blake2b(
        f"{request.headline}\n{request.abstract}\n{target.id}".encode("utf-8", "replace"), digest_size=2
    ).digest()
    negative, positive = (round(0.05 + 0.4 * byte / 255, 4) for byte in digest)
    p = Probabilities(negative, round(1.0 - negative - positive, 4), positive)
    return TargetScore(target.id, Outcome.SCORED, p, tuple(SpanScore(span, p) for span in target.spans))


@dataclass
class RecordedDelivery:
    """A delivery that remembers how it was settled: `ack`, `nak 2.0` or `term reason`."""

    message: Message
    attempt: int = 1
    told_at: datetime | None = None
    settled: str | None = None
    beats: int = 0

    def ack(self) -> None:
        self._settle("ack")

    def nak(self, delay: float = 0.0) -> None:
        self._settle(f"nak {delay}")

    def term(self, reason: str) -> None:
        self._settle(f"term {reason}")

    def in_progress(self) -> None:
        self.beats += 1

    def _settle(self, how: str) -> None:
        if self.settled is not None:
            raise AssertionError(f"settled twice: {self.settled}, then {how}")
        self.settled = how


class RecordedBus:
    """A bus of prepared batches; what is published is kept. `down` makes every method raise BusUnavailable."""

    def __init__(self) -> None:
        self.batches: list[list[RecordedDelivery]] = []
        self.published: list[Message] = []
        self.down = False
        self.on_publish: Callable[[Sequence[Message]], None] | None = None

    def prepare(self, *messages: Message, attempt: int = 1) -> list[RecordedDelivery]:
        """The next batch that `fetch` gives."""
        batch = [RecordedDelivery(message, attempt) for message in messages]
        self.batches.append(batch)
        return batch

    def publish(self, messages: Sequence[Message]) -> None:
        self.check()
        if self.on_publish is not None:
            self.on_publish(messages)
        self.published.extend(messages)

    def fetch(self, limit: int, timeout: float) -> list[Delivery]:
        self.check()
        return list(self.batches.pop(0)[:limit]) if self.batches else []

    def lag(self) -> Lag:
        self.check()
        return Lag(pending=sum(map(len, self.batches)), in_flight=0)

    def check(self) -> None:
        if self.down:
            raise BusUnavailable("The broker is down.")

    def close(self) -> None:
        self.down = True


@dataclass
class PagedSource:
    """A source of given pages. Its cursor is `{"at": n}`: n pages were delivered.

    `fail_at` raises `error` instead of the page of that number (from 0), on each poll that gets there.
    """

    pages: Sequence[Page]
    id: str = "paged"
    kind: SourceKind = SourceKind.FEED
    interval: float = 300.0
    fail_at: int | None = None
    error: Exception = field(default_factory=lambda: RuntimeError("broken"))
    polls: list[Cursor | None] = field(default_factory=list)

    def poll(self, cursor: Cursor | None) -> Iterator[Page]:
        self.polls.append(cursor)
        begin = int(cursor["at"]) if cursor else 0
        if begin >= len(self.pages):
            yield Page(cursor={"at": begin}, progress=1.0)
        for number in range(begin, len(self.pages)):
            if number == self.fail_at:
                raise self.error
            yield self.pages[number]


def pages_of(parts: Iterable[Page]) -> list[Page]:
    """`parts` with the cursors that `PagedSource` understands."""
    listed = list(parts)
    return [
        replace(page, cursor={"at": number}, progress=number / len(listed))
        for number, page in enumerate(listed, 1)
    ]
