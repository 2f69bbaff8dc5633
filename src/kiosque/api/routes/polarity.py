"""Asking how a text speaks of someone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Body

from kiosque.api.context import Api, ApiDep
from kiosque.api.route import NEEDS_READ, PREFIX, ApiRoute, problems
from kiosque.api.schemas.articles import ContributionAnswer
from kiosque.api.schemas.polarity import (
    MAX_TARGETS_IN_ALL,
    ExplainBody,
    ManyTextsBody,
    PolarityAnswer,
    PolarityBody,
    ScoredTextAnswer,
    TargetAnswer,
    TextBody,
    WordsAnswer,
)
from kiosque.core.article import Article
from kiosque.core.errors import InvalidInput
from kiosque.core.polarity import ScoringRequest, Target, TargetScore
from kiosque.pipeline.watch import Watched

router = APIRouter(prefix=f"{PREFIX}/polarity", tags=["polarity"], route_class=ApiRoute)

_TEXT = {"headline": "Lincoln carries Pennsylvania as Douglas stumbles in the North"}
_EXAMPLES = {
    "names": {"summary": "One text, two names", "value": {**_TEXT, "targets": ["Lincoln", "Douglas"]}},
    "watched": {"summary": "One text, whoever is watched", "value": {**_TEXT, "entities": "watched"}},
    "many": {
        "summary": "Several texts at once",
        "value": {
            "items": [
                {**_TEXT, "targets": ["Lincoln"]},
                {
                    "headline": "Crowds cheer in Springfield",
                    "abstract": "Mr. Lincoln spoke briefly.",
                    "targets": [{"name": "Lincoln", "id": "abraham-lincoln"}],
                },
            ]
        },
    },
}
_EXPLAIN = {"name": {"summary": "One text, one name", "value": {**_TEXT, "target": "Lincoln"}}}


@router.post(
    "",
    summary="How a text speaks of someone",
    operation_id="score_polarity",
    dependencies=NEEDS_READ,
    responses=problems(400, 413),
)
def score_polarity(
    api: ApiDep, body: Annotated[PolarityBody, Body(openapi_examples=_EXAMPLES)]
) -> PolarityAnswer:
    """Negative, neutral or positive toward each target, with calibrated probabilities; one text or up to 256.

    A target that the text does not name has the outcome `no_mention`, a text that is not English `not_english`
    (unless `any_language` is set), one that is too long for the model `too_long`.
    """
    texts = body.items if isinstance(body, ManyTextsBody) else [body]
    requests = _requests(api, texts)
    batch = api.predictor.polarity(requests, any_language=body.any_language)
    return PolarityAnswer(
        model_version=batch.model_version,
        items=[_answer(request, scores) for request, scores in zip(requests, batch.scores, strict=True)],
    )


@router.post(
    "/explain",
    summary="Which words made it so",
    operation_id="explain_polarity",
    dependencies=NEEDS_READ,
    responses=problems(400, 413),
)
def explain_polarity(
    api: ApiDep, body: Annotated[ExplainBody, Body(openapi_examples=_EXPLAIN)]
) -> WordsAnswer:
    """How much each word of the text pushed the net polarity toward the target."""
    request, target = body.request()
    words = api.predictor.explain(request, target)
    return WordsAnswer(target=target.id, words=[ContributionAnswer.of(word) for word in words])


def _requests(api: Api, texts: Sequence[TextBody]) -> list[ScoringRequest]:
    watched = None
    if any(text.entities for text in texts):
        with api.database.read() as tx:
            watched = api.watch.current(tx)
    requests = [
        text.request(_found(api, watched, text) if watched and text.entities else ()) for text in texts
    ]
    if sum(len(request.targets) for request in requests) > MAX_TARGETS_IN_ALL:
        raise InvalidInput(
            f"More than {MAX_TARGETS_IN_ALL} targets in all texts together.",
            hint="Send fewer texts at a time.",
        )
    return requests


def _found(api: Api, watched: Watched, text: TextBody) -> tuple[Target, ...]:
    """Who of the watch list is named in `text`, taken as an article of today."""
    if not (text.headline or text.abstract):
        return ()
    article = Article(
        key="text",
        source="api",
        headline=text.headline,
        abstract=text.abstract,
        published_at=api.clock(),
        language=text.language,
    )
    entities = watched.entities
    return tuple(
        Target(
            id=match.entity_id,
            name=entities[match.entity_id].name,
            spans=match.spans,
            kind=entities[match.entity_id].kind,
        )
        for match in watched.matcher.match(article).matches
    )


def _answer(request: ScoringRequest, scores: tuple[TargetScore, ...]) -> ScoredTextAnswer:
    pairs = zip(request.targets, scores, strict=True)
    return ScoredTextAnswer(targets=[TargetAnswer.of(target, score) for target, score in pairs])
