"""Photograph the pages of a new installation into docs/images, by `make screenshots`.

Starts `kiosque up` on a temporary folder and fails when a page complains on its console or is wider than its window.
"""

from __future__ import annotations

import json
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosque.testing.chromium import chromium
from kiosque.testing.processes import running

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST = 250_000
"""Bytes that one image may have."""
WIDE, NARROW = (1440, 900), (390, 844)


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    path: str
    size: tuple[int, int] = WIDE
    dark: bool = False


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="kiosque-") as folder,
        running("up", data_dir=Path(folder), KIOSQUE_LOG_LEVEL="warning") as server,
        chromium() as browser,
    ):
        for shot in shots(example(server.address)):
            problems += take(browser, server.address, shot)
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


def example(address: str) -> str:
    """The id of an article of 1948 that names several people and goes with books."""
    query = "/api/v1/articles?entity=harry-s-truman&from=1948-01-01&to=1948-12-31&limit=100"
    with urllib.request.urlopen(address + query, timeout=30) as answer:
        items: list[dict[str, Any]] = json.load(answer)["items"]
    best = max(
        items, key=lambda item: len({m["polarity"] for m in item["mentions"]}) * 10 + len(item["mentions"])
    )
    return str(best["id"])


def shots(article: str) -> list[Shot]:
    why = f"/articles/{article}?why=harry-s-truman"
    return [
        Shot("overview", "/"),
        Shot("overview-dark", "/", dark=True),
        Shot("overview-small", "/", NARROW),
        Shot("person", "/people/franklin-d-roosevelt"),
        Shot("article", why),
        Shot("article-dark", why, dark=True),
        Shot("elections", "/elections"),
        Shot("campaigns", "/elections?years=1860,1948,2016"),
        Shot("compare", "/compare?entities=harry-s-truman,franklin-d-roosevelt,dwight-d-eisenhower"),
        Shot("models", "/models"),
    ]


def take(browser: Any, address: str, shot: Shot) -> list[str]:
    """Write the image; what is wrong with the page."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": shot.size[0], "height": shot.size[1]},
        color_scheme="dark" if shot.dark else "light",
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(f"{shot.path}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"{shot.path}: {error}"))
    response = page.goto(shot.path)
    if response.status != 200:
        problems.append(f"{shot.path}: status {response.status}")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        problems.append(f"{shot.path}: wider than {shot.size[0]} pixels")
    file = IMAGES / f"{shot.name}.png"
    page.screenshot(path=str(file))
    context.close()
    if file.stat().st_size > LARGEST:
        problems.append(f"{file.name} has {file.stat().st_size:,} bytes, more than {LARGEST:,}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
