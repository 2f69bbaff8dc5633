"""Splitting, mixing and digesting training data."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Polarity
from kiosque.polarity.examples import Example
from kiosque.polarity.train.data import (
    LoadedSet,
    Mixer,
    digest_examples,
    load_sets,
    make_samples,
    split_by_text,
    swap_names,
    without_texts,
)
from kiosque.polarity.train.recipe import TrainingSet
from kiosque.polarity.train.rehydrate import headline_id, write_labels


def example(i: int, target: str = "Okafor") -> Example:
    text = f"Okafor praised Lindqvist on day {i}"
    start = text.index(target)
    return Example(text, target, ((start, start + len(target)),), Polarity.NEUTRAL, f"g{i}")


EXAMPLES = [example(i, target) for i in range(400) for target in ("Okafor", "Lindqvist")]

OTHERS = [Example("Brannigan spoke", "Brannigan", ((0, 9),), Polarity.NEUTRAL, "o")]


def loaded(weight: float = 1.0, examples: list[Example] | None = None) -> LoadedSet:
    return LoadedSet(TrainingSet("s", "p", weight=weight), tuple(examples or EXAMPLES[:100]), (), "d")


def test_all_targets_of_a_text_fall_on_the_same_side() -> None:
    training, heldout = split_by_text(EXAMPLES, 0.2)
    assert not {e.text for e in training} & {e.text for e in heldout}
    assert 0.12 < len(heldout) / len(EXAMPLES) < 0.28


def test_the_split_does_not_depend_on_order_or_company() -> None:
    _, heldout = split_by_text(EXAMPLES, 0.2)
    _, again = split_by_text(list(reversed(EXAMPLES))[:300], 0.2)
    assert {e.text for e in again} <= {e.text for e in heldout}


@pytest.mark.parametrize(("weight", "count"), [(1, 100), (0.3, 30), (2.5, 250), (0, 0)])
def test_weights_say_how_much_of_a_set_an_epoch_sees(weight: float, count: int) -> None:
    assert len(Mixer([loaded(weight)], swap_others=0, seed=1).epoch(0)) == count


def test_epochs_differ_and_the_same_seed_repeats_them() -> None:
    one, two = (Mixer([loaded()], swap_others=0.5, seed=1) for _ in range(2))
    assert one.epoch(0) == two.epoch(0)
    assert one.epoch(0) != one.epoch(1)
    assert one.epoch(0) != Mixer([loaded()], swap_others=0.5, seed=2).epoch(0)


def test_the_target_is_hidden_and_other_names_are_swapped_at_times() -> None:
    texts = [s.text for s in Mixer([loaded()], swap_others=1.0, seed=1).epoch(0)]
    assert all(text.count("[TARGET]") == 1 for text in texts)
    swapped = Counter(("Okafor" in t, "Lindqvist" in t) for t in texts)
    assert swapped == {(True, False): 50, (False, True): 50}
    renamed = Mixer([loaded(examples=[*EXAMPLES[:50], *OTHERS])], swap_others=1.0, seed=1).epoch(0)
    assert any("Brannigan" in s.text and "day" in s.text for s in renamed)


def test_swapping_moves_the_mentions_along() -> None:
    text, mentions = swap_names("Okafor praised Lindqvist", [(15, 24)], [((0, 6), "Li")])
    assert (text, text[mentions[0][0] : mentions[0][1]]) == ("Li praised Lindqvist", "Lindqvist")
    assert swap_names("Okafor", [(0, 6)], [((2, 6), "Li")]) == ("Okafor", ((0, 6),))


def test_measured_texts_are_taken_out_whatever_their_punctuation() -> None:
    kept = without_texts(EXAMPLES[:4], {"okaforpraisedlindqvistonday0"})
    assert [e.group for e in kept] == ["g1", "g1"]


def test_the_digest_changes_with_every_label() -> None:
    changed = [replace(EXAMPLES[0], polarity=Polarity.NEGATIVE), *EXAMPLES[1:]]
    assert digest_examples(EXAMPLES) == digest_examples(list(EXAMPLES)) != digest_examples(changed)


def test_sets_are_loaded_and_missing_ones_named(tmp_path: Path) -> None:
    record = {
        "text": "Okafor won",
        "mentions": [{"target": "Okafor", "polarity": 1}, {"target": "Li", "polarity": 0}],
    }
    (tmp_path / "s.jsonl").write_text(json.dumps(record))
    here = TrainingSet("here", "{data}/s.jsonl")
    gone = TrainingSet("gone", "{data}/none.jsonl", optional=True)
    (found,) = load_sets([here, gone], data=tmp_path)
    assert [s.text for s in make_samples(found.training)] == ["[TARGET] won"]
    with pytest.raises(InvalidInput, match="gone"):
        load_sets([replace(gone, optional=False)], data=tmp_path)


def test_a_set_without_any_labelled_target_is_refused_unless_it_is_optional(tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps({"text": "Okafor won", "target": "Li", "polarity": 0}))
    empty = TrainingSet("empty", "{data}/s.jsonl")
    with pytest.raises(InvalidInput, match="empty"):
        load_sets([empty], data=tmp_path)
    (found,) = load_sets([replace(empty, optional=True)], data=tmp_path)
    assert found.training == ()


def test_labels_that_find_few_of_their_headlines_are_warned_of(tmp_path: Path) -> None:
    labels = [
        (headline_id(f"{name} won", "2020-02-02"), name, "positive") for name in ("Okafor", "Li", "Roe")
    ]
    write_labels(tmp_path / "labels.csv.gz", labels)
    (tmp_path / "s.jsonl").write_text(json.dumps({"headline": "Okafor won", "date": "2020-02-02"}))
    with capture_logs() as logs:
        load_sets([TrainingSet("s", "{data}/s.jsonl", labels="{data}/labels.csv.gz")], data=tmp_path)
    (said,) = [line for line in logs if line["event"] == "training.labels_joined"]
    assert (said["log_level"], said["labels"], said["joined"]) == ("warning", 3, 1)


def test_a_set_of_labels_without_text_is_joined_to_the_headlines(tmp_path: Path) -> None:
    write_labels(
        tmp_path / "labels.csv.gz", [(headline_id("Okafor won", "2020-02-02"), "Okafor", "positive")]
    )
    (tmp_path / "s.jsonl").write_text(json.dumps({"headline": "Okafor won", "date": "2020-02-02"}))
    spec = TrainingSet("s", "{data}/s.jsonl", labels="{data}/labels.csv.gz")
    (found,) = load_sets([spec], data=tmp_path)
    assert [(s.text, s.label) for s in make_samples(found.training)] == [("[TARGET] won", 2)]
