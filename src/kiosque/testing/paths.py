"""Where a source checkout keeps its data, and where third-party data sets may lie beside it."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def datasets() -> Path | None:
    """The folder of third-party data sets: `KIOSQUE_DATASETS`, else `../shared/datasets`; None where missing."""
    folder = Path(os.environ.get("KIOSQUE_DATASETS") or CHECKOUT.parent / "shared" / "datasets")
    return folder if folder.is_dir() else None
