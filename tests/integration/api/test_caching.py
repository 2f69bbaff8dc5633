"""ETags: what has not changed is not sent again."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from kiosque.testing.seeded import ARTICLE_ID, SeededApi

PATHS = [
    "/api/v1/articles",
    f"/api/v1/articles/{ARTICLE_ID}",
    "/api/v1/entities/abraham-lincoln/timeline",
    "/api/v1/elections/1860",
    "/api/v1/stats/overview",
    "/api/v1/models/polarity/versions/v1",
]


@pytest.mark.parametrize("path", PATHS)
def test_an_unchanged_answer_is_304_without_a_body(reader: TestClient, path: str) -> None:
    first = reader.get(path)
    assert first.headers["etag"].startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    assert "authorization" in first.headers["vary"].lower()
    again = reader.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_changed_answer_is_sent(api: SeededApi) -> None:
    client = api.client("write")
    path = "/api/v1/entities/abraham-lincoln"
    etag = client.get(path).headers["etag"]
    client.post(f"{path}/aliases", json={"text": "Honest Abe"})
    again = client.get(path, headers={"If-None-Match": etag})
    assert again.status_code == 200
    assert again.headers["etag"] != etag


@pytest.mark.parametrize("condition", ["*", '"x", {etag}', "{strong}", '{etag}, W/"y"'])
def test_conditions_are_read_as_http_says(reader: TestClient, condition: str) -> None:
    etag = reader.get(PATHS[0]).headers["etag"]
    header = condition.replace("{etag}", etag).replace("{strong}", etag.removeprefix("W/"))
    assert reader.get(PATHS[0], headers={"If-None-Match": header}).status_code == 304


@pytest.mark.parametrize("condition", ['"other"', "W/", "nonsense", ""])
def test_other_conditions_do_not_hold(reader: TestClient, condition: str) -> None:
    assert reader.get(PATHS[0], headers={"If-None-Match": condition}).status_code == 200


def test_a_link_to_the_next_page_survives(reader: TestClient) -> None:
    first = reader.get("/api/v1/articles?limit=2")
    again = reader.get("/api/v1/articles?limit=2", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["link"] == first.headers["link"]


@pytest.mark.parametrize("path", ["/api/v1/keys", "/api/v1/users", "/api/v1/me"])
def test_accounts_are_never_stored_on_the_way(admin: TestClient, path: str) -> None:
    answer = admin.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_errors_have_no_etag(reader: TestClient) -> None:
    assert "etag" not in reader.get("/api/v1/articles/nothing").headers
