"""What readers say of the answers, sent from a page."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from kiosque.core.polarity import Polarity
from kiosque.store import feedback
from kiosque.store.feedback import BookThumb, BookVerdict, Correction
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import ARTICLE_ID, BOOK_KEY, SeededApi

ARTICLE = f"/articles/{ARTICLE_ID}"
LABEL = {"entity": "abraham-lincoln", "polarity": "negative", "note": "Seward's friends wept."}
THUMB = {"book": BOOK_KEY, "verdict": "not_useful"}


def corrections(pages: SeededApi) -> tuple[Correction, ...]:
    with pages.context.database.read() as tx:
        return feedback.corrections_of(tx, ARTICLE_ID)


def thumbs(pages: SeededApi, by: str) -> list[BookThumb]:
    with pages.context.database.read() as tx:
        return [thumb for thumb in feedback.thumbs(tx) if thumb.by == by]


@pytest.fixture
def writer(pages: SeededApi) -> TestClient:
    browser = browser_of(pages)
    log_in(browser, "writer")
    return browser


def send(browser: TestClient, path: str, form: dict[str, str], **changes: str) -> int:
    token = form_token(browser.get(ARTICLE).text)
    return browser.post(ARTICLE + path, data={**form, "form_token": token, **changes}).status_code


class TestCorrections:
    def test_a_label_is_corrected_and_shown_beside_what_the_model_said(
        self, pages: SeededApi, writer: TestClient
    ) -> None:
        assert send(writer, "/corrections", LABEL) == 303
        (made,) = corrections(pages)
        assert (made.entity_id, made.polarity, made.by, made.note) == (
            "abraham-lincoln",
            Polarity.NEGATIVE,
            "writer",
            "Seward's friends wept.",
        )
        html = writer.get(f"{ARTICLE}?sent=correction").text
        assert "Thank you" in html
        assert "Seward&#39;s friends wept." in html

    def test_that_someone_is_not_meant_can_be_said(self, pages: SeededApi, writer: TestClient) -> None:
        assert send(writer, "/corrections", LABEL, polarity="none") == 303
        assert corrections(pages)[0].polarity is None

    @pytest.mark.parametrize("change", [{"polarity": "splendid"}, {"entity": "nobody"}, {"note": "x" * 501}])
    def test_what_makes_no_sense_is_refused(
        self, pages: SeededApi, writer: TestClient, change: dict[str, str]
    ) -> None:
        assert send(writer, "/corrections", LABEL, **change) in (404, 422)
        assert corrections(pages) == ()

    def test_a_note_stays_text(self, writer: TestClient) -> None:
        send(writer, "/corrections", LABEL, note="<script>alert(1)</script>")
        assert "<script>alert" not in writer.get(ARTICLE).text


class TestBooks:
    def test_a_verdict_is_kept(self, pages: SeededApi, writer: TestClient) -> None:
        assert "does not fit" in writer.get(ARTICLE).text
        assert send(writer, "/books", THUMB) == 303
        assert [(t.book_key, t.verdict) for t in thumbs(pages, "writer")] == [
            (BOOK_KEY, BookVerdict.NOT_USEFUL)
        ]


@pytest.mark.parametrize(("path", "form"), [("/corrections", LABEL), ("/books", THUMB)])
class TestWhoMay:
    def test_nobody_without_logging_in(self, pages: SeededApi, path: str, form: dict[str, str]) -> None:
        browser = browser_of(pages)
        assert browser.post(ARTICLE + path, data=form).status_code == 401
        assert corrections(pages) == ()

    def test_nobody_who_may_only_read(self, pages: SeededApi, path: str, form: dict[str, str]) -> None:
        browser = browser_of(pages)
        log_in(browser, "reader")
        assert "needs the right to write" in browser.get(ARTICLE).text
        assert send(browser, path, form) == 403
        assert corrections(pages) == ()

    def test_no_form_of_another_site(
        self, pages: SeededApi, writer: TestClient, path: str, form: dict[str, str]
    ) -> None:
        assert send(writer, path, form, form_token="0" * 32) == 403
        assert writer.post(ARTICLE + path, data=form).status_code == 403
        assert corrections(pages) == ()
        assert thumbs(pages, "writer") == []
