"""A polarity model as the rest of Kiosque sees it: a folder loaded, requests in, scores with reasons out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.core.article import Field
from kiosque.core.entity import Span
from kiosque.core.errors import CorruptModel
from kiosque.core.polarity import (
    Outcome,
    Probabilities,
    ScoringRequest,
    SpanScore,
    Target,
    TargetScore,
    WordContribution,
)
from kiosque.polarity.calibrate import Array, Calibration, calibration_from
from kiosque.polarity.language import is_english
from kiosque.polarity.merge import WindowScore, merge, merge_weights
from kiosque.polarity.prepare import (
    MAX_CHARACTERS,
    Offsets,
    Window,
    find_mentions,
    list_words,
    make_windows,
    occlude,
)
from kiosque.polarity.scorer import Scorer

FORMAT = "polarity-onnx/1"
CANARY_TOLERANCE = 0.1
"""Largest difference of a probability from the recorded one: int8 kernels round differently from processor to
processor, and a wrong file is off by far more."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a version says about itself: `polarity.json`, and the drift reference beside it."""

    format: str
    name: str
    max_tokens: int
    calibration: Calibration
    drift: dict[str, Any]
    contract: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Job:
    """One window of one target of one request, waiting for its logits."""

    request: int
    target: int
    part: Field
    window: Window


class PolarityModel:
    """Safe to call from several threads; holds nothing but what it loaded."""

    def __init__(self, folder: Path, info: ModelInfo, scorer: Scorer) -> None:
        self._folder = folder
        self._scorer = scorer
        self.info = info

    def score(
        self, requests: Sequence[ScoringRequest], *, any_language: bool = False
    ) -> list[tuple[TargetScore, ...]]:
        """For each request one score a target, in their order. `any_language` scores what is not English, too."""
        refusals = [self._refusal(request, any_language=any_language) for request in requests]
        jobs = [
            job
            for index, request in enumerate(requests)
            if refusals[index] is None
            for number, target in enumerate(request.targets)
            for job in _jobs(request, target, index, number)
        ]
        answers: dict[tuple[int, int], list[tuple[_Job, Probabilities]]] = {}
        for job, row in zip(jobs, self.probabilities([job.window.text for job in jobs]), strict=True):
            answers.setdefault((job.request, job.target), []).append((job, _to_probabilities(row)))
        return [
            tuple(
                _target_score(target, refusals[index], answers.get((index, number), []))
                for number, target in enumerate(request.targets)
            )
            for index, request in enumerate(requests)
        ]

    def explain(self, request: ScoringRequest, target: Target) -> tuple[WordContribution, ...]:
        """What each word near a mention pushed the net polarity by: with it minus without it, in text order.

        Words that are part of a mention, and words outside of every window, contribute nothing and are left out.
        """
        jobs = list(_jobs(request, target, 0, 0))
        whole = self.probabilities([job.window.text for job in jobs])
        weights = merge_weights(
            [_window_score(job, _to_probabilities(p)) for job, p in zip(jobs, whole, strict=True)]
        )
        tries = [(i, word) for i, job in enumerate(jobs) for word in _words(request, job)]
        occluded = self.probabilities(
            [occlude(request.text_of(jobs[i].part), jobs[i].window, w) for i, w in tries]
        )
        pushed: dict[Span, float] = {}
        for (i, (start, end)), without in zip(tries, occluded, strict=True):
            span = Span(jobs[i].part, start, end)
            difference = _to_probabilities(whole[i]).net - _to_probabilities(without).net
            pushed[span] = pushed.get(span, 0.0) + weights[i] * difference
        order = sorted(pushed, key=lambda s: (s.part is not Field.HEADLINE, s.start))
        return tuple(
            WordContribution(s.part, s.start, s.end, request.text_of(s.part)[s.start : s.end], pushed[s])
            for s in order
        )

    def probabilities(self, windows: Sequence[str]) -> Array:
        """Calibrated probabilities, one row of three a prepared text (see `prepare.make_windows`)."""
        return self.info.calibration.apply(self._scorer.logits(windows))

    def count_tokens(self, windows: Sequence[str]) -> list[tuple[int, int]]:
        """For each prepared text its tokens, and those unknown to the vocabulary: what drift is watched by."""
        return self._scorer.count_tokens(windows)

    def warm(self) -> None:
        """Run once at the usual sizes, so that the first real request doesn't pay for it."""
        for size in (1, 8):
            self._scorer.logits(["[TARGET] wins the vote after a long night of counting"] * size)

    def check(self) -> None:
        """Raises CorruptModel unless the recorded answers of `canary.json` come out again."""
        records = _read_json(self._folder / "canary.json")
        try:
            requests = [_canary_request(record) for record in records]
            expected = [[float(p) for p in record["probabilities"]] for record in records]
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptModel(f"canary.json is malformed: {error}.") from error
        if not requests:
            raise CorruptModel("canary.json is empty.")
        for request, wanted, (got,) in zip(requests, expected, self.score(requests), strict=True):
            p = got.probabilities
            values = (p.negative, p.neutral, p.positive) if p else (-1.0, -1.0, -1.0)
            if max(abs(a - b) for a, b in zip(values, wanted, strict=True)) > CANARY_TOLERANCE:
                raise CorruptModel(
                    f"The model answers differently from when it was made: {request.headline!r} "
                    f"gives {[round(v, 3) for v in values]}, not {[round(w, 3) for w in wanted]}.",
                    hint="Publish the version again, or move the alias to another.",
                )

    @staticmethod
    def _refusal(request: ScoringRequest, *, any_language: bool) -> Outcome | None:
        if max(len(request.headline), len(request.abstract)) > MAX_CHARACTERS:
            return Outcome.TOO_LONG
        text = f"{request.headline}\n{request.abstract}"
        return None if any_language or is_english(text, request.language) else Outcome.NOT_ENGLISH


def load(folder: Path, *, threads: int | None = None) -> PolarityModel:
    """The model in `folder`. Raises CorruptModel when a file is missing, malformed or of an unknown format.

    Digests are the model store's to check. `threads` defaults to the CPUs that this process may use.
    """
    raw = _read_json(folder / "polarity.json")
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise CorruptModel(
            f"{folder.name} is not a {FORMAT} model.",
            hint="Use a version published by this version of Kiosque.",
        )
    try:
        info = ModelInfo(
            format=FORMAT,
            name=str(raw["name"]),
            max_tokens=int(raw["max_tokens"]),
            calibration=calibration_from(raw["calibration"]),
            drift=dict(_read_json(folder / "drift.json")),
            contract=dict(raw["contract"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"polarity.json of {folder.name} is malformed: {error}.") from error
    return PolarityModel(folder, info, Scorer(folder, max_tokens=info.max_tokens, threads=threads))


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptModel(f"Cannot read {file.name} of {file.parent.name}: {error}.") from error


def _jobs(request: ScoringRequest, target: Target, index: int, number: int) -> Iterator[_Job]:
    for part in Field:
        if not (text := request.text_of(part)):
            continue
        mentions = _mentions(target, part, text)
        for window in make_windows(text, mentions) if mentions else ():
            yield _Job(index, number, part, window)


def _mentions(target: Target, part: Field, text: str) -> tuple[Offsets, ...]:
    """The spans that were given, as far as they lie in the text; without any given, where the name stands."""
    if not target.spans:
        return find_mentions(text, target.name)
    return tuple(
        (s.start, s.end) for s in target.spans if s.part is part and 0 <= s.start < s.end <= len(text)
    )


def _target_score(
    target: Target, refusal: Outcome | None, answers: Sequence[tuple[_Job, Probabilities]]
) -> TargetScore:
    if refusal or not answers:
        return TargetScore(target.id, refusal or Outcome.NO_MENTION)
    spans = tuple(
        SpanScore(Span(job.part, start, end), p) for job, p in answers for start, end in job.window.mentions
    )
    merged = merge([_window_score(job, p) for job, p in answers])
    return TargetScore(target.id, Outcome.SCORED, merged, spans)


def _window_score(job: _Job, probabilities: Probabilities) -> WindowScore:
    return WindowScore(job.part, len(job.window.mentions), probabilities)


def _to_probabilities(row: Any) -> Probabilities:
    return Probabilities(float(row[0]), float(row[1]), float(row[2]))


def _words(request: ScoringRequest, job: _Job) -> list[Offsets]:
    window = job.window
    return [
        (start, end)
        for start, end in list_words(request.text_of(job.part))
        if window.start <= start
        and end <= window.end
        and all(end <= first or last <= start for first, last in window.hidden)
    ]


def _canary_request(record: dict[str, Any]) -> ScoringRequest:
    return ScoringRequest(str(record["text"]), targets=(Target("canary", str(record["target"])),))
