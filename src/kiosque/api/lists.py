"""Answers to lists: a page of JSON with a link to the next one, or all of it as CSV or JSONL in constant memory."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from kiosque.api.exports import MEDIA_TYPES, Format, csv_chunks, jsonl_chunks, wanted_format
from kiosque.api.schemas.base import Answer, Listing, ListQuery
from kiosque.core.errors import InvalidInput
from kiosque.store.paging import Page

DEFAULT_LIMIT = 50
EXPORT_PAGE = 500
"""Rows read in one go while exporting; each page is a short transaction of its own."""

T = TypeVar("T", bound=Answer)
S = TypeVar("S")
Fetch = Callable[[int, str | None], Page[T]]
"""Given limit and cursor, a page. Called again and again while exporting."""


def answer_list(
    request: Request, query: ListQuery, fetch: Fetch[T], listing: type[Listing[T]], row: type[T], name: str
) -> Response:
    """The list in the form that the client asked for; `name` becomes the file's."""
    form = wanted_format(query.format, request.headers.get("accept"))
    if form is Format.JSON:
        page = fetch(query.limit or DEFAULT_LIMIT, query.cursor)
        return _json_page(request, listing(items=list(page.items), next=page.next))
    pages = eager(_pages(fetch, query.limit, query.cursor))
    chunks = csv_chunks(row.columns(), pages) if form is Format.CSV else jsonl_chunks(pages)
    return export(chunks, form, name)


def answer_table(
    request: Request,
    asked: Format | None,
    document: Answer,
    rows: Sequence[T],
    row: type[T],
    name: str,
) -> Response:
    """`document` as JSON, or its `rows` as CSV or JSONL."""
    form = wanted_format(asked, request.headers.get("accept"))
    if form is Format.JSON:
        return Response(document.model_dump_json(), media_type=MEDIA_TYPES[form])
    return export(
        csv_chunks(row.columns(), [rows]) if form is Format.CSV else jsonl_chunks([rows]), form, name
    )


def export(chunks: Iterator[str], form: Format, name: str) -> Response:
    """A file that is made while it is sent."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.{form.value}"',
        "Cache-Control": "private, no-cache",
        "Vary": "Accept, Authorization",
    }
    return StreamingResponse(chunks, media_type=MEDIA_TYPES[form], headers=headers)


def table_responses(document: type[Answer]) -> dict[int | str, dict[str, Any]]:
    """How the answer of `answer_table` is documented."""
    text = {"schema": {"type": "string"}}
    return {
        200: {
            "model": document,
            "description": "The whole as JSON, or its rows as CSV or JSONL.",
            "content": {"text/csv": text, "application/jsonl": text},
        }
    }


def list_responses(listing: type[Listing[Any]]) -> dict[int | str, dict[str, Any]]:
    """How a list's answer is documented."""
    return {
        200: {
            **table_responses(listing)[200],
            "description": "A page as JSON, or the whole list as CSV or JSONL.",
            "headers": {
                "Link": {"description": 'The next page, with `rel="next"`.', "schema": {"type": "string"}}
            },
        }
    }


def slice_page(items: Sequence[S], limit: int, cursor: str | None) -> Page[S]:
    """A page of a list that is at hand. For short lists: the cursor counts from the start."""
    start = offset_of(cursor)
    stop = start + limit
    return Page(tuple(items[start:stop]), offset_cursor(stop) if stop < len(items) else None)


def offset_cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o:{offset}".encode()).rstrip(b"=").decode()


def offset_of(cursor: str | None) -> int:
    """The inverse of `offset_cursor`; 0 for None. Raises InvalidInput on any other text."""
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        kind, _, number = text.partition(":")
        if kind == "o" and number.isdigit() and len(number) < 10 and offset_cursor(int(number)) == cursor:
            return int(number)
    except ValueError:
        pass
    raise InvalidInput("This cursor is not one of this list's.", hint="Take `next` of the page before.")


def map_page(page: Page[S], convert: Callable[[S], T]) -> Page[T]:
    return Page(tuple(convert(item) for item in page.items), page.next)


def _json_page(request: Request, listing: Listing[T]) -> Response:
    headers = {}
    if listing.next:
        following = request.url.include_query_params(cursor=listing.next)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return Response(listing.model_dump_json(), media_type=MEDIA_TYPES[Format.JSON], headers=headers)


def eager(pages: Iterator[S]) -> Iterator[S]:
    """`pages` with the first one fetched now, so that what is wrong with the request is said with a status."""
    return chain([next(pages)], pages)


def _pages(fetch: Fetch[T], limit: int | None, cursor: str | None) -> Iterator[Sequence[T]]:
    left = limit
    while True:
        page = fetch(EXPORT_PAGE if left is None else min(left, EXPORT_PAGE), cursor)
        yield page.items
        left = None if left is None else left - len(page.items)
        cursor = page.next
        if cursor is None or left == 0:
            return
