"""Somebody at the pages of real processes, and an installation that is filled through the command line."""

from __future__ import annotations

import http.cookiejar
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from kiosque.testing.pages import form_token
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.processes import Running, command, environment

NEWS = CHECKOUT / "data/demo/articles-1852-1940.jsonl"
NAMES = CHECKOUT / "data/watchlists/us-presidential-elections.toml"
BOOKS = CHECKOUT / "data/demo/books.jsonl"
PATIENCE = 1200.0
"""Seconds that a start is waited for: no test here is about speed, and the machine may have other work."""
PASSWORD = "correct horse battery"
READS_NOTHING = "/docs/errors"
"""It says the same whatever the database holds."""
ALWAYS = [
    "/",
    "/?period=decade",
    "/people",
    "/people?q=Lincoln",
    "/articles",
    "/articles?q=Lincoln",
    "/compare",
    "/elections",
    "/elections?years=1860",
    "/books",
    "/books?text=A+book+on+Lincoln",
    "/for-you",
    "/for-you?text=Lincoln+and+his+rivals",
    "/models",
    "/searches",
    "/alerts",
    "/alerts/new",
    "/operations",
    "/operations/dead-letters",
    "/about",
    "/api",
    READS_NOTHING,
    "/try",
    "/try?text=Lincoln+wins&targets=Lincoln",
]
WATCHED = [
    "/people/abraham-lincoln",
    "/compare?entities=abraham-lincoln,stephen-a-douglas",
    "/compare?entities=abraham-lincoln&ends=1860",
    "/elections/1860",
    "/alerts/new?entity=abraham-lincoln&kind=threshold&limit=1&least=1&window=month",
]
PRIVATE = ["/account", "/jobs", "/users", "/keys", "/settings"]


class Visitor:
    """Somebody at the pages of a running server, with cookies."""

    def __init__(self, server: Running) -> None:
        self._address = server.address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)

    def get(self, path: str, data: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text, whatever the status. Redirections are followed."""
        body = None if data is None else urllib.parse.urlencode(data).encode()
        try:
            with self._opener.open(self._address + path, data=body, timeout=120) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def send(self, path: str, form: dict[str, str], *, at: str) -> tuple[int, str]:
        """Send a form of the page `at`."""
        return self.get(path, form | {"form_token": form_token(self.get(at)[1])})

    def text(self, path: str, status: int = 200) -> str:
        """What the page says: without tags, and with single blanks."""
        answered, html = self.get(path)
        assert answered == status, (path, answered, html[:500])
        return said(html)

    def log_in(self) -> Visitor:
        """As the administrator whom `administered` made."""
        form = {"username": "ada", "password": PASSWORD, "next": "/account"}
        status, html = self.send("/login", form, at="/login")
        assert status == 200
        assert "ada" in html
        return self

    def broken(self, paths: list[str], status: int = 200) -> dict[str, tuple[int, str]]:
        """The pages that do not open as a page with one headline and a way to other pages."""
        found = {}
        for path in paths:
            answered, html = self.get(path)
            whole = html.count("<h1") == 1 and html.rstrip().endswith("</html>") and "<nav" in html
            if answered != status or not whole or "Traceback" in html:
                found[path] = (answered, html[:300])
        return found


def said(html: str) -> str:
    """The words of a page, with single blanks."""
    shown = re.sub(r"</?(?:a|code|span|strong)\b[^>]*>", "", html)
    return " ".join(re.sub(r"<[^>]*>", " ", shown).split())


def administered(folder: Path, **settings: str) -> Path:
    """`folder` with the administrator ada in it."""
    done = subprocess.run(
        [sys.executable, "-m", "kiosque", "user", "add", "ada", "--scope", "admin"],
        env=environment(folder, settings),
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def did(folder: Path, *arguments: str, **settings: str) -> None:
    done = command(*arguments, data_dir=folder, timeout=PATIENCE, **settings)
    assert done.returncode == 0, done.stderr


def article_of(visitor: Visitor, question: str = "q=Lincoln") -> str:
    """The address of the newest article of a list."""
    found = re.search(r'"(/articles/[^"?#]+)"', visitor.get(f"/articles?{question}")[1].split("<ol", 1)[1])
    assert found
    return found[1]
