"""What a missing or broken file does."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosque.core.errors import CorruptModel
from kiosque.polarity.scorer import Scorer


def test_missing_and_broken_files_are_a_corrupt_model(tmp_path: Path) -> None:
    with pytest.raises(CorruptModel, match="tokenizer"):
        Scorer(tmp_path, max_tokens=16)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CorruptModel, match="tokenizer"):
        Scorer(tmp_path, max_tokens=16)
