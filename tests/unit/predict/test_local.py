from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from kiosque.core.book import BookQuery
from kiosque.core.errors import NoModel
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.predict.local import LocalPredictor
from kiosque.testing.predictor import toy_loaders
from kiosque.testing.waiting import wait_until

REQUEST = ScoringRequest("Ada sleeps, Bo wins", targets=(Target("ada", "Ada"), Target("cy", "Cy")))


@pytest.fixture
def predictor(store, metrics):
    predictor = LocalPredictor(store, loaders=toy_loaders(), metrics=metrics)
    yield predictor
    predictor.close()


def test_making_one_touches_nothing(store, metrics):
    before = threading.active_count()
    LocalPredictor(store, metrics=metrics)
    assert threading.active_count() == before
    assert not store.root.exists()


def test_watching_follows_the_aliases_until_it_is_closed(predictor, publish):
    publish("polarity", "p1")
    predictor.watch(0.01)
    wait_until(lambda: predictor.versions() == {"polarity": "p1"})
    publish("polarity", "p2")
    publish("books", "b1")
    wait_until(lambda: predictor.versions() == {"polarity": "p2", "books": "b1"})

    predictor.close()
    publish("polarity", "p3")
    assert predictor.versions()["polarity"] == "p2"
    assert "kiosque-models" not in {thread.name for thread in threading.enumerate()}


@contextmanager
def hammering(predictor, judge):
    """Eight threads that ask all the time and give each answer to `judge`; what any of them raises is raised."""
    stop = threading.Event()

    def ask(_: int) -> None:
        while not stop.wait(0.001):
            judge(predictor.polarity([REQUEST] * 3))

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(ask, i) for i in range(8)]
        try:
            yield
        finally:
            stop.set()
        for future in running:
            future.result(60)


def test_swapping_under_load_fails_no_call_and_mixes_no_versions(predictor, publish):
    """While versions come and go, each answer is wholly by the version that it names."""
    leans = {f"p{i}": float(i) for i in range(6)}
    seen = set()

    def judge(batch) -> None:
        lean = leans[batch.model_version]
        expected = 2 * (1 + lean) / (1 + 2 * (1 + lean))
        assert {scores[0].probabilities.positive for scores in batch.scores} == {expected}
        seen.add(batch.model_version)

    publish("polarity", "p0")
    predictor.watch(0.005)
    with hammering(predictor, judge):
        for version, lean in leans.items():
            publish("polarity", version, lean=lean)
            wait_until(lambda version=version: version in seen)
    assert seen == set(leans)


def test_a_corrupt_version_under_load_fails_no_call(predictor, publish):
    publish("polarity", "p1")
    predictor.watch(0.005)
    answers = []
    with hammering(predictor, lambda batch: answers.append(batch.model_version)):
        publish("polarity", "bad", faulty=True)
        wait_until(lambda: predictor.check("polarity") is not None)
        refused_at = len(answers)
        wait_until(lambda: len(answers) > refused_at + 50)
    assert set(answers) == {"p1"}


def test_the_store_is_only_read(predictor, publish, store):
    """Predict mounts it read-only."""

    def files() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in store.root.rglob("*")}

    publish("polarity", "p1")
    publish("books", "b1")
    before = files()
    predictor.polarity([REQUEST])
    predictor.refresh()
    predictor.statuses()
    assert files() == before


def test_one_model_does_not_wait_for_the_other(predictor, publish):
    publish("books", "b1")
    assert predictor.books([BookQuery(text="Truman")])[0].model_version == "b1"
    with pytest.raises(NoModel):
        predictor.polarity([REQUEST])
    assert predictor.versions() == {"books": "b1"}


def test_checks_tell_what_keeps_a_model_from_answering_from_what_does_not(predictor, publish):
    with pytest.raises(NoModel):
        predictor.check("polarity")
    assert "champion" in predictor.check("books"), "nobody has built one yet: said, and no fault"

    publish("polarity", "p1")
    publish("books", "b1", faulty=True)
    predictor.refresh()
    assert predictor.check("polarity") is None
    with pytest.raises(NoModel, match="does not reproduce"):
        predictor.check("books")

    publish("books", "b2")
    publish("polarity", "p2", faulty=True)
    predictor.refresh()
    assert predictor.check("books") is None
    assert "p2 was refused" in predictor.check("polarity")


def test_statuses_say_what_answers_and_what_was_published_with_it(predictor, publish):
    publish("polarity", "p1")
    polarity, books = predictor.statuses()

    assert (polarity.name, polarity.version, polarity.trouble) == ("polarity", "p1", None)
    assert polarity.fields == {"format": "toy/1"}
    assert (books.name, books.version, books.published_at) == ("books", None, None)
    assert "champion" in books.trouble


def test_answers_are_counted_by_version_and_kind(predictor, publish, metrics):
    publish("polarity", "p1")
    publish("books", "b1")
    predictor.polarity([REQUEST, REQUEST])
    predictor.explain(REQUEST, REQUEST.targets[0])
    predictor.books([BookQuery(text="Truman")])

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(name, labels)

    assert value("kiosque_predictions_total", model_version="p1", polarity="positive") == 2
    assert value("kiosque_predictions_total", model_version="p1", polarity="no_mention") == 2
    assert value("kiosque_predict_batch_size_sum") == 4
    for model in ("polarity", "explain", "books"):
        assert value("kiosque_predict_seconds_count", model=model) == 1
