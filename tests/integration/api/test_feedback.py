"""Corrections and verdicts over HTTP, and what training gets of them."""

from __future__ import annotations

import json

from starlette.testclient import TestClient

from kiosque.testing.seeded import ARTICLE_ID, ARTICLES, BOOK_KEY

URL = "/api/v1/feedback"


def correct(client: TestClient, polarity: str | None, entity: str = "abraham-lincoln") -> dict[str, object]:
    body = {"article": ARTICLE_ID, "entity": entity, "polarity": polarity}
    answer = client.post(f"{URL}/corrections", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, object] = answer.json()
    return result


def test_a_correction_says_what_the_model_had_said(writer: TestClient) -> None:
    made = correct(writer, "negative")
    assert (made["by"], made["model_version"]) == ("write key", "v1")
    assert made["model_polarity"] in ("negative", "neutral", "positive")
    assert writer.get(f"/api/v1/articles/{ARTICLE_ID}").json()["corrections"] == [made]


def test_the_later_correction_by_the_same_caller_counts(writer: TestClient) -> None:
    correct(writer, "negative")
    correct(writer, "positive")
    mine = [
        each for each in writer.get(f"{URL}/corrections").json()["items"] if each["article"] == ARTICLE_ID
    ]
    assert [each["polarity"] for each in mine] == ["positive"]


def test_polarity_must_be_said_even_if_it_is_none(writer: TestClient) -> None:
    body = {"article": ARTICLE_ID, "entity": "abraham-lincoln"}
    assert writer.post(f"{URL}/corrections", json=body).status_code == 422


def test_corrections_of_what_is_not_there(writer: TestClient) -> None:
    for article, entity in (("nothing", "abraham-lincoln"), (ARTICLE_ID, "nobody")):
        body = {"article": article, "entity": entity, "polarity": "neutral"}
        assert writer.post(f"{URL}/corrections", json=body).status_code == 404


def test_corrections_are_paged_and_exported(writer: TestClient) -> None:
    for polarity in ("negative", "positive"):
        correct(writer, polarity)
    page = writer.get(f"{URL}/corrections", params={"limit": 1}).json()
    rest = writer.get(f"{URL}/corrections", params={"limit": 1, "cursor": page["next"]}).json()
    assert rest["next"] is None
    lines = writer.get(f"{URL}/corrections", params={"format": "jsonl"}).text.splitlines()
    assert [json.loads(line) for line in lines] == page["items"] + rest["items"]


def test_training_gets_the_text_of_each_part_with_the_label_that_people_gave(writer: TestClient) -> None:
    correct(writer, "positive")
    lines = writer.get(f"{URL}/training").text.splitlines()
    examples = {example["id"]: example for example in map(json.loads, lines)}
    article = ARTICLES[2]
    assert examples[f"{ARTICLE_ID}-headline"] == {
        "id": f"{ARTICLE_ID}-headline",
        "text": article.headline,
        "mentions": [{"target": "Lincoln", "polarity": "positive"}],
    }
    assert examples[f"{ARTICLE_ID}-abstract"]["mentions"][0]["target"] == "Abraham Lincoln"


def test_training_gets_nothing_of_an_entity_that_is_not_meant(writer: TestClient) -> None:
    correct(writer, None)
    assert ARTICLE_ID not in writer.get(f"{URL}/training").text


def test_a_verdict_on_a_book_for_an_article_or_a_text(writer: TestClient) -> None:
    made = writer.post(
        f"{URL}/books", json={"book": BOOK_KEY, "verdict": "already_read", "article": ARTICLE_ID}
    ).json()
    assert (made["by"], made["article"], made["text_digest"]) == ("write key", ARTICLE_ID, None)
    secret = "a text that is not kept"
    of_text = writer.post(f"{URL}/books", json={"book": BOOK_KEY, "verdict": "useful", "text": secret})
    assert len(of_text.json()["text_digest"]) == 64
    assert secret not in writer.get(f"{URL}/books").text


def test_a_verdict_needs_one_occasion(writer: TestClient) -> None:
    for occasion in ({}, {"article": ARTICLE_ID, "text": "both"}):
        body = {"book": BOOK_KEY, "verdict": "useful", **occasion}
        assert writer.post(f"{URL}/books", json=body).status_code == 422
