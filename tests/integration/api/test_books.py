"""Books over HTTP: what the model is asked, for each form of the question."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from kiosque.core.book import BookQuery
from kiosque.testing.seeded import ARTICLE_ID, ARTICLES, BOOK_KEY, BOOKS, SeededApi

URL = "/api/v1/books"


def asked(api: SeededApi, **body: Any) -> BookQuery:
    """The query that reached the model."""
    answer = api.client("read").post(URL, json=body)
    assert answer.status_code == 200, answer.text
    predictor: Any = api.context.predictor
    query: BookQuery = predictor.queries[-1]
    return query


def test_a_shelf_has_books_best_first_with_reasons(reader: TestClient) -> None:
    shelf = reader.post(URL, json={"article": ARTICLE_ID, "k": 2}).json()
    assert shelf["model_version"] == "b1"
    assert [item["rank"] for item in shelf["items"]] == [1, 2]
    assert shelf["items"][0]["book"]["title"] == "Team of Rivals"
    assert shelf["items"][0]["reasons"]["sentence"]


def test_an_article_is_asked_about_by_its_text(api: SeededApi) -> None:
    query = asked(api, article=ARTICLE_ID)
    assert query.text == f"{ARTICLES[2].headline}\n{ARTICLES[2].abstract}"
    assert asked(api, article=ARTICLES[2].key) == query


def test_contemporaries_are_those_of_the_article_or_the_day(api: SeededApi) -> None:
    assert asked(api, article=ARTICLE_ID, contemporary=True).contemporary_on == "1860-05-18"
    assert asked(api, text="x", contemporary=True).contemporary_on == "2026-11-03"
    assert asked(api, text="x", contemporary_on="1900-01-01").contemporary_on == "1900-01-01"
    assert asked(api, article=ARTICLE_ID).contemporary_on is None


def test_a_reader_is_asked_about_by_what_they_read(api: SeededApi) -> None:
    read = [
        {"article": ARTICLE_ID, "read_at": "2026-11-01T09:00:00+01:00"},
        {"text": "Something else", "weight": 0.5},
    ]
    first, second = asked(api, reader=read).reader
    assert first.text.startswith("Chicago Wigwam")
    assert first.read_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (second.text, second.weight, second.read_at) == ("Something else", 0.5, None)


def test_a_reader_is_never_offered_what_they_marked_as_read(make_api: Any) -> None:
    api = make_api()
    read = [{"article": ARTICLE_ID}]
    assert asked(api, reader=read).exclude == frozenset()
    writer = api.client("write")
    verdict = {"book": BOOK_KEY, "verdict": "already_read", "article": ARTICLE_ID}
    assert writer.post("/api/v1/feedback/books", json=verdict).status_code == 200
    answer = writer.post(URL, json={"reader": read, "exclude": [BOOKS[1].key]})
    assert BOOK_KEY not in {item["book"]["key"] for item in answer.json()["items"]}
    predictor: Any = api.context.predictor
    assert predictor.queries[-1].exclude == {BOOK_KEY, BOOKS[1].key}
    assert asked(api, reader=read).exclude == frozenset()


def test_a_hundred_kilobytes_are_too_much_and_said(make_api: Any) -> None:
    answer = make_api(max_body_bytes=200_000).client("read").post(URL, json={"text": "word " * 20_000})
    assert answer.status_code == 422
    assert "at most 20000 characters" in answer.json()["detail"]


def test_every_option_reaches_the_model(api: SeededApi) -> None:
    query = asked(
        api,
        book=BOOK_KEY,
        k=7,
        exclude=[BOOKS[1].key],
        language="en",
        fiction=False,
        published_from=1850,
        published_to=2010,
        min_score=0.25,
    )
    assert query == BookQuery(
        book_key=BOOK_KEY,
        k=7,
        exclude=frozenset({BOOKS[1].key}),
        language="en",
        fiction=False,
        published_from=1850,
        published_to=2010,
        min_score=0.25,
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"article": ARTICLE_ID, "text": "both"},
        {"text": "x", "book": BOOK_KEY},
        {"reader": []},
        {"reader": [{}]},
        {"reader": [{"article": ARTICLE_ID, "text": "both"}]},
        {"reader": [{"text": "x", "weight": 0}]},
        {"text": "x", "k": 0},
        {"text": "x", "k": 10_000},
        {"text": "x", "k": True},
        {"text": "x", "k": "5"},
        {"text": "x", "min_score": 1.5},
        {"text": "x", "language": "English"},
        {"text": ""},
        {"text": "x" * 20_001},
        {"reader": [{"text": "x"}] * 201},
        {"article": ""},
    ],
)
def test_what_does_not_make_one_question_is_refused(reader: TestClient, body: dict[str, Any]) -> None:
    assert reader.post(URL, json=body).status_code == 422


@pytest.mark.parametrize(
    "body", [{"article": "nothing"}, {"book": "isbn:0"}, {"reader": [{"article": "nothing"}]}]
)
def test_what_is_not_there_is_not_found(reader: TestClient, body: dict[str, Any]) -> None:
    assert reader.post(URL, json=body).status_code == 404


def test_no_fitting_book_is_said(make_api: Any) -> None:
    api = make_api()
    api.context.predictor.shelf = ()
    shelf = api.client("read").post(URL, json={"text": "nothing that fits"}).json()
    assert (shelf["items"], shelf["note"]) == ([], "No good match.")


def test_no_model_is_503_with_what_to_do(make_api: Any) -> None:
    api = make_api()
    api.context.predictor.shelf = None
    refused = api.client("read").post(URL, json={"text": "x"})
    assert (refused.status_code, refused.json()["code"]) == (503, "no_model")


def test_the_catalogue_is_searched_and_filtered(reader: TestClient) -> None:
    def titles(**query: Any) -> list[str]:
        return [item["title"] for item in reader.get(URL, params=query).json()["items"]]

    assert len(titles()) == 3
    assert titles(q="rivals") == ["Team of Rivals"]
    assert titles(fiction=True) == ["Uncle Tom's Cabin"]
    assert titles(year_from=2006) == ["Year of Meteors"]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.title)
def test_a_book_is_found_by_its_key_whatever_is_in_it(reader: TestClient, book: Any) -> None:
    for name in (book.key, quote(book.key, safe="")):
        assert reader.get(f"{URL}/{name}").json()["book"]["title"] == book.title
        assert reader.get(f"{URL}/{name}/articles").status_code == 200


def test_a_book_says_for_what_it_is_recommended(reader: TestClient) -> None:
    found = reader.get(f"{URL}/{BOOK_KEY}/articles").json()["items"]
    assert ARTICLE_ID in {each["article"] for each in found}
    scores = [each["score"] for each in found]
    assert scores == sorted(scores, reverse=True)
    assert reader.get(f"{URL}/{BOOK_KEY}").json()["placements"][0]["week"] == "2005-11-13"
