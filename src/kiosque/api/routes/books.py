"""Books: the catalogue, and which one goes deeper."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import ApiDep, CallerDep
from kiosque.api.lists import answer_list, list_responses, map_page
from kiosque.api.route import NEEDS_READ, PREFIX, ApiRoute, problems
from kiosque.api.schemas.base import Key, ListQuery
from kiosque.api.schemas.books import (
    BookAnswer,
    BookDetail,
    BookListing,
    BookListQuery,
    BooksBody,
    PlacementAnswer,
    ReadArticle,
    RecommendedForAnswer,
    RecommendedForListing,
    ShelfAnswer,
)
from kiosque.core.article import Article
from kiosque.core.book import BookQuery, ReadItem
from kiosque.core.clock import to_utc
from kiosque.pipeline.scoring import text_for_books
from kiosque.store import articles, books, feedback, recommendations
from kiosque.store.articles import StoredArticle
from kiosque.store.paging import Page
from kiosque.store.tx import Tx

router = APIRouter(prefix=f"{PREFIX}/books", tags=["books"], route_class=ApiRoute)

BookKey = Annotated[Key, Path(description="Key of the book.", examples=["isbn:9780684824901"])]

_EXAMPLES = {
    "article": {
        "summary": "For an article, only books of its time or before",
        "value": {"article": "759312af1aca2a1e", "k": 3, "contemporary": True},
    },
    "text": {
        "summary": "For any text",
        "value": {"text": "Lincoln appoints his rivals Seward and Chase to the cabinet.", "k": 3},
    },
    "reader": {
        "summary": "For someone who has read these",
        "value": {
            "reader": [
                {"article": "759312af1aca2a1e", "read_at": "2026-11-01T08:00:00Z"},
                {"text": "The election of 1860 split the Democrats.", "weight": 0.5},
            ],
            "fiction": False,
        },
    },
    "book": {"summary": "More like this one", "value": {"book": "isbn:9780684824901", "k": 2}},
}


@router.get(
    "",
    summary="The catalogue",
    operation_id="list_books",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(BookListing) | problems(),
)
def list_books(request: Request, api: ApiDep, query: Annotated[BookListQuery, Query()]) -> Response:
    """By title; with `q` the best fit first."""

    def fetch(limit: int, cursor: str | None) -> Page[BookAnswer]:
        with api.database.read() as tx:
            page = books.page(
                tx,
                query=query.q,
                language=query.language,
                fiction=query.fiction,
                year_from=query.year_from,
                year_to=query.year_to,
                limit=limit,
                cursor=cursor,
            )
        return map_page(page, BookAnswer.of)

    return answer_list(request, query, fetch, BookListing, BookAnswer, "books")


@router.post(
    "",
    summary="Recommend books",
    operation_id="recommend_books",
    dependencies=NEEDS_READ,
    responses=problems(400, 404, 413),
)
def recommend_books(
    api: ApiDep, caller: CallerDep, body: Annotated[BooksBody, Body(openapi_examples=_EXAMPLES)]
) -> ShelfAnswer:
    """For an article, any text, a reader, or more like a book; each with its reasons.

    No book at all if none fits: `note` says so. A `reader` is never offered what the caller marked as read already.
    """
    with api.database.read() as tx:
        query = _query(tx, body, api.clock())
        if body.reader is not None:
            query = replace(query, exclude=query.exclude | feedback.books_read(tx, caller.name))
    [shelf] = api.predictor.books([query])
    return ShelfAnswer.of(shelf)


@router.get(
    "/{book:path}/articles",
    summary="The articles for which a book is recommended",
    operation_id="articles_of_book",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(RecommendedForListing) | problems(404),
)
def articles_of_book(
    request: Request, api: ApiDep, book: BookKey, query: Annotated[ListQuery, Query()]
) -> Response:
    """Best fit first."""

    def fetch(limit: int, cursor: str | None) -> Page[RecommendedForAnswer]:
        with api.database.read() as tx:
            page = recommendations.of_book(tx, book, limit=limit, cursor=cursor)
        return map_page(page, _recommended_for)

    return answer_list(request, query, fetch, RecommendedForListing, RecommendedForAnswer, "articles-of-book")


@router.get(
    "/{book:path}",
    summary="One book",
    operation_id="get_book",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_book(api: ApiDep, book: BookKey) -> BookDetail:
    """With the best-seller lists that it stood on."""
    with api.database.read() as tx:
        found = books.get(tx, book)
        placements = books.placements(tx, book)
    return BookDetail(
        book=BookAnswer.of(found), placements=[PlacementAnswer.of(placement) for placement in placements]
    )


def _query(tx: Tx, body: BooksBody, now: datetime) -> BookQuery:
    """`body` as the model is asked it. Raises NotFound for an unknown article or book."""
    article = articles.get(tx, body.article).article if body.article is not None else None
    if body.book is not None:
        books.get(tx, body.book)
    return BookQuery(
        text=text_for_books(article) if article else body.text or "",
        reader=tuple(_read(tx, item) for item in body.reader or ()),
        book_key=body.book,
        k=body.k,
        exclude=frozenset(body.exclude),
        language=body.language,
        fiction=body.fiction,
        published_from=body.published_from,
        published_to=body.published_to,
        contemporary_on=_contemporary_on(body, article, now),
        min_score=body.min_score,
    )


def _contemporary_on(body: BooksBody, article: Article | None, now: datetime) -> str | None:
    if body.contemporary_on is not None:
        return body.contemporary_on.isoformat()
    if not body.contemporary:
        return None
    return to_utc(article.published_at if article else now).date().isoformat()


def _read(tx: Tx, item: ReadArticle) -> ReadItem:
    text = item.text if item.article is None else text_for_books(articles.get(tx, item.article).article)
    return ReadItem(text=text or "", read_at=_utc(item.read_at), weight=item.weight)


def _utc(moment: datetime | None) -> datetime | None:
    return to_utc(moment) if moment else None


def _recommended_for(found: tuple[StoredArticle, float]) -> RecommendedForAnswer:
    stored, score = found
    article = stored.article
    return RecommendedForAnswer(
        article=article.id, headline=article.headline, published_at=article.published_at, score=score
    )
