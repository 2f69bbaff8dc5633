"""Model versions over HTTP."""

from __future__ import annotations

from starlette.testclient import TestClient

from kiosque.testing.seeded import SeededApi

URL = "/api/v1/models"


def test_versions_are_listed_newest_first_with_what_they_measured(reader: TestClient) -> None:
    items = reader.get(URL).json()["items"]
    assert [(item["model"], item["version"]) for item in items] == [
        ("books", "b1"),
        ("polarity", "v2"),
        ("polarity", "v1"),
        ("polarity", "v0"),
    ]
    v1 = items[2]
    assert (v1["aliases"], v1["serving"], v1["shown"], v1["articles"]) == (["champion"], True, True, 8)
    assert v1["metrics"] == {"score": 0.74}
    assert (items[3]["serving"], items[3]["shown"], items[3]["articles"]) == (False, False, 8)


def test_versions_of_one_model(reader: TestClient) -> None:
    assert len(reader.get(URL, params={"model": "polarity"}).json()["items"]) == 3
    assert reader.get(URL, params={"model": "nothing"}).json()["items"] == []


def test_a_version_shows_its_card_and_files(reader: TestClient) -> None:
    version = reader.get(f"{URL}/polarity/versions/v1").json()
    assert version["card"].startswith("# polarity v1")
    assert set(version["files"]) == {"card.md", "model.json"}
    assert version["manifest"]["format"] == "test"


def test_a_promoted_version_answers_and_who_did_it_is_kept(api: SeededApi) -> None:
    client = api.client("admin")
    body = {"version": "v2", "why": "Better on the frozen sets.", "expected": "v1"}
    move = client.post(f"{URL}/polarity/promote", json=body).json()
    assert (move["from_version"], move["to_version"], move["who"]) == ("v1", "v2", "admin key")
    history = client.get(f"{URL}/polarity/history").json()["items"]
    assert history[0] == move
    assert len(history) == 3
    assert api.context.modelstore.champion("polarity").id == "v2"


def test_somebody_was_faster(admin: TestClient) -> None:
    body = {"version": "v2", "why": "Better.", "expected": "v0"}
    assert admin.post(f"{URL}/polarity/promote", json=body).status_code == 409


def test_a_version_that_is_damaged_is_refused(api: SeededApi) -> None:
    folder = api.context.modelstore.get("polarity", "v2").folder
    (folder / "model.json").write_text("{}")
    refused = api.client("admin").post(f"{URL}/polarity/promote", json={"version": "v2", "why": "Better."})
    assert (refused.status_code, refused.json()["code"]) == (500, "corrupt_model")
    assert api.context.modelstore.champion("polarity").id == "v1"


def test_a_rollback_goes_to_the_version_before(api: SeededApi) -> None:
    client = api.client("admin")
    move = client.post(f"{URL}/polarity/rollback", json={"why": "Worse."}).json()
    assert (move["from_version"], move["to_version"]) == ("v1", "v0")


def test_without_a_version_before_there_is_nothing_to_go_back_to(admin: TestClient) -> None:
    refused = admin.post(f"{URL}/books/rollback", json={"why": "Worse."})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition")


def test_names_that_leave_the_store_are_refused(admin: TestClient) -> None:
    for name in ("..", "..%2F..%2Fetc", "a%2F..%2Fb", "%00"):
        assert admin.get(f"{URL}/{name}/versions/v1").status_code in (404, 422)
        assert admin.get(f"{URL}/polarity/versions/{name}").status_code in (404, 422)
