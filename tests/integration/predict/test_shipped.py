"""The versions that ship with Kiosque, by their real loaders, in memory and over HTTP."""

from __future__ import annotations

import pytest

from kiosque.core.clock import system_clock
from kiosque.core.errors import NoModel
from kiosque.core.polarity import Outcome, Polarity, ScoringRequest, Target
from kiosque.modelstore.seed import seed
from kiosque.modelstore.store import ModelStore
from kiosque.ops.metrics import Metrics
from kiosque.predict.app import create_app
from kiosque.predict.client import HttpPredictor
from kiosque.predict.local import LocalPredictor
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.serving import serving

SHIPPED = CHECKOUT / "data" / "models"
REQUESTS = [
    ScoringRequest("Voters cheer Ada Bell after a brilliant speech", targets=(Target("ada", "Ada Bell"),)),
    ScoringRequest("Tom Reed convicted of fraud, disgraced and jailed", targets=(Target("tom", "Tom Reed"),)),
    ScoringRequest("Nobody we know", targets=(Target("ada", "Ada Bell"), Target("tom", "Tom Reed"))),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = ModelStore(tmp_path_factory.mktemp("models"))
    if not seed(store, SHIPPED, clock=system_clock):
        pytest.skip(f"nothing ships in {SHIPPED}")
    return store


@pytest.fixture(scope="module")
def predictor(store):
    return LocalPredictor(store, threads=1)


def test_every_shipped_champion_is_intact_and_answers_as_recorded(store, predictor):
    predictor.refresh()
    for status in predictor.statuses():
        if status.name in store.names():
            assert status.trouble is None
            assert status.version == ModelStore(SHIPPED).champion(status.name).id


def test_the_polarity_that_ships_tells_cheers_from_convictions(predictor):
    cheered, convicted, nobody = predictor.polarity(REQUESTS).scores

    assert cheered[0].polarity is Polarity.POSITIVE
    assert convicted[0].polarity is Polarity.NEGATIVE
    assert {score.outcome for score in nobody} == {Outcome.NO_MENTION}


def test_over_http_the_answers_are_the_same(store, predictor):
    metrics = Metrics()
    served = LocalPredictor(store, threads=1, metrics=metrics)
    with serving(create_app(served, metrics)) as url:
        client = HttpPredictor(url)
        assert client.polarity(REQUESTS) == predictor.polarity(REQUESTS)
        words = client.explain(REQUESTS[0], REQUESTS[0].targets[0])
        assert words == predictor.explain(REQUESTS[0], REQUESTS[0].targets[0])
        assert client.versions() == predictor.versions()
        client.close()
    served.close()


def test_a_flipped_byte_in_the_network_keeps_it_out_of_service(store, tmp_path):
    broken = ModelStore(tmp_path / "models")
    seed(broken, SHIPPED, clock=system_clock)
    network = broken.champion("polarity").folder / "model.onnx"
    data = bytearray(network.read_bytes())
    data[len(data) // 2] ^= 1
    network.write_bytes(data)

    with pytest.raises(NoModel, match=r"model\.onnx"):
        LocalPredictor(broken, threads=1).polarity(REQUESTS)
