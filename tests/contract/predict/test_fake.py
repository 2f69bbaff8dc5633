from __future__ import annotations

import pytest

from kiosque.testing.predictor import FakePredictor
from kiosque.testing.predictor_contract import PredictorContract


class TestFakePredictor(PredictorContract):
    @pytest.fixture
    def predictor(self):
        return FakePredictor()

    @pytest.fixture
    def empty_predictor(self):
        return FakePredictor(polarity_version=None, books_version=None)
