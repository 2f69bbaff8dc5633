"""Sources and dead letters over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from kiosque.api.context import Hooks
from kiosque.core.errors import Conflict, SourceUnavailable
from kiosque.pipeline.produce import PollReport

SOURCES = "/api/v1/sources"
LETTERS = "/api/v1/dead-letters"


def test_sources_say_how_they_fare_and_keep_their_secrets(reader: TestClient) -> None:
    answer = reader.get(SOURCES)
    demo = answer.json()["items"][1]
    assert (demo["id"], demo["articles_read"], demo["last_error"]) == ("demo", 9, None)
    assert "never to be shown" not in answer.text
    assert "never to be shown" not in reader.get(SOURCES, params={"format": "csv"}).text


def test_only_those_switched_on(reader: TestClient) -> None:
    items = reader.get(SOURCES, params={"enabled": True}).json()["items"]
    assert [item["id"] for item in items] == ["demo"]


def test_a_source_is_switched_off_and_on(writer: TestClient) -> None:
    assert writer.patch(f"{SOURCES}/demo", json={"enabled": False}).json()["enabled"] is False
    assert writer.get(f"{SOURCES}/demo").json()["enabled"] is False
    assert writer.patch(f"{SOURCES}/demo", json={"enabled": True}).json()["enabled"] is True
    assert writer.patch(f"{SOURCES}/demo", json={"enabled": "no"}).status_code == 422


def test_a_poll_answers_with_what_it_brought(writer: TestClient) -> None:
    assert writer.post(f"{SOURCES}/demo/poll").json() == {
        "source": "demo",
        "read": 3,
        "new": 2,
        "skipped": {"no_headline": 1},
        "complete": True,
    }


def test_a_poll_that_fails_says_why_and_when_to_come_back(make_api: Any) -> None:
    def poll(_: str) -> PollReport:
        raise SourceUnavailable("The feed answered 503.", retry_after=60)

    refused = make_api(hooks=Hooks(poll=poll)).client("write").post(f"{SOURCES}/demo/poll")
    assert (refused.status_code, refused.headers["retry-after"]) == (502, "60")


def test_a_source_that_is_being_polled_is_a_conflict(make_api: Any) -> None:
    def poll(_: str) -> PollReport:
        raise Conflict("It is being polled.")

    assert make_api(hooks=Hooks(poll=poll)).client("write").post(f"{SOURCES}/demo/poll").status_code == 409


def test_a_process_that_cannot_do_it_says_which_can(make_api: Any) -> None:
    client = make_api(hooks=Hooks()).client("write")
    for path in (f"{SOURCES}/demo/poll", f"{LETTERS}/1/replay"):
        refused = client.post(path)
        assert refused.status_code == 412
        assert "kiosque" in refused.json()["hint"]


def test_dead_letters_say_why_even_where_they_are_no_text(reader: TestClient) -> None:
    [letter] = reader.get(LETTERS).json()["items"]
    assert letter["reason"].startswith("not_ours")
    assert letter["preview"] == '{"schema": "something else"}\ufffd'
    assert reader.get(f"{LETTERS}/1").json() == letter
    assert reader.get(LETTERS, params={"replayed": True}).json()["items"] == []


def test_a_dead_letter_is_tried_again_or_thrown_away(writer: TestClient) -> None:
    assert writer.post(f"{LETTERS}/1/replay").json()["replayed_at"] == "2026-11-03T12:00:00Z"
    assert writer.delete(f"{LETTERS}/1").status_code == 204
    assert writer.get(f"{LETTERS}/1").status_code == 404


def test_ids_out_of_all_bounds_are_refused(reader: TestClient) -> None:
    for letter in ("0", "-1", str(2**63), "9" * 40, "1.5", "one"):
        assert reader.get(f"{LETTERS}/{letter}").status_code == 422
