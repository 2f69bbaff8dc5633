"""Somebody at the pages: a client that keeps cookies and sends forms."""

from __future__ import annotations

import re
from typing import Any

from starlette.testclient import TestClient

from kiosque.testing.seeded import PASSWORDS, SeededApi


def browser_of(pages: SeededApi, base: str = "http://testserver") -> TestClient:
    """Somebody who keeps cookies and looks where they are sent."""
    return TestClient(pages.app, base_url=base, follow_redirects=False, raise_server_exceptions=False)


def form_token(html: str) -> str:
    """What stands in the last form of a page."""
    tokens: list[str] = re.findall(r'name="form_token" value="([0-9a-f]+)"', html)
    return tokens[-1]


def log_in(browser: TestClient, name: str, **changes: str) -> Any:
    """Send the login form as `name`."""
    token = form_token(browser.get("/login").text)
    form = {
        "username": name,
        "password": PASSWORDS.get(name, "?"),
        "form_token": token,
        "next": "/",
        **changes,
    }
    return browser.post("/login", data=form)
