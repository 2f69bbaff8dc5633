"""The page of operations: processes, queue, sources, what was given up, what came in with gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.bus.protocol import Lag
from kiosque.core.article import Article
from kiosque.core.errors import BusUnavailable
from kiosque.core.message import encode_article
from kiosque.core.prediction import Replica
from kiosque.pipeline.intake import Intake
from kiosque.pipeline.replay import replay
from kiosque.store import dead_letters, presence, sources
from kiosque.store.database import Database
from kiosque.store.presence import Presence
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.pipeline import RecordedBus
from kiosque.testing.seeded import NOW, SeededApi, SeededPredictor, working_hooks
from kiosque.web.session import session_caller

MakePages = Callable[..., SeededApi]
HOSTILE = "<script>alert(1)</script>"
LOST = Article(
    key="lost:1",
    source="demo",
    headline="Lincoln Writes a Letter",
    published_at=NOW - timedelta(hours=1),
    language="en",
)


def hooked(**hooks: Any) -> dict[str, Any]:
    return {"hooks": replace(working_hooks(), session=session_caller, **hooks)}


def logged_in(pages: SeededApi, name: str) -> TestClient:
    browser = browser_of(pages)
    log_in(browser, name)
    return browser


def speak(pages: SeededApi, kind: str, *, seconds: int = 0, **more: Any) -> None:
    said = Presence(
        id=f"{kind}:host:1",
        kind=kind,
        host="host",
        version="1",
        started_at=NOW - timedelta(hours=1),
        at=NOW - timedelta(seconds=seconds),
        **more,
    )
    with pages.context.database.write() as tx:
        presence.say(tx, said)


class TestProcesses:
    def test_who_speaks_runs_and_who_is_silent_does_not(self, pages: SeededApi, browser: TestClient) -> None:
        speak(pages, "producer", troubles=(f"bus: {HOSTILE}",))
        speak(pages, "consumer", seconds=300)
        html = browser.get("/operations").text
        assert "The producer on host has been running since" in html
        assert "A consumer on host has said nothing since" in html
        assert "No consumer is running" in html
        assert "No producer is running" not in html
        assert HOSTILE not in html

    def test_one_process_for_everything_lacks_none(self, pages: SeededApi, browser: TestClient) -> None:
        quota = {"name": "nyt", "left_today": 480, "left_this_minute": 5, "closed_until": None}
        speak(pages, "up", facts={"quota": quota})
        html = browser.get("/operations").text
        assert "is running: nothing" not in html
        assert "Of the allowance of nyt, 480 requests are left today" in html

    def test_a_model_server_that_is_down_is_a_sentence(self, make_pages: MakePages) -> None:
        pages = make_pages(**hooked(replicas=lambda: (Replica("10.0.0.9:8005", trouble="refused"),)))
        html = browser_of(pages).get("/operations").text
        assert "The model server 10.0.0.9:8005 does not answer" in html
        assert "can be read" in html


class TestQueue:
    def test_what_waits_is_counted(self, make_pages: MakePages) -> None:
        pages = make_pages(**hooked(lag=lambda: Lag(1200, 3)))
        assert "1,200 articles wait, 3 are being read." in browser_of(pages).get("/operations").text

    def test_a_broker_that_is_down_is_a_sentence(self, make_pages: MakePages) -> None:
        def down() -> Lag:
            raise BusUnavailable("The broker is out of reach.")

        html = browser_of(make_pages(**hooked(lag=down))).get("/operations").text
        assert "The broker does not answer" in html
        assert "can be read, searched and corrected" in html

    def test_no_queue_is_said(self, browser: TestClient) -> None:
        assert "This process has no queue" in browser.get("/operations").text


class TestSources:
    def test_one_is_switched_off_and_on_and_asked(self, pages: SeededApi) -> None:
        writer = logged_in(pages, "writer")
        for do, enabled in (("off", False), ("on", True), ("poll", True)):
            token = form_token(writer.get("/operations").text)
            done = writer.post("/operations/sources/demo", data={"do": do, "form_token": token})
            assert done.status_code == 303
            with pages.context.database.read() as tx:
                assert sources.get(tx, "demo").enabled is enabled

    def test_a_stranger_changes_nothing(self, pages: SeededApi, browser: TestClient) -> None:
        assert "switch off" not in browser.get("/operations").text
        assert browser.post("/operations/sources/demo", data={"do": "off"}).status_code == 401
        with pages.context.database.read() as tx:
            assert sources.get(tx, "demo").enabled

    def test_the_old_address_leads_here(self, browser: TestClient) -> None:
        assert browser.get("/sources").headers["location"] == "/operations#sources"

    def test_a_hostile_source_stays_text(self, pages: SeededApi, browser: TestClient) -> None:
        with pages.context.database.write() as tx:
            sources.save(tx, f"feed {HOSTILE}", f"feed{HOSTILE}", {})
            sources.record_failure(tx, f"feed {HOSTILE}", HOSTILE, at=NOW)
        html = browser.get("/operations").text
        assert HOSTILE not in html
        assert html.count("&lt;script&gt;") >= 3


class TestDeadLetters:
    @pytest.fixture
    def bus(self) -> RecordedBus:
        return RecordedBus()

    @pytest.fixture
    def pages(self, make_pages: MakePages, bus: RecordedBus) -> SeededApi:
        """Pages whose letters go onto a bus."""
        made: list[SeededApi] = []

        def again(letter: int) -> Any:
            return replay(letter, bus, made[0].context.database, lambda: NOW)

        made.append(make_pages(**hooked(replay=again)))
        return made[0]

    def lose(self, pages: SeededApi, data: bytes = b"") -> int:
        with pages.context.database.write() as tx:
            return dead_letters.add(
                tx,
                key="lost:1",
                subject="demo",
                data=data or encode_article(LOST),
                reason=f"poison: {HOSTILE}",
                attempts=5,
                at=NOW,
            )

    def test_one_is_inspected(self, pages: SeededApi) -> None:
        letter = self.lose(pages, b"\x00\x1b[31m" + HOSTILE.encode() + b"\xff")
        html = browser_of(pages).get(f"/operations/dead-letters/{letter}").text
        assert HOSTILE not in html
        assert "&lt;script&gt;" in html
        assert "\x1b" not in html
        assert "after 5 tries" in html

    def test_one_is_tried_again_and_shows_what_became_of_it(self, pages: SeededApi, bus: RecordedBus) -> None:
        letter, admin = self.lose(pages), logged_in(pages, "admin")
        page = f"/operations/dead-letters/{letter}"
        token = form_token(admin.get(page).text.split("Try it again")[0])
        assert admin.post(f"{page}/replay", data={"form_token": token}).status_code == 303
        assert len(bus.published) == 1
        html = admin.get(f"{page}?sent=replayed").text
        assert "It was put on the queue again" in html
        assert "Its article is not here" in html
        database, metrics = pages.context.database, pages.context.metrics
        Intake(database, SeededPredictor("v1"), clock=lambda: NOW, metrics=metrics).take([LOST])
        assert f"/articles/{LOST.id}" in admin.get(page).text
        assert f">{letter}</a>" in admin.get("/operations/dead-letters?which=replayed").text

    def test_one_that_fails_again_says_so(self, pages: SeededApi) -> None:
        letter = self.lose(pages)
        assert (
            "failed again" in browser_of(pages).get(f"/operations/dead-letters/{letter}?sent=replayed").text
        )

    def test_only_an_administrator_may(self, pages: SeededApi, bus: RecordedBus) -> None:
        letter, writer = self.lose(pages), logged_in(pages, "writer")
        token = form_token(writer.get("/account").text)
        page = f"/operations/dead-letters/{letter}"
        assert "An administrator can try it again" in writer.get(page).text
        for do in ("replay", "discard"):
            assert writer.post(f"{page}/{do}", data={"form_token": token}).status_code == 403
            assert browser_of(pages).post(f"{page}/{do}").status_code == 401
        assert bus.published == []

    def test_one_is_thrown_away(self, pages: SeededApi) -> None:
        letter, admin = self.lose(pages), logged_in(pages, "admin")
        page = f"/operations/dead-letters/{letter}"
        assert admin.post(f"{page}/discard", data={"form_token": "0" * 32}).status_code == 403
        token = form_token(admin.get(page).text)
        assert admin.post(f"{page}/discard", data={"form_token": token}).status_code == 303
        assert admin.get(page).status_code == 404

    def test_a_broker_that_is_down_keeps_it(self, pages: SeededApi, bus: RecordedBus) -> None:
        letter, admin = self.lose(pages), logged_in(pages, "admin")
        bus.down = True
        page = f"/operations/dead-letters/{letter}"
        token = form_token(admin.get(page).text)
        assert admin.post(f"{page}/replay", data={"form_token": token}).status_code == 503
        assert "It was put on the queue again" not in admin.get(page).text


class TestQuality:
    def test_counts_what_the_articles_lack(self, browser: TestClient) -> None:
        html = browser.get("/operations?period=month").text
        row = html.split("<td>demo</td>")[1].split("</tr>")[0]
        numbers = [cell.split("<")[0].split(">")[1].strip() for cell in row.split("<td")[1:]]
        # 8 articles: 4 without an abstract, none unread, the one on cotton naming nobody, all of them long past
        assert numbers[:5] == ["8", "4", "0", "1", "8"]

    def test_an_empty_installation_says_so(self, make_pages: MakePages, sqlite_store: Database) -> None:
        html = browser_of(make_pages(database=sqlite_store)).get("/operations").text
        assert "No article has come in yet" in html
        assert "Nothing is polled yet" in html


def test_a_letter_that_is_not_there_is_a_page_that_says_so(browser: TestClient) -> None:
    assert browser.get("/operations/dead-letters/999").status_code == 404
