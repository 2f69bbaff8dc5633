"""The articles: a list that a sentence filters, and one article with what it says of whom, why, and what to read."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, Response

from kiosque.api.context import Api
from kiosque.core.article import Article
from kiosque.core.article import Field as Part
from kiosque.core.book import BookQuery, Shelf
from kiosque.core.errors import KiosqueError
from kiosque.core.polarity import Polarity
from kiosque.pipeline.scoring import text_for_books
from kiosque.store import articles, entities, feedback, mentions, models, recommendations
from kiosque.store.article_list import known_sources
from kiosque.store.articles import Sort, StoredArticle
from kiosque.store.mentions import StoredMention
from kiosque.store.tx import Tx
from kiosque.web.explained import explanations_of
from kiosque.web.feed import answer
from kiosque.web.feeds import feed_of_articles
from kiosque.web.figures.bars import probability_bar
from kiosque.web.highlight import Word, highlight, marks_of
from kiosque.web.pages.people import people_names
from kiosque.web.question import CONFIDENCES, ArticleQuestion, ask_of
from kiosque.web.render import house, page

router = APIRouter()

PAGE = 40
_log = structlog.get_logger(__name__)


@router.get("/articles")
def article_list(request: Request, ask: Annotated[ArticleQuestion, Query()]) -> HTMLResponse:
    with house(request).database.read() as tx:
        asked = ask_of(tx, ask)
        where = asked.filter
        found = articles.page(tx, where, sort=ask.order, limit=PAGE, cursor=ask.cursor)
        total = articles.count_some(tx, where)
        return page(
            request,
            tx,
            "articles.html",
            section="/articles",
            ask=ask,
            asked=asked,
            query=ask.q,
            sorts=Sort,
            polarities=Polarity,
            confidences=sorted({*CONFIDENCES, *([] if ask.confidence is None else [ask.confidence])}),
            found=found,
            named=mentions.of_articles(tx, [a.pk for a in found.items], model_version=where.model_version),
            total=total,
            fit=articles.fit_of(tx, where, total) if ask.order is Sort.RELEVANCE else None,
            ranked=articles.RANKED,
            sections=articles.sections(tx, limit=40),
            sources=known_sources(tx),
            versions=models.versions(tx),
            names=people_names(tx),
        )


@router.get("/articles.rss")
def article_feed(request: Request, ask: Annotated[ArticleQuestion, Query()]) -> Response:
    """The newest of what the question finds, whatever page of the list it was asked on."""
    with house(request).database.read() as tx:
        asked = ask_of(tx, ask.model_copy(update={"cursor": None}))
        feed = feed_of_articles(tx, asked.filter, ask.order, ask.address(cursor=None))
    return answer(request, replace(feed, own_path=ask.address("/articles.rss", cursor=None)))


@router.get("/articles/{article_id}")
def article_page(request: Request, article_id: str, why: str = "", sent: str = "") -> HTMLResponse:
    api = house(request)
    with api.database.read() as tx:
        stored = articles.get(tx, article_id)
        named = mentions.of_articles(tx, [stored.pk])[stored.pk]
        read = bool(mentions.scorings(tx, [stored.pk]))
        kept = recommendations.of_articles(tx, [stored.pk]).get(stored.pk)
        history = mentions.history(tx, stored.pk)
        seen = articles.sightings(tx, stored.pk)
        corrections = feedback.corrections_of(tx, stored.id)
    shelf, problem = (kept, None) if kept is not None else _ask_for_books(api, stored.article)
    with api.database.read() as tx:
        return page(
            request,
            tx,
            "article.html",
            section="/articles",
            stored=stored,
            headline=highlight(stored.article.headline, marks_of(named, Part.HEADLINE)),
            abstract=highlight(stored.article.abstract, marks_of(named, Part.ABSTRACT)),
            named=named,
            read=read,
            probability_bar=probability_bar,
            why=next((m for m in named if m.entity_id == why), None),
            words=_explain(request, tx, stored, named, why),
            shelf=shelf,
            polarities=Polarity,
            sent=sent,
            books_problem=problem,
            history=history,
            sightings=seen,
            corrections=corrections,
        )


def _ask_for_books(api: Api, article: Article) -> tuple[Shelf | None, str | None]:
    """A shelf made now, for articles that have none stored. The page stands without it, and says why."""
    try:
        return api.predictor.books([BookQuery(text=text_for_books(article))])[0], None
    except KiosqueError as error:
        _log.info("page.without_books", error=error.detail)
        return None, str(error)


def _explain(
    request: Request, tx: Tx, stored: StoredArticle, named: tuple[StoredMention, ...], why: str
) -> list[Word]:
    """The words that pushed the score of the entity `why`; none without one, or when the model does not answer."""
    mention = next((m for m in named if m.entity_id == why), None)
    entity = entities.of_ids(tx, [why]).get(why) if mention else None
    if mention is None or entity is None:
        return []
    return explanations_of(request).words(house(request), stored, entity, mention)
