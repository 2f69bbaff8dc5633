"""Photograph every page of a new installation, light and dark, wide and narrow, by `make screenshots`.

Starts `kiosque up` on a temporary folder with the demo data. All pictures go into build/screenshots, with an
index.html to look through them; those that the documentation shows go into docs/images. Fails when a page complains
on its console, is wider than its window or has another status than it should.

    scripts/take_screenshots.py [NAME …]      only the pages of these names
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from kiosque.testing.chromium import chromium
from kiosque.testing.processes import environment, running

ROOT = Path(__file__).resolve().parents[1]
ALL, IMAGES = ROOT / "build" / "screenshots", ROOT / "docs" / "images"
WIDTHS = (1440, 390)
HEIGHTS = {1440: 900, 390: 844}
TALLEST = 2600
"""Pixels of a page that are photographed; a long list goes on in the same way."""
LARGEST, LARGEST_TOGETHER = 150_000, 3_000_000
"""Bytes of one image of the documentation, and of all."""
PATIENCE = 300_000
"""Milliseconds that a page may take: nothing is measured here, and the machine may have other work."""
ADMIN, PASSWORD = "desk", "a password for pictures"


@dataclass(frozen=True, slots=True)
class Subject:
    """One page. `route` is its path as the application has it, `address` an example with something to see."""

    name: str
    route: str
    address: str
    status: int = 200
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture for the documentation, as high as a window."""

    subject: str
    width: int = 1440
    dark: bool = False
    language: str = "en"

    @property
    def name(self) -> str:
        marks = ("small" if self.width < 1440 else "", "dark" if self.dark else "", self.language)
        return "-".join([self.subject, *(mark for mark in marks if mark not in ("", "en"))])


SHOWN = (
    Shot("overview"),
    Shot("overview", dark=True),
    Shot("overview", 390),
    Shot("overview", language="fr"),
    Shot("person"),
    Shot("article"),
    Shot("article", dark=True),
    Shot("elections"),
    Shot("campaigns"),
    Shot("compare"),
    Shot("models"),
)


def subjects(article: str = "1", book: str = "1", version: str = "1") -> list[Subject]:
    """Every page; a test holds the list against the routes. The demo data has an example for each of them."""
    return [
        Subject("overview", "/", "/"),
        Subject("people", "/people", "/people"),
        Subject("person", "/people/{entity_id}", "/people/franklin-d-roosevelt"),
        Subject(
            "compare", "/compare", "/compare?entities=harry-s-truman,franklin-d-roosevelt,dwight-d-eisenhower"
        ),
        Subject("elections", "/elections", "/elections"),
        Subject("campaigns", "/elections", "/elections?years=1860,1948,2016"),
        Subject("election", "/elections/{year}", "/elections/1860"),
        Subject("articles", "/articles", "/articles?q=Lincoln"),
        Subject("article", "/articles/{article_id}", f"/articles/{article}?why=harry-s-truman"),
        Subject("books", "/books", "/books?text=Truman%27s+whistle-stop+campaign+upsets+Dewey"),
        Subject("book", "/books/{key:path}", f"/books/{book}"),
        Subject("for-you", "/for-you", f"/for-you?article={article}"),
        Subject("models", "/models", "/models"),
        Subject("try", "/try", "/try?text=Voters+Turn+on+Truman+as+Dewey+Surges&targets=Truman%2C+Dewey"),
        Subject("model", "/models/{name}", "/models/polarity"),
        Subject("version", "/models/{name}/versions/{version}", f"/models/polarity/versions/{version}"),
        Subject(
            "promote", "/models/{name}/promote", f"/models/polarity/promote?version={version}", admin=True
        ),
        Subject("operations", "/operations", "/operations", admin=True),
        Subject("dead-letters", "/operations/dead-letters", "/operations/dead-letters", admin=True),
        Subject("jobs", "/jobs", "/jobs", admin=True),
        Subject("searches", "/searches", "/searches"),
        Subject("alerts", "/alerts", "/alerts"),
        Subject("alert-new", "/alerts/new", "/alerts/new"),
        Subject("users", "/users", "/users", admin=True),
        Subject("keys", "/keys", "/keys", admin=True),
        Subject("settings", "/settings", "/settings", admin=True),
        Subject("account", "/account", "/account", admin=True),
        Subject("about", "/about", "/about"),
        Subject("api", "/api", "/api"),
        Subject("errors", "/docs/errors", "/docs/errors"),
        Subject("login", "/login", "/login"),
        Subject("nothing", "", "/articles/nowhere", status=404),
    ]


def main(wanted: Sequence[str]) -> int:
    ALL.mkdir(parents=True, exist_ok=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    problems: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="kiosque-") as folder,
        running("up", data_dir=Path(folder), timeout=900, KIOSQUE_LOG_LEVEL="warning") as server,
        chromium() as browser,
    ):
        camera = Camera(browser, server.address, log_in(browser, server.address, Path(folder)))
        every = subjects(example(server.address), book(server.address), champion(server.address))
        chosen = [subject for subject in every if not wanted or subject.name in wanted]
        for subject in chosen:
            for width in WIDTHS:
                for dark in (False, True):
                    problems += camera.take(subject, width, dark=dark)
            problems += camera.show(subject)
    gallery(every)
    together = sum(file.stat().st_size for file in IMAGES.iterdir())
    if together > LARGEST_TOGETHER:
        problems.append(f"docs/images has {together:,} bytes, more than {LARGEST_TOGETHER:,}")
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


class Camera:
    """Opens pages in windows of their own; `state` is the browser's of an administrator."""

    def __init__(self, browser: Any, address: str, state: Any) -> None:
        self._browser, self._address, self._state = browser, address, state

    def take(self, subject: Subject, width: int, *, dark: bool) -> list[str]:
        """The whole page into build/screenshots; what is wrong with it."""
        context, page, problems = self._open(subject, width, dark=dark)
        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        page.set_viewport_size({"width": width, "height": max(height, HEIGHTS[width])})
        page.screenshot(path=str(ALL / f"{picture(subject, width, dark=dark)}.png"))
        context.close()
        return problems

    def show(self, subject: Subject) -> list[str]:
        """Its pictures for the documentation, small files of a good quality."""
        problems: list[str] = []
        for shot in SHOWN:
            if shot.subject != subject.name:
                continue
            context, page, found = self._open(subject, shot.width, dark=shot.dark, language=shot.language)
            session = context.new_cdp_session(page)
            taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": 90})
            file = IMAGES / f"{shot.name}.webp"
            file.write_bytes(base64.b64decode(taken["data"]))
            context.close()
            problems += found
            if file.stat().st_size > LARGEST:
                problems.append(f"{file.name} has {file.stat().st_size:,} bytes, more than {LARGEST:,}")
        return problems

    def _open(
        self, subject: Subject, width: int, *, dark: bool, language: str = "en"
    ) -> tuple[Any, Any, list[str]]:
        context = self._browser.new_context(
            base_url=self._address,
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme="dark" if dark else "light",
            locale=language,
            storage_state=self._state if subject.admin else None,
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        problems: list[str] = []
        if subject.status == 200:
            page.on("console", lambda message: problems.append(f"{subject.address}: {message.text}"))
        page.on("pageerror", lambda error: problems.append(f"{subject.address}: {error}"))
        response = page.goto(subject.address)
        if response.status != subject.status:
            problems.append(f"{subject.address}: status {response.status}, not {subject.status}")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            problems.append(f"{subject.address}: wider than {width} pixels")
        return context, page, problems


def picture(subject: Subject, width: int, *, dark: bool) -> str:
    return f"{subject.name}-{'dark' if dark else 'light'}-{width}"


def log_in(browser: Any, address: str, folder: Path) -> Any:
    """Make an administrator and log in; the state of the browser then."""
    subprocess.run(
        [sys.executable, "-m", "kiosque", "user", "add", ADMIN, "--scope", "admin"],
        input=PASSWORD,
        env=environment(folder),
        cwd=folder,
        text=True,
        check=True,
        capture_output=True,
    )
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/login")
    page.fill("#username", ADMIN)
    page.fill("#password", PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url("**/")
    state = context.storage_state()
    context.close()
    return state


def asked(address: str) -> list[dict[str, Any]]:
    """The items that the API has at `address`."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        items: list[dict[str, Any]] = json.load(answer)["items"]
    return items


def example(address: str) -> str:
    """The id of an article of 1948 that names several people and goes with books."""
    items = asked(f"{address}/api/v1/articles?entity=harry-s-truman&from=1948-01-01&to=1948-12-31&limit=100")
    best = max(
        items, key=lambda item: len({m["polarity"] for m in item["mentions"]}) * 10 + len(item["mentions"])
    )
    return str(best["id"])


def book(address: str) -> str:
    """The key of a book that has been recommended."""
    return str(asked(f"{address}/api/v1/books?q=Truman&limit=1")[0]["key"])


def champion(address: str) -> str:
    """The version of the polarity model that answers."""
    return str(asked(f"{address}/api/v1/models?model=polarity&limit=1")[0]["version"])


def gallery(every: Sequence[Subject]) -> None:
    """An index.html to look through all pictures."""
    rows = []
    for subject in every:
        names = [picture(subject, width, dark=dark) for width in WIDTHS for dark in (False, True)]
        images = "".join(
            f'<a href="{name}.png"><img src="{name}.png" alt="{name}" height="420"></a> ' for name in names
        )
        rows.append(f"<h2>{escape(subject.name)} <code>{escape(subject.address)}</code></h2>{images}")
    (ALL / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Kiosque</title>{''.join(rows)}", encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
