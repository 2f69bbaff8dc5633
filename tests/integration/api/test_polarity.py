"""Asking the polarity model over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.core.entity import EntityKind
from kiosque.core.polarity import ScoringRequest
from kiosque.testing.pipeline import score_of
from kiosque.testing.seeded import SeededApi, SeededPredictor

URL = "/api/v1/polarity"
TEXT = "Lincoln carries Pennsylvania as Douglas stumbles"


class Listening(SeededPredictor):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[ScoringRequest] = []
        self.any_language = False

    def polarity(self, requests: Any, *, any_language: bool = False) -> Any:
        self.requests, self.any_language = list(requests), any_language
        return super().polarity(requests, any_language=any_language)


@pytest.fixture
def model() -> Listening:
    return Listening()


@pytest.fixture
def client(make_api: Any, model: Listening) -> TestClient:
    api: SeededApi = make_api(predictor=model)
    return api.client("read")


def test_one_text_gets_one_item_with_its_targets_in_order(client: TestClient, model: Listening) -> None:
    answer = client.post(URL, json={"headline": TEXT, "targets": ["Lincoln", "Douglas"]}).json()
    assert answer["model_version"] == "v1"
    [item] = answer["items"]
    assert [target["name"] for target in item["targets"]] == ["Lincoln", "Douglas"]
    [request] = model.requests
    expected = score_of(request, request.targets[0])
    assert expected.probabilities
    first = item["targets"][0]
    assert first["polarity"] == expected.polarity
    assert first["net"] == pytest.approx(expected.probabilities.net)


def test_many_texts_are_one_call_in_the_order_given(client: TestClient, model: Listening) -> None:
    items = [{"headline": f"{TEXT} {n}", "targets": ["Lincoln"]} for n in range(256)]
    answer = client.post(URL, json={"items": items, "any_language": True}).json()
    assert len(answer["items"]) == 256
    assert [request.headline for request in model.requests] == [item["headline"] for item in items]
    assert model.any_language


def test_a_target_may_say_where_it_stands_and_what_it_is(client: TestClient, model: Listening) -> None:
    target = {
        "name": "Republicans",
        "id": "gop",
        "kind": "party",
        "spans": [{"part": "abstract", "start": 4, "end": 15}],
    }
    body = {"headline": "Vote", "abstract": "The Republicans win.", "targets": [target]}
    answer = client.post(URL, json=body).json()
    assert answer["items"][0]["targets"][0]["id"] == "gop"
    [asked] = model.requests[0].targets
    assert (asked.kind, asked.spans[0].start, asked.spans[0].part) == (EntityKind.PARTY, 4, "abstract")


def test_whoever_is_watched_is_found_in_the_text(client: TestClient, model: Listening) -> None:
    body = {"headline": "Abraham Lincoln and the Republicans; nobody else", "entities": "watched"}
    answer = client.post(URL, json=body).json()
    found = {target["id"]: target["name"] for target in answer["items"][0]["targets"]}
    assert found == {"abraham-lincoln": "Abraham Lincoln", "republican-party": "Republican Party"}
    assert all(target.spans for target in model.requests[0].targets)


def test_the_watch_list_goes_by_the_names_of_today(client: TestClient) -> None:
    body = {"headline": "Lincoln, a car", "entities": "watched"}
    assert client.post(URL, json=body).json()["items"][0]["targets"] == []


def test_names_and_the_watch_list_can_be_asked_together(client: TestClient) -> None:
    body = {"headline": "Abraham Lincoln meets Seward", "targets": ["Seward"], "entities": "watched"}
    targets = client.post(URL, json=body).json()["items"][0]["targets"]
    assert [target["id"] for target in targets] == ["Seward", "abraham-lincoln"]


def test_offsets_stay_when_characters_that_cannot_be_kept_are_blanked(
    client: TestClient, model: Listening
) -> None:
    body = b'{"headline": "A\\u0000B\\ud800 Lincoln wins", "targets": ["Lincoln"]}'
    assert client.post(URL, content=body, headers={"Content-Type": "application/json"}).status_code == 200
    assert model.requests[0].headline == "A B  Lincoln wins"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"headline": TEXT}, "give targets"),
        ({"headline": TEXT, "targets": []}, "give targets"),
        ({"headline": TEXT, "targets": [""]}, "at least 1 character"),
        ({"headline": TEXT, "targets": ["   "]}, "match"),
        ({"targets": ["x"]}, "headline"),
        ({"headline": TEXT, "targets": ["x"] * 65}, "at most 64"),
        ({"headline": "x" * 2001, "targets": ["x"]}, "at most 2000"),
        ({"headline": TEXT, "targets": ["x"], "entities": "all"}, "watched"),
        ({"headline": TEXT, "targets": ["x"], "any_language": 1}, "any_language"),
        ({"headline": TEXT, "targets": [{"name": "x", "spans": [{"start": 5, "end": 5}]}]}, "not inside"),
        ({"headline": TEXT, "targets": [{"name": "x", "spans": [{"start": 0, "end": 400}]}]}, "not inside"),
        ({"items": []}, "at least 1"),
        ({"items": [{"headline": "x", "targets": ["x"]}] * 257}, "at most 256"),
        ({"items": [{"headline": "x", "targets": ["x"] * 60}] * 40}, "2048"),
        ({"items": [{"headline": "x", "targets": ["x"]}], "headline": "x"}, "headline"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_said(
    client: TestClient, body: dict[str, Any], said: str
) -> None:
    refused = client.post(URL, json=body)
    assert refused.status_code == 422
    assert said in str(refused.json())


def test_nothing_to_find_in_an_empty_text(client: TestClient) -> None:
    assert client.post(URL, json={"headline": "", "entities": "watched"}).json()["items"] == [{"targets": []}]


def test_why_a_text_is_scored_as_it_is(client: TestClient) -> None:
    answer = client.post(f"{URL}/explain", json={"headline": TEXT, "target": "Lincoln"}).json()
    assert [TEXT[word["start"] : word["end"]] for word in answer["words"]] == TEXT.split()


@pytest.mark.parametrize("path", [URL, f"{URL}/explain"])
def test_a_model_that_is_away_is_503(client: TestClient, model: Listening, path: str) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        from kiosque.core.errors import PredictUnavailable

        raise PredictUnavailable("No answer.", retry_after=2.5)

    model.polarity = model.explain = refuse  # type: ignore[method-assign]
    target = {"target": "Lincoln"} if path.endswith("explain") else {"targets": ["Lincoln"]}
    refused = client.post(path, json={"headline": TEXT, **target})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "3")
