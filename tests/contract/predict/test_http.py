from __future__ import annotations

from contextlib import ExitStack

import pytest

from kiosque.core.clock import system_clock
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.predict.app import ServerSettings, create_app
from kiosque.predict.client import HttpPredictor
from kiosque.predict.local import LocalPredictor
from kiosque.testing.predictor import publish_toy, toy_loaders
from kiosque.testing.predictor_contract import PredictorContract
from kiosque.testing.serving import serving


@pytest.fixture(scope="module")
def stack():
    with ExitStack() as stack:
        yield stack


def _serve(stack: ExitStack, store: ModelStore) -> HttpPredictor:
    """The real application on a real socket, and a client of it."""
    metrics = Metrics()
    local = LocalPredictor(store, loaders=toy_loaders(), metrics=metrics)
    stack.callback(local.close)
    url = stack.enter_context(serving(create_app(local, metrics, ServerSettings(token="s3cret"))))
    client = HttpPredictor(url, token="s3cret")
    stack.callback(client.close)
    return client


@pytest.fixture(scope="module")
def predictor(stack, tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("models"))
    publish_toy(store, "polarity", "p1", clock=system_clock)
    publish_toy(store, "books", "b1", clock=system_clock)
    return _serve(stack, store)


@pytest.fixture(scope="module")
def empty_predictor(stack, tmp_path_factory):
    return _serve(stack, ModelStore(tmp_path_factory.mktemp("empty")))


class TestHttpPredictor(PredictorContract):
    """With the module's fixtures."""
