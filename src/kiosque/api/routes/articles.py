"""Articles: lists, one by one, why, and as they come in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from kiosque.api.context import Api, ApiDep
from kiosque.api.lists import answer_list, list_responses
from kiosque.api.route import NEEDS_READ, PREFIX, ApiRoute, problems
from kiosque.api.schemas.articles import (
    ArticleAnswer,
    ArticleDetail,
    ArticleListing,
    ArticleQuery,
    ContributionAnswer,
    CorrectionAnswer,
    ExplanationAnswer,
    LatestQuery,
    MentionAnswer,
    ScoringAnswer,
    SightingAnswer,
    article_answers,
    article_fields,
)
from kiosque.api.schemas.base import Key, Slug, Version
from kiosque.api.schemas.books import ShelfAnswer
from kiosque.core.errors import InvalidInput, NotFound
from kiosque.core.polarity import ScoringRequest, Target
from kiosque.store import articles, feedback, mentions, recommendations
from kiosque.store.articles import Sort
from kiosque.store.paging import Page
from kiosque.store.tx import Tx

router = APIRouter(prefix=f"{PREFIX}/articles", tags=["articles"], route_class=ApiRoute)

ArticleName = Annotated[
    Key, Path(description="Id (16 hexadecimal digits) or key of the article.", examples=["759312af1aca2a1e"])
]


@router.get(
    "",
    summary="Articles, filtered, sorted, searched",
    operation_id="list_articles",
    dependencies=NEEDS_READ,
    response_model=None,
    responses=list_responses(ArticleListing) | problems(),
)
def list_articles(request: Request, api: ApiDep, query: Annotated[ArticleQuery, Query()]) -> Response:
    """Each article comes with its mentions. Dates are days of publication in UTC, both inclusive."""
    where, sort = query.filter(), _sort(query)

    def fetch(limit: int, cursor: str | None) -> Page[ArticleAnswer]:
        with api.database.read() as tx:
            page = articles.page(tx, where, sort=sort, limit=limit, cursor=cursor)
            return Page(article_answers(tx, page.items, model_version=query.model_version), page.next)

    return answer_list(request, query, fetch, ArticleListing, ArticleAnswer, "articles")


@router.get(
    "/latest",
    summary="The articles that came in last",
    operation_id="latest_articles",
    dependencies=NEEDS_READ,
    responses=problems(),
)
def latest_articles(api: ApiDep, query: Annotated[LatestQuery, Query()]) -> ArticleListing:
    """By when they were first seen, newest first."""
    with api.database.read() as tx:
        found = articles.latest(tx, query.limit, source=query.source)
        return ArticleListing(items=list(article_answers(tx, found)))


@router.get(
    "/{article:path}/explain",
    summary="Why an article is scored as it is",
    operation_id="explain_article",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def explain_article(
    api: ApiDep,
    article: ArticleName,
    entity: Annotated[
        Slug, Query(description="Id of an entity that it mentions.", examples=["abraham-lincoln"])
    ],
) -> ExplanationAnswer:
    """The words of headline and abstract, with how much each pushed the net polarity toward the entity.

    Computed by the model that answers now, by leaving out each word in turn.
    """
    request, target = _asked(api, article, entity)
    words = api.predictor.explain(request, target)
    return ExplanationAnswer(target=entity, words=[ContributionAnswer.of(word) for word in words])


@router.get(
    "/{article:path}",
    summary="One article",
    operation_id="get_article",
    dependencies=NEEDS_READ,
    responses=problems(404),
)
def get_article(
    api: ApiDep,
    article: ArticleName,
    model_version: Annotated[
        Version | None, Query(description="Mentions by this version; without it, by the current one.")
    ] = None,
) -> ArticleDetail:
    """With whom it mentions and how, the books it leads to and why, who else had it, and what earlier models said."""
    with api.database.read() as tx:
        return _detail(tx, article, model_version)


def _detail(tx: Tx, name: str, model_version: str | None) -> ArticleDetail:
    stored = articles.get(tx, name)
    found = mentions.of_articles(tx, [stored.pk], model_version=model_version).get(stored.pk, ())
    shelf = recommendations.of_articles(tx, [stored.pk]).get(stored.pk)
    history = mentions.history(tx, stored.pk)
    return ArticleDetail.model_validate(
        {
            **article_fields(stored, found),
            "updated_at": stored.updated_at,
            "extra": dict(stored.article.extra),
            "sightings": [SightingAnswer.of(each) for each in articles.sightings(tx, stored.pk)],
            "books": ShelfAnswer.of(shelf) if shelf else None,
            "history": [
                ScoringAnswer(model_version=version, mentions=[MentionAnswer.of(each) for each in then])
                for version, then in history.items()
            ],
            "corrections": [CorrectionAnswer.of(each) for each in feedback.corrections_of(tx, stored.id)],
        }
    )


def _sort(query: ArticleQuery) -> Sort:
    if query.sort is Sort.RELEVANCE and not query.q.strip():
        raise InvalidInput("sort=relevance needs q.", hint="Give words to look for, or another order.")
    return query.sort or Sort.NEWEST


def _asked(api: Api, name: str, entity: str) -> tuple[ScoringRequest, Target]:
    """What the model was asked when it scored `entity` in the article."""
    with api.database.read() as tx:
        stored = articles.get(tx, name)
        found = mentions.of_articles(tx, [stored.pk]).get(stored.pk, ())
    for each in found:
        if each.entity_id == entity:
            spans = tuple(score.span for score in each.mention.spans)
            target = Target(id=entity, name=each.entity_name, spans=spans, kind=each.entity_kind)
            article = stored.article
            return ScoringRequest(
                headline=article.headline,
                abstract=article.abstract,
                targets=(target,),
                language=article.language,
            ), target
    raise NotFound(
        f"The article {stored.id} does not mention {entity!r}.", hint="GET it: `mentions` says whom it does."
    )
