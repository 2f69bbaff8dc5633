"""Corrections of labels and verdicts on books."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, TypeVar

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import Response, StreamingResponse

from kiosque.api.context import Api, ApiDep, CallerDep
from kiosque.api.exports import Format, jsonl_chunks
from kiosque.api.lists import answer_list, eager, export, list_responses, map_page, offset_cursor, offset_of
from kiosque.api.route import NEEDS_READ, NEEDS_WRITE, PREFIX, ApiRoute, problems, text_response
from kiosque.api.schemas.articles import CorrectionAnswer
from kiosque.api.schemas.base import ListQuery
from kiosque.api.schemas.feedback import (
    CorrectionBody,
    CorrectionListing,
    LabelledMention,
    ThumbAnswer,
    ThumbBody,
    ThumbListing,
    TrainingExample,
)
from kiosque.store import articles, feedback, mentions
from kiosque.store.feedback import Correction
from kiosque.store.paging import Page
from kiosque.store.tx import Tx

router = APIRouter(prefix=f"{PREFIX}/feedback", tags=["feedback"], route_class=ApiRoute)

T = TypeVar("T")
TRAINING_PAGE = 200

_CORRECTION = {
    "wrong": {
        "summary": "It is positive",
        "value": {"article": "759312af1aca2a1e", "entity": "abraham-lincoln", "polarity": "positive"},
    }
}
_THUMB = {
    "useful": {
        "summary": "A book that helped",
        "value": {"book": "isbn:9780684824901", "verdict": "useful", "article": "759312af1aca2a1e"},
    }
}


@router.post(
    "/corrections",
    summary="Correct a label",
    operation_id="correct_polarity",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 413),
)
def correct_polarity(
    api: ApiDep, caller: CallerDep, body: Annotated[CorrectionBody, Body(openapi_examples=_CORRECTION)]
) -> CorrectionAnswer:
    """Kept beside what the model said. A later one by the same caller on the same mention replaces it."""
    with api.database.write() as tx:
        correction = feedback.correct(
            tx,
            article_id=articles.get(tx, body.article).id,
            entity_id=body.entity,
            polarity=body.polarity,
            by=caller.name,
            at=api.clock(),
            note=body.note,
        )
    return CorrectionAnswer.of(correction)


@router.get(
    "/corrections",
    summary="Corrections",
    operation_id="list_corrections",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(CorrectionListing) | problems(),
)
def list_corrections(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """Oldest first."""

    def fetch(limit: int, cursor: str | None) -> Page[CorrectionAnswer]:
        with api.database.read() as tx:
            page = _page(feedback.corrections(tx), limit, cursor)
        return map_page(page, CorrectionAnswer.of)

    return answer_list(request, query, fetch, CorrectionListing, CorrectionAnswer, "corrections")


@router.get(
    "/training",
    summary="Corrections as a training set",
    operation_id="export_training",
    dependencies=NEEDS_READ,
    response_class=StreamingResponse,
    responses=text_response(
        "One example a line: `{id, text, mentions: [{target, polarity}]}`.", "application/jsonl"
    )
    | problems(),
)
def export_training(api: ApiDep) -> Response:
    """JSONL as `kiosque polarity train` reads it. Corrections that say "not meant here" are left out."""
    return export(jsonl_chunks(eager(_training_pages(api))), Format.JSONL, "corrections-training")


@router.post(
    "/books",
    summary="Say whether a book was useful",
    operation_id="judge_book",
    dependencies=NEEDS_WRITE,
    responses=problems(400, 404, 413),
)
def judge_book(
    api: ApiDep, caller: CallerDep, body: Annotated[ThumbBody, Body(openapi_examples=_THUMB)]
) -> ThumbAnswer:
    """A later verdict by the same caller on the same book and occasion replaces it."""
    with api.database.write() as tx:
        thumb = feedback.thumb(
            tx,
            book_key=body.book,
            verdict=body.verdict,
            by=caller.name,
            at=api.clock(),
            article_id=articles.get(tx, body.article).id if body.article is not None else None,
            text_digest=text_digest(body.text) if body.text is not None else None,
        )
    return ThumbAnswer.of(thumb)


@router.get(
    "/books",
    summary="Verdicts on books",
    operation_id="list_verdicts",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(ThumbListing) | problems(),
)
def list_verdicts(request: Request, api: ApiDep, query: Annotated[ListQuery, Query()]) -> Response:
    """Oldest first."""

    def fetch(limit: int, cursor: str | None) -> Page[ThumbAnswer]:
        with api.database.read() as tx:
            page = _page(feedback.thumbs(tx), limit, cursor)
        return map_page(page, ThumbAnswer.of)

    return answer_list(request, query, fetch, ThumbListing, ThumbAnswer, "book-verdicts")


def text_digest(text: str) -> str:
    """By what a text is known in verdicts, without being kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def _page(rows: Iterator[T], limit: int, cursor: str | None) -> Page[T]:
    start = offset_of(cursor)
    found = tuple(islice(rows, start, start + limit + 1))
    return Page(found[:limit], offset_cursor(start + limit) if len(found) > limit else None)


def _training_pages(api: Api) -> Iterator[list[TrainingExample]]:
    cursor: str | None = None
    while True:
        with api.database.read() as tx:
            page = _page(feedback.corrections(tx), TRAINING_PAGE, cursor)
            examples = [example for each in page.items for example in _examples(tx, each)]
        yield examples
        cursor = page.next
        if cursor is None:
            return


def _examples(tx: Tx, correction: Correction) -> Iterator[TrainingExample]:
    """The texts of the article in which the entity stands, with the label that a person gave."""
    article = articles.find(tx, correction.article_id)
    if correction.polarity is None or article is None:
        return
    found = mentions.of_articles(tx, [article.pk]).get(article.pk, ())
    for mention in found:
        if mention.entity_id != correction.entity_id:
            continue
        for part in dict.fromkeys(score.span.part for score in mention.mention.spans):
            text = article.article.text_of(part)
            span = next(score.span for score in mention.mention.spans if score.span.part is part)
            yield TrainingExample(
                id=f"{article.id}-{part.value}",
                text=text,
                mentions=[LabelledMention(target=text[span.start : span.end], polarity=correction.polarity)],
            )
