"""The server on real sockets: swaps under load, replicas that come and go, too much to do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx2
import pytest

from kiosque.core.book import BookQuery
from kiosque.core.clock import system_clock
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.core.prediction import ScoredBatch
from kiosque.http.server import bind
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.predict.app import ServerSettings, create_app
from kiosque.predict.balance import BalancingTransport
from kiosque.predict.client import HttpPredictor
from kiosque.predict.local import LocalPredictor
from kiosque.testing.predictor import publish_toy, toy_loaders
from kiosque.testing.serving import serving
from kiosque.testing.waiting import wait_until

ADA = ScoringRequest("Ada sleeps", targets=(Target("ada", "Ada"),))


@pytest.fixture
def store(tmp_path):
    store = ModelStore(tmp_path / "models")
    publish_toy(store, "polarity", "p0", clock=system_clock)
    publish_toy(store, "books", "b0", clock=system_clock)
    return store


@contextmanager
def server(
    store: ModelStore, *, host: str = "127.0.0.1", port: int = 0, on_load=lambda _: None, **settings
) -> Iterator[str]:
    metrics = Metrics()
    local = LocalPredictor(store, loaders=toy_loaders(on_load), metrics=metrics)
    app = create_app(local, metrics, ServerSettings(**{"poll_seconds": 0.02, **settings}))
    try:
        with serving(app, host=host, port=port) as url:
            yield url
    finally:
        local.close()


@contextmanager
def client(url: str, **more) -> Iterator[HttpPredictor]:
    predictor = HttpPredictor(url, **more)
    try:
        yield predictor
    finally:
        predictor.close()


@contextmanager
def hammering(ask: Callable[[], object], *, threads: int = 8) -> Iterator[list[object]]:
    """Threads that call `ask` all the time; gives the answers so far, and raises what any of them raised."""
    stop, answers = threading.Event(), []

    def work(_: int) -> None:
        while not stop.wait(0.002):
            answers.append(ask())

    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(work, i) for i in range(threads)]
        try:
            yield answers
        finally:
            stop.set()
        for future in running:
            future.result(60)


def test_versions_are_swapped_while_eight_clients_ask_and_no_request_fails(store):
    leans = {f"p{i}": float(i) for i in range(5)}

    def judged(batch: ScoredBatch) -> str:
        expected = 2 * leans[batch.model_version] / (1 + 2 * leans[batch.model_version])
        assert {scores[0].probabilities.positive for scores in batch.scores} == {expected}
        return batch.model_version

    with (
        server(store) as url,
        client(url) as predictor,
        hammering(lambda: judged(predictor.polarity([ADA] * 4))) as seen,
    ):
        for version, lean in leans.items():
            publish_toy(store, "polarity", version, clock=system_clock, lean=lean)
            wait_until(lambda version=version: version in seen)
    assert set(seen) == set(leans)


def test_books_are_swapped_while_clients_ask(store):
    def ask() -> str:
        [shelf] = predictor.books([BookQuery(text="Truman")])
        assert shelf.recommendations
        return shelf.model_version

    with server(store) as url, client(url) as predictor, hammering(ask, threads=4) as seen:
        wait_until(lambda: "b0" in seen)
        publish_toy(store, "books", "b1", clock=system_clock)
        wait_until(lambda: "b1" in seen)


def test_a_corrupt_version_is_refused_while_clients_ask(store):
    with (
        server(store) as url,
        client(url) as predictor,
        hammering(lambda: predictor.polarity([ADA]).model_version) as seen,
    ):
        folder = publish_toy(store, "polarity", "p1", clock=system_clock, promote=False).folder
        store.move_alias("polarity", "champion", "p1", who="test", why="damaged below", clock=system_clock)
        wait_until(lambda: "p1" in seen)
        (folder / "toy.json").write_text("{}")
        publish_toy(store, "polarity", "bad", clock=system_clock, faulty=True)
        wait_until(lambda: "bad was refused" in httpx2.get(f"{url}/readyz").text)
        count = len(seen)
        wait_until(lambda: len(seen) > count + 50)
    assert set(seen) == {"p0", "p1"}


def test_a_server_that_restarts_is_waited_for(store):
    with server(store) as url:
        port = int(url.rpartition(":")[2])
    pauses = []

    def start_meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            stack.enter_context(server(store, port=port))

    with ExitStack() as stack, client(url, sleep=start_meanwhile) as predictor:
        assert predictor.polarity([ADA]).model_version == "p0"
    assert len(pauses) == 2


def test_a_connection_that_the_server_closed_is_no_fault(store):
    with ExitStack() as stack:
        url = stack.enter_context(server(store))
        predictor = stack.enter_context(client(url))
        assert predictor.versions() == {"polarity": "p0", "books": "b0"}
    with server(store, port=int(url.rpartition(":")[2])), client(url) as again:
        assert again.versions()["polarity"] == "p0"


@pytest.fixture
def second_address():
    """Another address of this machine's loopback, where there is one."""
    try:
        bind("127.0.0.2", 0).close()
    except Exception:  # noqa: BLE001  # whatever keeps it from being bound
        pytest.skip("127.0.0.2 cannot be bound here")
    return "127.0.0.2"


def test_every_replica_behind_a_name_gets_work_and_one_that_stops_is_no_fault(store, second_address):
    with ExitStack() as stack:
        first = stack.enter_context(server(store))
        port = int(first.rpartition(":")[2])
        other_store = ModelStore(store.root.with_name("other"))
        publish_toy(other_store, "polarity", "replica-2", clock=system_clock)
        publish_toy(other_store, "books", "b0", clock=system_clock)
        transport = BalancingTransport(
            httpx2.HTTPTransport(), resolver=lambda _host, _port: ["127.0.0.1", second_address]
        )
        predictor = stack.enter_context(client(f"http://predict.example:{port}", transport=transport))
        with server(other_store, host=second_address, port=port):
            seen = [predictor.polarity([ADA]).model_version for _ in range(10)]
            assert seen.count("p0") == seen.count("replica-2") == 5
        seen = [predictor.polarity([ADA]).model_version for _ in range(10)]
        assert set(seen) == {"p0"}


def test_a_server_with_too_much_to_do_sends_callers_back_and_they_come_again(store):
    """Eight callers and room for three, while the model is still loading: in the end all are answered."""
    many = ScoringRequest("Ada sleeps", targets=tuple(Target(f"t{i}", "Ada") for i in range(200)))
    loaded = threading.Event()
    pauses: list[float] = []
    done: list[ScoredBatch] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        loaded.set()
        wait_until(lambda: done)

    with (
        server(store, on_load=lambda _: loaded.wait(30), max_waiting=400) as url,
        client(url, sleep=pause) as predictor,
        ThreadPoolExecutor(8) as pool,
    ):
        calls = [pool.submit(lambda: done.append(predictor.polarity([many]))) for _ in range(8)]
        for call in calls:
            call.result(60)
    assert len(done) == 8
    assert pauses
    assert all(1.0 <= seconds <= 1.5 for seconds in pauses), "as the server's Retry-After says"
