"""The articles: a list that a sentence filters, and one article with what it says of whom, why, and what to read."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import HTMLResponse

from kiosque.api.context import Api
from kiosque.core.article import Article
from kiosque.core.article import Field as Part
from kiosque.core.book import BookQuery, Shelf
from kiosque.core.entity import Entity
from kiosque.core.errors import KiosqueError
from kiosque.core.polarity import Polarity
from kiosque.pipeline.scoring import text_for_books
from kiosque.store import articles, entities, feedback, mentions, recommendations
from kiosque.store.articles import ArticleFilter, Sort, StoredArticle
from kiosque.store.mentions import StoredMention
from kiosque.store.tx import Tx
from kiosque.web.figures.bars import probability_bar
from kiosque.web.highlight import Word, highlight, marks_of, words_of
from kiosque.web.pages.people import OptionalDay, find_person, people_names
from kiosque.web.render import house, page

router = APIRouter()

PAGE = 40
_log = structlog.get_logger(__name__)


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


OptionalPolarity = Annotated[Polarity | None, BeforeValidator(_none_if_empty)]


class ArticleQuestion(BaseModel):
    """The filter sentence as it stands in the address. An empty field is no condition."""

    q: str = Field(default="", max_length=200)
    entity: str = Field(default="", max_length=200)
    polarity: OptionalPolarity = None
    source: str = Field(default="", max_length=200)
    section: str = Field(default="", max_length=200)
    since: OptionalDay = None
    until: OptionalDay = None
    sort: Sort = Sort.NEWEST
    cursor: str | None = Field(default=None, max_length=1000)

    def filter(self, entity: Entity | None) -> ArticleFilter:
        """`entity` is who was meant by `self.entity`. Someone unknown is in no article."""
        return ArticleFilter(
            entities=(entity.id if entity else self.entity,) if self.entity else (),
            polarity=self.polarity,
            source=self.source or None,
            section=self.section or None,
            date_from=self.since,
            date_to=self.until,
            query=self.q,
        )

    def address(self, **changes: object) -> str:
        """The address of this question with some of it changed; what is empty is left out."""
        values = {**self.model_dump(mode="json"), **changes}
        kept = {k: v for k, v in values.items() if v not in (None, "", "newest")}
        return f"/articles?{urlencode(kept)}" if kept else "/articles"


@router.get("/articles")
def article_list(request: Request, ask: Annotated[ArticleQuestion, Query()]) -> HTMLResponse:
    sort = Sort.NEWEST if ask.sort is Sort.RELEVANCE and not ask.q else ask.sort
    with house(request).database.read() as tx:
        entity = find_person(tx, ask.entity) if ask.entity.strip() else None
        where = ask.filter(entity)
        found = articles.page(tx, where, sort=sort, limit=PAGE, cursor=ask.cursor)
        return page(
            request,
            tx,
            "articles.html",
            section="/articles",
            ask=ask,
            query=ask.q,
            sorts=Sort,
            polarities=Polarity,
            entity=entity,
            found=found,
            named=mentions.of_articles(tx, [a.pk for a in found.items]),
            total=articles.count(tx, where),
            sections=articles.sections(tx, limit=40),
            names=people_names(tx),
        )


@router.get("/articles/{article_id}")
def article_page(request: Request, article_id: str, why: str = "", sent: str = "") -> HTMLResponse:
    api = house(request)
    with api.database.read() as tx:
        stored = articles.get(tx, article_id)
        named = mentions.of_articles(tx, [stored.pk])[stored.pk]
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
            probability_bar=probability_bar,
            why=next((m for m in named if m.entity_id == why), None),
            words=_explain(api, tx, stored, named, why),
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
    api: Api, tx: Tx, stored: StoredArticle, named: tuple[StoredMention, ...], why: str
) -> list[Word]:
    """The words that pushed the score of the entity `why`; none without one, or when the model does not answer."""
    from kiosque.core.polarity import ScoringRequest, Target

    mention = next((m for m in named if m.entity_id == why), None)
    entity = entities.of_ids(tx, [why]).get(why) if mention else None
    if mention is None or entity is None:
        return []
    spans = tuple(scored.span for scored in mention.mention.spans)
    target = Target(entity.id, entity.name, spans, entity.kind)
    scoring = ScoringRequest(
        stored.article.headline, stored.article.abstract, (target,), stored.article.language
    )
    try:
        return words_of(api.predictor.explain(scoring, target))
    except KiosqueError as error:
        _log.info("page.without_words", error=error.detail)
        return []
