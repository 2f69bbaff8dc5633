"""Books for what somebody has read: what the model is asked, what the address holds, what is said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.core.book import BookQuery
from kiosque.store import feedback
from kiosque.store.feedback import BookVerdict
from kiosque.testing.pages import browser_of, form_token, log_in
from kiosque.testing.seeded import ARTICLE_ID, ARTICLES, BOOK_KEY, BOOKS, SeededApi

OTHERS = [article.id for article in ARTICLES[3:5]]
THREE = [ARTICLE_ID, *OTHERS]


def opened(browser: TestClient, **query: Any) -> str:
    answer = browser.get("/for-you", params=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def asked(pages: SeededApi, **query: Any) -> BookQuery:
    """The query that reached the model."""
    opened(browser_of(pages), **query)
    predictor: Any = pages.context.predictor
    made: BookQuery = predictor.queries[-1]
    return made


class TestWhatIsAsked:
    def test_articles_count_in_their_order_the_last_most(self, pages: SeededApi) -> None:
        read = asked(pages, article=THREE).reader
        assert [item.text.split("\n")[0] for item in read] == [
            ARTICLES[2].headline,
            *(article.headline for article in ARTICLES[3:5]),
        ]
        assert [item.weight for item in read] == pytest.approx([0.64, 0.8, 1.0])
        assert {item.read_at for item in read} == {None}

    def test_or_the_newest_most_or_all_alike(self, pages: SeededApi) -> None:
        newest = asked(pages, article=THREE, weigh="newest").reader
        assert newest[0].read_at == datetime(1860, 5, 18, tzinfo=UTC)
        assert {item.weight for item in (*newest, *asked(pages, article=THREE, weigh="alike").reader)} == {
            1.0
        }

    def test_an_empty_line_ends_a_text(self, pages: SeededApi) -> None:
        read = asked(pages, article=ARTICLE_ID, text="One\r\ntext.\r\n\r\n \r\nAnother.\n\n").reader
        assert [item.text for item in read[1:]] == ["One\ntext.", "Another."]

    def test_every_option_reaches_the_model(self, pages: SeededApi) -> None:
        options = {
            "kind": "non-fiction",
            "language": "en",
            "since": 1850,
            "until": 2010,
            "least": 0.25,
            "k": 7,
        }
        query = asked(pages, article=ARTICLE_ID, known=BOOK_KEY, contemporary="true", **options)
        assert query == BookQuery(
            reader=query.reader,
            k=7,
            exclude=frozenset({BOOK_KEY}),
            language="en",
            fiction=False,
            published_from=1850,
            published_to=2010,
            contemporary_on="1860-05-18",
            min_score=0.25,
        )

    def test_empty_fields_are_no_options(self, pages: SeededApi) -> None:
        empty = dict.fromkeys(("kind", "language", "since", "until", "least", "k", "q", "text"), "")
        assert asked(pages, article=ARTICLE_ID, **empty) == asked(pages, article=ARTICLE_ID)

    def test_the_same_article_counts_once(self, pages: SeededApi) -> None:
        assert len(asked(pages, article=[ARTICLE_ID, ARTICLE_ID, ARTICLES[2].key]).reader) == 1


class TestWhatIsShown:
    def test_nothing_read_is_said_and_nothing_asked(self, pages: SeededApi) -> None:
        assert "Nothing is ticked or pasted yet" in opened(browser_of(pages))
        predictor: Any = pages.context.predictor
        assert predictor.queries == []

    def test_articles_are_found_to_be_ticked(self, browser: TestClient) -> None:
        html = opened(browser, q="Norfolk", article=ARTICLE_ID)
        assert f'value="{ARTICLE_ID}" checked' in html
        assert "Douglas Answers Plainly at Norfolk" in html
        assert "No other article" in opened(browser, q="zeppelin")

    def test_an_article_that_is_gone_is_said_and_the_others_count(self, pages: SeededApi) -> None:
        html = opened(browser_of(pages), article=["0000000000000000", ARTICLE_ID])
        assert "There is no article 0000000000000000 here" in html
        assert BOOKS[0].title in html

    def test_books_come_with_reasons_and_a_way_to_leave_them_out(self, browser: TestClient) -> None:
        html = opened(browser, article=THREE, kind="fiction")
        assert "shares: a name" in html
        assert f"known={BOOK_KEY.replace(':', '%3A')}" in html
        assert "kind=fiction" in html

    @pytest.mark.parametrize(("option", "said"), [({}, False), ({"since": "2000"}, True)])
    def test_that_nothing_fits_is_said(self, make_pages: Any, option: dict[str, str], said: bool) -> None:
        pages = make_pages()
        pages.context.predictor.shelf = ()
        html = opened(browser_of(pages), article=ARTICLE_ID, **option)
        assert "Nothing on our shelves fits what you have read." in html
        assert "No good match." in html
        assert ("without one of the options" in html) is said

    @pytest.mark.parametrize(
        "query", [{"k": "0"}, {"k": "21"}, {"least": "2"}, {"since": "long ago"}, {"article": ["x"] * 51}]
    )
    def test_what_makes_no_question_is_a_page_that_says_so(
        self, browser: TestClient, query: dict[str, Any]
    ) -> None:
        answer = browser.get("/for-you", params=query)
        assert answer.status_code == 422
        assert "That address cannot be read" in answer.text


class TestVerdicts:
    def test_a_verdict_is_kept_and_a_book_known_is_never_offered_again(self, pages: SeededApi) -> None:
        browser = browser_of(pages)
        log_in(browser, "writer")
        token = form_token(opened(browser, article=THREE))
        path = f"/for-you/verdicts?article={ARTICLE_ID}&kind=fiction"
        form = {"book": BOOK_KEY, "verdict": "already_read", "form_token": token}
        answer = browser.post(path, data=form)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/for-you?article={ARTICLE_ID}&kind=fiction&sent=book#shelf"
        with pages.context.database.read() as tx:
            kept = [thumb for thumb in feedback.thumbs(tx) if thumb.by == "writer"]
        assert [(thumb.book_key, thumb.verdict) for thumb in kept] == [(BOOK_KEY, BookVerdict.ALREADY_READ)]
        assert kept[0].text_digest
        opened(browser, article=THREE)
        predictor: Any = pages.context.predictor
        assert predictor.queries[-1].exclude == {BOOK_KEY}
        assert asked(pages, article=THREE).exclude == frozenset()

    @pytest.mark.parametrize(("name", "status"), [(None, 401), ("reader", 403), ("writer", 403)])
    def test_nobody_without_the_right_or_the_form(
        self, pages: SeededApi, name: str | None, status: int
    ) -> None:
        browser = browser_of(pages)
        if name:
            log_in(browser, name)
        token = form_token(browser.get("/for-you").text) if name == "reader" else "0"
        form = {"book": BOOK_KEY, "verdict": "useful", "form_token": token}
        assert browser.post(f"/for-you/verdicts?article={ARTICLE_ID}", data=form).status_code == status
