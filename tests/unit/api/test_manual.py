"""The page that shows the OpenAPI document."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

from kiosque.api.manual import render
from kiosque.testing.seeded import api_document, bare_api


class Reader(HTMLParser):
    """Notes elements and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_operation_can_be_linked_to() -> None:
    document = api_document()
    ids = {value for name, value in Reader(render(document)).attributes if name == "id"}
    operations = {spec["operationId"] for path in document["paths"].values() for spec in path.values()}
    assert operations <= ids


def test_elements_are_closed_and_there_is_no_script() -> None:
    reader = Reader(render(api_document()))
    assert reader.open == []
    assert "script" not in reader.elements
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "src"]


def test_what_the_document_says_is_text_whatever_it_is() -> None:
    nasty = '<img src=x onerror="alert(1)">`code`**'
    spec: dict[str, Any] = {
        "tags": ["t"],
        "operationId": nasty,
        "summary": nasty,
        "description": nasty,
        "parameters": [{"name": nasty, "in": "query", "description": nasty}],
        "requestBody": {"content": {nasty: {"examples": {"x": {"summary": nasty, "value": nasty}}}}},
        "responses": {"200": {"description": nasty}},
    }
    page = render(
        {
            "info": {"title": nasty, "description": nasty},
            "tags": [{"name": "t", "description": nasty}],
            "paths": {"/x": {"get": spec}},
        }
    )
    assert "img" not in Reader(page).elements


def test_the_page_is_open_and_its_policy_allows_its_own_style_only() -> None:
    answer = TestClient(bare_api()).get("/api/v1/docs")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
