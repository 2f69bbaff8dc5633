"""Requests in, scores out: everything around the network, with a network whose rule is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.errors import CorruptModel
from kiosque.core.polarity import Outcome, Polarity, ScoringRequest, Target
from kiosque.polarity.calibrate import Calibration
from kiosque.polarity.model import FORMAT, ModelInfo, PolarityModel, load
from kiosque.polarity.prepare import MAX_CHARACTERS


class WordRule:
    """Praise right before the placeholder is positive, blame negative, anything else neutral."""

    def __init__(self) -> None:
        self.calls = 0

    def logits(self, texts: Sequence[str]) -> np.ndarray:
        self.calls += 1
        return np.array([self._row(text) for text in texts], dtype=np.float32).reshape(-1, 3)

    def count_tokens(self, texts: Sequence[str]) -> list[tuple[int, int]]:
        return [(len(text.split()), 0) for text in texts]

    @staticmethod
    def _row(text: str) -> list[float]:
        if "praises [TARGET]" in text:
            return [0, 0, 3]
        return [3, 0, 0] if "blames [TARGET]" in text else [0, 3, 0]


def make_model(folder: Path = Path()) -> PolarityModel:
    info = ModelInfo(FORMAT, "rule", 192, Calibration(), {}, {})
    return PolarityModel(folder, info, WordRule())  # type: ignore[arg-type]


OKAFOR, LINDQVIST = Target("o", "Okafor"), Target("l", "Lindqvist")


def test_each_target_of_one_text_gets_its_own_answer() -> None:
    request = ScoringRequest(
        "Board praises Okafor and blames Lindqvist", targets=(OKAFOR, LINDQVIST, Target("x", "Nobody"))
    )
    okafor, lindqvist, nobody = make_model().score([request])[0]
    assert (okafor.target_id, okafor.polarity) == ("o", Polarity.POSITIVE)
    assert (lindqvist.target_id, lindqvist.polarity) == ("l", Polarity.NEGATIVE)
    assert (nobody.outcome, nobody.probabilities, nobody.spans) == (Outcome.NO_MENTION, None, ())


def test_answers_come_in_the_order_of_requests_and_in_one_run_of_the_network() -> None:
    model = make_model()
    requests = [
        ScoringRequest(f"Board {verb} Okafor", targets=(OKAFOR,)) for verb in ("blames", "meets", "praises")
    ]
    assert [score.polarity for (score,) in model.score(requests)] == [
        Polarity.NEGATIVE,
        Polarity.NEUTRAL,
        Polarity.POSITIVE,
    ]
    assert model._scorer.calls == 1  # type: ignore[attr-defined]


def test_given_spans_are_used_and_reported_in_original_offsets() -> None:
    headline = "Rail chief out; board blames her"
    target = Target("o", "Ana Okafor", (Span(Field.HEADLINE, 29, 32),))
    (score,) = make_model().score([ScoringRequest(headline, targets=(target,))])[0]
    assert score.polarity is Polarity.NEGATIVE
    assert [s.span for s in score.spans] == [Span(Field.HEADLINE, 29, 32)]


def test_headline_and_abstract_are_merged_and_both_reported() -> None:
    request = ScoringRequest("Board praises Okafor", "The board blames Okafor, too.", (OKAFOR,))
    (score,) = make_model().score([request])[0]
    assert [s.span.part for s in score.spans] == [Field.HEADLINE, Field.ABSTRACT]
    assert score.probabilities is not None
    assert score.probabilities.net == pytest.approx(0, abs=1e-6)


def test_spans_outside_of_the_text_are_no_mention() -> None:
    target = Target("o", "Okafor", (Span(Field.HEADLINE, 50, 56), Span(Field.ABSTRACT, 3, 3)))
    (score,) = make_model().score([ScoringRequest("Okafor", targets=(target,))])[0]
    assert score.outcome is Outcome.NO_MENTION


def test_other_languages_are_refused_unless_asked_for() -> None:
    request = ScoringRequest("Der Bürgermeister ist nicht mehr im Amt, sagt Okafor", targets=(OKAFOR,))
    assert make_model().score([request])[0][0].outcome is Outcome.NOT_ENGLISH
    assert make_model().score([request], any_language=True)[0][0].outcome is Outcome.SCORED


def test_texts_beyond_the_limit_are_refused() -> None:
    request = ScoringRequest("Okafor", "the board met " * MAX_CHARACTERS, (OKAFOR,))
    assert make_model().score([request])[0][0].outcome is Outcome.TOO_LONG


def test_nothing_asked_nothing_answered() -> None:
    assert make_model().score([]) == []
    assert make_model().score([ScoringRequest("Okafor")]) == [()]


def test_explains_by_what_changes_without_the_word() -> None:
    request = ScoringRequest("Board blames Okafor again", "", (OKAFOR,))
    words = {w.word: w.contribution for w in make_model().explain(request, OKAFOR)}
    assert set(words) == {"Board", "blames", "again"}
    assert words["blames"] < -0.5
    assert words["Board"] == words["again"] == 0


def test_explanations_are_in_text_order_with_exact_offsets() -> None:
    request = ScoringRequest("Okafor meets board", "Critics say the board blames Okafor’s aides.", (OKAFOR,))
    words = make_model().explain(request, OKAFOR)
    assert [w.word for w in words] == ["meets", "board", "Critics", "say", "the", "board", "blames", "aides"]
    assert all(request.text_of(w.part)[w.start : w.end] == w.word for w in words)


def test_nothing_to_explain_without_a_mention() -> None:
    assert make_model().explain(ScoringRequest("Board meets"), OKAFOR) == ()


def write_canary(folder: Path, probabilities: list[float]) -> None:
    record = {"text": "Board praises Okafor", "target": "Okafor", "probabilities": probabilities}
    (folder / "canary.json").write_text(json.dumps([record]), encoding="utf-8")


def test_the_canary_passes_when_the_recorded_answer_comes_out(tmp_path: Path) -> None:
    write_canary(tmp_path, [0.05, 0.05, 0.9])
    make_model(tmp_path).check()


@pytest.mark.parametrize(
    "content", ["", "[]", "[{}]", '[{"text": "x", "target": "x", "probabilities": ["high"]}]']
)
def test_a_malformed_canary_is_a_corrupt_model(tmp_path: Path, content: str) -> None:
    (tmp_path / "canary.json").write_text(content, encoding="utf-8")
    with pytest.raises(CorruptModel):
        make_model(tmp_path).check()


def test_the_canary_fails_on_another_answer(tmp_path: Path) -> None:
    write_canary(tmp_path, [0.9, 0.05, 0.05])
    with pytest.raises(CorruptModel, match="answers differently"):
        make_model(tmp_path).check()


@pytest.mark.parametrize(
    "info", [None, "{", "[]", '{"format": "polarity-onnx/9"}', f'{{"format": "{FORMAT}"}}']
)
def test_a_folder_without_a_usable_description_is_refused(tmp_path: Path, info: str | None) -> None:
    if info is not None:
        (tmp_path / "polarity.json").write_text(info, encoding="utf-8")
    with pytest.raises(CorruptModel):
        load(tmp_path)
