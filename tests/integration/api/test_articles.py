"""Articles over HTTP: filters, pages, forms, one by one."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from kiosque.testing.seeded import ARTICLE_ID, ARTICLE_KEY, ARTICLES, BOOK_KEY, SeededApi

URL = "/api/v1/articles"


def numbers(answer: Any) -> list[int]:
    """The last digits of the keys: short names for the seeded articles."""
    assert answer.status_code == 200, answer.text
    return [int(item["key"][-4:]) for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [16, 15, 13, 10, 9, 6, 5, 1]),
        ({"sort": "oldest"}, [1, 5, 6, 9, 10, 13, 15, 16]),
        ({"entity": "john-bell"}, [15]),
        ({"entity": ["john-bell", "republican-party"]}, [15, 13]),
        ({"section": "U.S."}, [6]),
        ({"source": "demo", "section": "Business"}, [16]),
        ({"source": "nowhere"}, []),
        ({"from": "1860-05-10", "to": "1860-05-18"}, [6, 5]),
        ({"from": "1860-05-18", "to": "1860-05-10"}, []),
        ({"q": "wigwam"}, [6]),
        ({"q": '"third ballot"'}, [6]),
        ({"q": "lincoln -wigwam", "sort": "oldest"}, [1, 5, 10, 15]),
        ({"has_mentions": "false"}, [16]),
        ({"kind": "multimedia"}, []),
        ({"model_version": "v0", "entity": "john-bell"}, [15]),
        ({"model_version": "never", "entity": "john-bell"}, []),
    ],
)
def test_filters_choose_and_order(reader: TestClient, query: dict[str, Any], expected: list[int]) -> None:
    assert numbers(reader.get(URL, params=query)) == expected


def test_polarity_and_confidence_are_asked_of_the_same_mention(reader: TestClient) -> None:
    for polarity in ("negative", "neutral", "positive"):
        answer = reader.get(URL, params={"polarity": polarity, "min_confidence": 0.5}).json()["items"]
        for item in answer:
            assert any(
                mention["polarity"] == polarity and mention["probabilities"][polarity] >= 0.5
                for mention in item["mentions"]
            )


def test_the_best_fit_comes_first_when_asked(reader: TestClient) -> None:
    found = numbers(reader.get(URL, params={"q": "lincoln", "sort": "relevance"}))
    assert set(found) == {1, 5, 6, 10, 15}


def test_relevance_without_words_is_refused_with_what_to_do(reader: TestClient) -> None:
    refused = reader.get(URL, params={"sort": "relevance"})
    assert refused.status_code == 422
    assert "words" in refused.json()["hint"]


@pytest.mark.parametrize("sort", ["newest", "oldest", "negative", "positive"])
@pytest.mark.parametrize("limit", [1, 3, 8, 100])
def test_pages_together_are_the_list_each_article_once(reader: TestClient, sort: str, limit: int) -> None:
    whole = numbers(reader.get(URL, params={"sort": sort}))
    found: list[int] = []
    url: str | None = f"{URL}?sort={sort}&limit={limit}"
    while url:
        page = reader.get(url)
        found += numbers(page)
        link = page.headers.get("link")
        assert (link is not None) == (page.json()["next"] is not None)
        url = link.split(">")[0].removeprefix("<") if link else None
    assert found == whole


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", "1e3", "", "9" * 30])
def test_a_limit_out_of_bounds_is_refused(reader: TestClient, limit: str) -> None:
    assert reader.get(URL, params={"limit": limit}).status_code == 422


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_no_text_is_a_cursor(reader: TestClient, text: str) -> None:
    answer = reader.get(URL, params={"cursor": text})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_cursor_of_another_list_is_refused(reader: TestClient) -> None:
    cursor = reader.get(URL, params={"limit": 1}).json()["next"]
    assert reader.get(URL, params={"cursor": cursor, "sort": "negative"}).status_code == 422
    assert reader.get("/api/v1/elections", params={"cursor": cursor}).status_code == 422


def test_csv_has_one_row_an_article_and_no_formula(reader: TestClient) -> None:
    answer = reader.get(URL, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(row["key"][-4:]) for row in rows] == [16, 15, 13, 10, 9, 6, 5, 1]
    assert rows[2]["headline"] == "'=Pennsylvania+Indiana: Republicans Carry Both"
    assert rows[1]["entities"] == "abraham-lincoln; john-bell; john-c-breckinridge; stephen-a-douglas"
    assert len(rows[1]["polarities"].split("; ")) == 4
    assert rows[1]["model_version"] == "v1"
    assert rows[0]["entities"] == ""


def test_jsonl_is_what_json_says_one_a_line(reader: TestClient) -> None:
    lines = reader.get(URL, params={"format": "jsonl"}).text.splitlines()
    assert [json.loads(line) for line in lines] == reader.get(URL).json()["items"]


def test_filters_hold_for_exports(reader: TestClient) -> None:
    lines = reader.get(URL, params={"format": "jsonl", "entity": "john-bell"}).text.splitlines()
    assert len(lines) == 1


@pytest.mark.parametrize(
    "name", [ARTICLE_ID, ARTICLE_KEY, quote(ARTICLE_KEY, safe=""), quote(ARTICLE_ID, safe="")]
)
def test_an_article_is_found_by_id_or_key(reader: TestClient, name: str) -> None:
    assert reader.get(f"{URL}/{name}").json()["id"] == ARTICLE_ID


def test_an_article_says_everything_that_is_known_of_it(reader: TestClient) -> None:
    article = reader.get(f"{URL}/{ARTICLE_ID}").json()
    seeded = ARTICLES[2]
    assert article["headline"] == seeded.headline
    assert article["published_at"] == "1860-05-18T00:00:00Z"
    assert article["extra"] == {"print_page": "1"}
    assert [each["source"] for each in article["sightings"]] == ["archive"]
    assert [each["model_version"] for each in article["history"]] == ["v0", "v1"]
    assert article["books"]["items"][0]["book"]["key"] == BOOK_KEY
    assert article["books"]["items"][0]["reasons"]["sentence"]
    [mention] = article["mentions"]
    assert mention["entity"] == "abraham-lincoln"
    assert abs(sum(mention["probabilities"].values()) - 1) < 1e-6
    for span in mention["spans"]:
        text = article[span["part"]]
        assert text[span["start"] : span["end"]] in ("Lincoln", "Abraham Lincoln")


def test_an_earlier_model_can_be_asked_for(reader: TestClient) -> None:
    then = reader.get(f"{URL}/{ARTICLE_ID}", params={"model_version": "v0"}).json()
    assert {mention["model_version"] for mention in then["mentions"]} == {"v0"}


def test_an_article_shows_what_people_corrected(reader: TestClient) -> None:
    article = reader.get(f"{URL}/{ARTICLES[0].id}").json()
    assert [each["polarity"] for each in article["corrections"]] == ["positive"]


def test_latest_are_those_that_came_in_last(reader: TestClient) -> None:
    answer = reader.get(f"{URL}/latest", params={"limit": 3})
    assert len(answer.json()["items"]) == 3
    assert answer.json()["next"] is None


def test_why_an_article_is_scored_as_it_is(reader: TestClient) -> None:
    answer = reader.get(f"{URL}/{ARTICLE_ID}/explain", params={"entity": "abraham-lincoln"}).json()
    assert answer["target"] == "abraham-lincoln"
    headline = ARTICLES[2].headline
    words = [word for word in answer["words"] if word["part"] == "headline"]
    assert [headline[word["start"] : word["end"]] for word in words] == headline.split()


def test_why_needs_an_entity_that_is_mentioned(reader: TestClient) -> None:
    url = f"{URL}/{ARTICLE_ID}/explain"
    assert reader.get(url).status_code == 422
    assert reader.get(url, params={"entity": "john-bell"}).status_code == 404


def test_a_page_is_read_in_a_handful_of_queries_however_long_it_is(api: SeededApi) -> None:
    from sqlalchemy import Engine, event

    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(str(args[2]))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        client = api.client("read")
        client.get(URL)  # the first use of a key is written down
        counts = []
        for limit in (1, 8):
            statements.clear()
            assert client.get(URL, params={"limit": limit}).status_code == 200
            counts.append(len(statements))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
    assert counts[1] <= 8
