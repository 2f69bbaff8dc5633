"""Whom to watch, over HTTP, and what that does to history."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from kiosque.testing.seeded import SeededApi

URL = "/api/v1/entities"
SEWARD = {"name": "William H. Seward", "aliases": [{"text": "William H. Seward"}, {"text": "Seward"}]}


def test_entities_are_listed_by_name_with_their_names(reader: TestClient) -> None:
    items = reader.get(URL).json()["items"]
    assert [item["id"] for item in items] == sorted(item["id"] for item in items)
    lincoln = items[0]
    assert [alias["text"] for alias in lincoln["aliases"]] == ["Abraham Lincoln", "Lincoln"]
    assert lincoln["excludes"] == ["Lincoln Center"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({"q": "LINCOLN"}, ["abraham-lincoln"]),
        ({"q": "breck"}, ["john-c-breckinridge"]),
        ({"kind": "party"}, ["republican-party"]),
        ({"watchlist": "campaign-of-1860", "kind": "party"}, ["republican-party"]),
        ({"watchlist": "another"}, []),
        ({"q": "%"}, []),
    ],
)
def test_entities_are_found(reader: TestClient, query: dict[str, str], ids: list[str]) -> None:
    assert [item["id"] for item in reader.get(URL, params=query).json()["items"]] == ids


def test_a_new_entity_is_there_under_its_address(writer: TestClient) -> None:
    made = writer.post(URL, json=SEWARD)
    assert made.status_code == 201
    assert made.headers["location"] == f"{URL}/william-h-seward"
    found = writer.get(made.headers["location"]).json()
    assert found["name"] == "William H. Seward"
    assert found["candidacies"] == []


def test_an_id_that_is_taken_is_a_conflict(writer: TestClient) -> None:
    refused = writer.post(URL, json={"id": "john-bell", "name": "Another Bell"})
    assert refused.status_code == 409
    assert writer.get(f"{URL}/john-bell").json()["name"] == "John Bell"


def test_a_name_that_makes_no_id_needs_one(writer: TestClient) -> None:
    assert writer.post(URL, json={"name": "☃"}).status_code == 422
    assert writer.post(URL, json={"name": "☃", "id": "snowman"}).status_code == 201


def test_an_entity_is_made_as_given(writer: TestClient) -> None:
    body = {
        "name": "Stephen Douglas",
        "kind": "person",
        "description": "The Little Giant",
        "excludes": ["Mt. Douglas"],
    }
    changed = writer.put(f"{URL}/stephen-a-douglas", json=body).json()
    assert (changed["name"], changed["aliases"]) == ("Stephen Douglas", [])
    assert writer.get(f"{URL}/stephen-a-douglas").json()["excludes"] == ["Mt. Douglas"]


def test_names_are_added_and_taken_away(writer: TestClient) -> None:
    url = f"{URL}/abraham-lincoln/aliases"
    added = writer.post(url, json={"text": "Honest Abe", "valid_from": "1858-01-01", "case": "any"})
    assert added.status_code == 201
    assert added.json()["aliases"][-1] == {
        "text": "Honest Abe",
        "valid_from": "1858-01-01",
        "valid_to": None,
        "case": "any",
    }
    assert (
        writer.post(url, json={"text": "Honest Abe", "valid_from": "1858-01-01", "case": "any"}).status_code
        == 409
    )
    left = writer.delete(url, params={"text": "Honest Abe"}).json()["aliases"]
    assert [alias["text"] for alias in left] == ["Abraham Lincoln", "Lincoln"]
    assert writer.delete(url, params={"text": "Honest Abe"}).status_code == 404


def test_a_name_whose_last_day_is_before_its_first_is_refused(writer: TestClient) -> None:
    body = {"text": "Abe", "valid_from": "1865-01-01", "valid_to": "1860-01-01"}
    refused = writer.post(f"{URL}/abraham-lincoln/aliases", json=body)
    assert refused.status_code == 422
    assert "valid_from" in refused.json()["detail"]


def test_a_deleted_entity_takes_its_mentions_along(writer: TestClient) -> None:
    assert writer.delete(f"{URL}/john-bell").status_code == 204
    assert writer.get(f"{URL}/john-bell").status_code == 404
    assert writer.get("/api/v1/articles", params={"entity": "john-bell"}).json()["items"] == []


@pytest.mark.parametrize("entity", ["", "Abraham", "a b", "a/b", "-a", "a" * 200, "ä"])
def test_what_cannot_be_an_id_finds_nothing(reader: TestClient, entity: str) -> None:
    assert reader.get(f"{URL}/{entity}").status_code in (200 if not entity else 422, 404)


def test_a_watch_list_is_imported_and_again_without_effect(writer: TestClient) -> None:
    body = {
        "id": "radicals",
        "name": "Radicals",
        "entities": [
            {"id": "john-p-hale", "name": "John P. Hale"},
            {"id": "john-bell", "name": "John Bell", "aliases": [{"text": "John Bell"}]},
        ],
        "candidacies": [
            {
                "election_year": 1852,
                "election_date": "1852-11-02",
                "entity": "john-p-hale",
                "party": "Free Soil",
            }
        ],
    }
    assert writer.post("/api/v1/watchlists", json=body).json() == {"added": 1, "updated": 1, "unchanged": 0}
    assert writer.post("/api/v1/watchlists", json=body).json() == {"added": 0, "updated": 0, "unchanged": 2}
    lists = {each["id"]: each["entities"] for each in writer.get("/api/v1/watchlists").json()["items"]}
    assert lists == {"campaign-of-1860": 5, "radicals": 2}
    assert [each["year"] for each in writer.get("/api/v1/elections").json()["items"]] == [1860, 1852]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"entities": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}]}, "more than one"),
        (
            {
                "candidacies": [
                    {"election_year": 1852, "election_date": "1852-11-02", "entity": "z", "party": "P"}
                ]
            },
            "not on the list",
        ),
        ({"entities": []}, "at least 1"),
    ],
)
def test_a_watch_list_that_contradicts_itself_is_refused(
    writer: TestClient, changes: dict[str, Any], said: str
) -> None:
    body = {"id": "x", "name": "X", "entities": [{"id": "a", "name": "A"}], **changes}
    refused = writer.post("/api/v1/watchlists", json=body)
    assert refused.status_code == 422
    assert said in refused.json()["detail"]


def test_a_preview_says_what_a_name_would_find_and_changes_nothing(writer: TestClient) -> None:
    body = {"entity": {"id": "william-h-seward", **SEWARD}}
    preview = writer.post("/api/v1/rematch/preview", json=body).json()
    assert preview["checked"] == 8
    [change] = preview["entities"]
    assert (change["entity"], change["gained"], change["lost"]) == ("william-h-seward", 1, 0)
    assert "Seward Overthrown" in change["gained_samples"][0]["headline"]
    assert writer.get(f"{URL}/william-h-seward").status_code == 404


def test_a_preview_says_what_a_deletion_would_lose(writer: TestClient) -> None:
    preview = writer.post("/api/v1/rematch/preview", json={"without": ["john-bell"]}).json()
    assert [(each["entity"], each["lost"]) for each in preview["entities"]] == [("john-bell", 1)]


def test_history_is_matched_anew_in_the_background(api: SeededApi) -> None:
    client = api.client("write")
    client.post(URL, json=SEWARD)
    assert client.get("/api/v1/rematch").json()["behind"] == 8
    started = client.post("/api/v1/rematch")
    assert started.status_code == 202
    state = wait_for_end(client)
    assert (state["behind"], state["articles"], state["error"]) == (0, 8, None)
    found = client.get("/api/v1/articles", params={"entity": "william-h-seward"}).json()["items"]
    assert len(found) == 1


def test_one_rematch_at_a_time(api: SeededApi) -> None:
    import threading

    let_go = threading.Event()
    predictor: Any = api.context.predictor
    predictor.on_polarity = lambda _: let_go.wait(30)
    client = api.client("write")
    client.post(URL, json=SEWARD)
    assert client.post("/api/v1/rematch").status_code == 202
    try:
        assert client.post("/api/v1/rematch").status_code == 409
        assert client.get("/api/v1/rematch").json()["running"] is True
    finally:
        let_go.set()
    assert wait_for_end(client)["articles"] == 8


def test_a_rematch_that_fails_says_why(api: SeededApi) -> None:
    client = api.client("write")
    client.post(URL, json=SEWARD)
    predictor: Any = api.context.predictor
    predictor.down = True
    client.post("/api/v1/rematch")
    assert "predict server is down" in wait_for_end(client)["error"]


def wait_for_end(client: TestClient) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        state: dict[str, Any] = client.get("/api/v1/rematch").json()
        if not state["running"]:
            return state
        time.sleep(0.02)
    raise AssertionError("the rematch did not end")
