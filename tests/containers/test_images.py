"""Nothing is rebuilt in vain, and no image is larger than what it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque.testing.containers import POLARITY, copy_checkout, run

pytestmark = pytest.mark.containers

TARGETS = ("producer", "consumer", "predict", "web", "tools", "books", *(("polarity",) if POLARITY else ()))
LARGEST = {"producer": 130, "consumer": 110, "predict": 260, "web": 130, "tools": 130, "books": 290}
"""Millions of bytes on top of the base image, which is about 130 in its public form."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def ids(checkout: Path) -> dict[str, str]:
    return build(checkout)


def build(checkout: Path) -> dict[str, str]:
    """Target → id of its image."""
    built = {}
    for target in TARGETS:
        arguments = ("-q", "-f", str(checkout / "deploy/Dockerfile"), "--target", target, str(checkout))
        built[target] = run("docker", "build", *arguments, timeout=1500).strip()
    return built


@pytest.fixture
def changed(checkout: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    before = {}
    for name in request.param:
        file = checkout / name
        before[file] = file.read_bytes()
        file.write_bytes(before[file] + b"\n# changed\n")
    yield
    for file, content in before.items():
        file.write_bytes(content)


@pytest.mark.parametrize("changed", [("src/kiosque/predict/batcher.py",)], indirect=True)
def test_a_change_in_predict_rebuilds_predict_alone(
    ids: dict[str, str], checkout: Path, changed: None
) -> None:
    after = build(checkout)
    assert {target for target in TARGETS if after[target] != ids[target]} == {"predict"}
    assert layers(after["predict"])[:-1] == layers(ids["predict"])[:-1], (
        "its dependencies were installed again"
    )


@pytest.mark.parametrize(
    "changed", [("README.md", "tests/conftest.py", "docs/reference/cli.md")], indirect=True
)
def test_documents_and_tests_rebuild_nothing(ids: dict[str, str], checkout: Path, changed: None) -> None:
    assert build(checkout) == ids


@pytest.mark.parametrize("target", LARGEST)
def test_an_image_is_no_larger_than_it_was(ids: dict[str, str], target: str) -> None:
    base = facts(run("docker", "image", "inspect", "python:3.11-slim-bookworm"))["Size"]
    own = (facts(run("docker", "image", "inspect", ids[target]))["Size"] - base) / 1e6
    assert own <= LARGEST[target], f"{own:.0f} MB on top of the base image"


def facts(inspected: str) -> dict[str, int]:
    return json.loads(inspected)[0]


def layers(image: str) -> list[str]:
    return json.loads(run("docker", "image", "inspect", image))[0]["RootFS"]["Layers"]
