"""Write docs/reference from the code, or say what is out of date with --check."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from kiosque.cli.reference import api_page, commands_page, errors_page, metrics_page, settings_page
from kiosque.processes import openapi_documents
from kiosque.settings import load_settings
from kiosque.wiring import open_house

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


def pages() -> dict[str, str]:
    """File name → text."""
    with tempfile.TemporaryDirectory() as folder, open_house(load_settings(data_dir=folder)) as house:
        documents = openapi_documents(house)
    return {
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "metrics.md": metrics_page(),
        "cli.md": commands_page(),
        "http.md": api_page(documents),
    }


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}", file=sys.stderr)


if __name__ == "__main__":
    main()
