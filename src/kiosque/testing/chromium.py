"""A Chromium that Playwright drives: the system's, else the one that Playwright has installed itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox",  # containers run as root; what is opened is our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(Exception):
    """There is no browser to drive; says what to install."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A Playwright browser for as long as the block lasts. Raises ChromiumMissing."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise ChromiumMissing("playwright is not installed") from error
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    with sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=executable, args=list(_OPTIONS))
        except Error as error:
            reason = str(error).splitlines()[0]
            raise ChromiumMissing(f"no Chromium (Debian: apt-get install chromium): {reason}") from error
        try:
            yield browser
        finally:
            browser.close()
