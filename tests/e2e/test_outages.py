"""Every page while a part of the installation is away: it shows what it can, and says what is missing and what to do.

Real processes: the model server and the broker are killed, PostgreSQL is stopped and started again, history is read
by a new model while somebody looks on.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kiosque.core.errors import KiosqueError
from kiosque.store.database import Database
from kiosque.testing.processes import running
from kiosque.testing.servers import free_port, nats_server, postgres_command

from .visiting import (
    ALWAYS,
    BOOKS,
    NAMES,
    NEWS,
    PATIENCE,
    PRIVATE,
    READS_NOTHING,
    WATCHED,
    Visitor,
    administered,
    article_of,
    did,
    said,
)

BOOK = "/books/work%3Ateam-of-rivals%2Fd-goodwin"
WITHOUT_STORE = ["/try", "/try?text=Lincoln+wins&targets=Lincoln", "/models", "/about", "/api", READS_NOTHING]
"""Pages that have something to say while the database is away."""


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with names, books, and news that the model that ships has read."""
    folder = tmp_path_factory.mktemp("news")
    did(folder, "db", "migrate")
    did(folder, "model", "seed")
    did(folder, "entity", "import", str(NAMES))
    did(folder, "import", str(NEWS))
    did(folder, "books", "import", str(BOOKS))
    return administered(folder)


class TestPredictIsDown:
    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, news: Path) -> Iterator[Visitor]:
        token = {"KIOSQUE_PREDICT_TOKEN": "a-token"}
        with running("predict", timeout=PATIENCE, data_dir=news, **token) as predict:
            ways = {"KIOSQUE_PREDICT_URL": predict.address, **token}
            with running("web", timeout=PATIENCE, data_dir=news, **ways) as server:
                there = Visitor(server).log_in()
                assert "Answered by polarity model" in there.text("/try?text=Lincoln+wins&targets=Lincoln")
                predict.kill()
                yield there

    def test_every_page_opens(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, *WATCHED, *PRIVATE, BOOK, article_of(visitor)]) == {}

    @pytest.mark.parametrize(
        ("path", "words"),
        [
            ("/", "Franklin D. Roosevelt"),
            ("/people/abraham-lincoln", "Most negative"),
            ("/articles?q=Lincoln", "negative"),
            ("/try?text=Lincoln+wins&targets=Lincoln", "No answer just now:"),
            ("/try?text=Lincoln+wins&targets=Lincoln", "Is it running"),
            ("/books?text=Lincoln", "No books just now:"),
            (BOOK, "No books just now:"),
            ("/for-you?text=Lincoln", "No books just now:"),
            ("/models", "does not say with which version it answers"),
            (
                "/operations",
                "does not answer. New articles wait for it; labels and books that are stored can",
            ),
        ],
    )
    def test_what_is_stored_is_shown_and_what_is_missing_is_said(
        self, visitor: Visitor, path: str, words: str
    ) -> None:
        assert words in visitor.text(path)

    def test_labels_stand_and_the_words_behind_them_are_missed(self, visitor: Visitor) -> None:
        path = article_of(visitor, "entity=abraham-lincoln")
        text = visitor.text(f"{path}?why=abraham-lincoln")
        assert "The model does not answer for this name now. The scores above are stored and stand." in text
        assert "No books just now:" in text


class TestTheBrokerIsDown:
    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, news: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        with nats_server(tmp_path_factory.mktemp("broker")) as broker:
            split = {"KIOSQUE_BUS": "jetstream", "KIOSQUE_NATS_URL": broker.url}
            with running("web", timeout=PATIENCE, data_dir=news, **split) as server:
                there = Visitor(server).log_in()
                assert "The broker does not answer" not in there.text("/operations")
                broker.kill()
                yield there

    def test_every_page_opens(self, visitor: Visitor) -> None:
        assert visitor.broken([*ALWAYS, *WATCHED, *PRIVATE, BOOK, article_of(visitor)]) == {}

    def test_the_page_of_operations_says_what_waits_and_what_does_not(self, visitor: Visitor) -> None:
        text = visitor.text("/operations")
        assert "The broker does not answer: nothing new comes in until it does." in text
        assert "All that is stored can be read, searched and corrected." in text


class TestTheDatabaseIsGone:
    @pytest.fixture(scope="class")
    @classmethod
    def postgres(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
        # not under the folder of this user, which the server may not enter where it runs as nobody
        folder = tmp_path_factory.mktemp("postgres")
        for above in (folder, *folder.parents[:2]):
            above.chmod(above.stat().st_mode | 0o055)
        with Postgres.running(folder) as server:
            yield server

    @pytest.fixture(scope="class")
    @classmethod
    def visitor(
        cls, news: Path, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("web")
        split = {"KIOSQUE_DATABASE_URL": postgres.url, "KIOSQUE_MODELS_DIR": str(news / "models")}
        did(folder, "db", "migrate", **split)
        did(folder, "entity", "import", str(NAMES), **split)
        did(folder, "import", str(NEWS), **{**split, "KIOSQUE_MODELS_DIR": str(folder / "none")})
        administered(folder, **split)
        with running("web", timeout=PATIENCE, data_dir=folder, **split) as server:
            there = Visitor(server).log_in()
            assert there.broken(WATCHED) == {}
            postgres.stop()
            yield there

    def test_pages_of_what_is_stored_say_that_it_is_away_and_what_answers(self, visitor: Visitor) -> None:
        stored = [path for path in (*ALWAYS, *WATCHED, *PRIVATE) if path not in WITHOUT_STORE]
        assert visitor.broken(stored, status=503) == {}
        for path in ("/", "/people/abraham-lincoln", "/articles?q=Lincoln"):
            text = visitor.text(path, status=503)
            assert "Database unavailable" in text
            assert "Nothing that was stored is lost." in text
            assert "What answers without it: Try it · Models · API · About" in text
            assert "OperationalError" not in text

    def test_pages_that_need_none_answer(self, visitor: Visitor) -> None:
        assert visitor.broken(WITHOUT_STORE) == {}
        for path in set(WITHOUT_STORE) - {READS_NOTHING}:
            assert "The database does not answer: what is stored cannot be shown just now." in visitor.text(
                path
            )
        assert "Answered by polarity model" in visitor.text("/try?text=Lincoln+wins&targets=Lincoln")
        assert "is the champion" in visitor.text("/models") or "answers with" in visitor.text("/models")
        # who is watched stands in the database
        assert "No answer just now:" in visitor.text("/try?text=Lincoln+wins")

    def test_it_is_there_again_as_soon_as_the_database_is(self, visitor: Visitor, postgres: Postgres) -> None:
        postgres.start()
        assert visitor.broken([*ALWAYS, *WATCHED, *PRIVATE]) == {}


class TestLongWorkGoesOn:
    """News came in without a model; a new model reads all of it, asked for from the page."""

    @pytest.fixture(scope="class")
    @classmethod
    def visitor(cls, news: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
        folder = tmp_path_factory.mktemp("unread")
        did(folder, "db", "migrate")
        did(folder, "entity", "import", str(NAMES))
        did(folder, "import", str(NEWS), KIOSQUE_MODELS_DIR=str(folder / "none"))
        models = {"KIOSQUE_MODELS_DIR": str(news / "models")}
        with running("web", timeout=PATIENCE, data_dir=administered(folder), **models) as server:
            yield Visitor(server).log_in()

    def test_it_shows_how_far_it_is_and_every_page_opens_meanwhile(self, visitor: Visitor) -> None:
        assert "No model has read these articles yet" in visitor.text("/")
        status, html = visitor.send("/jobs", {"kind": "rescore"}, at="/jobs")
        address = re.search(r'action="(/jobs/[0-9a-f]+)/stop"', html)
        assert (status, address is not None) == (200, True), html[:500]
        assert address
        seen = self._watched(visitor, address[1])
        shares = [
            int(value) for html in seen for value in re.findall(r"<progress[^>]* value=\"(\d+)\"", html)
        ]
        assert shares == sorted(shares)
        assert all('data-poll="2"' in html for html in seen[:-1])
        assert "data-poll" not in seen[-1]
        assert "articles read by" in said(seen[-1])
        assert "No model has read these articles yet" not in visitor.text("/")

    @staticmethod
    def _watched(visitor: Visitor, address: str) -> list[str]:
        """What the page of the work shows until it is done; between two looks another page is opened."""
        others, seen = iter([*ALWAYS, *WATCHED, *PRIVATE]), []
        deadline = time.monotonic() + 250
        while time.monotonic() < deadline:
            status, html = visitor.get(address)
            assert status == 200
            seen.append(html)
            if "data-poll" not in html:
                break
            assert visitor.broken([next(others, "/")]) == {}
        return seen


class Postgres:
    """A PostgreSQL that is stopped and started again with what it stored."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"postgresql://kiosque@127.0.0.1:{port}/postgres"
        self._command = postgres_command(folder, port)
        self._log = (folder / "log").open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Postgres]:
        server = cls(folder)
        with ExitStack() as stack:
            stack.callback(server._log.close)
            stack.callback(server.stop)
            server.start()
            yield server

    def start(self) -> None:
        """Returns once it answers."""
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, cwd="/")
        database = Database(self.url)
        deadline = time.monotonic() + 120
        while not _answers(database):
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.1)
        database.close()

    def stop(self) -> None:
        if self._process:
            # a "fast" shutdown: a "smart" one, by SIGTERM, waits until every client has gone
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)


def _answers(database: Database) -> bool:
    try:
        database.schema_version()
    except KiosqueError:
        return False
    return True
