"""The books: the catalogue, one book with the articles that it goes with, and books for a pasted text."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from kiosque.core.book import BookQuery, Shelf
from kiosque.core.errors import KiosqueError
from kiosque.store import books, mentions, recommendations
from kiosque.web.render import house, page

router = APIRouter()

PAGE = 40
LIKE_IT = 5
LONGEST_TEXT = 20_000


@router.get("/books")
def catalogue(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    text: Annotated[str, Query(max_length=LONGEST_TEXT)] = "",
    cursor: str | None = None,
) -> HTMLResponse:
    api = house(request)
    shelf, problem = _ask(request, BookQuery(text=text)) if text.strip() else (None, None)
    with api.database.read() as tx:
        return page(
            request,
            tx,
            "books.html",
            section="/books",
            book_query=q,
            text=text,
            shelf=shelf,
            problem=problem,
            found=books.page(tx, query=q, limit=PAGE, cursor=cursor),
            total=books.count(tx),
        )


@router.get("/books/{key:path}")
def book_page(request: Request, key: str) -> HTMLResponse:
    with house(request).database.read() as tx:
        book = books.get(tx, key)
    shelf, problem = _ask(request, BookQuery(book_key=key, k=LIKE_IT))
    with house(request).database.read() as tx:
        recommended = recommendations.of_book(tx, key, limit=20).items
        return page(
            request,
            tx,
            "book.html",
            section="/books",
            book=book,
            placements=books.placements(tx, key)[:12],
            shelf=shelf,
            problem=problem,
            found=[stored for stored, _ in recommended],
            named=mentions.of_articles(tx, [stored.pk for stored, _ in recommended]),
        )


def _ask(request: Request, query: BookQuery) -> tuple[Shelf | None, str | None]:
    try:
        return house(request).predictor.books([query])[0], None
    except KiosqueError as error:
        return None, str(error)
