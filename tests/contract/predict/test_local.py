from __future__ import annotations

import pytest

from kiosque.core.clock import system_clock
from kiosque.modelstore.store import ModelStore
from kiosque.predict.local import LocalPredictor
from kiosque.testing.predictor import publish_toy, toy_loaders
from kiosque.testing.predictor_contract import PredictorContract


class TestLocalPredictor(PredictorContract):
    @pytest.fixture
    def predictor(self, tmp_path):
        store = ModelStore(tmp_path / "models")
        publish_toy(store, "polarity", "p1", clock=system_clock)
        publish_toy(store, "books", "b1", clock=system_clock)
        return LocalPredictor(store, loaders=toy_loaders())

    @pytest.fixture
    def empty_predictor(self, tmp_path):
        return LocalPredictor(ModelStore(tmp_path / "empty"), loaders=toy_loaders())
