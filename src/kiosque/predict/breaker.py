"""Nobody waits twice for a predictor that is out of reach: a circuit breaker before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import structlog

from kiosque.core.book import BookQuery, Shelf
from kiosque.core.errors import KiosqueError, PredictUnavailable
from kiosque.core.polarity import ScoringRequest, Target, WordContribution
from kiosque.core.prediction import Predictor, ScoredBatch

V = TypeVar("V")

REST = 5.0
"""Seconds for which nothing is asked of a predictor that was out of reach."""
log = structlog.get_logger(__name__)


class Breaker:
    """Implements `Predictor` by asking another one, for callers that somebody waits for.

    After PredictUnavailable every question is refused with it at once, for `rest` seconds. Then one is let through,
    while the others are still refused: an answer opens the way for all, another failure begins the rest anew.
    Safe for any number of threads. `monotonic` is handed in by tests.
    """

    def __init__(
        self, predictor: Predictor, *, rest: float = REST, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._predictor = predictor
        self._rest = rest
        self._monotonic = monotonic
        self._lock = Lock()
        self._failure: PredictUnavailable | None = None
        self._closed_until = 0.0

    def polarity(self, requests: Sequence[ScoringRequest], *, any_language: bool = False) -> ScoredBatch:
        return self._ask(lambda: self._predictor.polarity(requests, any_language=any_language))

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        return self._ask(lambda: self._predictor.explain(request, target))

    def books(self, queries: Sequence[BookQuery]) -> list[Shelf]:
        return self._ask(lambda: self._predictor.books(queries))

    def versions(self) -> dict[str, str]:
        return self._ask(self._predictor.versions)

    def _ask(self, question: Callable[[], V]) -> V:
        self._refuse()
        try:
            answer = question()
        except PredictUnavailable as error:
            self._away(error)
            raise
        except KiosqueError:  # an answer, too
            self._back()
            raise
        self._back()
        return answer

    def _refuse(self) -> None:
        """Raises PredictUnavailable during the rest; who comes first after it may pass, and the rest begins anew."""
        with self._lock:
            failure, now = self._failure, self._monotonic()
            if failure is None:
                return
            left = self._closed_until - now
            if left <= 0:
                self._closed_until = now + self._rest
                return
        raise PredictUnavailable(failure.detail, hint=failure.hint, retry_after=left)

    def _back(self) -> None:
        if self._failure is None:
            return
        with self._lock:
            self._failure = None
        log.info("predict.back")

    def _away(self, failure: PredictUnavailable) -> None:
        with self._lock:
            known, self._failure = self._failure, failure
            self._closed_until = self._monotonic() + self._rest
        if known is None:
            log.warning("predict.away", reason=failure.detail, rest=self._rest)
