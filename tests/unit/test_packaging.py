"""What an installation brings along, and what it must not."""

import re
import tomllib

import pytest

from kiosque.testing.paths import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
TRAINING = {"torch", "transformers", "pandas", "scikit-learn", "scipy", "onnx", "plotly"}


def pinned(name):
    text = (CHECKOUT / "requirements" / f"{name}.txt").read_text()
    return {m.lower() for m in re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)}


@pytest.mark.parametrize("process", ["up", "producer", "consumer", "predict", "web", "books"])
def test_serving_never_pulls_training(process):
    assert pinned(process) & TRAINING == set()


@pytest.mark.parametrize(
    ("process", "absent"),
    [
        ("predict", {"sqlalchemy", "psycopg", "nats-py", "feedparser"}),
        ("producer", {"onnxruntime", "tokenizers", "jinja2"}),
        ("consumer", {"onnxruntime", "tokenizers", "feedparser"}),
        ("web", {"onnxruntime", "feedparser"}),
    ],
)
def test_no_process_installs_what_another_one_runs(process, absent):
    assert pinned(process) & absent == set()


def test_every_extra_of_a_process_has_its_pins():
    extras = PROJECT["project"]["optional-dependencies"]
    for name in ("producer", "consumer", "predict", "web", "up"):
        wanted = {re.split(r"[\[<>=; ]", d)[0].lower() for d in extras[name] if not d.startswith("kiosque")}
        assert wanted <= pinned(name), f"run: make lock ({name})"


def test_a_library_has_the_same_versions_in_every_file():
    # One for each range of Python versions, where a library's newest one needs a newer Python.
    versions = {}
    for path in sorted((CHECKOUT / "requirements").glob("*.txt")):
        pins = {}
        for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==(\S+) [\\;]", path.read_text(), re.MULTILINE):
            pins.setdefault(name.lower(), set()).add(version)
        for name, chosen in pins.items():
            versions.setdefault(name, {}).setdefault(frozenset(chosen), []).append(path.name)
    assert {name: where for name, where in versions.items() if len(where) > 1} == {}


def test_every_pin_has_its_hash():
    for path in (CHECKOUT / "requirements").glob("*.txt"):
        text = path.read_text().replace("\\\n", " ")
        pins = [line for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)]
        assert pins, path.name
        assert [pin for pin in pins if "--hash=sha256:" not in pin] == [], path.name


def test_no_pickle_is_loaded_anywhere():
    forbidden = re.compile(
        r"\b(?:import pickle|from pickle|joblib\.load|torch\.load\((?!.*weights_only=True)|allow_pickle=True)"
    )
    found = [
        f"{path.relative_to(CHECKOUT)}: {match[0]}"
        for path in (CHECKOUT / "src").rglob("*.py")
        for match in forbidden.finditer(path.read_text())
    ]
    assert found == []
    assert [
        p for p in (CHECKOUT / "data").rglob("*") if p.suffix in {".pkl", ".pickle", ".joblib", ".pt"}
    ] == []
