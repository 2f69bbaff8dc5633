"""From a trained classifier to a version: files, calibration, canaries, drift reference, measurements, card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from tokenizers import Tokenizer

import kiosque
from kiosque.polarity.calibrate import Calibration, fit_temperature
from kiosque.polarity.drift import summarise
from kiosque.polarity.evaluate import Report, evaluate
from kiosque.polarity.examples import LABELS, Example
from kiosque.polarity.model import FORMAT, PolarityModel, load
from kiosque.polarity.prepare import MAX_CHARACTERS, PLACEHOLDER, WINDOW, find_mentions, make_windows
from kiosque.polarity.train.card import render_card
from kiosque.polarity.train.data import LoadedSet
from kiosque.polarity.train.encoder import MAX_TOKENS, TargetClassifier
from kiosque.polarity.train.export import export_float
from kiosque.polarity.train.quantise import quantise
from kiosque.polarity.train.recipe import Recipe

log = structlog.get_logger(__name__)

CANARIES = (
    ("Marchetti Wins Iowa in a Landslide as Rivals Concede", "Marchetti"),
    ("Panel Finds Marchetti Lied About the Harbour Contract", "Marchetti"),
    ("Marchetti to Speak in Ohio on Tuesday", "Marchetti"),
    ("Okafor Blasts Lindqvist Over Flood Relief Delays", "Lindqvist"),
    ("Okafor Blasts Lindqvist Over Flood Relief Delays", "Okafor"),
    ("Norvane Shares Sink After the Recall of Its Newest Pump", "Norvane"),
    ("Teachers’ Union Endorses Brannigan, Calling Her ‘a Steady Hand’", "Brannigan"),
    ("Senate Sets Hearing on the Rail Bill", "Senate"),
)
"""Texts of ours whose answers each version records; see `PolarityModel.check`."""


@dataclass(frozen=True, slots=True)
class Build:
    """A finished version that is not yet published: its folder, and what its manifest is to say."""

    folder: Path
    fields: dict[str, Any]
    reports: dict[str, Report]


def build(
    recipe: Recipe,
    model: TargetClassifier,
    tokenizer: Tokenizer,
    sets: Sequence[LoadedSet],
    tests: Mapping[str, Sequence[Example]],
    out: Path,
    *,
    notes: str = "",
) -> Build:
    """Export, quantise, calibrate on what `sets` hold out, measure on `tests`, and describe, under `out`.

    `out/float` keeps the fp32 network for comparison, `out/version` is what is published.
    """
    folder = out / "version"
    folder.mkdir(parents=True, exist_ok=True)
    heldout = [e for s in sets for e in s.heldout]
    source = export_float(model, tokenizer, out / "float")
    sample = [make_windows(e.text, e.mentions)[0].text for e in heldout[:: max(1, len(heldout) // 500)]]
    quantise(source, folder / "model.onnx", tokenizer=tokenizer, texts=sample, keep_float=recipe.keep_float)
    tokenizer.save(str(folder / "tokenizer.json"))
    # Each set counts the same: confidence is to be honest on prose and on headlines, however many of which there are.
    weights = [1 / len(s.heldout) for s in sets for _ in s.heldout]
    write_description(folder, recipe.name, heldout, weights)
    write_description(out / "float", recipe.name, heldout, weights)
    quantised, exact = load(folder), load(out / "float")
    reports = {name: evaluate(quantised, examples) for name, examples in tests.items()}
    floats = {name: evaluate(exact, examples, swap_names=()).macro_f1 for name, examples in tests.items()}
    fields = _fields(recipe, sets, reports, floats, quantised)
    (folder / "card.md").write_text(render_card(fields, reports, floats, notes), encoding="utf-8")
    log.info("polarity.built", folder=str(folder), **{k: round(r.macro_f1, 4) for k, r in reports.items()})
    return Build(folder, fields, reports)


def write_description(folder: Path, name: str, heldout: Sequence[Example], weights: Sequence[float]) -> None:
    """`polarity.json`, `drift.json` and `canary.json` beside a network that is already in `folder`.

    `weights` say how much each of `heldout` counts for the temperature.
    """
    _write_info(folder, name, Calibration())
    _write(folder / "drift.json", {})
    windows = [make_windows(e.text, e.mentions)[0].text for e in heldout]
    labels = np.array([e.label for e in heldout])
    # Uncalibrated, the logarithms of the probabilities are the logits up to a constant a row, which is all it takes.
    logits = np.log(np.clip(load(folder).probabilities(windows), 1e-12, None))
    _write_info(folder, name, fit_temperature(logits, labels, weights))
    model = load(folder)
    summary = summarise(model.probabilities(windows), model.count_tokens(windows), asked=len(windows))
    _write(folder / "drift.json", summary)
    _write(folder / "canary.json", _canaries(load(folder)))
    load(folder).check()


def _canaries(model: PolarityModel) -> list[dict[str, Any]]:
    windows = [make_windows(text, find_mentions(text, target))[0].text for text, target in CANARIES]
    rows = model.probabilities(windows)
    return [
        {"text": text, "target": target, "probabilities": [round(float(p), 4) for p in row]}
        for (text, target), row in zip(CANARIES, rows, strict=True)
    ]


def _write_info(folder: Path, name: str, calibration: Calibration) -> None:
    info = {
        "format": FORMAT,
        "name": name,
        "max_tokens": MAX_TOKENS,
        "calibration": asdict(calibration),
        "contract": input_contract(),
    }
    _write(folder / "polarity.json", info)


def input_contract() -> dict[str, Any]:
    """How texts must be prepared for a model of this format; `polarity.prepare` does it."""
    return {
        "language": "en",
        "labels": [label.value for label in LABELS],
        "placeholder": PLACEHOLDER,
        "window_characters": WINDOW,
        "max_characters": MAX_CHARACTERS,
        "inputs": {"input_ids": "int64 [batch, tokens]", "attention_mask": "int64 [batch, tokens]"},
        "outputs": {"logits": "float32 [batch, 3]"},
    }


def _fields(
    recipe: Recipe,
    sets: Sequence[LoadedSet],
    reports: Mapping[str, Report],
    floats: Mapping[str, float],
    model: PolarityModel,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "metrics": {name: {**r.to_dict(), "macro_f1_fp32": floats[name]} for name, r in reports.items()},
        "data": {
            s.spec.name: {
                "sha256": s.digest,
                "training": len(s.training),
                "heldout": len(s.heldout),
                "weight": s.spec.weight,
                "licence": s.spec.licence,
            }
            for s in sets
        },
        "recipe": recipe.to_dict(),
        "code_version": kiosque.__version__,
        "contract": input_contract(),
        "calibration": asdict(model.info.calibration),
        "drift_reference": model.info.drift,
    }


def _write(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
