from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosque.modelstore.store import ModelStore


class SteppingClock:
    """A day later at every look."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(days=1)
        return self.now


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def build(tmp_path: Path):
    """Make a folder of files to publish: `build(**{"a.json": "…"})`."""
    made = []

    def make(files: dict[str, str] | None = None, *, text: str = "weights") -> Path:
        folder = tmp_path / f"build{len(made)}"
        made.append(folder)
        for path, content in (files or {"model.onnx": text, "parts/vocab.txt": "a b c"}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(content)
        return folder

    return make
