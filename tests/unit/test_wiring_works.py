"""The long work that a page may start, as far as a process can do it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque import wiring_works
from kiosque.core.errors import InvalidInput, PreconditionFailed
from kiosque.pipeline.worker import Stop
from kiosque.pipeline.works import Task
from kiosque.settings import Settings
from kiosque.testing.pipeline import ScriptedPredictor
from kiosque.wiring import House, open_house
from kiosque.wiring_works import tasks


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(Settings(_env_file=None, data_dir=tmp_path)) as made:  # type: ignore[call-arg]
        made.__dict__["predictor"] = ScriptedPredictor()
        yield made


def by_kind(house: House, *, polls: bool = True) -> dict[str, Task]:
    return {task.kind: task for task in tasks(house, polls=polls)}


def done(task: Task, **parameters: str) -> tuple[str, list[tuple[int, int, str]]]:
    told: list[tuple[int, int, str]] = []
    words = task.run(parameters, lambda *each: told.append(each), Stop())
    return words, told


def test_what_only_the_collecting_process_can_do_is_left_out_elsewhere(house: House) -> None:
    assert {"rescore", "rematch", "backfill", "books"} <= set(by_kind(house))
    assert not {"backfill", "books"} & set(by_kind(house, polls=False))


def test_training_is_there_where_its_libraries_are(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring_works, "find_spec", lambda name: None)
    assert "training" not in by_kind(house)
    monkeypatch.setattr(wiring_works, "find_spec", lambda name: object())
    training = by_kind(house)["training"]
    assert training.scope == "admin"
    training.check({"recipe": "default"})
    with pytest.raises(InvalidInput):
        training.check({"recipe": "../evil"})


@pytest.mark.parametrize("since", ["", "1860-01-01"])
def test_nothing_to_read_is_said(house: House, since: str) -> None:
    found = by_kind(house)
    found["rescore"].check({"since": since})
    assert done(found["rescore"], since=since)[0] == "0 articles read by v1, 0 mentions; 0 left."
    assert done(found["rematch"])[0] == "0 articles matched anew, 0 mentions."


def test_a_day_that_is_none_is_refused_before(house: House) -> None:
    with pytest.raises(InvalidInput):
        by_kind(house)["rescore"].check({"since": "soon"})


def test_an_archive_without_a_key_or_a_month_is_refused_before(house: House) -> None:
    backfill = by_kind(house)["backfill"]
    with pytest.raises(PreconditionFailed):
        backfill.check({"first": "1860-11"})
    with pytest.raises(InvalidInput):
        backfill.check({"first": "November"})
