from __future__ import annotations

import asyncio
import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from kiosque.api.exports import Format
from kiosque.api.lists import EXPORT_PAGE, answer_list, offset_cursor, offset_of, slice_page
from kiosque.api.schemas.base import Answer, Listing, ListQuery
from kiosque.core.errors import InvalidInput
from kiosque.store.paging import Page


class Number(Answer):
    n: int


class Numbers(Listing[Number]):
    pass


class Source:
    """A list of numbers that remembers how it was asked."""

    def __init__(self, size: int) -> None:
        self.items = [Number(n=n) for n in range(size)]
        self.asked: list[tuple[int, str | None]] = []

    def __call__(self, limit: int, cursor: str | None) -> Page[Number]:
        self.asked.append((limit, cursor))
        return slice_page(self.items, limit, cursor)


def request(query: str = "", accept: str = "*/*") -> Request:
    headers = [(b"accept", accept.encode())]
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/api/v1/numbers",
            "query_string": query.encode(),
            "headers": headers,
            "server": ("kiosque.example", 80),
            "scheme": "http",
        }
    )


def answer(source: Source, query: ListQuery, *, raw: str = "", accept: str = "*/*") -> Response:
    return answer_list(request(raw, accept), query, source, Numbers, Number, "numbers")


def body_of(response: Response) -> str:
    assert isinstance(response, StreamingResponse)

    async def read() -> str:
        return "".join([str(chunk) async for chunk in response.body_iterator])

    return asyncio.run(read())


def test_a_page_of_json_names_the_next_one_twice() -> None:
    response = answer(Source(3), ListQuery(limit=2), raw="limit=2&q=a%20b")
    document = json.loads(bytes(response.body))
    assert [item["n"] for item in document["items"]] == [0, 1]
    link = response.headers["link"]
    assert link.startswith("</api/v1/numbers?")
    assert f"cursor={document['next']}" in link
    assert "limit=2" in link
    assert "q=a" in link


def test_the_last_page_names_no_next_one() -> None:
    response = answer(Source(2), ListQuery(limit=2))
    assert json.loads(bytes(response.body))["next"] is None
    assert "link" not in response.headers


def test_json_without_a_limit_is_a_page_of_fifty() -> None:
    assert len(json.loads(bytes(answer(Source(80), ListQuery()).body))["items"]) == 50


def test_an_export_without_a_limit_is_everything_page_by_page() -> None:
    source = Source(2 * EXPORT_PAGE + 1)
    rows = list(csv.DictReader(io.StringIO(body_of(answer(source, ListQuery(format=Format.CSV))))))
    assert [int(row["n"]) for row in rows] == list(range(2 * EXPORT_PAGE + 1))
    assert [limit for limit, _ in source.asked] == [EXPORT_PAGE] * 3


@pytest.mark.parametrize("limit", [1, EXPORT_PAGE, EXPORT_PAGE + 1])
def test_an_export_with_a_limit_ends_there(limit: int) -> None:
    lines = body_of(answer(Source(1000), ListQuery(format=Format.JSONL, limit=limit))).splitlines()
    assert len(lines) == limit


def test_an_export_may_start_at_a_cursor() -> None:
    lines = body_of(answer(Source(5), ListQuery(format=Format.JSONL, cursor=offset_cursor(3)))).splitlines()
    assert lines == ['{"n":3}', '{"n":4}']


def test_what_is_wrong_with_an_export_is_said_before_it_begins() -> None:
    with pytest.raises(InvalidInput, match="cursor"):
        answer(Source(5), ListQuery(format=Format.CSV, cursor="nonsense"))


def test_an_export_is_a_file_of_its_type() -> None:
    response = answer(Source(1), ListQuery(), accept="text/csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="numbers.csv"'
    assert body_of(response) == "n\r\n0\r\n"


@given(st.integers(0, 10**9 - 1))
def test_a_cursor_gives_back_its_offset(offset: int) -> None:
    assert offset_of(offset_cursor(offset)) == offset


@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        offset = offset_of(text)
    except InvalidInput:
        return
    assert offset_cursor(offset) == text


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_pages_together_are_the_list(items: list[int], limit: int) -> None:
    found: list[int] = []
    cursor: str | None = None
    while True:
        page = slice_page(items, limit, cursor)
        found += page.items
        cursor = page.next
        if cursor is None:
            break
    assert found == items
