"""Long work that a page starts: begun, watched, stopped, and what is seen when it fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.core.errors import InvalidInput, PreconditionFailed
from kiosque.pipeline.worker import Stop
from kiosque.pipeline.works import Report, Task
from kiosque.store import works
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import SeededApi, working_hooks
from kiosque.web.session import session_caller

MakePages = Callable[..., SeededApi]
HOSTILE = "<script>alert(1)</script>"


class Work:
    """Work that goes on until it is let go or stopped."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.parameters: Mapping[str, str] = {}

    def __call__(self, parameters: Mapping[str, str], report: Report, stop: Stop) -> str:
        self.parameters = parameters
        report(3, 12, "")
        self.begun.set()
        while not self.go.is_set() and not stop.wait(0.02):
            pass
        return f"All of it {HOSTILE}"


def refuse(parameters: Mapping[str, str]) -> None:
    if parameters.get("first") == "never":
        raise InvalidInput("There is no such month.")


def fail(*_: Any) -> str:
    raise PreconditionFailed(f"No key {HOSTILE}")


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.go.set()


@pytest.fixture
def pages(make_pages: MakePages, work: Work) -> Iterator[SeededApi]:
    tasks = (
        Task("rescore", work, "write"),
        Task("backfill", work, "write", refuse),
        Task("books", fail, "admin"),
    )
    made = make_pages(hooks=replace(working_hooks(), session=session_caller, tasks=tasks))
    yield made
    made.app.state.api.works.close()


@pytest.fixture
def writer(pages: SeededApi) -> TestClient:
    browser = browser_of(pages)
    log_in(browser, "writer")
    return browser


def start(browser: TestClient, kind: str, **parameters: str) -> Any:
    token = form_token(browser.get("/jobs").text)
    return browser.post("/jobs", data={"kind": kind, "form_token": token, **parameters})


def wait_for(pages: SeededApi, state: str) -> works.Work:
    deadline = time.monotonic() + 60
    while True:
        with pages.context.database.read() as tx:
            newest = works.recent(tx, now=pages.context.clock())[0]
        if newest.state == state:
            return newest
        assert time.monotonic() < deadline, newest
        time.sleep(0.05)


def test_a_stranger_and_a_reader_start_nothing(pages: SeededApi, browser: TestClient) -> None:
    assert browser.get("/jobs").status_code == 303
    assert browser.post("/jobs", data={"kind": "rescore"}).status_code == 401
    reader = browser_of(pages)
    log_in(reader, "reader")
    assert reader.get("/jobs").status_code == 403
    token = form_token(reader.get("/account").text)
    assert reader.post("/jobs", data={"kind": "rescore", "form_token": token}).status_code == 403


def test_work_is_started_watched_and_ends(pages: SeededApi, writer: TestClient, work: Work) -> None:
    begun = start(writer, "rescore", since="1860-01-01")
    assert begun.status_code == 303
    assert work.begun.wait(30)
    assert work.parameters == {"since": "1860-01-01"}
    page = begun.headers["location"]
    deadline = time.monotonic() + 60
    while 'value="25"' not in (html := writer.get(page).text):
        assert time.monotonic() < deadline, html
        time.sleep(0.05)
    assert "data-poll" in html
    assert "3 of 12" in html
    work.go.set()
    ended = wait_for(pages, "done")
    assert (ended.by, ended.kind) == ("writer", "rescore")
    html = writer.get(page).text
    assert "data-poll" not in html
    assert "All of it &lt;script&gt;" in html
    assert HOSTILE not in writer.get("/jobs").text


def test_work_is_stopped_from_its_page(pages: SeededApi, writer: TestClient, work: Work) -> None:
    page = start(writer, "rescore").headers["location"]
    assert work.begun.wait(30)
    assert start(writer, "rescore").status_code == 409
    token = form_token(writer.get(page).text)
    assert writer.post(f"{page}/stop", data={"form_token": token}).status_code == 303
    wait_for(pages, "cancelled")
    html = writer.get(page).text
    assert "stopped by writer" in " ".join(html.split())
    assert writer.post(f"{page}/stop", data={"form_token": token}).status_code == 409


def test_what_fails_says_why(pages: SeededApi) -> None:
    admin = browser_of(pages)
    log_in(admin, "admin")
    page = start(admin, "books").headers["location"]
    wait_for(pages, "failed")
    html = admin.get(page).text
    assert "No key &lt;script&gt;" in html
    assert HOSTILE not in html


def test_what_cannot_be_done_is_said_before_it_begins(pages: SeededApi, writer: TestClient) -> None:
    answer = start(writer, "backfill", first="never")
    assert answer.status_code == 422
    assert "There is no such month." in answer.text
    assert start(writer, "training").status_code == 404
    assert start(writer, "books").status_code == 403
    with pages.context.database.read() as tx:
        assert works.recent(tx, now=pages.context.clock()) == ()


def test_work_whose_process_ended_is_broken_off(pages: SeededApi, writer: TestClient, work: Work) -> None:
    page = start(writer, "rescore").headers["location"]
    assert work.begun.wait(30)
    pages.context.clock.move(120)  # type: ignore[attr-defined]  # the clock of a test
    with pages.context.database.read() as tx:
        newest = works.recent(tx, now=pages.context.clock())[0]
    assert newest.state in ("broken_off", "running")  # until the next tick writes that it goes on
    work.go.set()
    wait_for(pages, "done")
    assert "broken off" not in writer.get(page).text


def test_an_unknown_job_is_a_page_that_says_so(writer: TestClient) -> None:
    assert writer.get("/jobs/none").status_code == 404
