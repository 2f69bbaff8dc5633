"""The version that ships: loads, answers as recorded, and reads headlines as a reader does."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from kiosque.core.errors import CorruptModel
from kiosque.core.polarity import Polarity, ScoringRequest, Target
from kiosque.polarity.model import PolarityModel, load
from kiosque.testing.emulation import needs_emulator, run_without_vnni
from kiosque.testing.paths import CHECKOUT

MODELS = CHECKOUT / "data" / "models" / "polarity"
MAX_BYTES = 24_000_000
ANSWERS = """
import json, pathlib, sys
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.polarity.model import load
folder = pathlib.Path(sys.argv[1])
records = json.loads((folder / "canary.json").read_text(encoding="utf-8"))
requests = [ScoringRequest(r["text"], targets=(Target("t", r["target"]),)) for r in records]
answers = [each[0].probabilities for each in load(folder, threads=1).score(requests)]
print(json.dumps([[p.negative, p.neutral, p.positive] for p in answers]))
"""
"""A program: what the version in a folder says of its recorded texts."""


@pytest.fixture(scope="module")
def folder() -> Path:
    aliases = json.loads((MODELS / "aliases.json").read_text(encoding="utf-8"))
    return MODELS / "versions" / str(aliases["aliases"]["champion"])


@pytest.fixture(scope="module")
def model(folder: Path) -> PolarityModel:
    return load(folder, threads=1)


def test_is_small_and_complete(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
    assert manifest["files"]["model.onnx"]["size"] <= MAX_BYTES
    assert {"card.md", "canary.json", "drift.json", "polarity.json", "tokenizer.json"} <= set(
        manifest["files"]
    )
    assert {"metrics", "data", "recipe", "contract", "drift_reference"} <= set(manifest)


def test_answers_as_recorded(model: PolarityModel) -> None:
    model.warm()
    model.check()


@needs_emulator
def test_answers_as_recorded_on_a_processor_of_2013(folder: Path) -> None:
    """Without VNNI sums of int8 products would overflow if the weights allowed it, by little here and there."""
    answers = json.loads(run_without_vnni(ANSWERS, str(folder)))
    recorded = json.loads((folder / "canary.json").read_text(encoding="utf-8"))
    for answer, record in zip(answers, recorded, strict=True):
        assert answer == pytest.approx(record["probabilities"], abs=0.002)


@pytest.mark.parametrize(
    ("text", "name", "polarity"),
    [
        ("Marchetti Wins Iowa in a Landslide", "Marchetti", Polarity.POSITIVE),
        ("Jury Convicts Marchetti of Taking Bribes", "Marchetti", Polarity.NEGATIVE),
        ("Marchetti to Speak in Ohio on Tuesday", "Marchetti", Polarity.NEUTRAL),
        ("Okafor Blasts Lindqvist Over Flood Relief Delays", "Lindqvist", Polarity.NEGATIVE),
        ("Okafor Blasts Lindqvist Over Flood Relief Delays", "Okafor", Polarity.NEUTRAL),
    ],
)
def test_reads_plain_headlines(model: PolarityModel, text: str, name: str, polarity: Polarity) -> None:
    assert model.score([ScoringRequest(text, targets=(Target("t", name),))])[0][0].polarity is polarity


def test_the_answer_depends_neither_on_the_name_nor_on_the_company(model: PolarityModel) -> None:
    requests = [
        ScoringRequest(f"Panel Finds {name} Lied About the Contract", targets=(Target("t", name),))
        for name in ("Li", "Marchetti", "Wolfeschlegelstein Holdings")
    ]
    alone = [model.score([r])[0][0].probabilities for r in requests]
    assert alone[0] == alone[1] == alone[2]
    long = ScoringRequest(
        "Okafor, " + "as the board had feared since spring, " * 7 + "quit", targets=(Target("t", "Okafor"),)
    )
    assert model.score([long, *requests])[1][0].probabilities == alone[0]


def test_a_damaged_network_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(
            content[: len(content) // 2] if file.suffix == ".onnx" else content
        )
    with pytest.raises(CorruptModel, match=r"model\.onnx"):
        load(tmp_path)
