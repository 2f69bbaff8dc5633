"""Every page in a young installation: each opens and says why it is empty and what to do.

Real processes, started through the command line: with nothing in them, and with news but without a model.
"""

from __future__ import annotations

import http.cookiejar
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosque.testing.pages import form_token
from kiosque.testing.paths import CHECKOUT
from kiosque.testing.processes import Running, command, environment, running

NEWS = CHECKOUT / "data/demo/articles-1852-1940.jsonl"
NAMES = CHECKOUT / "data/watchlists/us-presidential-elections.toml"
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

    def text(self, path: str) -> str:
        """What the page says: without tags, and with single blanks."""
        status, html = self.get(path)
        assert status == 200, (path, status, html[:500])
        shown = re.sub(r"</?(?:a|code|span|strong)\b[^>]*>", "", html)
        return " ".join(re.sub(r"<[^>]*>", " ", shown).split())

    def log_in(self) -> Visitor:
        """As the administrator whom `administered` made."""
        form = {"username": "ada", "password": PASSWORD, "next": "/account"}
        status, html = self.get("/login", form | {"form_token": form_token(self.get("/login")[1])})
        assert status == 200
        assert "ada" in html
        return self

    def broken(self, paths: list[str]) -> dict[str, tuple[int, str]]:
        """The pages that do not open as a page with one headline and a way to other pages."""
        found = {}
        for path in paths:
            status, html = self.get(path)
            whole = html.count("<h1") == 1 and html.rstrip().endswith("</html>") and "<nav" in html
            if status != 200 or not whole or "Traceback" in html:
                found[path] = (status, html[:300])
        return found


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


def article_of(visitor: Visitor) -> str:
    """The address of the newest article about Lincoln, else of any."""
    found = re.search(r'"(/articles/[^"?#]+)"', visitor.get("/articles?q=Lincoln")[1].split("<ol", 1)[1])
    assert found
    return found[1]


class TestNothingHasComeInYet:
    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("empty")
        with running("up", timeout=PATIENCE, data_dir=folder, KIOSQUE_SEED_DEMO="false") as server:
            yield Visitor(server)

    def test_every_page_opens(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, "/login"]) == {}

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/", "Nothing has come in yet. Kiosque shows who is in the news once it has news. Add a feed"),
            ("/people", "Nobody of that name is watched. Add one with kiosque entity add"),
            ("/articles", "0 articles"),
            ("/articles", "No article fits all of this."),
            ("/compare", "Name two to six of those who are watched."),
            ("/elections", "No articles name a candidate yet."),
            ("/books", "The shelves are empty. Fill them: kiosque books import FILE"),
            ("/books?text=Lincoln", "No books just now:"),
            ("/for-you", "Nothing is ticked or pasted yet."),
            ("/for-you?text=Lincoln", "No books just now:"),
            ("/searches", "Nobody has saved a search yet."),
            ("/alerts", "There is none yet. Make one"),
            ("/alerts/new", "Name somebody, and see when the rule would have fired."),
            ("/operations", "Nothing is polled yet. Add a feed with"),
            ("/operations", "No article has come in yet, so that there is nothing to say of their quality."),
            ("/operations/dead-letters", "Nothing. Every message was handled."),
            ("/login", "There is no account yet."),
        ],
    )
    def test_it_says_why_it_is_empty_and_what_to_do(self, visitor: Visitor, path: str, words: str) -> None:
        assert words in visitor.text(path)

    def test_someone_who_is_not_watched_is_not_found(self, visitor: Visitor) -> None:
        for path in ("/people/abraham-lincoln", "/elections/1860", "/articles/none", "/books/none"):
            status, html = visitor.get(path)
            assert (status, html.count("<h1")) == (404, 1), path


class TestNoModelYet:
    """News came in and there is no model at all: none was seeded, none can be asked."""

    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("no-model")
        (folder / "none").mkdir()
        models = {"KIOSQUE_MODELS_DIR": str(folder / "none")}
        did(folder, "db", "migrate")
        did(folder, "entity", "import", str(NAMES), **models)
        did(folder, "import", str(NEWS), **models)
        with running("web", timeout=PATIENCE, data_dir=administered(folder), **models) as server:
            yield Visitor(server).log_in()

    def test_every_page_opens_and_says_that_nobody_has_read_the_news(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, *WATCHED, *PRIVATE, article_of(visitor)]) == {}
        for path in {*ALWAYS, *WATCHED, article_of(visitor)} - {READS_NOTHING}:
            assert "No model has read these articles yet" in visitor.text(path), path

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/models", "There is no model here yet. Put the ones that ship in place: kiosque model seed."),
            ("/articles?q=Lincoln", "Lincoln"),
            ("/people", "Abraham Lincoln"),
            ("/people/abraham-lincoln", "0 articles name Abraham Lincoln"),
            ("/people/abraham-lincoln", "No book was recommended for an article about Abraham Lincoln yet."),
            ("/elections", "No articles name a candidate yet."),
            ("/elections/1860", "No article of these months names a candidate."),
            ("/books?text=Lincoln", "No books just now:"),
            ("/for-you?text=Lincoln", "No books just now:"),
            ("/try?text=Lincoln+wins&targets=Lincoln", "No answer just now:"),
            ("/jobs", "Nothing yet."),
        ],
    )
    def test_each_says_what_is_missing(self, visitor: Visitor, path: str, words: str) -> None:
        assert words in visitor.text(path)

    def test_an_article_is_there_and_has_not_been_read(self, visitor: Visitor) -> None:
        text = visitor.text(article_of(visitor))
        assert "The model that answers has not read it yet." in text
        assert "There is no label to correct." in text
        assert "No books just now:" in text
