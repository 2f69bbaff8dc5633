from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from kiosque.core.errors import CorruptModel, NoModel
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.predict.loaded import FIRST_RETRY, LONGEST_RETRY, ModelSlot
from kiosque.testing.predictor import toy_loaders

REQUEST = ScoringRequest("Ada sleeps", targets=(Target("ada", "Ada"),))


class Loads:
    """Counts what was loaded, and can make a load fail."""

    def __init__(self) -> None:
        self.folders: list[str] = []
        self.error: Exception | None = None
        self.load = toy_loaders(self._note).polarity

    def _note(self, folder) -> None:
        self.folders.append(folder.name)
        if self.error:
            raise self.error


@pytest.fixture
def loads():
    return Loads()


@pytest.fixture
def slot(store, metrics, loads, seconds):
    return ModelSlot(store, "polarity", loads.load, metrics=metrics, clock=seconds)


def _swaps(metrics, outcome: str) -> float:
    return metrics.registry.get_sample_value(
        "kiosque_model_swaps_total", {"model": "polarity", "outcome": outcome}
    )


def _info(metrics, version: str) -> float | None:
    return metrics.registry.get_sample_value("kiosque_model_info", {"model": "polarity", "version": version})


def test_nothing_is_loaded_before_it_is_needed_and_then_once(slot, publish, loads):
    publish("polarity", "p1")
    assert loads.folders == []

    for _ in range(3):
        with slot.lease() as loaded:
            assert loaded.version.id == "p1"
    slot.refresh()

    assert loads.folders == ["p1"]


def test_a_moved_alias_is_followed(slot, publish, metrics):
    publish("polarity", "p1")
    slot.refresh()
    publish("polarity", "p2", lean=1.0)
    assert slot.version.id == "p1"

    slot.refresh()

    assert slot.version.id == "p2"
    assert slot.trouble is None
    with slot.lease() as loaded:
        assert loaded.model.score([REQUEST])[0][0].probabilities.positive > 0.5
    assert _swaps(metrics, "swapped") == 2
    assert (_info(metrics, "p1"), _info(metrics, "p2")) == (None, 1.0)


def test_an_alias_that_did_not_move_costs_no_look_at_the_files(slot, publish, store, monkeypatch):
    publish("polarity", "p1")
    slot.refresh()
    monkeypatch.setattr(store, "champion", lambda _: pytest.fail("looked"))
    slot.refresh()


def test_a_corrupt_version_is_refused_and_the_old_one_goes_on(slot, publish, store, metrics):
    publish("polarity", "p1")
    slot.refresh()
    folder = publish("polarity", "p2").folder
    (folder / "toy.json").write_text("{}")

    slot.refresh()

    assert slot.version.id == "p1"
    assert (slot.trouble.version, slot.trouble.serving) == ("p2", "p1")
    assert "toy.json" in str(slot.trouble)
    assert "Version p1 goes on answering" in str(slot.trouble)
    assert _swaps(metrics, "refused") == 1


def test_a_version_that_fails_its_canary_is_refused(slot, publish):
    publish("polarity", "p1")
    slot.refresh()
    publish("polarity", "p2", faulty=True)
    slot.refresh()

    assert slot.version.id == "p1"
    assert isinstance(slot.trouble.error, CorruptModel)


@pytest.mark.parametrize(
    "error", [RuntimeError("onnx says no"), MemoryError("too big"), OSError(5, "I/O error")]
)
def test_whatever_loading_raises_the_old_one_goes_on(slot, publish, loads, error):
    publish("polarity", "p1")
    slot.refresh()
    publish("polarity", "p2")
    loads.error = error
    slot.refresh()

    assert slot.version.id == "p1"
    assert type(error).__name__ in str(slot.trouble)


def test_a_refused_version_is_tried_again_after_growing_waits(slot, publish, loads, seconds, metrics):
    publish("polarity", "p1")
    slot.refresh()
    publish("polarity", "p2")
    loads.error = RuntimeError("volume not ready")
    slot.refresh()

    wait = FIRST_RETRY
    for tries in (2, 3, 4, 5, 6, 7, 8):
        seconds.now += wait * 0.99
        slot.refresh()
        assert len(loads.folders) == tries
        seconds.now += wait * 0.02
        slot.refresh()
        assert len(loads.folders) == tries + 1
        wait = min(2 * wait, LONGEST_RETRY)
    assert _swaps(metrics, "refused") == 1, "the same trouble is said once"

    loads.error = None
    seconds.now += LONGEST_RETRY
    slot.refresh()
    assert slot.version.id == "p2"
    assert slot.trouble is None


def test_publishing_again_repairs_a_refused_version(slot, publish, seconds):
    publish("polarity", "p1")
    slot.refresh()
    folder = publish("polarity", "p2").folder
    (folder / "toy.json").write_text("{}")
    slot.refresh()

    publish("polarity", "p2", promote=False)
    seconds.now += FIRST_RETRY
    slot.refresh()

    assert slot.version.id == "p2"


def test_moving_the_alias_back_ends_the_trouble(slot, publish, store):
    publish("polarity", "p1")
    slot.refresh()
    publish("polarity", "p2", faulty=True)
    slot.refresh()
    publish("polarity", "p1")
    slot.refresh()

    assert slot.trouble is None
    assert slot.version.id == "p1"


def test_a_store_that_vanishes_takes_nothing_out_of_service(slot, publish, store):
    publish("polarity", "p1")
    slot.refresh()
    store.root.rename(store.root.with_name("gone"))
    slot.refresh()

    assert slot.version.id == "p1"
    assert "Version p1 goes on answering" in str(slot.trouble)


def test_an_alias_file_that_cannot_be_read_is_a_trouble(slot, publish, store):
    publish("polarity", "p1")
    slot.refresh()
    (store.root / "polarity/aliases.json").write_text("{")
    slot.refresh()

    assert slot.version.id == "p1"
    assert isinstance(slot.trouble.error, CorruptModel)


def test_an_empty_store_is_no_model_with_a_hint(slot):
    with pytest.raises(NoModel, match="champion") as caught, slot.lease():
        pass
    assert caught.value.hint
    assert slot.version is None


def test_the_first_version_is_taken_as_soon_as_it_is_there(slot, publish):
    assert slot.version is None
    publish("polarity", "p1")
    slot.refresh()
    assert slot.version.id == "p1"


def test_when_the_only_version_is_refused_callers_are_told_why(slot, publish):
    publish("polarity", "p1", faulty=True)
    with pytest.raises(NoModel, match="does not reproduce"), slot.lease():
        pass


def test_a_version_in_use_stays_until_its_last_call_has_ended(slot, publish):
    publish("polarity", "p1")
    with slot.lease() as old:
        model = weakref.ref(old.model)
        publish("polarity", "p2")
        slot.refresh()
        with slot.lease() as new:
            assert new.version.id == "p2"
        assert old.model.score([REQUEST])
    gc.collect()
    assert model() is None, "unloaded"


def test_an_unused_version_is_unloaded_at_once(slot, publish):
    publish("polarity", "p1")
    with slot.lease() as old:
        model = weakref.ref(old.model)
    del old
    publish("polarity", "p2")
    slot.refresh()
    gc.collect()
    assert model() is None


def test_threads_that_come_first_load_once(slot, publish, loads):
    publish("polarity", "p1")
    start = threading.Barrier(8)

    def ask(_: int) -> str:
        start.wait()
        with slot.lease() as loaded:
            return loaded.version.id

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"p1"}
    assert loads.folders == ["p1"]
