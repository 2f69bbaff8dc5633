"""Nobody waits twice for a predictor that is out of reach."""

from __future__ import annotations

import threading

import pytest

from kiosque.core.book import BookQuery
from kiosque.core.errors import NoModel, PredictUnavailable
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.predict.breaker import Breaker

ADA = Target("ada", "Ada")
QUERY = [BookQuery(text="Ada wins")]


class Away:
    """A predictor that raises `trouble`, if there is any, and counts how often it is asked."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble, self.asked = trouble, 0

    def _answer(self, answer):
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return answer

    def polarity(self, requests, *, any_language=False):
        return self._answer((tuple(requests), any_language))

    def explain(self, request, target):
        return self._answer((request, target))

    def books(self, queries):
        return self._answer(list(queries))

    def versions(self):
        return self._answer({"polarity": "v1"})


@pytest.fixture
def predictor() -> Away:
    return Away()


@pytest.fixture
def breaker(predictor: Away, seconds) -> Breaker:
    return Breaker(predictor, rest=5.0, monotonic=seconds)


def fails(breaker: Breaker) -> PredictUnavailable:
    with pytest.raises(PredictUnavailable) as caught:
        breaker.books(QUERY)
    return caught.value


def test_what_is_answered_is_passed_on(breaker: Breaker, predictor: Away):
    request = ScoringRequest("Ada wins", targets=(ADA,))
    assert breaker.polarity([request], any_language=True) == ((request,), True)
    assert breaker.explain(request, ADA) == (request, ADA)
    assert breaker.books(QUERY) == QUERY
    assert breaker.versions() == {"polarity": "v1"}
    assert predictor.asked == 4


def test_after_a_failure_nothing_is_asked_for_a_while(breaker: Breaker, predictor: Away, seconds):
    predictor.trouble = PredictUnavailable("Refused.", hint="Is it running?")
    fails(breaker)
    seconds.now += 2.0
    refused = fails(breaker)
    assert (refused.detail, refused.hint, refused.retry_after) == ("Refused.", "Is it running?", 3.0)
    with pytest.raises(PredictUnavailable):
        breaker.versions()
    assert predictor.asked == 1


def test_then_one_question_is_tried_and_its_answer_opens_the_way(breaker: Breaker, predictor: Away, seconds):
    predictor.trouble = PredictUnavailable("Refused.")
    fails(breaker)
    seconds.now += 5.0
    fails(breaker)
    assert predictor.asked == 2
    predictor.trouble = None
    fails(breaker)
    seconds.now += 5.0
    assert breaker.books(QUERY) == QUERY == breaker.books(QUERY)
    assert predictor.asked == 4


def test_while_one_question_is_tried_the_others_are_refused(breaker: Breaker, predictor: Away, seconds):
    predictor.trouble = PredictUnavailable("Refused.")
    fails(breaker)
    seconds.now += 5.0
    predictor.trouble = None
    tried, let_go = threading.Event(), threading.Event()

    def slowly(queries):
        tried.set()
        assert let_go.wait(10)
        return list(queries)

    predictor.books = slowly
    thread = threading.Thread(target=breaker.books, args=(QUERY,))
    thread.start()
    assert tried.wait(10)
    fails(breaker)
    let_go.set()
    thread.join(10)
    assert breaker.versions() == {"polarity": "v1"}


def test_another_error_is_an_answer(breaker: Breaker, predictor: Away, seconds):
    predictor.trouble = NoModel("No books yet.")
    for _ in range(2):
        with pytest.raises(NoModel):
            breaker.books(QUERY)
    predictor.trouble = PredictUnavailable("Refused.")
    fails(breaker)
    seconds.now += 5.0
    predictor.trouble = NoModel("No books yet.")
    for _ in range(2):
        with pytest.raises(NoModel):
            breaker.books(QUERY)
    assert predictor.asked == 5
