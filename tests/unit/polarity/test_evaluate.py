"""Measuring, comparing and the gate, on models whose faults are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import Outcome, Polarity, Probabilities, ScoringRequest, TargetScore
from kiosque.polarity.evaluate import SWAP_NAMES, compare, evaluate, gate, rename
from kiosque.polarity.examples import Example

Rule = Callable[[str, str], Polarity]


class Judge:
    """Scores by a rule over (text, name of the target as it stands)."""

    def __init__(self, rule: Rule, sure: float = 0.9) -> None:
        self.rule = rule
        self.sure = sure

    def score(
        self, requests: Sequence[ScoringRequest], *, any_language: bool = False
    ) -> list[tuple[TargetScore, ...]]:
        return [(self._score(r),) for r in requests]

    def _score(self, request: ScoringRequest) -> TargetScore:
        (target,) = request.targets
        if not target.spans:
            return TargetScore(target.id, Outcome.NO_MENTION)
        span = target.spans[0]
        chosen = self.rule(request.headline, request.headline[span.start : span.end])
        rest = (1 - self.sure) / 2
        values = dict.fromkeys(Polarity, rest) | {chosen: self.sure}
        return TargetScore(
            target.id, Outcome.SCORED, Probabilities(**{p.value: v for p, v in values.items()})
        )


def by_verb(text: str, _name: str) -> Polarity:
    if "praised" in text:
        return Polarity.POSITIVE
    return Polarity.NEGATIVE if "blamed" in text else Polarity.NEUTRAL


def always_neutral(_text: str, _name: str) -> Polarity:
    return Polarity.NEUTRAL


def by_name(_text: str, name: str) -> Polarity:
    return Polarity.NEGATIVE if name == "Putin" else Polarity.NEUTRAL


def examples(n: int = 60) -> list[Example]:
    verbs = [("praised", Polarity.POSITIVE), ("blamed", Polarity.NEGATIVE), ("met", Polarity.NEUTRAL)]
    made = []
    for i in range(n):
        verb, polarity = verbs[i % 3]
        made.append(Example(f"Okafor {verb} on day {i}", "Okafor", ((0, 6),), polarity, f"g{i}"))
    return made


def test_a_perfect_model_is_measured_as_perfect() -> None:
    report = evaluate(Judge(by_verb), examples())
    assert (report.n, report.macro_f1, report.accuracy) == (60, 1, 1)
    assert report.macro_f1_ci == (1, 1)
    assert report.confusion == [[20, 0, 0], [0, 20, 0], [0, 0, 20]]
    assert report.ece == pytest.approx(0.1)
    assert report.name_swap_flips == 0
    assert report.items_per_second > 0


def test_the_report_prints_as_one_json_object_with_the_promised_keys() -> None:
    raw = json.loads(json.dumps(evaluate(Judge(always_neutral), examples()).to_dict()))
    promised = {
        "n",
        "macro_f1",
        "macro_f1_ci",
        "accuracy",
        "per_class",
        "confusion",
        "ece",
        "name_swap_flips",
    }
    assert promised | {"items_per_second"} <= set(raw)
    assert raw["per_class"]["neutral"] == {"precision": pytest.approx(1 / 3), "recall": 1, "f1": 0.5, "n": 20}


def test_a_model_that_looks_at_names_is_found_out() -> None:
    report = evaluate(Judge(by_name), examples())
    assert report.name_swap_flips == pytest.approx(1 / len(SWAP_NAMES))
    assert report.name_swap_items == 1


def test_pronouns_are_not_renamed() -> None:
    pronouns = [Example("She met the board", "She", ((0, 3),), Polarity.NEUTRAL, "g")]
    assert evaluate(Judge(always_neutral), pronouns).name_swap_flips is None


def test_examples_without_a_mention_are_counted_not_scored() -> None:
    lost = Example("The board met", "Okafor", (), Polarity.NEUTRAL, "lost")
    report = evaluate(Judge(by_verb), [*examples(), lost])
    assert (report.n, report.skipped) == (60, 1)
    with pytest.raises(InvalidInput):
        evaluate(Judge(by_verb), [lost])


def test_slices_tell_single_from_several_targets_and_lengths() -> None:
    text = "Okafor praised, Lindqvist at the table " + "and so on " * 12
    pair = [
        Example(text, "Okafor", ((0, 6),), Polarity.POSITIVE, "p"),
        Example(text, "Lindqvist", ((16, 25),), Polarity.NEUTRAL, "p"),
    ]
    slices = evaluate(Judge(by_verb), [*examples(6), *pair]).slices
    assert slices["one target"] == {"n": 6, "macro_f1": 1}
    assert slices["several targets"]["n"] == 2
    assert slices["120 to 239 characters"]["n"] == 2


def test_renaming_moves_every_mention_and_keeps_endings() -> None:
    text = "Okafor’s aides: Okafor won"
    request = rename(Example(text, "Okafor", ((0, 6),), Polarity.POSITIVE, "g"), "Li")
    assert request.headline == "Li’s aides: Li won"
    assert [(s.start, s.end) for s in request.targets[0].spans] == [(0, 2), (12, 14)]


def test_a_comparison_is_paired() -> None:
    better = compare(Judge(always_neutral), Judge(by_verb), examples())
    assert better.difference == pytest.approx(better.macro_f1_b - better.macro_f1_a)
    assert better.difference_ci[0] > 0
    assert better.p == 0
    assert better.changed == 40
    same = compare(Judge(by_verb), Judge(by_verb), examples())
    assert (same.difference, same.difference_ci, same.changed) == (0, (0, 0), 0)


def test_the_gate_lets_pass_what_is_not_worse_and_says_why_it_refuses() -> None:
    sets = {"frozen": examples(), "other": examples(30)}
    assert gate(Judge(by_verb), Judge(by_verb), sets).passed
    assert gate(Judge(by_verb), Judge(always_neutral), sets).passed
    refused = gate(Judge(always_neutral), Judge(by_verb), sets)
    assert not refused.passed
    assert refused.reasons[0].startswith("frozen: worse, macro-F1 1.000 →")
    assert set(refused.comparisons) == {"frozen", "other"}


def test_the_gate_stays_shut_where_nothing_can_be_compared() -> None:
    refused = gate(Judge(by_verb), Judge(always_neutral), {})
    assert not refused.passed
    assert refused.reasons == ("Nothing was compared: none of the recipe's tests is here.",)
